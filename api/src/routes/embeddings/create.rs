use super::wait::vectors_of;
use crate::{
    answer::Answer,
    blob_key,
    caller::Caller,
    fields::{Fields, Input},
    idempotency::Recorded,
    json::{BODY_BYTES, JsonBody, UnreadJson},
    limits::check_quota,
    problem::{Problem, ProblemBody},
    state::AppState,
    views::JobView,
};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chat_core::{Change, JobId, NewJob};
use chat_jobs::{EmbedTexts, JobKind};
use futures::{StreamExt, stream};
use serde_json::Value;
use utoipa::ToSchema;

/// The most texts of one request.
const TEXTS: usize = 2048;
/// The longest text, in characters.
const TEXT_CHARS: usize = 100_000;

/// Texts whose vectors are wanted.
#[derive(Debug)]
pub struct CreateEmbeddings {
    input: Vec<String>,
    model: Option<String>,
    wait: bool,
}

/// Texts whose vectors are wanted.
#[derive(Debug, ToSchema)]
#[schema(as = CreateEmbeddings)]
#[expect(dead_code, reason = "describes what `CreateEmbeddings` reads")]
struct CreateEmbeddingsBody {
    /// A text, or up to 2048 of them.
    #[schema(value_type = Vec<String>)]
    input: Vec<String>,
    /// The embedding model; only the configured one can be named.
    model: Option<String>,
    /// Answer with the vectors if they are there within a minute.
    #[schema(default = false)]
    wait: Option<bool>,
}

impl Input for CreateEmbeddings {
    fn read(fields: &mut Fields) -> Self {
        fields.require("input");
        Self {
            input: fields.texts("input", TEXTS, &(1..=TEXT_CHARS)).unwrap_or_default(),
            model: fields.text("model", 1..=200),
            wait: fields.flag("wait").unwrap_or_default(),
        }
    }
}

/// Has texts embedded in the background. The job's result is the vectors.
#[utoipa::path(
    post, path = "/embeddings", tag = "embeddings", request_body = CreateEmbeddingsBody,
    responses(
        (status = 202, description = "The job", body = JobView),
        (status = 200, description = "With `wait`: the vectors", body = Object),
        (status = 422, body = ProblemBody), (status = 429, body = ProblemBody)
    )
)]
pub async fn create_embeddings(
    State(state): State<AppState>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let body = UnreadJson::receive(request, BODY_BYTES).await?;
    let replayed = body.idempotency.replay(&state, &caller).await?;
    let JsonBody { value, idempotency } = body.read()?;
    let CreateEmbeddings { input, model, wait } = value;
    if let Some(replayed) = replayed {
        return finish(&state, &caller, replayed, wait).await;
    }
    check_quota(&state, &caller).await?;
    check_model(&state, model.as_deref())?;
    let job = store_texts(&state, &caller, input, model).await?;
    let (id, blob) = (job.0.id, job.1);
    let view = JobView::fresh(&job.0, state.ports.clock.now());
    let answer = Answer::new(StatusCode::ACCEPTED, &view).at(format!("/api/v1/jobs/{id}"));
    let changes = vec![Change::Enqueue(Box::new(job.0))];
    let recorded = idempotency.commit(&state, &caller, changes, Vec::new(), &answer).await;
    if !matches!(recorded, Ok(Recorded::Fresh))
        && let Err(error) = state.ports.blobs.delete(&blob).await
    {
        tracing::warn!(%error, blob, "texts that nobody needs were left behind");
    }
    let accepted = match recorded? {
        Recorded::Replayed(replayed) => replayed,
        Recorded::Fresh => answer.into_response(),
    };
    finish(&state, &caller, accepted, wait).await
}

/// The accepted job, or its vectors instead. What is kept of a request is that it was accepted: a repetition waits, too.
async fn finish(
    state: &AppState,
    caller: &Caller,
    accepted: Response,
    wait: bool,
) -> Result<Response, Problem> {
    let Some(id) = job_of(&accepted).filter(|_| wait) else {
        return Ok(accepted);
    };
    let Some(vectors) = vectors_of(state, caller, id).await? else {
        return Ok(accepted);
    };
    let (mut head, _) = accepted.into_parts();
    head.status = StatusCode::OK;
    head.headers.remove(header::LOCATION);
    Ok(Response::from_parts(head, Body::from(vectors.to_string())))
}

/// The job that an answer names.
fn job_of(accepted: &Response) -> Option<JobId> {
    let location = accepted.headers().get(header::LOCATION)?.to_str().ok()?;
    location.rsplit('/').next()?.parse().ok()
}

fn check_model(state: &AppState, model: Option<&str>) -> Result<(), Problem> {
    let configured = state.ports.embedder.model();
    match model {
        Some(model) if model != configured => {
            Err(Problem::field("model", format!("is not configured: the embedding model is {configured}")))
        }
        _ => Ok(()),
    }
}

/// Payloads carry ids, never content: the texts go to the blob store.
async fn store_texts(
    state: &AppState,
    caller: &Caller,
    input: Vec<String>,
    model: Option<String>,
) -> Result<(NewJob, String), Problem> {
    let blob = blob_key::input(&caller.tenant);
    let cost = input.iter().map(|text| text.chars().count() as f64 / 3.0).sum();
    let bytes = Bytes::from(Value::from(input).to_string());
    state.ports.blobs.put(&blob, stream::once(async move { Ok(bytes) }).boxed()).await?;
    let mut job = EmbedTexts { blob: blob.clone(), model, key: caller.key() }.job(&caller.tenant);
    job.cost = cost;
    Ok((job, blob))
}
