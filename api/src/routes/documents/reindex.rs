use super::stop::stop_ingestion;
use crate::{
    answer::Answer,
    caller::Caller,
    fields::Nothing,
    idempotency::Recorded,
    json::JsonBody,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::AppState,
    upload::{Ingestion, StagedFile, Staging},
    views::JobView,
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chat_core::{Document, DocumentId};
use futures::StreamExt;

/// Reads, cuts and indexes a document anew: its newest content, unless that was given up. The old version answers until the
/// new one is ready.
#[utoipa::path(
    post, path = "/documents/{id}/reindex", tag = "documents", params(("id" = String, Path)),
    responses(
        (status = 202, body = JobView),
        (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody, description = "it got another version meanwhile")
    )
)]
pub async fn reindex_document(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<DocumentId>,
    body: JsonBody<Nothing>,
) -> Result<Response, Problem> {
    let document = state.ports.store.document(&caller.tenant, id).await?;
    let mut file = copy(&state, &caller, &document).await?;
    let mut ingestion = Ingestion::of(&caller, id, &file, state.ports.clock.now());
    // Content that was uploaded while this copied the file must not be replaced by what was there before.
    ingestion.version.follows = Some(document.version_id);
    let job = JobView::fresh(&ingestion.job, ingestion.version.created_at);
    let answer = Answer::new(StatusCode::ACCEPTED, &job);
    let mut changes = stop_ingestion(&caller, id);
    changes.extend(ingestion.changes());
    file.blob.keep(true);
    let recorded = body.idempotency.commit(&state, &caller, changes, Vec::new(), &answer).await;
    file.blob.keep(matches!(recorded, Ok(Recorded::Fresh)));
    match recorded? {
        Recorded::Replayed(replayed) => Ok(replayed),
        Recorded::Fresh => Ok(answer.into_response()),
    }
}

/// A version owns its file, and takes it along when it is removed: the new one gets a copy.
async fn copy(state: &AppState, caller: &Caller, document: &Document) -> Result<StagedFile, Problem> {
    let upload = if document.status.is_final() {
        document.upload.clone()
    } else {
        // What is on the way to replace the content must not get lost.
        state.ports.store.version(document.version_id).await?.upload
    };
    let mut bytes = state.ports.blobs.get(&upload.blob, None).await?;
    let mut staging = Staging::begin(state, &caller.tenant);
    while let Some(piece) = bytes.next().await {
        staging.write(state, piece?).await?;
    }
    Ok(StagedFile {
        blob: staging.finish().await?,
        filename: upload.filename,
        media_type: upload.media_type,
        charset: upload.charset,
    })
}
