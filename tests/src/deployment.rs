//! The program as it is deployed: in one process with everything inside, in one process on real engines, or in several
//! that share nothing but the engines.

use crate::{
    chat::{Addresses, ChatClient},
    engines::{Engines, Ground},
    process::{self, Process, Role, Settings},
};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};
use tempfile::TempDir;

/// Which deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// `chat up` alone.
    Embedded,
    /// `chat up` on PostgreSQL, Redis, Weaviate and S3.
    Production,
    /// Two `chat api` and two `chat worker` on them; requests go to the interfaces in turn.
    Cluster,
}

impl Profile {
    /// The processes that it has.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::Embedded | Self::Production => &[Role::Up],
            Self::Cluster => &[Role::Api, Role::Worker, Role::Api, Role::Worker],
        }
    }
}

/// A deployment; dropped, its processes are ended, then what they kept in the engines is removed.
pub struct Deployment {
    /// The processes, in the order of their start.
    pub processes: Vec<Process>,
    roles: Vec<Role>,
    settings: Settings,
    addresses: Addresses,
    started: AtomicU32,
    ground: Option<Ground>,
    folder: Folder,
}

impl Deployment {
    /// Starts everything and waits until it is ready.
    pub async fn start(profile: Profile, settings: &[(&str, String)]) -> Self {
        let ground = match profile {
            Profile::Embedded => None,
            Profile::Production | Profile::Cluster => Some(Ground::claim(&Engines::named()).await),
        };
        let mut deployment = Self::prepare(ground, settings).await;
        deployment.roles = profile.roles().to_vec();
        deployment.start_again().await;
        deployment
    }

    /// Everything but the processes: database, bucket and collection are made.
    pub async fn prepare(ground: Option<Ground>, settings: &[(&str, String)]) -> Self {
        let folder = Folder::new();
        let mut all: Settings = vec![
            ("DATA_DIR".into(), folder.path().join("data").display().to_string()),
            ("DATABASE_POOL_SIZE".into(), "8".into()), // many deployments share one PostgreSQL here
            ("DATABASE_MAX_OVERFLOW".into(), "8".into()),
        ];
        all.extend(ground.iter().flat_map(Ground::settings));
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        if ground.is_some() {
            process::run(&["migrate"], folder.path(), &all).await;
            process::run(&["init"], folder.path(), &all).await;
        }
        Self {
            processes: Vec::new(),
            roles: Vec::new(),
            settings: all,
            addresses: Addresses::default(),
            started: AtomicU32::new(0),
            ground,
            folder,
        }
    }

    /// Starts one more process, with settings that override those of the others; its place among the processes.
    pub async fn add(&mut self, role: Role, overrides: &Settings) -> usize {
        let process = self.spawn(role, overrides).await;
        self.processes.push(process);
        self.announce();
        self.processes.len() - 1
    }

    /// Starts a process in the place of one that has ended.
    pub async fn replace(&mut self, place: usize) {
        self.processes[place] = self.spawn(self.processes[place].role, &Settings::new()).await;
        self.announce();
    }

    async fn spawn(&self, role: Role, overrides: &Settings) -> Process {
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        let settings = self.settings.iter().chain(overrides).cloned().collect();
        Process::start(role, &format!("{number}-{}", role.command()), self.folder.path(), &settings).await
    }

    /// Sends clients to the interfaces that there are.
    pub fn announce(&self) {
        self.addresses.set(self.processes.iter().filter_map(|process| process.url.clone()).collect());
    }

    /// Sends clients to the other interfaces, as a load balancer does before a process is stopped.
    pub fn withdraw(&self, place: usize) {
        let others = self.processes.iter().enumerate().filter(|(other, _)| *other != place);
        self.addresses.set(others.filter_map(|(_, process)| process.url.clone()).collect());
    }

    /// A client of all interfaces.
    pub fn client(&self) -> ChatClient {
        ChatClient::new(self.addresses.clone())
    }

    /// The processes of a role.
    pub fn of(&self, role: Role) -> impl Iterator<Item = &Process> {
        self.processes.iter().filter(move |process| process.role == role)
    }

    /// Changes a setting of the processes that are started from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// What every process is given.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where it is in the engines, if it uses any.
    pub fn ground(&self) -> &Ground {
        self.ground.as_ref().expect("this deployment uses no engines")
    }

    /// Where logs and files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops all processes as an operator does, interfaces first.
    pub async fn stop(&mut self) {
        self.processes.sort_by_key(|process| process.role == Role::Worker);
        for mut process in self.processes.drain(..) {
            let status = process.stop().await;
            assert!(status.success(), "chat {} ended with {status}", process.role.command());
        }
    }

    /// Asks all processes to stop.
    pub fn interrupt(&self) {
        self.processes.iter().for_each(|process| process.signal("TERM"));
    }

    /// `kill -9` for all.
    pub fn kill(&mut self) {
        self.processes.drain(..).for_each(|mut process| process.kill());
    }

    /// Starts the processes that the deployment had, over what they left behind.
    pub async fn start_again(&mut self) {
        for role in self.roles.clone() {
            self.add(role, &Settings::new()).await;
        }
    }
}

/// A folder that goes with the test, unless the test fails: then its logs are wanted.
struct Folder(Option<TempDir>);

impl Folder {
    fn new() -> Self {
        Self(Some(tempfile::Builder::new().prefix("rag-chat-test-").tempdir().unwrap()))
    }

    fn path(&self) -> &Path {
        self.0.as_ref().unwrap().path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(folder) = self.0.take()
        {
            let kept: PathBuf = folder.keep();
            eprintln!("logs are kept in {}", kept.display());
        }
    }
}
