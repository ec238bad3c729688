use crate::{
    caller::Caller,
    path::PathId,
    problem::{Problem, ProblemBody},
    state::AppState,
};
use axum::{extract::State, http::StatusCode};
use chat_core::{Change, DocumentId, JobFilter};
use chat_jobs::{DeleteDocument, JobKind};

/// Removes a document. Nothing of it can be found from now on; a job removes the rest.
#[utoipa::path(
    delete, path = "/documents/{id}", tag = "documents", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody))
)]
pub async fn delete_document(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<DocumentId>,
) -> Result<StatusCode, Problem> {
    let mut job = DeleteDocument { document: id }.job(&caller.tenant);
    job.document = Some(id);
    let about = JobFilter { tenant: Some(caller.tenant.clone()), document: Some(id), ..JobFilter::default() };
    let changes = vec![
        Change::CancelJobs(about, Vec::new()),
        Change::HideDocument(caller.tenant, id),
        // After the cancellation: it is about the document, too.
        Change::Enqueue(Box::new(job)),
    ];
    state.commit(changes, Vec::new()).await?;
    state.ports.memo().forget_chunks(id).await;
    Ok(StatusCode::NO_CONTENT)
}
