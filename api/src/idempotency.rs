//! `Idempotency-Key`: the same key and request within 24 hours gets the first answer again.

use crate::{
    answer::Answer,
    caller::Caller,
    problem::{Code, Problem},
    sse,
    state::{AppState, Published},
};
use axum::{
    http::{HeaderMap, HeaderValue, Method, StatusCode, request::Parts},
    response::IntoResponse,
    response::Response,
};
use chat_core::{Change, ErrorKind, KeptAnswer};
use sha2::{Digest, Sha256};

/// The longest key, in bytes.
const KEY_BYTES: usize = 255;
/// Says that an answer was given before.
const REPLAYED: &str = "idempotent-replayed";

/// The key of a request, if it has one, with what the request asked for.
#[derive(Debug, Clone, Default)]
pub struct Idempotency(Option<Keyed>);

#[derive(Debug, Clone)]
struct Keyed {
    key: String,
    /// SHA-256 of method, path and body, in hex.
    request: String,
}

/// How a commit with a key went.
pub enum Recorded {
    /// It was written.
    Fresh,
    /// Another request with the same key was faster: this was its answer.
    Replayed(Response),
}

impl Idempotency {
    /// The key of a request with this body; only a POST has one.
    pub fn of(parts: &Parts, body: &[u8]) -> Result<Self, Problem> {
        if parts.method != Method::POST {
            return Ok(Self(None));
        }
        let Some(key) = key(&parts.headers)? else {
            return Ok(Self(None));
        };
        let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
        let mut hash = Sha256::new();
        for part in [parts.method.as_str().as_bytes(), path.as_bytes(), body] {
            // Lengths keep the parts apart: no two requests have the same bytes.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Ok(Self(Some(Keyed { key, request: hex::encode(hash.finalize()) })))
    }

    /// The first answer to this request, if there was one.
    pub async fn replay(&self, state: &AppState, caller: &Caller) -> Result<Option<Response>, Problem> {
        let Some(keyed) = &self.0 else { return Ok(None) };
        let Some(kept) = state.ports.store.kept_answer(&caller.tenant, &keyed.key).await? else {
            return Ok(None);
        };
        if kept.request != keyed.request {
            let detail = "This Idempotency-Key was used for another request.";
            return Err(Problem::new(StatusCode::CONFLICT, Code::IdempotencyConflict, detail));
        }
        again(state, caller, kept).await.map(Some)
    }

    /// What keeps an answer for repetitions.
    fn keep(&self, state: &AppState, caller: &Caller, answer: &Answer) -> Option<Change> {
        let keyed = self.0.as_ref()?;
        Some(Change::KeepAnswer(Box::new(KeptAnswer {
            tenant: caller.tenant.clone(),
            key: keyed.key.clone(),
            request: keyed.request.clone(),
            status: answer.status.as_u16(),
            body: answer.body.clone(),
            stream: answer.stream,
            location: answer.location.clone(),
            created_at: state.ports.clock.now(),
        })))
    }

    /// Commits the changes of a request together with its answer; then publishes.
    pub async fn commit(
        &self,
        state: &AppState,
        caller: &Caller,
        mut changes: Vec<Change>,
        publish: Published,
        answer: &Answer,
    ) -> Result<Recorded, Problem> {
        changes.extend(self.keep(state, caller, answer));
        if changes.is_empty() {
            return Ok(Recorded::Fresh);
        }
        match state.commit(changes, publish).await {
            Ok(_) => Ok(Recorded::Fresh),
            Err(error) if error.kind == ErrorKind::Conflict => match self.replay(state, caller).await? {
                Some(response) => Ok(Recorded::Replayed(response)),
                None => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// The same, and what the caller is told: this answer, or the one that was given before.
    pub async fn answer(
        &self,
        state: &AppState,
        caller: &Caller,
        changes: Vec<Change>,
        publish: Published,
        answer: Answer,
    ) -> Result<Response, Problem> {
        match self.commit(state, caller, changes, publish, &answer).await? {
            Recorded::Replayed(replayed) => Ok(replayed),
            Recorded::Fresh => Ok(answer.into_response()),
        }
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let refuse = |message: String| Problem::field("Idempotency-Key", message);
    if value.len() > KEY_BYTES {
        return Err(refuse(format!("must have at most {KEY_BYTES} bytes, has {}", value.len())));
    }
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| refuse("must be UTF-8".to_owned()))?;
    if text.trim().is_empty() {
        return Err(refuse("must not be empty".to_owned()));
    }
    Ok(Some(text.to_owned()))
}

async fn again(state: &AppState, caller: &Caller, kept: KeptAnswer) -> Result<Response, Problem> {
    let mut response = match kept.stream {
        Some(id) => sse::replay(state, caller, id).await?,
        None => Answer::of(&kept).into_response(),
    };
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}
