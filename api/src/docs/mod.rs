//! `/openapi.json`, written from the code, and a page that shows it, served without any outside host.

mod conventions;

use crate::problem::Problem;
use axum::{
    Router,
    extract::Path,
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use bytes::Bytes;
use conventions::Conventions;
use std::sync::Arc;
use utoipa::{
    Modify, OpenApi,
    openapi::{InfoBuilder, OpenApi as Document},
};
use utoipa_swagger_ui::Config;

/// The page's own files and nothing else; it styles itself inline.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the document says besides the endpoints.
#[derive(OpenApi)]
#[openapi(tags(
    (name = "sessions", description = "Conversations"),
    (name = "messages", description = "What is said in a conversation"),
    (name = "responses", description = "Answers: their state, their events, cancelling and making another"),
    (name = "collections", description = "Sets of documents that are searched together"),
    (name = "documents", description = "Uploading, reading and removing documents"),
    (name = "search", description = "Finding passages"),
    (name = "embeddings", description = "Vectors of texts"),
    (name = "jobs", description = "The work in the background"),
    (name = "lanes", description = "Where jobs wait, and stopping one"),
    (name = "workers", description = "Who does the work"),
    (name = "schedules", description = "What is done at certain times"),
    (name = "usage", description = "Tokens and their cost"),
    (name = "keys", description = "Who may call"),
    (name = "websocket", description = "Many responses and documents over one connection"),
    (name = "health", description = "Whether the service lives and works"),
))]
struct Base;

/// The document before the endpoints are added.
pub fn base() -> Document {
    let mut document = Base::openapi();
    document.info = InfoBuilder::new()
        .title("rag-chat")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Chat over your own documents, answered by background jobs. Every answer has an `X-Request-ID`; errors \
             are `application/problem+json`.",
        ))
        .build();
    document
}

/// The document, when all endpoints are in it.
pub fn complete(mut document: Document) -> Document {
    Conventions.modify(&mut document);
    document
}

/// The document and its page.
pub fn router<S: Clone + Send + Sync + 'static>(document: &Document) -> Router<S> {
    let json = Bytes::from(document.to_json().unwrap_or_default());
    let show = move || async move { ([(header::CONTENT_TYPE, "application/json")], json) };
    let config = Arc::new(Config::from("/openapi.json").validator_url("none").try_it_out_enabled(true));
    let page = move |path: Option<Path<String>>| async move {
        file(path.as_ref().map_or("", |path| path.as_str()), config)
    };
    Router::new()
        .route("/openapi.json", get(show))
        .route("/docs", get(|| async { Redirect::permanent("/docs/") }))
        .route("/docs/", get(page.clone()))
        .route("/docs/{*path}", get(page))
}

fn file(path: &str, config: Arc<Config<'static>>) -> Response {
    match utoipa_swagger_ui::serve(path, config) {
        Ok(Some(file)) => {
            let headers = [
                (header::CONTENT_TYPE, file.content_type.as_str()),
                (header::CONTENT_SECURITY_POLICY, POLICY),
            ];
            (headers, file.bytes.into_owned()).into_response()
        }
        Ok(None) => Problem::not_found("The page").into_response(),
        Err(error) => {
            tracing::error!(%error, "the page of the interface cannot be written");
            Problem::internal().into_response()
        }
    }
}
