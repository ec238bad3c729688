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
pub struct Watch(Mutex<Open>);

#[derive(Default)]
struct Open {
    by_credential: HashMap<Credential, Watched>,
    /// Somebody looks at them already.
    looking: bool,
}

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
        let mut open = state.watch.lock();
        let watched = open
            .by_credential
            .entry(credential)
            .or_insert_with(|| Watched { streams: 0, ended: CancellationToken::new() });
        watched.streams += 1;
        let ended = watched.ended.clone();
        let looking = std::mem::replace(&mut open.looking, true);
        drop(open);
        if !looking {
            state.tasks.spawn(look(state.clone()));
        }
        Dependent { state: state.clone(), credential, ended }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Dependent {
    fn drop(&mut self) {
        let mut open = self.state.watch.lock();
        if let Some(watched) = open.by_credential.get_mut(&self.credential) {
            watched.streams -= 1;
            if watched.streams == 0 {
                open.by_credential.remove(&self.credential);
            }
        }
    }
}

/// Looks as long as there are streams.
async fn look(state: AppState) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let credentials: Vec<_> = {
            let mut open = state.watch.lock();
            open.looking = !open.by_credential.is_empty();
            open.by_credential.keys().copied().collect()
        };
        if credentials.is_empty() {
            return;
        }
        for credential in credentials {
            if !is_still_known(&state, credential).await
                && let Some(watched) = state.watch.lock().by_credential.get(&credential)
            {
                watched.ended.cancel();
            }
        }
    }
}
