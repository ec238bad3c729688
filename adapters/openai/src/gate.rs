//! When a model may be asked again: what a server tells one caller, all callers heed, in this process and in others.

use chat_core::{
    Timestamp,
    ports::{Cache, Clock},
};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// The longest that a model is left alone, whatever its server asks for: then somebody asks again.
const LONGEST: Duration = Duration::from_mins(1);
/// Over how long those who have waited come back: at least this, or a quarter of the wait.
const SPREAD: Duration = Duration::from_secs(1);
/// How often a process looks at what others have been told, for each model.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long that may take: a model that answers matters more than one call too many.
const LOOK_TIMEOUT: Duration = Duration::from_millis(250);
/// How many models are remembered before those that may be asked are forgotten.
const MANY: usize = 256;

/// What is known of the models of servers.
pub struct Gate {
    cache: Arc<dyn Cache>,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Clone, Copy)]
struct Known {
    /// Not to be asked before.
    until: Timestamp,
    /// When the cache was looked at.
    looked: Timestamp,
}

impl Gate {
    /// Everything may be asked, unless the cache knows better.
    pub fn new(cache: Arc<dyn Cache>, clock: Arc<dyn Clock>) -> Self {
        Self { cache, clock, known: Mutex::default() }
    }

    /// How long a model is not to be asked; none: it may be now. Callers get different answers, so that they do not all
    /// come back at once.
    pub(crate) async fn pause(&self, model: &str) -> Option<Duration> {
        let now = self.clock.now();
        let mut known = self.lock().get(model).copied();
        if known.is_none_or(|known| now.since(known.looked) >= LOOK_EVERY || known.looked > now) {
            let told = timeout(LOOK_TIMEOUT, self.cache.get(&key(model))).await.ok().flatten();
            let told = told.and_then(|until| until.parse().ok()).map_or(Timestamp(0), Timestamp);
            known = Some(self.note(model, told, now));
        }
        // Clocks of processes differ: nobody waits longer than this for another one's.
        let left = known?.until.since(now).min(LONGEST);
        let spread = SPREAD.max(left / 4);
        (!left.is_zero()).then(|| left + spread.mul_f64(rand::random()))
    }

    /// Its server has asked for a pause.
    pub(crate) async fn hold(&self, model: &str, asked: Duration) {
        let held = asked.min(LONGEST);
        if held < asked {
            let (asked, held) = (asked.as_secs(), held.as_secs());
            tracing::warn!(
                asked_s = asked,
                held_s = held,
                "a model server asks for a longer pause than it is given: it is asked again before"
            );
        }
        let now = self.clock.now();
        let until = now.plus(held);
        if until > now && self.note(model, until, now).until == until {
            let (key, value) = (key(model), until.0.to_string().into());
            let _ = timeout(LOOK_TIMEOUT, self.cache.put(&key, value, held)).await; // others find it out by themselves
        }
    }

    /// The later time counts.
    fn note(&self, model: &str, until: Timestamp, now: Timestamp) -> Known {
        let mut known = self.lock();
        if known.len() >= MANY {
            known.retain(|_, known| known.until > now);
        }
        let entry = known.entry(model.to_owned()).or_insert(Known { until, looked: now });
        *entry = Known { until: entry.until.max(until), looked: now };
        *entry
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Addresses may hold a password, and names of models anything.
fn key(model: &str) -> String {
    format!("model_pause:{}", hex::encode(&Sha256::digest(model)[..16]))
}
