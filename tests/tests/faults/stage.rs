//! A deployment under load, to which things happen.

use super::{
    RECOVERY, Size, alone,
    load::{self, User},
    random,
};
use chat_tests::{
    chat::eventually,
    deployment::Deployment,
    engines::{Engines, Ground},
    fake_openai::FakeOpenAi,
    history::History,
    ledger::{Held, Ledger},
    process::{Process, Role, Settings},
};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::time::{Duration, Instant};
use tokio::{sync::MutexGuard, task::JoinSet, time::timeout};

/// How an answer is given: four seconds long.
const ANSWER: &str = "say=泵 每 周 检查 一次 and then log it in the book please so that the next shift knows what \
                      was done here today [1]; ttft=30; tps=6";
/// Eight seconds that are under way when something happens.
const LONG: &str = "[[fake:tokens=48; tps=6]]";
/// How often a worker is stopped and let go on until it stands within a transaction.
const STOPS: u64 = 400;
/// Asked only to see that it is answered.
const SHORT: &str = "Still there? [[fake:say=yes; tps=1000]]";

/// Two interfaces and two workers under load.
pub struct Stage {
    pub deployment: Deployment,
    pub history: History,
    pub ledger: Ledger,
    pub random: SmallRng,
    pub fake: FakeOpenAi,
    /// How much is under way.
    pub size: Size,
    name: &'static str,
    collection: String,
    load: JoinSet<()>,
    asked: usize,
    begun: Instant,
    _alone: MutexGuard<'static, ()>,
}

impl Stage {
    /// A deployment without processes.
    pub async fn prepare(name: &'static str, engines: &Engines, more: &[(&str, String)]) -> Self {
        let alone = alone().await;
        let begun = Instant::now();
        let random = random(name);
        let fake = FakeOpenAi::start().await;
        fake.directives(ANSWER);
        let mut settings = vec![("OPENAI_BASE_URL", fake.url()), ("EMBEDDING_MODEL", "offline".into())];
        settings.extend(more.iter().cloned());
        let ground = Ground::claim(engines).await;
        let ledger = Ledger::of(&ground).await;
        let deployment = Deployment::prepare(Some(ground), &settings).await;
        Self {
            deployment,
            history: History::default(),
            ledger,
            random,
            fake,
            name,
            size: Size::wanted(),
            collection: String::new(),
            load: JoinSet::new(),
            asked: 0,
            begun,
            _alone: alone,
        }
    }

    /// Two interfaces, two workers: their places are 0, 1 and 2, 3.
    pub async fn start(&mut self, overrides: &Settings) {
        for role in [Role::Api, Role::Api, Role::Worker, Role::Worker] {
            self.deployment.add(role, overrides).await;
        }
    }

    /// A user of all interfaces.
    pub fn user(&self) -> User {
        User { client: self.deployment.client(), history: self.history.clone() }
    }

    /// Begins the load; what is not asked at once is asked within `window`.
    pub async fn load(&mut self, window: Duration) {
        self.collection = self.deployment.client().collection("pumps").await;
        let mut random = SmallRng::seed_from_u64(self.random.next_u64());
        let user = self.user();
        load::begin(&mut self.load, &user, &self.collection, self.size, window, &mut random).await;
    }

    /// Asks what takes long, and waits until the model is speaking to all of them.
    pub async fn burst(&mut self) {
        let number = (self.size.turns / 6).max(6);
        let before = self.fake.journal().streams().len();
        for _ in 0..number {
            self.asked += 1;
            let (user, key) = (self.user(), format!("burst-{}", self.asked));
            let session = user.session(&format!("session-of-{key}")).await;
            self.load.spawn(async move { user.turn(&session, LONG, &key).await });
        }
        self.fake.until(RECOVERY, |journal| journal.streams().len() >= before + number).await;
        // Their first words are on the way.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }

    /// Says how long it took until everything works again: every process is ready, every interface has a turn
    /// answered, a document becomes ready.
    pub async fn recovered(&mut self, what: &str, since: Instant) {
        let left = RECOVERY.saturating_sub(since.elapsed());
        self.asked += 1;
        let asked = self.asked;
        let living: Vec<&Process> =
            self.deployment.processes.iter().filter(|process| !process.ended).collect();
        let ready = async {
            for process in &living {
                eventually("it is ready", async || (process.readiness().await? == "ready").then_some(()))
                    .await;
            }
            since.elapsed()
        };
        let turns = async {
            for (place, process) in living.iter().enumerate().filter(|(_, process)| process.url.is_some()) {
                let user = User { client: process.client(), history: self.history.clone() };
                let key = format!("probe-{asked}-{place}");
                let session = user.session(&format!("session-of-{key}")).await;
                user.turn(&session, SHORT, &key).await;
            }
            since.elapsed()
        };
        let document = async {
            let user = self.user();
            let document = user.upload(&self.collection, 10_000 + asked, 2).await;
            let end = user.client.document_end(&document).await;
            assert_eq!(end["status"], "ready", "{end}");
            since.elapsed()
        };
        let (ready, turns, document) =
            tokio::join!(timeout(left, ready), timeout(left, turns), timeout(left, document));
        println!("{}: after {what}: ready {ready:?}, turns {turns:?}, document {document:?}", self.name);
        let all = [ready.is_ok(), turns.is_ok(), document.is_ok()];
        assert!(
            all == [true; 3],
            "{what}: not recovered within {RECOVERY:?}: [ready, turns, document] {all:?}"
        );
    }

    /// Stops a worker where it does the most harm: within a transaction, whose locks its connection goes on holding.
    /// Says when it was stopped.
    pub async fn stop_within_a_transaction(&self, worker: usize) -> Instant {
        let process = &self.deployment.processes[worker];
        for tries in 1..=STOPS {
            process.signal("STOP");
            let stopped = Instant::now();
            tokio::time::sleep(Duration::from_millis(120)).await;
            if self.ledger.waits_in_transaction(100).await && self.still_waits_in_transaction().await {
                println!("{}: stopped within a transaction at try {tries}", self.name);
                return stopped;
            }
            process.signal("CONT");
            // Longer and longer: on a busy machine it gets nothing done in a moment.
            tokio::time::sleep(Duration::from_millis(5 + tries / 4)).await;
        }
        panic!("{}: in {STOPS} tries the worker never stood within a transaction", self.name);
    }

    /// What a living process does is over by then, however busy the machine is.
    async fn still_waits_in_transaction(&self) -> bool {
        tokio::time::sleep(Duration::from_millis(600)).await;
        self.ledger.waits_in_transaction(600).await
    }

    /// Waits until none of these claims is held any more.
    pub async fn released(&self, what: &str, claims: &[Held], since: Instant) {
        loop {
            let now = self.ledger.claims().await;
            let held = claims.iter().filter(|claim| now.contains(claim)).count();
            if held == 0 {
                break;
            }
            let waited = since.elapsed();
            assert!(waited < RECOVERY, "{what}: {held} of {} claims held after {waited:?}", claims.len());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        println!("{}: {} claims released {:?} after {what}", self.name, claims.len(), since.elapsed());
    }

    /// Waits for the end of the load and checks everything.
    pub async fn finish(mut self) {
        let ended = timeout(Duration::from_mins(2), async {
            while let Some(caller) = self.load.join_next().await {
                caller.unwrap();
            }
        });
        assert!(ended.await.is_ok(), "{}: {} callers still wait", self.name, self.load.len());
        let client = self.deployment.client();
        self.history.check_turns(&client).await;
        self.history.check_documents(&client).await;
        let passages = self.ledger.check(&self.history).await;
        let indexed = self.deployment.ground().passages().await;
        assert_eq!(passages, indexed, "passages in SQL and in the index");
        let sizes = (self.history.turns().len(), self.history.documents().len());
        println!(
            "{}: {} turns, {} documents, {passages} passages, {} events, {} resumes, {} restarts, {} failed turns: \
             nothing lost, nothing twice ({:?})",
            self.name,
            sizes.0,
            sizes.1,
            self.history.events(),
            self.history.resumed(),
            self.ledger.restarts().await,
            self.history.excused(),
            self.begun.elapsed()
        );
    }
}
