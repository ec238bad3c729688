//! Runs `chat` in folders of its own, with nothing of this machine's settings.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A slow machine with other work; never reached when all is well.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// A folder to work in; `data` inside it is the data folder.
pub struct Place {
    folder: TempDir,
    settings: Vec<(String, String)>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), settings: Vec::new() }
    }

    /// With a data folder in which nothing was done yet.
    pub fn begun() -> Self {
        let place = Self::new();
        place.run(&["init"]).expect(0);
        place
    }

    /// With a setting in the environment.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
        command
            .env_clear()
            .env("PROMETHEUS_PORT", "0")
            .envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.args(arguments).arg("--data").arg(self.data()).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        finish(self.command(arguments).spawn().unwrap())
    }

    /// Runs a command with this text on its standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        finish(child)
    }

    /// Starts `chat up` on a free port and waits until it says that it listens.
    pub fn up(&self) -> Up {
        self.up_with(&[])
    }

    /// The same, with more options.
    pub fn up_with(&self, options: &[&str]) -> Up {
        Up::start(self, options)
    }
}

impl Ended {
    /// The standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts how it ended.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}

/// Waits for the end, but not for ever.
pub fn finish(mut child: Child) -> Ended {
    let (out, err) = (collect(child.stdout.take().unwrap()), collect(child.stderr.take().unwrap()));
    let deadline = Instant::now() + DEADLINE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            let (out, err) = (out.join().unwrap(), err.join().unwrap());
            panic!("it did not end\n{out}\n{err}");
        }
        thread::park_timeout(Duration::from_millis(10));
    };
    Ended { code: status.code(), out: out.join().unwrap(), err: err.join().unwrap() }
}

fn collect(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    })
}

/// A server that runs.
pub struct Up {
    child: Option<Child>,
    out: Lines,
    err: Lines,
}

/// What a server said so far, on one of its outputs.
pub struct Lines {
    coming: mpsc::Receiver<String>,
    said: Vec<String>,
}

impl Lines {
    pub fn of(from: impl Read + Send + 'static) -> Self {
        let (send, coming) = mpsc::channel();
        let lines = BufReader::new(from).lines().map_while(Result::ok);
        thread::spawn(move || lines.into_iter().try_for_each(|line| send.send(line)));
        Self { coming, said: Vec::new() }
    }

    /// Waits for a line that contains a text.
    pub fn find(&mut self, text: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(line) = self.said.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.coming.recv_timeout(left) {
                Ok(line) => self.said.push(line),
                Err(error) => panic!("{error}: no line with {text} among {:?}", self.said),
            }
        }
    }

    /// Everything, once the server has ended.
    fn all(mut self) -> String {
        self.said.extend(self.coming.iter());
        self.said.join("\n")
    }
}

impl Up {
    fn start(place: &Place, options: &[&str]) -> Self {
        let mut child = place.command(&[&["up", "--port", "0"], options].concat()).spawn().unwrap();
        let (out, err) = (Lines::of(child.stdout.take().unwrap()), Lines::of(child.stderr.take().unwrap()));
        Self { child: Some(child), out, err }
    }

    /// Waits for a line of the standard output that contains a text.
    pub fn line(&mut self, text: &str) -> String {
        self.out.find(text)
    }

    /// Waits for a line of the standard error that contains a text.
    pub fn note(&mut self, text: &str) -> String {
        self.err.find(text)
    }

    /// The address in the line that contains a text.
    pub fn address(&mut self, text: &str) -> String {
        let line = self.line(text);
        line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned()
    }

    pub fn signal(&self, name: &str) {
        signal(self.child.as_ref().unwrap(), name);
    }

    /// Waits for its end: the exit code.
    pub fn ended(&mut self) -> Option<i32> {
        let child = self.child.as_mut().unwrap();
        let mut code = None;
        until("its end", || {
            code = child.try_wait().unwrap();
            code.is_some()
        });
        code.unwrap().code()
    }

    /// Asks it to stop and waits for that.
    pub fn stop(mut self) -> Ended {
        self.signal("TERM");
        let code = self.ended();
        self.child = None;
        let empty = || Lines { coming: mpsc::channel().1, said: Vec::new() };
        let out = std::mem::replace(&mut self.out, empty()).all();
        let err = std::mem::replace(&mut self.err, empty()).all();
        Ended { code, out, err }
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Sends a signal, as a shell would.
pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
    assert!(sent.unwrap().success());
}

/// The body of a page.
pub fn get(url: &str) -> (u16, String) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Waits until something is there.
pub fn until(what: &str, mut is_there: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_there() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// As an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
