//! Problems as HTTP.

use super::{Code, FieldError, Problem};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

impl IntoResponse for Problem {
    /// The body is written by [`render`], which knows the path.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// Names the sort of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What went wrong, in a sentence.
    detail: &'a str,
    /// The path that was asked for.
    instance: &'a str,
    /// The stable code.
    code: Code,
    /// What is wrong with which field.
    errors: &'a [FieldError],
    /// How many seconds to wait before another try, as in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    /// The same in OpenAI's shape.
    error: OpenAiError<'a>,
}

/// An error as OpenAI's clients read it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenAiError<'a> {
    /// What went wrong.
    message: &'a str,
    /// The sort of error.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The first bad field.
    param: Option<&'a str>,
    /// The stable code.
    code: Code,
}

impl Problem {
    /// The body as JSON, for answers that are no HTTP.
    pub fn to_json(&self, instance: &str) -> serde_json::Value {
        serde_json::from_str(&self.body(instance)).unwrap_or_default()
    }

    fn body(&self, instance: &str) -> String {
        let body = ProblemBody {
            kind: format!("urn:rag-chat:problem:{}", self.code.as_str()),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            instance,
            code: self.code,
            errors: &self.errors,
            retry_after: self.wait(),
            error: OpenAiError {
                message: &self.detail,
                kind: self.code.openai_type(),
                param: self.errors.first().map(|error| error.field.as_str()),
                code: self.code,
            },
        };
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// Says once what a 5xx hides from its client.
    fn log(&self) {
        let Some(cause) = self.cause.as_deref().filter(|_| self.status.is_server_error()) else {
            if self.status.is_server_error() {
                tracing::error!(
                    http.status = self.status.as_u16(),
                    error.code = self.code.as_str(),
                    "request failed"
                );
            }
            return;
        };
        let message = cause
            .cause()
            .map_or_else(|| cause.message.clone(), |inner| format!("{}: {inner}", cause.message));
        let (status, kind) = (self.status.as_u16(), cause.kind.as_str());
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            tracing::warn!(
                http.status = status,
                error.kind = kind,
                error.message = message,
                "dependency is away"
            );
        } else {
            tracing::error!(
                http.status = status,
                error.kind = kind,
                error.message = message,
                "request failed"
            );
        }
    }
}

/// Middleware: writes the body of problems, and turns the bare errors of the framework into problems.
pub async fn render(request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    let mut response = next.run(request).await;
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if is_bare(&response) => bare(status),
        None => return response,
    };
    problem.log();
    let headers = response.headers_mut();
    write_headers(headers, &problem);
    *response.body_mut() = Body::from(problem.body(uri.path()));
    response
}

/// An error that no endpoint wrote: one that says something to programs is JSON.
fn is_bare(response: &Response) -> bool {
    let status = response.status();
    let json = HeaderValue::from_static("application/json");
    let is_error = status.is_client_error() || status.is_server_error();
    is_error && response.headers().get(header::CONTENT_TYPE) != Some(&json)
}

fn bare(status: StatusCode) -> Problem {
    let reason = status.canonical_reason().unwrap_or("Error");
    Problem::new(status, Code::of(status), format!("{reason}."))
}

fn write_headers(headers: &mut HeaderMap, problem: &Problem) {
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if problem.status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(wait) = problem.wait() {
        headers.insert(header::RETRY_AFTER, wait.into());
    }
    headers.extend(problem.headers.iter().flat_map(|more| (**more).clone()));
}
