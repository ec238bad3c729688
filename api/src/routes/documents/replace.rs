use super::stop::stop_ingestion;
use crate::{
    answer::Answer,
    caller::Caller,
    path::PathId,
    problem::{Code, Problem, ProblemBody},
    query::Query,
    state::AppState,
    upload::{Form, Ingestion, StagedFile, check_head, is_multipart, read_form, read_raw, sanitise},
    views::DocumentView,
};
use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chat_core::DocumentId;

/// Puts new content into a document. The old version answers until the new one is ready.
#[utoipa::path(
    put, path = "/documents/{id}/content", tag = "documents",
    params(
        ("id" = String, Path),
        ("filename" = Option<String>, Query, description = "A new name, if the body is no form")
    ),
    request_body(
        description = "The bytes as they are, or a form with one `file` (and `charset`)",
        content((Vec<u8> = "application/octet-stream"))
    ),
    responses(
        (status = 202, body = DocumentView), (status = 404, body = ProblemBody),
        (status = 409, description = "Another document of the collection has these bytes", body = ProblemBody),
        (status = 413, body = ProblemBody), (status = 422, body = ProblemBody)
    )
)]
pub async fn replace_content(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<DocumentId>,
    mut query: Query,
    request: Request,
) -> Result<Response, Problem> {
    let name = query.text("filename");
    query.finish()?;
    let document = state.ports.store.document(&caller.tenant, id).await?;
    let name = name.map_or_else(|| document.upload.filename.clone(), |name| sanitise(&name));
    let mut file = receive(&state, &caller, request, name).await?;
    let ingestion = Ingestion::of(&caller, id, &file, state.ports.clock.now());
    // What still works on an older version need not.
    let mut changes = stop_ingestion(&caller, id);
    changes.extend(ingestion.changes());
    file.blob.keep(true);
    if let Err(error) = state.commit(changes, Vec::new()).await {
        file.blob.keep(false);
        return Err(taken(error.into()));
    }
    let document = state.ports.store.document(&caller.tenant, id).await?;
    Ok(Answer::new(StatusCode::ACCEPTED, &DocumentView::from(document)).into_response())
}

async fn receive(
    state: &AppState,
    caller: &Caller,
    request: Request,
    name: String,
) -> Result<StagedFile, Problem> {
    let (parts, body) = request.into_parts();
    let body = check_head(state, &parts.headers, body).await?;
    if !is_multipart(&parts.headers) {
        return read_raw(state, caller, &parts.headers, body, name).await;
    }
    let Form { mut files, metadata } = read_form(state, caller, &parts.headers, body).await?;
    if metadata.is_some() {
        return Err(Problem::field("metadata", "cannot be changed with the content"));
    }
    match (files.pop(), files.is_empty()) {
        (Some(file), true) => Ok(file),
        _ => Err(Problem::field("file", "must be exactly one")),
    }
}

fn taken(problem: Problem) -> Problem {
    if problem.code() == Code::Conflict {
        return Problem::conflict("Another document of the collection has these bytes already.");
    }
    problem
}
