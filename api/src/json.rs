//! JSON bodies: what cannot be read is 400, what is wrong in it is 422 with every bad field.

use crate::{
    body,
    fields::{Fields, Input},
    idempotency::Idempotency,
    problem::{Code, FieldError, Problem},
    unique,
};
use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use serde_json::{Map, Value};

/// The most bytes of a JSON body, unless an endpoint says otherwise.
pub const BODY_BYTES: usize = 2 * 1024 * 1024;

/// How much of a member's path is shown.
const FIELD_CHARS: usize = 100;

/// A JSON body that was read and found right, with the key that makes its request idempotent.
pub struct JsonBody<T> {
    /// The body.
    pub value: T,
    /// The request's `Idempotency-Key`, if it has one.
    pub idempotency: Idempotency,
}

impl<S: Send + Sync, T: Input> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        read_json(request, BODY_BYTES).await
    }
}

/// Reads a JSON body of at most `most` bytes.
pub async fn read_json<T: Input>(request: Request, most: usize) -> Result<JsonBody<T>, Problem> {
    let (parts, content) = request.into_parts();
    check_media_type(&parts.headers)?;
    body::check_coding(&parts.headers)?;
    let bytes = body::read(content, most).await?;
    let idempotency = Idempotency::of(&parts, &bytes)?;
    let value = Fields::new(members(&bytes)?).finish()?;
    Ok(JsonBody { value, idempotency })
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
