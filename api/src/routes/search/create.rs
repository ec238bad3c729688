use crate::{
    answer::Answer,
    caller::Caller,
    fields::{Fields, Input},
    json::JsonBody,
    problem::{Problem, ProblemBody},
    state::AppState,
    turn::{COLLECTIONS, check_collections},
    views::SearchView,
};
use axum::{extract::State, http::StatusCode, response::Response};
use chat_core::{CollectionId, ports::SearchMode};
use chat_jobs::{SearchRequest, is_of_model};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The longest question, in characters.
const QUERY_CHARS: usize = 10_000;
/// The most passages of one search.
const LIMIT: u64 = 100;

/// What to find.
#[derive(Debug)]
pub struct Search {
    query: String,
    collections: Vec<CollectionId>,
    limit: usize,
    mode: SearchMode,
    filter: Map<String, Value>,
}

/// What to find.
#[derive(Debug, ToSchema)]
#[schema(as = Search)]
#[expect(dead_code, reason = "describes what `Search` reads")]
struct SearchBody {
    /// The question, or words.
    #[schema(min_length = 1, max_length = 10_000, example = "年假有多少天")]
    query: String,
    /// Only in these; none: in all collections.
    #[schema(max_items = 100)]
    collections: Option<Vec<String>>,
    /// How many passages at most.
    #[schema(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Which scores count: nearness of meaning, words, or both.
    #[schema(pattern = "^(hybrid|vector|keyword)$", default = "hybrid")]
    mode: Option<String>,
    /// Only documents whose metadata has these members.
    #[schema(value_type = Option<Object>)]
    filter: Option<Value>,
}

impl Input for Search {
    fn read(fields: &mut Fields) -> Self {
        let modes = [
            ("hybrid", SearchMode::Hybrid),
            ("vector", SearchMode::Vector),
            ("keyword", SearchMode::Keyword),
        ];
        let filter = match fields.metadata("filter") {
            Some(Value::Object(members)) => members,
            _ => Map::new(),
        };
        Self {
            query: fields.required_text("query", 1..=QUERY_CHARS),
            collections: fields.ids("collections", COLLECTIONS).unwrap_or_default(),
            limit: fields.integer("limit", 1..=LIMIT).unwrap_or(10) as usize,
            mode: fields.choice("mode", &modes).unwrap_or_default(),
            filter,
        }
    }
}

/// Finds passages.
#[utoipa::path(
    post, path = "/search", tag = "search", request_body = SearchBody,
    responses(
        (status = 200, body = SearchView), (status = 422, body = ProblemBody),
        (status = 503, description = "Something is away; with `mode` `vector` also the embedding model", body = ProblemBody)
    )
)]
pub async fn search_passages(
    State(state): State<AppState>,
    caller: Caller,
    body: JsonBody<Search>,
) -> Result<Response, Problem> {
    let Search { query, collections, limit, mode, filter } = body.value;
    check_collections(&state, &caller, &collections).await?;
    let request = SearchRequest { tenant: caller.tenant.clone(), query, collections, limit, mode, filter };
    let findings = chat_jobs::search(&state.ports, &request).await.map_err(|error| {
        // Whatever the model says to the question: the caller can only wait, and reads nothing of the provider's.
        if is_of_model(&error.message) { Problem::provider_away(error) } else { error.into() }
    })?;
    let answer = Answer::new(StatusCode::OK, &SearchView::from(findings));
    body.idempotency.answer(&state, &caller, Vec::new(), Vec::new(), answer).await
}
