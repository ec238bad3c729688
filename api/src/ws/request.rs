//! Doing what a frame asks for: through the endpoints of HTTP wherever there is one.

use super::{frame::Frame, socket::Connection};
use crate::{
    caller::Caller,
    feed::Feed,
    fields::{Fields, Input, Nothing},
    idempotency::Idempotency,
    json::JsonBody,
    limits,
    path::PathId,
    problem::{Code, Problem},
    routes::{CreateMessage, cancel_response, create_message},
    state::AppState,
};
use axum::{
    body::to_bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use chat_core::{DocumentId, ResponseId, SessionId};
use serde_json::{Map, Value};
use std::{fmt::Display, str::FromStr};

/// The largest answer of an endpoint that is passed on.
const LARGEST: usize = 4 * 1024 * 1024;
/// The most characters of a token, far above those of any: it is refused as such, not for its length.
const LONGEST_TOKEN: usize = 64 * 1024;

/// Does it; what the answer says besides `ok`.
pub(super) async fn perform(
    connection: &mut Connection,
    caller: &Caller,
    frame: &mut Frame,
) -> Result<Map<String, Value>, Problem> {
    let state = connection.state.clone();
    let fields = Fields::new(std::mem::take(&mut frame.members));
    let Some(kind) = frame.kind.as_deref() else {
        return Err(Problem::field("type", "is required and must be a text"));
    };
    match kind {
        "ping" => fields.finish::<Nothing>().map(|_| Map::new()),
        "subscribe" => {
            let wanted: Subscribe = fields.finish()?;
            let feed = Feed::of_response(&state.ports, &caller.tenant, wanted.response, wanted.after).await?;
            connection.subscribe(feed, wanted.response.0)
        }
        "document.subscribe" => {
            let wanted: SubscribeDocument = fields.finish()?;
            let feed = Feed::of_document(&state.ports, &caller.tenant, wanted.document, 0).await?;
            connection.subscribe(feed, wanted.document.0)
        }
        "unsubscribe" => {
            let Unsubscribe(id) = fields.finish()?;
            connection.unsubscribe(id)
        }
        "message.create" => {
            limits::admit(&state, caller).await?;
            let Create { session, streamed, message } = fields.finish()?;
            let answer = create(&state, caller, session, message).await?;
            if streamed {
                let created = answer["response"]["id"].as_str().and_then(|id| id.parse::<ResponseId>().ok());
                let created = created.ok_or_else(Problem::internal)?;
                let feed = Feed::of_response(&state.ports, &caller.tenant, created, 0).await?;
                connection.subscribe(feed, created.0)?;
            }
            Ok(answer.as_object().cloned().unwrap_or_default())
        }
        "response.cancel" => {
            let Cancel(id) = fields.finish()?;
            let done = cancel_response(State(state), caller.clone(), PathId(id), body(Nothing)).await?;
            Ok(Map::from_iter([("response".to_owned(), json(done).await?)]))
        }
        "auth" => Err(Problem::conflict("The connection is authorized already.")),
        other => {
            let shown: String = other.chars().take(100).collect();
            Err(Problem::field("type", format!("{shown:?} is not a known type")))
        }
    }
}

async fn create(
    state: &AppState,
    caller: &Caller,
    session: SessionId,
    message: CreateMessage,
) -> Result<Value, Problem> {
    let (state, headers) = (State(state.clone()), HeaderMap::new());
    json(create_message(state, caller.clone(), PathId(session), headers, body(message)).await?).await
}

/// A body of HTTP that holds this.
fn body<T>(value: T) -> JsonBody<T> {
    JsonBody { value, idempotency: Idempotency::default() }
}

async fn json(response: Response) -> Result<Value, Problem> {
    let bytes = to_bytes(response.into_body(), LARGEST).await.map_err(|_| Problem::internal())?;
    serde_json::from_slice(&bytes).map_err(|_| Problem::internal())
}

/// An id that has to be there; `other` stands in for a bad one, and is never used.
fn required<T: FromStr<Err: Display>>(fields: &mut Fields, name: &str, other: fn() -> T) -> T {
    fields.require(name);
    fields.id(name).unwrap_or_else(other)
}

/// The token of a frame that says who is there.
pub(super) fn token(frame: Frame) -> Result<String, Problem> {
    if frame.kind.as_deref() != Some("auth") {
        let detail = "The first frame must be auth.";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, detail));
    }
    Fields::new(frame.members).finish().map(|Auth(token)| token)
}

struct Auth(String);

impl Input for Auth {
    fn read(fields: &mut Fields) -> Self {
        Self(fields.required_text("token", 1..=LONGEST_TOKEN))
    }
}

struct Create {
    session: SessionId,
    /// Events come over this connection, not in the endpoint's answer: it does not hear of them.
    streamed: bool,
    message: CreateMessage,
}

impl Input for Create {
    fn read(fields: &mut Fields) -> Self {
        Self {
            session: required(fields, "session_id", SessionId::new),
            streamed: fields.flag("stream").unwrap_or_default(),
            message: CreateMessage::read(fields),
        }
    }
}

struct Cancel(ResponseId);

impl Input for Cancel {
    fn read(fields: &mut Fields) -> Self {
        Self(required(fields, "response_id", ResponseId::new))
    }
}

struct Subscribe {
    response: ResponseId,
    after: u64,
}

impl Input for Subscribe {
    fn read(fields: &mut Fields) -> Self {
        Self {
            response: required(fields, "response_id", ResponseId::new),
            after: fields.integer("starting_after", 0..=u64::MAX).unwrap_or(0),
        }
    }
}

struct SubscribeDocument {
    document: DocumentId,
}

impl Input for SubscribeDocument {
    fn read(fields: &mut Fields) -> Self {
        Self { document: required(fields, "document_id", DocumentId::new) }
    }
}

/// From a response, or a document.
struct Unsubscribe(uuid::Uuid);

impl Input for Unsubscribe {
    fn read(fields: &mut Fields) -> Self {
        let response = fields.id::<ResponseId>("response_id").map(|id| id.0);
        let document = fields.id::<DocumentId>("document_id").map(|id| id.0);
        if response.is_none() && document.is_none() {
            fields.refuse("response_id", "is required, or document_id");
        }
        Self(response.or(document).unwrap_or_default())
    }
}
