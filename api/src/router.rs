//! All endpoints, and what happens around each of them.

use crate::{
    auth, deadline, docs, hosts, limits, metrics, parameters,
    problem::{self, Code, Problem},
    request_id, routes, security,
    state::{ApiOptions, AppState},
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, Method, StatusCode},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use std::{any::Any, time::Duration};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, CorsLayer},
};
use utoipa_axum::router::OpenApiRouter;

/// Where what has a version is.
const VERSIONED: &str = "/api/v1";

/// The whole interface over a state.
pub fn router(state: AppState) -> Router {
    let (endpoints, document) = endpoints(Some(&state)).split_for_parts();
    around(endpoints.merge(docs::router(&docs::complete(document))), state)
}

/// Only `/health` and `/ready`: for a process without an interface.
pub fn health(state: AppState) -> Router {
    let endpoints = routes::health::router().split_for_parts().0;
    endpoints.layer(from_fn(security::secure)).with_state(state)
}

/// What happens around every endpoint, from the outside in. One stack, and no layer after another: each of those would
/// copy all that is below it for every request.
fn around(endpoints: Router<AppState>, state: AppState) -> Router {
    endpoints
        .fallback(|| async { Problem::not_found("The path") })
        .method_not_allowed_fallback(|| async {
            let detail = "The path knows other methods; `Allow` names them.";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, Code::MethodNotAllowed, detail)
        })
        .layer(
            ServiceBuilder::new()
                .layer(from_fn(request_id::identify))
                .layer(from_fn(metrics::measure))
                .layer(from_fn(security::secure))
                .layer(cors(&state.options))
                .layer(from_fn(problem::render))
                .layer(from_fn_with_state(state.clone(), hosts::check))
                .layer(CatchPanicLayer::custom(panicked))
                // Bodies have limits of their own, where they are read.
                .layer(DefaultBodyLimit::disable()),
        )
        .with_state(state)
}

/// The `OpenAPI` document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    docs::complete(endpoints(None).split_for_parts().1)
}

/// With a state, whoever calls what is versioned must be known; without one it is only described.
fn endpoints(state: Option<&AppState>) -> OpenApiRouter<AppState> {
    let mut versioned = routes::versioned();
    if let Some(state) = state {
        let taking = parameters::taking(versioned.get_openapi(), VERSIONED);
        versioned = versioned.layer(
            ServiceBuilder::new()
                .layer(from_fn_with_state(state.clone(), deadline::keep))
                .layer(from_fn_with_state(state.clone(), auth::authenticate))
                .layer(from_fn_with_state(state.clone(), limits::limit))
                .layer(from_fn(move |request, next| parameters::refuse(taking.clone(), request, next))),
        );
    }
    OpenApiRouter::with_openapi(docs::base()).nest(VERSIONED, versioned).merge(routes::unversioned())
}

/// A panic is a fault of ours, and of this request alone.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = message.unwrap_or("?"), "an endpoint panicked");
    Problem::internal().into_response()
}

/// What pages of other sites may read of an answer's head, besides what is left of limits.
const EXPOSED: [&str; 8] = [
    "location",
    "x-request-id",
    "idempotent-replayed",
    "retry-after",
    "content-disposition",
    "content-range",
    "accept-ranges",
    "etag",
];

/// How long a browser remembers what it may ask for.
const PREFLIGHT: Duration = Duration::from_mins(10);

/// Which pages of other sites may call from a browser. They bring a key themselves: no cookie or other credential that
/// a browser would add by itself means anything here, so none is allowed.
fn cors(options: &ApiOptions) -> CorsLayer {
    let origins = if options.cors_origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(options.cors_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    let names =
        |names: &[&'static str]| names.iter().map(|name| HeaderName::from_static(name)).collect::<Vec<_>>();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(names(&[
            "content-type",
            "authorization",
            "accept",
            "range",
            "if-none-match",
            "if-range",
            "idempotency-key",
            "last-event-id",
            "x-request-id",
        ]))
        .expose_headers(names(&EXPOSED).into_iter().chain(names(&limits::HEADERS)).collect::<Vec<_>>())
        .max_age(PREFLIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, extract::Request, routing::get};
    use tower::ServiceExt;

    #[tokio::test]
    async fn a_panic_is_a_500_that_says_nothing() {
        let endpoints = Router::new()
            .route("/boom", get(|| async { panic!("the secret is 42") as StatusCode }))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn(problem::render))
            .layer(from_fn(request_id::identify));
        let request = Request::get("/boom").body(Body::empty()).unwrap();
        let response: Response = endpoints.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(response.headers().contains_key("x-request-id"));
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains("\"code\":\"internal\"") && !body.contains("42"), "{body}");
    }
}
