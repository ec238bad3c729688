//! Streams end when their caller's key is revoked or ends, however long they have been open.

use super::{Credential, is_still_known};
use crate::state::AppState;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How often credentials of open streams are looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// Credentials that open streams depend on. Each is looked at once, however many streams it has.
#[derive(Default)]
pub struct Watch(Mutex<HashMap<Credential, Watched>>);

struct Watched {
    streams: usize,
    ended: CancellationToken,
}

/// A stream depends on a credential as long as this lives.
pub struct Dependent {
    state: AppState,
    credential: Credential,
    /// Fires when the credential is not good any more.
    pub ended: CancellationToken,
}

impl Watch {
    /// Watches a credential for a stream.
    pub fn depend(state: &AppState, credential: Credential) -> Dependent {
        let mut all = state.watch.lock();
        let first = all.is_empty();
        let watched =
            all.entry(credential).or_insert_with(|| Watched { streams: 0, ended: CancellationToken::new() });
        watched.streams += 1;
        let ended = watched.ended.clone();
        drop(all);
        if first {
            state.tasks.spawn(look(state.clone()));
        }
        Dependent { state: state.clone(), credential, ended }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Credential, Watched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Dependent {
    fn drop(&mut self) {
        let mut all = self.state.watch.lock();
        if let Some(watched) = all.get_mut(&self.credential) {
            watched.streams -= 1;
            if watched.streams == 0 {
                all.remove(&self.credential);
            }
        }
    }
}

/// Looks as long as there are streams.
async fn look(state: AppState) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let credentials: Vec<_> = state.watch.lock().keys().copied().collect();
        if credentials.is_empty() {
            return;
        }
        for credential in credentials {
            if !is_still_known(&state, credential).await
                && let Some(watched) = state.watch.lock().get(&credential)
            {
                watched.ended.cancel();
            }
        }
    }
}
