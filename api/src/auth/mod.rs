//! Who may call: API keys, access tokens, or anybody where no identity is configured.

pub mod key;
pub mod token;
mod watch;

use crate::{
    caller::Caller,
    fields,
    problem::{Code, Problem},
    state::AppState,
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chat_core::{ApiKey, ErrorKind, KeyId, Scope, Tenant};
use std::{
    collections::HashMap,
    fmt,
    ops::RangeInclusive,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
pub use watch::Watch;

/// How long a key that was looked up is believed: a revoked one is refused everywhere within a second.
const BELIEVED: Duration = Duration::from_millis(400);
/// How many keys are remembered.
const MOST_KEYS: usize = 10_000;

/// How long a tenant's name may be, in characters.
pub const TENANT_CHARS: RangeInclusive<usize> = 1..=200;

/// How callers are known.
#[derive(Clone)]
pub struct Identity {
    /// Signs tokens and hashes keys.
    pub secret_key: String,
    /// Whether a caller without key or token is refused. Otherwise such a caller may do everything.
    pub required: bool,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("required", &self.required).finish_non_exhaustive()
    }
}

/// By what a caller is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// Nothing: no identity is configured.
    None,
    /// An API key.
    Key(KeyId),
    /// An access token, and when it ends.
    Token(chat_core::Timestamp),
}

/// Keys that were looked up lately.
#[derive(Default)]
pub struct Keys(Mutex<HashMap<KeyId, (Instant, ApiKey)>>);

impl Keys {
    fn find(&self, id: KeyId) -> Option<ApiKey> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&id).filter(|(at, _)| at.elapsed() < BELIEVED).map(|(_, key)| key.clone())
    }

    fn keep(&self, key: ApiKey) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KEYS {
            known.clear();
        }
        known.insert(key.id, (Instant::now(), key));
    }
}

/// Finds out who calls, before anything else is looked at.
pub async fn authenticate(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    match caller(&state, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Who calls, by the `Authorization` header.
pub async fn caller(state: &AppState, headers: &HeaderMap) -> Result<Caller, Problem> {
    match headers.get(header::AUTHORIZATION) {
        None => anybody(state),
        Some(value) => {
            let token = value.to_str().ok().and_then(|text| {
                let (scheme, token) = text.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
            });
            bearer(
                state,
                token.ok_or_else(|| refused("The Authorization header must be `Bearer` and a key."))?,
            )
            .await
        }
    }
}

fn anybody(state: &AppState) -> Result<Caller, Problem> {
    if state.options.identity.required {
        return Err(refused("A key is needed: send `Authorization: Bearer <key>`."));
    }
    Ok(Caller { tenant: Tenant::default(), scope: Scope::Admin, credential: Credential::None })
}

/// Who has this key or token.
pub async fn bearer(state: &AppState, text: &str) -> Result<Caller, Problem> {
    let secret_key = &state.options.identity.secret_key;
    let Some(id) = key::claimed(text) else {
        let verified = token::verify(text, secret_key, state.ports.clock.now());
        let token = verified.ok_or_else(|| refused("The key or token is not valid, or has ended."))?;
        let credential = Credential::Token(token.expires_at);
        return Ok(Caller { tenant: token.tenant, scope: token.scope, credential });
    };
    let found = look_up(state, id).await?;
    let key = found.filter(|key| key::matches(text, &key.hash, secret_key) && is_live(state, key));
    let key = key.ok_or_else(|| refused("The key is not valid, was revoked, or has ended."))?;
    let scope = key.scopes.iter().copied().max().unwrap_or(Scope::User);
    Ok(Caller { tenant: key.tenant, scope, credential: Credential::Key(id) })
}

/// Whether a caller who was known may still call. If that cannot be found out, nothing changes.
async fn is_still_known(state: &AppState, credential: Credential) -> bool {
    match credential {
        Credential::None => true,
        Credential::Token(ends) => state.ports.clock.now() < ends,
        Credential::Key(id) => match look_up(state, id).await {
            Ok(Some(key)) => is_live(state, &key),
            Ok(None) => false,
            Err(_) => true,
        },
    }
}

async fn look_up(state: &AppState, id: KeyId) -> Result<Option<ApiKey>, Problem> {
    if let Some(key) = state.keys.find(id) {
        return Ok(Some(key));
    }
    match state.ports.store.api_key(id).await {
        Ok(key) => {
            state.keys.keep(key.clone());
            Ok(Some(key))
        }
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_live(state: &AppState, key: &ApiKey) -> bool {
    key.revoked_at.is_none() && key.expires_at.is_none_or(|ends| state.ports.clock.now() < ends)
}

/// The tenant of this name, if it can be one's: it stands in rows, keys of caches and logs.
pub fn tenant(name: &str) -> Option<Tenant> {
    let is_sound = fields::text_problem(name, &TENANT_CHARS).is_none() && !name.chars().any(char::is_control);
    is_sound.then(|| Tenant::from(name))
}

fn refused(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, detail)
}
