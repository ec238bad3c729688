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
    problem::Problem,
    routes::{cancel_response, create_message},
    state::AppState,
};
use axum::{body::to_bytes, extract::State, http::HeaderMap, response::Response};
use chat_core::{DocumentId, ResponseId, SessionId};
use serde_json::{Map, Value};

/// The largest answer of an endpoint that is passed on.
const LARGEST: usize = 4 * 1024 * 1024;

/// Does it; what the answer says besides `ok`.
pub(super) async fn perform(
    connection: &mut Connection,
    caller: &Caller,
    frame: &mut Frame,
) -> Result<Map<String, Value>, Problem> {
    let state = connection.state.clone();
    let mut members = std::mem::take(&mut frame.members);
    match frame.kind.as_str() {
        "ping" => Fields::new(members).finish::<Nothing>().map(|_| Map::new()),
        "subscribe" => {
            let wanted = Fields::new(members).finish::<Subscribe>()?;
            let feed = Feed::of_response(&state.ports, &caller.tenant, wanted.response, wanted.after).await?;
            connection.subscribe(feed, wanted.response.0)
        }
        "document.subscribe" => {
            let wanted = Fields::new(members).finish::<SubscribeDocument>()?;
            let feed = Feed::of_document(&state.ports, &caller.tenant, wanted.document, 0).await?;
            connection.subscribe(feed, wanted.document.0)
        }
        "unsubscribe" => {
            let wanted = Fields::new(members).finish::<Unsubscribe>()?;
            connection.unsubscribe(wanted.0)
        }
        "message.create" => {
            limits::admit(&state, caller).await?;
            let session = id::<SessionId>(&mut members, "session_id")?;
            let streamed = match members.remove("stream") {
                None => false,
                Some(Value::Bool(streamed)) => streamed,
                Some(_) => return Err(Problem::field("stream", "must be true or false")),
            };
            let answer = create(&state, caller, session, members).await?;
            if streamed {
                let created = answer["response"]["id"].as_str().and_then(|id| id.parse::<ResponseId>().ok());
                let created = created.ok_or_else(Problem::internal)?;
                let feed = Feed::of_response(&state.ports, &caller.tenant, created, 0).await?;
                connection.subscribe(feed, created.0)?;
            }
            Ok(answer.as_object().cloned().unwrap_or_default())
        }
        "response.cancel" => {
            let wanted = id::<ResponseId>(&mut members, "response_id")?;
            let body =
                JsonBody { value: Fields::new(members).finish()?, idempotency: Idempotency::default() };
            let done = cancel_response(State(state), caller.clone(), PathId(wanted), body).await?;
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
    members: Map<String, Value>,
) -> Result<Value, Problem> {
    let body = JsonBody { value: Fields::new(members).finish()?, idempotency: Idempotency::default() };
    let done =
        create_message(State(state.clone()), caller.clone(), PathId(session), HeaderMap::new(), body).await?;
    json(done).await
}

async fn json(response: Response) -> Result<Value, Problem> {
    let bytes = to_bytes(response.into_body(), LARGEST).await.map_err(|_| Problem::internal())?;
    serde_json::from_slice(&bytes).map_err(|_| Problem::internal())
}

fn id<T: std::str::FromStr>(members: &mut Map<String, Value>, name: &str) -> Result<T, Problem> {
    match members.remove(name) {
        Some(Value::String(text)) => text.parse().map_err(|_| Problem::field(name, "is not such an id")),
        Some(_) => Err(Problem::field(name, "must be a text")),
        None => Err(Problem::field(name, "is required")),
    }
}

struct Subscribe {
    response: ResponseId,
    after: u64,
}

impl Input for Subscribe {
    fn read(fields: &mut Fields) -> Self {
        fields.require("response_id");
        Self {
            response: fields.id("response_id").unwrap_or_else(ResponseId::new),
            after: fields.integer("starting_after", 0..=u64::MAX).unwrap_or(0),
        }
    }
}

struct SubscribeDocument {
    document: DocumentId,
}

impl Input for SubscribeDocument {
    fn read(fields: &mut Fields) -> Self {
        fields.require("document_id");
        Self { document: fields.id("document_id").unwrap_or_else(DocumentId::new) }
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
