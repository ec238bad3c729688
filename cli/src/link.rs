//! The server that a command talks to: one that is named, the one that has the data folder, or a private one.

use crate::{
    args::Target,
    client::Client,
    failure::{Failure, Outcome},
    interrupt::Interrupt,
    output,
    run::Context,
    server::{Crew, Reach, Server},
    settings::{data_option, secret_key},
};
use chat_adapters::{DataLock, Holder};
use chat_config::Secret;
use chat_core::ports::Ports;
use std::{path::Path, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// How long another command may have the data folder before this one gives up.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long running jobs of a private server get when its command is done.
const GRACE: Duration = Duration::from_secs(5);
/// How long they get after Ctrl-C: what was accepted goes on at the next start.
const HURRY: Duration = Duration::from_millis(300);
/// How long a private server may take to close then. It is safe to leave it as it is.
const CLOSE: Duration = Duration::from_secs(1);

/// What is done about a data folder that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Folder {
    IsMade,
    MustExist,
}

/// A connection to a server.
pub struct Link {
    /// Talks to it.
    pub client: Client,
    private: Option<Server>,
    interrupt: Interrupt,
    option: String,
}

impl Link {
    /// Finds a server, or starts a private one with this crew; a data folder that is not there is made.
    pub async fn open(context: &Context, target: &Target, crew: Crew) -> Outcome<Self> {
        Self::to(context, target, crew, Folder::IsMade).await
    }

    /// The same for who looks at what is there: a folder without data is more likely a typing error than a wish.
    pub async fn open_existing(context: &Context, target: &Target, crew: Crew) -> Outcome<Self> {
        Self::to(context, target, crew, Folder::MustExist).await
    }

    async fn to(context: &Context, target: &Target, crew: Crew, folder: Folder) -> Outcome<Self> {
        let found = context.interrupt.unless(Self::find(context, target, crew, folder)).await;
        found.unwrap_or_else(|| Err(Failure::interrupted("nothing was done yet")))
    }

    async fn find(context: &Context, target: &Target, crew: Crew, folder: Folder) -> Outcome<Self> {
        let secret = secret_key(&context.settings);
        let client = |url: &str, key: Option<Secret>| {
            Client::new(url).map(|client| client.with_api_key(key).with_secret_key(secret.clone()))
        };
        let (given, set) = (target.api_key.clone(), context.settings.app.api_key.clone());
        let option = match &target.server {
            Some(url) => format!(" --server {url}"),
            None => data_option(&context.settings),
        };
        let interrupt = context.interrupt.clone();
        let link = |client, private| Self { client, private, interrupt, option };
        if let Some(url) = &target.server {
            return Ok(link(client(url, given.or(set))?, None));
        }
        if let Some(url) = running(&context.settings.data_dir).await? {
            // A key that is set may be another server's; who has this one's SECRET_KEY needs none.
            let key = given.or(set.filter(|_| secret.is_none()));
            return Ok(link(client(&url, key)?, None));
        }
        if folder == Folder::MustExist && !chat_adapters::has_rows(&context.settings) {
            let folder = context.settings.data_dir.display();
            return Err(Failure::wrong_use(format!("there is no data in {folder}"))
                .hint("name the folder with --data DIR, or a server with --server URL")
                .hint("begin one here: `chat up`, or `chat ingest PATH`"));
        }
        let server =
            Server::start(&context.settings, Reach::Private, crew, &context.telemetry.metrics).await?;
        Ok(link(client(&server.url().unwrap_or_default(), None)?, Some(server)))
    }

    /// The ports, if the server is inside this process.
    pub fn ports(&self) -> Option<&Ports> {
        self.private.as_ref().map(Server::ports)
    }

    /// Whether the server is inside this process, and has the data folder for it alone.
    pub fn is_private(&self) -> bool {
        self.private.is_some()
    }

    /// The option with which another command talks to the same server, with a space before it.
    pub fn option(&self) -> &str {
        &self.option
    }

    /// Stops a private server; at once, if somebody asked for that.
    pub async fn close(self) {
        let Some(server) = self.private else { return };
        if self.interrupt.has_fired() {
            if timeout(CLOSE, server.stop(HURRY)).await.is_err() {
                tracing::warn!("the server inside this process was left as it was");
            }
        } else {
            server.stop(GRACE).await;
        }
    }
}

/// Where the server that has the folder listens. A command that has it has no address: it will be done soon.
async fn running(folder: &Path) -> Outcome<Option<String>> {
    let deadline = Instant::now() + PATIENCE;
    let mut said = false;
    while let Some(Holder { pid, url }) = DataLock::holder(folder) {
        if url.is_some() {
            return Ok(url);
        }
        if Instant::now() > deadline {
            let folder = folder.display();
            let what = format!("the data folder {folder} is in use by another command (process {pid})");
            return Err(
                Failure::new(what).hint("try again when it is done, or start a server for all: `chat up`")
            );
        }
        if !std::mem::replace(&mut said, true) {
            output::note(&format!(
                "waiting for another command (process {pid}) to be done with the data folder"
            ));
        }
        sleep(LOOK_AGAIN).await;
    }
    Ok(None)
}
