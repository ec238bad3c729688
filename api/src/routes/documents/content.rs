use crate::{
    caller::Caller,
    path::PathId,
    problem::{Code, Problem, ProblemBody},
    query::Query,
    range::{Wanted, wanted},
    state::AppState,
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chat_core::{Document, DocumentId, ErrorKind, ports::Offer};
use chat_jobs::text_blob;
use std::{fmt::Write, time::Duration};

/// A file to be given out.
struct File {
    blob: String,
    filename: String,
    media_type: String,
    /// Changes with the content.
    tag: String,
}

/// The original bytes of a document; with `format=text` the text that passages point into.
#[utoipa::path(
    get, path = "/documents/{id}/content", tag = "documents",
    params(
        ("id" = String, Path),
        ("format" = Option<String>, Query, description = "`original`, or `text`: the text that was read from it"),
        ("Range" = Option<String>, Header, description = "One range of bytes")
    ),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A part of it", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "The client has it"),
        (status = 307, description = "Where presigned downloads are on: the file is at `Location` for a while"),
        (status = 404, body = ProblemBody),
        (status = 416, body = ProblemBody)
    )
)]
pub async fn get_content(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<DocumentId>,
    mut query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = |word: &str| ["original", "text"].contains(&word).then(|| word == "text");
    let as_text = query.word("format", "original, text", format).unwrap_or(false);
    query.finish()?;
    match give_out(&state, &caller, id, as_text, &headers).await {
        // A new version may have taken its place in between, and the old one's file be gone: the new one has its own.
        Err(problem) if problem.code() == Code::NotFound => {
            give_out(&state, &caller, id, as_text, &headers).await
        }
        given => given,
    }
}

async fn give_out(
    state: &AppState,
    caller: &Caller,
    id: DocumentId,
    as_text: bool,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let document = state.ports.store.document(&caller.tenant, id).await?;
    let file = if as_text { text(caller, &document)? } else { original(document) };
    if is_known(&file, headers) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, file.tag)]).into_response());
    }
    match state.options.presigned_downloads {
        Some(lifetime) => redirect(state, &file, headers, lifetime).await,
        None => serve(state, &file, headers).await,
    }
}

/// Whether the client has it.
fn is_known(file: &File, headers: &HeaderMap) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|value| value.split(',')).map(str::trim).any(|tag| {
        // Compared weakly: what a proxy has changed on the way, for instance compressed, is still the same file.
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == file.tag
    })
}

/// To the file store itself, if it can give files out; the client asks it for the same range.
async fn redirect(
    state: &AppState,
    file: &File,
    headers: &HeaderMap,
    lifetime: Duration,
) -> Result<Response, Problem> {
    let offer =
        Offer { disposition: attachment(&file.filename), media_type: file.media_type.clone(), lifetime };
    let Some(address) = state.ports.blobs.address(&file.blob, &offer).await? else {
        return serve(state, file, headers).await;
    };
    // Whoever has the address has the file: it stays with the client that asked.
    let told = [(header::LOCATION, address), (header::CACHE_CONTROL, "private, no-store".to_owned())];
    Ok((StatusCode::TEMPORARY_REDIRECT, told).into_response())
}

fn original(document: Document) -> File {
    let upload = document.upload;
    File {
        blob: upload.blob,
        filename: upload.filename,
        media_type: upload.media_type,
        tag: format!("\"{}\"", upload.sha256),
    }
}

/// The text of the version that answers: what the offsets of passages count in.
fn text(caller: &Caller, document: &Document) -> Result<File, Problem> {
    let Some(version) = document.live_version else {
        return Err(Problem::not_found("The text of the document"));
    };
    Ok(File {
        blob: text_blob(&caller.tenant, version),
        filename: format!("{}.txt", document.upload.filename),
        media_type: "text/plain; charset=utf-8".to_owned(),
        tag: format!("\"{version}\""),
    })
}

async fn serve(state: &AppState, file: &File, headers: &HeaderMap) -> Result<Response, Problem> {
    let size = state.ports.blobs.size(&file.blob).await.map_err(missing)?;
    let (status, range) = match wanted(headers, size, &file.tag) {
        Wanted::Whole => (StatusCode::OK, None),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, Some(range)),
        Wanted::Unsatisfiable => {
            let detail = format!("The content has {size} bytes.");
            let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, Code::InvalidRequest, detail);
            return Ok(([(header::CONTENT_RANGE, format!("bytes */{size}"))], problem).into_response());
        }
    };
    let bytes = state.ports.blobs.get(&file.blob, range.clone()).await.map_err(missing)?;
    let mut response = (status, Body::from_stream(bytes)).into_response();
    let length = range.as_ref().map_or(size, |range| range.end - range.start);
    describe(response.headers_mut(), file, length);
    if let Some(range) = range {
        let part = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        insert(response.headers_mut(), header::CONTENT_RANGE, &part);
    }
    Ok(response)
}

/// A file that its row names and that is not there (a deletion is under way).
fn missing(error: chat_core::PortError) -> Problem {
    if error.kind == ErrorKind::NotFound {
        Problem::not_found("The content of the document")
    } else {
        error.into()
    }
}

/// Whatever the file is, a browser saves it and never runs it as a page of ours.
fn describe(headers: &mut HeaderMap, file: &File, length: u64) {
    insert(headers, header::CONTENT_TYPE, &file.media_type);
    insert(headers, header::CONTENT_LENGTH, &length.to_string());
    insert(headers, header::CONTENT_DISPOSITION, &attachment(&file.filename));
    insert(headers, header::ETAG, &file.tag);
    insert(headers, header::ACCEPT_RANGES, "bytes");
    insert(headers, header::CACHE_CONTROL, "private, no-cache");
    insert(headers, header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox");
}

fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    let value = HeaderValue::from_str(value);
    headers.insert(name, value.unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream")));
}

/// A name for every client: ASCII for old ones, RFC 5987 for the others.
fn attachment(filename: &str) -> String {
    let plain: String = filename
        .chars()
        .map(|c| if c.is_ascii_graphic() && !"\"\\%;".contains(c) { c } else { '_' })
        .collect();
    let mut extended = String::with_capacity(filename.len() * 3);
    for byte in filename.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            extended.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(extended, "%{byte:02X}");
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{extended}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_given_in_both_ways() {
        let value = attachment("手册 1\".md");
        assert_eq!(value, "attachment; filename=\"___1_.md\"; filename*=UTF-8''%E6%89%8B%E5%86%8C%201%22.md");
    }
}
