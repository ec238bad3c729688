//! What holds for every endpoint, so that none says it: who may call, which header it takes, what may go wrong.

use axum::http::StatusCode;
use utoipa::{
    Modify,
    openapi::{
        ContentBuilder, HeaderBuilder, HttpMethod, ObjectBuilder, OpenApi, PathItem, Ref, RefOr, Response,
        ResponseBuilder, Type,
        header::Header,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

/// Everything below asks who calls; the rest asks nobody.
const VERSIONED: &str = "/api/v1/";
/// What more than the scope `user` is needed for.
const PRIVILEGED: [&str; 4] = ["/api/v1/keys", "/api/v1/lanes", "/api/v1/schedules", "/api/v1/workers"];
/// What a browser cannot send a header to: the key may come in the first frame.
const SOCKET: &str = "/api/v1/ws";
/// How the scheme is called.
const KEY: &str = "key";

/// Adds what holds for every endpoint. What an endpoint says itself stays.
pub struct Conventions;

impl Modify for Conventions {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        components.security_schemes.insert(KEY.to_owned(), scheme().into());
        document.security = Some(vec![needs_key()]);
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                if path.starts_with(VERSIONED) {
                    describe(path, &method, operation);
                } else {
                    operation.security = Some(Vec::new());
                }
                name_answers(operation);
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let slots = [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Delete, &mut item.delete),
        (HttpMethod::Patch, &mut item.patch),
    ];
    slots.into_iter().filter_map(|(method, slot)| Some((method, slot.as_mut()?)))
}

fn describe(path: &str, method: &HttpMethod, operation: &mut Operation) {
    if path == SOCKET {
        operation.security = Some(vec![needs_key(), SecurityRequirement::default()]);
    }
    let takes_key = matches!(method, HttpMethod::Post);
    if takes_key {
        operation.parameters.get_or_insert_default().push(idempotency_key().into());
    }
    let responses = &mut operation.responses.responses;
    for status in errors(path, method, takes_key) {
        responses.entry(status.as_str().to_owned()).or_insert_with(|| Response::default().into());
    }
    for (status, response) in responses {
        if let (Some(status), RefOr::T(response)) = (error(status), response) {
            complete(status, response);
        }
    }
}

/// What may go wrong, by what is asked and how.
fn errors(path: &str, method: &HttpMethod, takes_key: bool) -> Vec<StatusCode> {
    use StatusCode as S;
    let has_body = matches!(method, HttpMethod::Post | HttpMethod::Put | HttpMethod::Patch);
    let groups: [(bool, &[StatusCode]); 6] = [
        (true, &[S::UNAUTHORIZED, S::TOO_MANY_REQUESTS, S::SERVICE_UNAVAILABLE]),
        // Every endpoint refuses parameters that it does not know.
        (true, &[S::BAD_REQUEST, S::UNPROCESSABLE_ENTITY]),
        (has_body, &[S::PAYLOAD_TOO_LARGE, S::UNSUPPORTED_MEDIA_TYPE]),
        (takes_key, &[S::CONFLICT]),
        (path.contains('{'), &[S::NOT_FOUND]),
        (PRIVILEGED.iter().any(|prefix| path.starts_with(prefix)), &[S::FORBIDDEN]),
    ];
    groups.iter().filter(|(applies, _)| *applies).flat_map(|(_, statuses)| statuses.iter().copied()).collect()
}

/// The status of an answer, if it is an error.
fn error(status: &str) -> Option<StatusCode> {
    let status: StatusCode = status.parse().ok()?;
    (status.is_client_error() || status.is_server_error()).then_some(status)
}

/// Every error is a problem, whoever described it.
fn complete(status: StatusCode, response: &mut Response) {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let mut whole = ResponseBuilder::new()
        .description(std::mem::take(&mut response.description))
        .content("application/problem+json", problem);
    if status == StatusCode::UNAUTHORIZED {
        whole = whole.header("WWW-Authenticate", header("`Bearer`", Type::String));
    }
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        whole = whole.header("Retry-After", header("After how many seconds to try again", Type::Integer));
    }
    *response = whole.build();
}

/// An answer without a word of its own is called what its status is.
fn name_answers(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let (Ok(status), RefOr::T(response)) = (status.parse(), response)
            && response.description.is_empty()
        {
            meaning(status).clone_into(&mut response.description);
        }
    }
}

fn header(description: &str, kind: Type) -> Header {
    let schema = ObjectBuilder::new().schema_type(kind).build();
    HeaderBuilder::new().description(Some(description)).schema(Some(schema)).build()
}

fn meaning(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "The request cannot be read",
        StatusCode::UNAUTHORIZED => "There is no valid key or token",
        StatusCode::FORBIDDEN => "The key may not do this",
        StatusCode::NOT_FOUND => "There is no such thing, or it is somebody else's",
        StatusCode::CONFLICT => {
            "It contradicts what is there, or the `Idempotency-Key` was used for another request"
        }
        StatusCode::PAYLOAD_TOO_LARGE => "The body is too large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "The body's media type or coding is not read here",
        StatusCode::UNPROCESSABLE_ENTITY => "Fields or parameters are wrong: `errors` names all of them",
        StatusCode::TOO_MANY_REQUESTS => "Too many requests, or the tokens of the day are used up",
        StatusCode::SERVICE_UNAVAILABLE => "Something that this service needs is away",
        _ => status.canonical_reason().unwrap_or("Error"),
    }
}

fn scheme() -> SecurityScheme {
    let description = "An API key, or a JWT (HS256, signed with `SECRET_KEY`). Where the server has no `SECRET_KEY`, \
                       none is needed.";
    let mut scheme = Http::new(HttpAuthScheme::Bearer);
    scheme.description = Some(description.to_owned());
    SecurityScheme::Http(scheme)
}

fn needs_key() -> SecurityRequirement {
    SecurityRequirement::new(KEY, std::iter::empty::<String>())
}

fn idempotency_key() -> Parameter {
    let description = "The same key with the same request within 24 hours gets the first answer again, with \
                       `Idempotent-Replayed: true`; with another request it is 409.";
    let schema = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}
