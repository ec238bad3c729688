use crate::{
    answer::Answer,
    caller::Caller,
    fields::{Fields, Input},
    json::JsonBody,
    limits::check_quota,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::AppState,
    turn::{Turn, check_collections, read_options},
    views::ResponseView,
};
use axum::{extract::State, http::StatusCode, response::Response};
use chat_core::{ResponseId, TurnOptions};
use utoipa::ToSchema;

/// What to do differently; what is absent stays as it was.
#[derive(Debug, ToSchema)]
#[schema(as = Regenerate)]
#[expect(dead_code, reason = "describes what `Regenerate` reads")]
struct RegenerateBody {
    /// Where to look.
    #[schema(max_items = 100)]
    collections: Option<Vec<String>>,
    /// Which model to ask.
    model: Option<String>,
    /// Sampling temperature.
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f32>,
    /// The longest answer, in tokens.
    #[schema(minimum = 1, maximum = 100_000)]
    max_output_tokens: Option<u32>,
    /// How many passages to give to the model.
    #[schema(minimum = 1, maximum = 50)]
    top_k: Option<u32>,
}

/// What to do differently.
#[derive(Debug)]
pub struct Regenerate(TurnOptions);

impl Input for Regenerate {
    fn read(fields: &mut Fields) -> Self {
        Self(read_options(fields))
    }
}

/// Answers the same message once more; both answers are kept.
#[utoipa::path(
    post, path = "/responses/{id}/regenerate", tag = "responses", params(("id" = String, Path)),
    request_body = RegenerateBody,
    responses(
        (status = 202, description = "The new response; `Location` names it", body = ResponseView),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody), (status = 429, body = ProblemBody)
    )
)]
pub async fn regenerate_response(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ResponseId>,
    body: JsonBody<Regenerate>,
) -> Result<Response, Problem> {
    check_quota(&state, &caller).await?;
    let store = &state.ports.store;
    let first = store.response(&caller.tenant, id).await?;
    let message = store.message(&caller.tenant, first.message).await?;
    let options = merge(body.value.0, first.options);
    check_collections(&state, &caller, options.collections.as_deref().unwrap_or_default()).await?;
    let turn = Turn::of(&state, &caller, &message, options);
    let answer =
        Answer::new(StatusCode::ACCEPTED, &chat_jobs::response_json(&turn.response)).at(turn.location());
    body.idempotency.answer(&state, &caller, turn.changes(), turn.published(), answer).await
}

fn merge(new: TurnOptions, old: TurnOptions) -> TurnOptions {
    TurnOptions {
        collections: new.collections.or(old.collections),
        model: new.model.or(old.model),
        temperature: new.temperature.or(old.temperature),
        max_output_tokens: new.max_output_tokens.or(old.max_output_tokens),
        top_k: new.top_k.or(old.top_k),
    }
}
