use crate::{
    answer::Answer,
    caller::Caller,
    fields::{Fields, Input},
    idempotency::{Idempotency, Recorded},
    json::{JsonBody, UnreadJson, is_json},
    path::PathId,
    problem::{Code, Problem, ProblemBody},
    state::AppState,
    upload::{
        Form, StagedFile, accept, check_head, is_multipart, of_name, read_form, sanitise, settle, stage_text,
    },
    views::Documents,
};
use axum::{
    extract::{Request, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use chat_core::CollectionId;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// The largest JSON body of an upload, in bytes: it is held in memory. Larger texts come as files.
const JSON_BYTES: usize = 16 * 1024 * 1024;

/// Files to be uploaded.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes the form that `read_form` reads")]
struct UploadForm {
    /// A file; may be repeated.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: Vec<String>,
    /// The caller's own data, an object in JSON, for all of the files.
    metadata: Option<String>,
    /// The files' character set, if it is known; a label such as `gb18030`.
    charset: Option<String>,
}

/// A text to be uploaded.
#[derive(Debug, ToSchema)]
struct UploadText {
    /// The text.
    #[schema(min_length = 1)]
    text: String,
    /// What to call it; the ending says how to read it.
    #[schema(min_length = 1, max_length = 1000, example = "notes.md")]
    filename: String,
    /// The caller's own data.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
}

impl Input for UploadText {
    fn read(fields: &mut Fields) -> Self {
        Self {
            text: fields.required_text("text", 1..=JSON_BYTES),
            filename: fields.required_text("filename", 1..=1000),
            metadata: fields.metadata("metadata"),
        }
    }
}

/// Uploads documents, or a text as one. They are read, cut and indexed in the background. Bytes that the collection
/// has already are not stored twice: the document that has them is answered, with `duplicate_of`.
#[utoipa::path(
    post, path = "/collections/{id}/documents", tag = "documents", params(("id" = String, Path)),
    request_body(content(
        (UploadForm = "multipart/form-data"),
        (UploadText = "application/json")
    )),
    responses(
        (status = 202, body = Documents), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 413, body = ProblemBody), (status = 415, body = ProblemBody), (status = 422, body = ProblemBody)
    )
)]
pub async fn upload_documents(
    State(state): State<AppState>,
    caller: Caller,
    PathId(collection): PathId<CollectionId>,
    request: Request,
) -> Result<Response, Problem> {
    state.ports.store.collection(&caller.tenant, collection).await?;
    let (mut files, metadata, idempotency) = receive(&state, &caller, request).await?;
    if let Some(replayed) = idempotency.replay(&state, &caller).await? {
        return Ok(replayed);
    }
    let first = record(&state, &caller, collection, &mut files, metadata.as_ref(), &idempotency).await;
    match first {
        // The same bytes may have come with another request meanwhile: then its document is the answer.
        Err(problem) if problem.code() == Code::Conflict => {
            record(&state, &caller, collection, &mut files, metadata.as_ref(), &idempotency).await
        }
        other => other,
    }
}

type Received = (Vec<StagedFile>, Option<Value>, Idempotency);

async fn receive(state: &AppState, caller: &Caller, request: Request) -> Result<Received, Problem> {
    if !is_multipart(request.headers()) {
        return receive_text(state, caller, request).await;
    }
    let (parts, body) = request.into_parts();
    let body = check_head(state, &parts.headers, body).await?;
    let Form { files, metadata } = read_form(state, caller, &parts.headers, body).await?;
    let idempotency = of_form(&parts, &files, metadata.as_ref())?;
    Ok((files, metadata, idempotency))
}

async fn receive_text(state: &AppState, caller: &Caller, request: Request) -> Result<Received, Problem> {
    if is_json(request.headers()) != Some(true) {
        let detail = "Send files as multipart/form-data, or a text as application/json.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::UnsupportedMediaType, detail));
    }
    let body = UnreadJson::receive(request, JSON_BYTES).await?;
    let JsonBody { value, idempotency } = body.read::<UploadText>()?;
    let filename = sanitise(&value.filename);
    let media_type = of_name(&filename);
    // A string in JSON is Unicode: nothing is to be guessed, and without an ending it is plain text.
    let media_type = if media_type == "application/octet-stream" { "text/plain" } else { media_type };
    let file = StagedFile {
        blob: stage_text(state, caller, value.text).await?,
        filename,
        media_type: media_type.to_owned(),
        charset: Some("UTF-8".to_owned()),
    };
    Ok((vec![file], value.metadata, idempotency))
}

/// Two forms are the same if they say the same: their boundaries differ anyway.
fn of_form(parts: &Parts, files: &[StagedFile], metadata: Option<&Value>) -> Result<Idempotency, Problem> {
    let files: Vec<_> =
        files.iter().map(|f| json!([f.filename, f.media_type, f.charset, f.blob.sha256])).collect();
    Idempotency::of(parts, json!([files, metadata]).to_string().as_bytes())
}

async fn record(
    state: &AppState,
    caller: &Caller,
    collection: CollectionId,
    files: &mut [StagedFile],
    metadata: Option<&Value>,
    idempotency: &Idempotency,
) -> Result<Response, Problem> {
    let (changes, documents) = accept(state, caller, collection, files, metadata).await?;
    let answer = Answer::new(StatusCode::ACCEPTED, &Documents { documents });
    let recorded = idempotency.commit(state, caller, changes, Vec::new(), &answer).await;
    settle(files, matches!(recorded, Ok(Recorded::Fresh)));
    match recorded? {
        Recorded::Replayed(response) => Ok(response),
        Recorded::Fresh => Ok(answer.into_response()),
    }
}
