//! All settings together.

use std::path::PathBuf;

use chat_core::Limits;

use crate::application::{self, App, Http};
use crate::catalog;
use crate::limits;
use crate::loader::{Loader, SettingRow};
use crate::logs::Log;
use crate::models::{Embedding, Llm, Retrieval};
use crate::operations::{self, Prometheus, Worker};
use crate::problem::ConfigError;
use crate::production;
use crate::source::Source;
use crate::stores::{Database, Index, Redis, Storage};
use crate::url::Url;

/// Every setting, checked. Printing it shows no secret.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder for everything that is kept in files.
    pub data_dir: PathBuf,
    /// The application itself.
    pub app: App,
    /// Its HTTP side.
    pub http: Http,
    /// How much callers may ask for.
    pub limits: Limits,
    /// The database.
    pub database: Database,
    /// What hands out jobs and carries events.
    pub redis: Redis,
    /// Where uploaded files are kept.
    pub storage: Storage,
    /// Where vectors are searched.
    pub index: Index,
    /// The model that answers.
    pub llm: Llm,
    /// The model that turns text into vectors.
    pub embedding: Embedding,
    /// What a turn is answered from.
    pub retrieval: Retrieval,
    /// Workers and the server's own limits.
    pub worker: Worker,
    /// Logs.
    pub log: Log,
    /// Metrics.
    pub prometheus: Prometheus,
    /// Where errors are reported to.
    pub sentry_dsn: Option<Url>,
    rows: Vec<SettingRow>,
    warnings: Vec<String>,
}

impl Settings {
    /// Reads every setting from the first source that has it: command line, environment, `.env`, default, whatever
    /// order they are given in.
    ///
    /// # Errors
    /// Everything that is wrong, in one error: values that cannot be read, values that contradict each other, unknown
    /// names on the command line, lines of `.env` that cannot be read, and what production refuses.
    pub fn load(sources: &[Source]) -> Result<Self, ConfigError> {
        let mut loader = Loader::new(sources);
        let mut settings = Self::read(&mut loader);
        let Loader { mut problems, mut rows, warnings, .. } = loader;
        if !problems.is_empty() {
            problems.sort_by_key(|problem| catalog::position(&problem.name));
            return Err(ConfigError::new(problems));
        }
        rows.sort_by_key(|row| catalog::position(row.name));
        settings.rows = rows;
        settings.warnings = warnings;
        Ok(settings)
    }

    fn read(loader: &mut Loader) -> Self {
        let app = App::read(loader);
        let data_dir = application::read_data_dir(loader);
        let http = Http::read(loader);
        let limits = limits::read(loader);
        let database = Database::read(loader, &data_dir);
        let redis = Redis::read(loader);
        let storage = Storage::read(loader, &data_dir);
        let index = Index::read(loader);
        let llm = Llm::read(loader);
        let embedding = Embedding::read(loader, &llm.provider);
        let retrieval = Retrieval::read(loader);
        let worker = Worker::read(loader);
        let log = Log::read(loader, &app, &data_dir);
        let prometheus = Prometheus::read(loader, &http);
        let sentry_dsn = operations::read_sentry(loader);
        if app.env.is_strict() {
            production::check(loader, &app, &database.url, &redis.url);
        }
        production::warn_of_known_key(loader, &app, http.host.is_loopback());
        let (rows, warnings) = (Vec::new(), Vec::new());
        Self {
            data_dir,
            app,
            http,
            limits,
            database,
            redis,
            storage,
            index,
            llm,
            embedding,
            retrieval,
            worker,
            log,
            prometheus,
            sentry_dsn,
            rows,
            warnings,
        }
    }

    /// Every effective setting, for people: secrets are masked, passwords inside URLs too.
    pub fn table(&self) -> Vec<SettingRow> {
        self.rows.clone()
    }

    /// What does not stop the start but is probably not meant, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}
