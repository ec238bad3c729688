//! A turn as values: what is written when one is accepted.

use crate::{
    caller::Caller,
    fields::Fields,
    problem::{FieldError, Problem},
    state::{AppState, Published},
};
use chat_core::{
    Change, CollectionId, ErrorKind, Event, Message, NewJob, NewResponse, Response, ResponseId,
    ResponseStatus, SessionId, StreamId, Timestamp, Timings, TurnOptions,
};
use chat_jobs::{AnswerTurn, JobKind};
use serde_json::Map;

/// The most collections that one turn or session names.
pub const COLLECTIONS: usize = 100;
/// The longest name of a model, in characters.
const MODEL_CHARS: usize = 200;
/// What a turn costs besides its question: instructions, history and passages, in tokens.
const TURN_TOKENS: f64 = 500.0;
/// Characters of a token, roughly, English and Chinese alike.
const CHARS_PER_TOKEN: f64 = 3.0;

/// Reads what a caller may choose for one turn.
pub fn read_options(fields: &mut Fields) -> TurnOptions {
    TurnOptions {
        collections: fields.ids("collections", COLLECTIONS),
        model: fields.text("model", 1..=MODEL_CHARS),
        temperature: fields.number("temperature", 0.0..=2.0).map(|number| number as f32),
        max_output_tokens: fields.integer("max_output_tokens", 1..=100_000).map(|number| number as u32),
        top_k: fields.integer("top_k", 1..=50).map(|number| number as u32),
    }
}

/// Refuses collections that are not there, or not the caller's.
pub async fn check_collections(
    state: &AppState,
    caller: &Caller,
    ids: &[CollectionId],
) -> Result<(), Problem> {
    let mut errors = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        match state.ports.store.collection(&caller.tenant, *id).await {
            Ok(_) => {}
            Err(error) if error.kind == ErrorKind::NotFound => {
                errors.push(FieldError {
                    field: format!("collections[{at}]"),
                    message: "was not found".to_owned(),
                });
            }
            Err(error) => return Err(error.into()),
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Problem::fields(errors)) }
}

/// A response that is about to be accepted, with its job and its first event.
pub struct Turn {
    /// The response as its owner sees it at first.
    pub response: Response,
    job: NewJob,
    queued: Event,
}

impl Turn {
    /// A response to `message`.
    pub fn of(state: &AppState, caller: &Caller, message: &Message, options: TurnOptions) -> Self {
        Self::named(ResponseId::new(), state, caller, message, options)
    }

    /// A response that has its id already, to `message`.
    pub fn named(
        id: ResponseId,
        state: &AppState,
        caller: &Caller,
        message: &Message,
        options: TurnOptions,
    ) -> Self {
        let (key, now) = (caller.key(), state.ports.clock.now());
        let mut job = AnswerTurn { response: id, key }.job(&message.tenant);
        job.session = Some(message.session);
        // One turn of a conversation at a time, in the order in which they were accepted.
        job.concurrency_key = Some(key_of(message.session));
        job.cost = message.content.chars().count() as f64 / CHARS_PER_TOKEN + TURN_TOKENS;
        let head = [("response_id", id.to_string().into()), ("attempt", 1.into())];
        let queued = Event::new("response.queued", 1, &head, Map::new());
        Self { response: accepted(id, &job, state, message, options, now), job, queued }
    }

    /// The concurrency key of its conversation's turns.
    pub fn key(&self) -> String {
        key_of(self.response.session)
    }

    /// What is written when it is accepted.
    pub fn changes(&self) -> Vec<Change> {
        let response = &self.response;
        let new = NewResponse {
            id: response.id,
            tenant: response.tenant.clone(),
            session: response.session,
            message: response.message,
            job: response.job,
            model: response.model.clone(),
            options: response.options.clone(),
            created_at: response.created_at,
        };
        vec![
            Change::InsertResponse(Box::new(new)),
            Change::Enqueue(Box::new(self.job.clone())),
            Change::AppendEvents(self.stream(), vec![self.queued.clone()]),
        ]
    }

    /// What its readers are told then.
    pub fn published(&self) -> Published {
        vec![(self.stream(), self.queued.clone())]
    }

    /// Where to find it.
    pub fn location(&self) -> String {
        format!("/api/v1/responses/{}", self.response.id)
    }

    fn stream(&self) -> StreamId {
        self.response.id.into()
    }
}

fn key_of(session: SessionId) -> String {
    session.to_string()
}

fn accepted(
    id: ResponseId,
    job: &NewJob,
    state: &AppState,
    message: &Message,
    options: TurnOptions,
    now: Timestamp,
) -> Response {
    Response {
        id,
        tenant: message.tenant.clone(),
        session: message.session,
        message: message.id,
        job: job.id,
        status: ResponseStatus::Queued,
        attempt: 0,
        model: options.model.clone().unwrap_or_else(|| state.options.default_model.clone()),
        options,
        output_text: String::new(),
        references: Vec::new(),
        usage: None,
        timings: Timings::default(),
        error: None,
        created_at: now,
        completed_at: None,
    }
}
