//! JSON bodies: what cannot be read is 400, what is wrong in it is 422 with every bad field.

use crate::{
    body,
    caller::Caller,
    fields::{Fields, Input},
    idempotency::Idempotency,
    problem::{Code, FieldError, Problem},
    state::AppState,
    unique,
};
use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde_json::{Map, Value};

/// The most bytes of a JSON body, unless an endpoint says otherwise: a million characters, however they are written,
/// still get an answer that says which field is too long.
pub const BODY_BYTES: usize = 8 * 1024 * 1024;

/// How much of a member's path is shown.
const FIELD_CHARS: usize = 100;

/// A JSON body that was read and found right, with the key that makes its request idempotent. A request that was answered
/// before gets that answer again, and its endpoint is not run.
pub struct JsonBody<T> {
    /// The body.
    pub value: T,
    /// The request's `Idempotency-Key`, if it has one.
    pub idempotency: Idempotency,
}

impl<T: Input> FromRequest<AppState> for JsonBody<T> {
    type Rejection = Unrun;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Unrun> {
        let caller = request.extensions().get::<Caller>().cloned().ok_or_else(Problem::internal)?;
        let body = UnreadJson::receive(request, BODY_BYTES).await?;
        match body.idempotency.replay(state, &caller).await? {
            Some(replayed) => Err(Unrun::Replayed(Box::new(replayed))),
            None => Ok(body.read()?),
        }
    }
}

/// Why an endpoint is not run.
pub enum Unrun {
    /// Something is wrong with the request.
    Problem(Problem),
    /// It was answered before: with this.
    Replayed(Box<Response>),
}

impl From<Problem> for Unrun {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl IntoResponse for Unrun {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::Replayed(response) => *response,
        }
    }
}

/// A JSON body before anything in it was looked at: for endpoints that repeat their answers in a way of their own.
pub struct UnreadJson {
    bytes: Bytes,
    /// The request's `Idempotency-Key`, if it has one.
    pub idempotency: Idempotency,
}

impl UnreadJson {
    /// Takes in a body of at most `most` bytes.
    pub async fn receive(request: Request, most: usize) -> Result<Self, Problem> {
        let (parts, content) = request.into_parts();
        check_media_type(&parts.headers)?;
        body::check_coding(&parts.headers)?;
        let bytes = body::read(content, most).await?;
        let idempotency = Idempotency::of(&parts, &bytes)?;
        Ok(Self { bytes, idempotency })
    }

    /// Reads it.
    pub fn read<T: Input>(self) -> Result<JsonBody<T>, Problem> {
        let value = Fields::new(members(&self.bytes)?).finish()?;
        Ok(JsonBody { value, idempotency: self.idempotency })
    }
}

/// JSON may come without a media type, but not with another one.
fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    if is_json(headers).unwrap_or(true) {
        return Ok(());
    }
    let detail = "This endpoint reads application/json.";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::UnsupportedMediaType, detail))
}

/// Whether a body says that it is JSON; `None`: it does not say what it is.
pub fn is_json(headers: &HeaderMap) -> Option<bool> {
    let given = headers.get(header::CONTENT_TYPE)?;
    let essence = given.to_str().unwrap_or("?").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    Some(essence == "application/json" || essence.ends_with("+json"))
}

/// The members of a JSON object; no body at all is an empty one.
fn members(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.iter().all(u8::is_ascii_whitespace) { Ok(Map::new()) } else { object("body", body) }
}

/// The members of a JSON object; `what` is what they came in.
pub fn object(what: &str, bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    match unique::read(bytes) {
        Ok((Value::Object(members), twice)) if twice.is_empty() => Ok(members),
        Ok((Value::Object(_), twice)) => {
            Err(Problem::fields(twice.iter().map(|path| is_there_twice(path)).collect()))
        }
        Ok(_) => Err(Problem::field(what, "must be a JSON object")),
        Err(error) => {
            let detail = format!("The {what} is not valid JSON: {error}.");
            Err(Problem::new(StatusCode::BAD_REQUEST, Code::InvalidJson, detail))
        }
    }
}

fn is_there_twice(path: &str) -> FieldError {
    FieldError {
        field: path.chars().take(FIELD_CHARS).collect(),
        message: "is there more than once".to_owned(),
    }
}
