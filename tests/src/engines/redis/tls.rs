//! A server that speaks TLS only, with a certificate of an authority that nobody else knows.

use super::{PASSWORD_IN_URL, RedisServer};
use crate::process::Settings;
use std::{path::PathBuf, process::Command};
use tempfile::TempDir;

/// A running server with TLS.
pub struct RedisTls {
    server: RedisServer,
    authority: PathBuf,
}

impl RedisTls {
    /// Starts it.
    pub async fn start() -> Self {
        let certificates = Certificates::make();
        let authority = certificates.path("ca.pem");
        Self { server: RedisServer::start_tls(certificates).await, authority }
    }

    /// How the program is told of it.
    pub fn settings(&self) -> Settings {
        let url = format!("rediss://:{PASSWORD_IN_URL}@{}", self.server.address());
        let authority = self.authority.display().to_string();
        vec![("REDIS_URL".into(), url), ("REDIS_CA_FILE".into(), authority)]
    }
}

/// An authority, and a certificate of it for loopback.
pub(super) struct Certificates(TempDir);

impl Certificates {
    fn make() -> Self {
        let made = Self(tempfile::tempdir().unwrap());
        made.openssl("-keyout ca.key -out ca.pem -subj /CN=authority");
        made.openssl(
            "-CA ca.pem -CAkey ca.key -keyout server.key -out server.pem -subj /CN=redis \
             -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1",
        );
        made
    }

    fn openssl(&self, arguments: &str) {
        let made = Command::new("openssl")
            .args("req -x509 -days 2 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256".split(' '))
            .args(arguments.split_whitespace())
            .current_dir(self.0.path())
            .output()
            .unwrap_or_else(|error| panic!("openssl: {error}: run scripts/engines up"));
        assert!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The authority's certificate.
    pub(super) fn authority(&self) -> Vec<u8> {
        std::fs::read(self.path("ca.pem")).unwrap()
    }

    /// What a server is told of them.
    pub(super) fn lines(&self) -> Vec<String> {
        let file = |name, path| format!("{name} {}", self.path(path).display());
        vec![
            file("tls-ca-cert-file", "ca.pem"),
            file("tls-cert-file", "server.pem"),
            file("tls-key-file", "server.key"),
            "tls-auth-clients no".into(),
        ]
    }
}
