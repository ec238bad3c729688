//! Most endpoints take no parameters in the query string. That is not said by each of them: what the `OpenAPI` document
//! names there is what is taken. An endpoint that takes some names every bad one itself, see [`crate::query`].

use crate::query::Query;
use axum::{
    extract::{FromRequestParts, MatchedPath, Request},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{collections::HashSet, sync::Arc};
use utoipa::openapi::{
    OpenApi, RefOr,
    path::{Operation, ParameterIn},
};

/// The endpoints that take parameters, by method and path.
pub type Taking = Arc<HashSet<(Method, String)>>;

/// Which endpoints of a document take parameters; `root` is where its paths begin.
pub fn taking(document: &OpenApi, root: &str) -> Taking {
    let mut taking = HashSet::new();
    for (path, item) in &document.paths.paths {
        let operations = [
            (Method::GET, &item.get),
            (Method::PUT, &item.put),
            (Method::POST, &item.post),
            (Method::PATCH, &item.patch),
            (Method::DELETE, &item.delete),
        ];
        let takes = |operation: &Option<Operation>| operation.as_ref().is_some_and(has_query);
        let found = operations.into_iter().filter(|(_, operation)| takes(operation));
        taking.extend(found.map(|(method, _)| (method, format!("{root}{path}"))));
    }
    Arc::new(taking)
}

/// Whether an operation names parameters of the query string.
fn has_query(operation: &Operation) -> bool {
    operation.parameters.iter().flatten().any(|parameter| {
        matches!(parameter, RefOr::T(parameter) if matches!(parameter.parameter_in, ParameterIn::Query))
    })
}

/// Middleware: 422 that names every parameter that an endpoint does not know, because it knows none.
pub async fn refuse(taking: Taking, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    // What answers a GET answers a HEAD.
    let method = if request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
    if request.uri().query().is_none() || taking.contains(&(method, path.to_owned())) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let query = Query::from_request_parts(&mut parts, &()).await;
    match query.and_then(Query::finish) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => problem.into_response(),
    }
}
