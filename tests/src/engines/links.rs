//! The ways from processes to engines, each of which can be cut.

use super::Toxiproxy;
use crate::process::Settings;
use reqwest::Url;

/// What is at the far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// Redis.
    Redis,
    /// Weaviate: HTTP and gRPC.
    Weaviate,
    /// The S3 server.
    S3,
    /// The language model.
    Model,
}

impl Engine {
    /// The settings that name it.
    fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["DATABASE_URL"],
            Self::Redis => &["REDIS_URL"],
            Self::Weaviate => &["WEAVIATE_URL", "WEAVIATE_GRPC_PORT"],
            Self::S3 => &["MINIO_ENDPOINT"],
            Self::Model => &["OPENAI_BASE_URL"],
        }
    }
}

/// How a network fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Connections break, new ones are refused.
    Refuse,
    /// What is sent is lost, and nobody is told.
    Swallow,
    /// What is sent arrives when the cut is over.
    Hold,
}

/// Ways to some engines, for one process or several.
pub struct Links {
    toxiproxy: Toxiproxy,
    engines: Vec<Engine>,
    settings: Settings,
}

impl Links {
    /// Lays ways to engines that settings name.
    pub async fn lay(engines: &[Engine], settings: &Settings) -> Self {
        let toxiproxy = Toxiproxy::start().await;
        let mut laid = Settings::new();
        for name in engines.iter().flat_map(|engine| engine.settings()) {
            // The last one counts, as in an environment.
            let found = settings.iter().rev().find(|(known, _)| known == name);
            let (_, value) = found.unwrap_or_else(|| panic!("{name} is not set"));
            let near = async |port| toxiproxy.lay(name, port).await;
            laid.push(((*name).to_owned(), through(value, near).await));
        }
        Self { toxiproxy, engines: engines.to_vec(), settings: laid }
    }

    /// The settings of a process that uses these ways.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Cuts the ways to an engine.
    pub async fn cut(&self, engine: Engine) {
        self.each(engine, async |name| self.toxiproxy.open(name, false).await).await;
    }

    /// Ends that.
    pub async fn mend(&self, engine: Engine) {
        self.each(engine, async |name| self.toxiproxy.open(name, true).await).await;
    }

    /// Cuts all ways.
    pub async fn cut_all(&self, cut: Cut) {
        for engine in self.engines.clone() {
            match cut {
                Cut::Refuse => self.cut(engine).await,
                Cut::Swallow => self.each(engine, async |name| self.toxiproxy.swallow(name).await).await,
                Cut::Hold => return self.toxiproxy.hold(true),
            }
        }
    }

    /// Ends that.
    pub async fn mend_all(&self, cut: Cut) {
        for engine in self.engines.clone() {
            match cut {
                Cut::Refuse => self.mend(engine).await,
                Cut::Swallow => self.each(engine, async |name| self.toxiproxy.relent(name).await).await,
                Cut::Hold => return self.toxiproxy.hold(false),
            }
        }
    }

    async fn each(&self, engine: Engine, act: impl AsyncFn(&str)) {
        assert!(self.engines.contains(&engine), "no way to {engine:?} was laid");
        for name in engine.settings() {
            act(name).await;
        }
    }
}

/// The same URL or port, through a near end.
async fn through(value: &str, near: impl AsyncFn(u16) -> u16) -> String {
    if let Ok(port) = value.parse() {
        return near(port).await.to_string();
    }
    let mut url = Url::parse(value).unwrap();
    let port = url.port_or_known_default().unwrap();
    url.set_port(Some(near(port).await)).unwrap();
    url.to_string()
}
