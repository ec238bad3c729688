//! A network that can be broken: the program toxiproxy.

use super::script;
use crate::chat::{eventually, http};
use serde_json::{Value, json};
use std::{
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
};

/// The running program, killed when dropped.
pub struct Toxiproxy {
    child: Child,
    api: String,
}

impl Toxiproxy {
    /// Starts it.
    pub async fn start() -> Self {
        let found = Command::new(script()).arg("toxiproxy").output().unwrap().stdout;
        let program = String::from_utf8(found).unwrap();
        // It does not tell which port it took, so it is told one that was free just now.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let child = Command::new(program.trim())
            .args(["-host", "127.0.0.1", "-port", &free.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}: run scripts/engines up", program.trim()));
        let proxy = Self { child, api: format!("http://127.0.0.1:{free}") };
        eventually("toxiproxy answers", async || {
            http().get(format!("{}/version", proxy.api)).send().await.ok()
        })
        .await;
        proxy
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = http().post(format!("{}{path}", self.api)).json(body).send().await.unwrap();
        let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap());
        assert!(status.is_success(), "toxiproxy {path}: {status} {body}");
        body
    }

    /// A way to a port of this machine; the port at its near end.
    pub async fn lay(&self, name: &str, port: u16) -> u16 {
        let body = json!({
            "name": name, "listen": "127.0.0.1:0", "upstream": format!("127.0.0.1:{port}"), "enabled": true
        });
        let made = self.post("/proxies", &body).await;
        made["listen"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Closes a way: connections break, new ones are refused. Or opens it again.
    pub async fn open(&self, name: &str, open: bool) {
        self.post(&format!("/proxies/{name}"), &json!({ "enabled": open })).await;
    }

    /// What goes over this way is lost from now on, and nobody is told.
    pub async fn swallow(&self, name: &str) {
        for stream in ["upstream", "downstream"] {
            let toxic = json!({ "name": stream, "type": "timeout", "stream": stream, "attributes": { "timeout": 0 } });
            self.post(&format!("/proxies/{name}/toxics"), &toxic).await;
        }
    }

    /// Ends that; connections that lost something break.
    pub async fn relent(&self, name: &str) {
        for stream in ["upstream", "downstream"] {
            let url = format!("{}/proxies/{name}/toxics/{stream}", self.api);
            http().delete(url).send().await.unwrap().error_for_status().unwrap();
        }
    }

    /// Holds everything up, or lets it flow: what was sent meanwhile arrives late.
    pub fn hold(&self, held: bool) {
        let signal = if held { "STOP" } else { "CONT" };
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        // A signal is sent before it has arrived at every thread.
        while held && !self.stands_still() {
            std::thread::yield_now();
        }
    }

    fn stands_still(&self) -> bool {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        threads.flatten().all(|thread| {
            let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
        })
    }
}

impl Drop for Toxiproxy {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
