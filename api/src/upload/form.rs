//! Multipart uploads: files in any number and order, `metadata` and `charset` before or after them.

use super::{
    StagedFile, Staging,
    content_disposition::filename,
    intake::{Gauge, Intake},
    media_type, most_in_all, too_large,
};
use crate::{
    body,
    caller::Caller,
    fields::metadata_problem,
    problem::{FieldError, Problem},
    state::AppState,
    unique,
};
use axum::{
    body::Body,
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request, multipart::Field},
    http::{HeaderMap, header},
};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// The most files of one upload.
const FILES: usize = 100;
/// The most bytes of a field that is not a file.
const FIELD_BYTES: usize = 128 * 1024;

/// An upload that was read and found right.
pub struct Form {
    /// The files, in order.
    pub files: Vec<StagedFile>,
    /// The caller's own data.
    pub metadata: Option<Value>,
}

/// Reads a multipart upload. If anything is wrong with it, nothing of it is left.
pub async fn read_form(
    state: &AppState,
    caller: &Caller,
    headers: &HeaderMap,
    body: Body,
) -> Result<Form, Problem> {
    let gauge = Arc::new(Gauge::default());
    let intake = Intake::new(body.into_data_stream(), most_in_all(state), gauge.clone());
    let parts = open(headers, Body::from_stream(intake)).await?;
    let (files, texts, errors) = (Vec::new(), BTreeMap::new(), Vec::new());
    let mut reader = Reader { state, caller, gauge, seen: 0, files, texts, errors };
    reader.read(parts).await?;
    reader.finish()
}

/// The framework's own limit must not apply: this one is ours.
async fn open(headers: &HeaderMap, body: Body) -> Result<Multipart, Problem> {
    let mut request = Request::new(body);
    if let Some(media_type) = headers.get(header::CONTENT_TYPE) {
        request.headers_mut().insert(header::CONTENT_TYPE, media_type.clone());
    }
    DefaultBodyLimit::disable().apply(&mut request);
    let opened = Multipart::from_request(request, &()).await;
    opened.map_err(|_| Problem::unreadable("The multipart body has no boundary."))
}

struct Reader<'a> {
    state: &'a AppState,
    caller: &'a Caller,
    gauge: Arc<Gauge>,
    /// How many files came, good or not.
    seen: usize,
    files: Vec<StagedFile>,
    texts: BTreeMap<String, String>,
    errors: Vec<FieldError>,
}

impl Reader<'_> {
    async fn read(&mut self, mut parts: Multipart) -> Result<(), Problem> {
        loop {
            self.gauge.header();
            let part = tokio::time::timeout(body::IDLE_TIME, parts.next_field()).await;
            self.gauge.content();
            match part {
                Ok(Ok(Some(field))) => self.part(field).await?,
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(self.broken(&error.body_text())),
                Err(_) => return Err(self.broken("it stopped coming")),
            }
        }
    }

    async fn part(&mut self, field: Field<'_>) -> Result<(), Problem> {
        match field.name().unwrap_or_default() {
            "file" if self.seen < FILES => self.file(field).await,
            "file" => Err(Problem::field("file", format!("there may be at most {FILES} files"))),
            "metadata" | "charset" => self.text(field).await,
            name => {
                let name = name.chars().take(100).collect();
                self.refuse(name, "is not a known field");
                self.skip(field).await
            }
        }
    }

    async fn file(&mut self, mut field: Field<'_>) -> Result<(), Problem> {
        let name = format!("file[{}]", self.seen);
        self.seen += 1;
        let filename = filename(field.headers());
        let chosen = media_type::choose(field.content_type(), &filename);
        let mut staging = Staging::begin(self.state, &self.caller.tenant);
        while let Some(piece) = self.piece(&mut field).await? {
            if let Err(problem) = staging.write(self.state, piece).await {
                drop(staging);
                body::drain(field).await;
                return Err(problem);
            }
        }
        let blob = staging.finish().await?;
        if blob.bytes == 0 {
            self.refuse(name.clone(), format!("is empty ({filename})"));
        }
        match chosen {
            Ok((media_type, charset)) => {
                self.files.push(StagedFile { blob, filename, media_type, charset });
            }
            Err(message) => self.refuse(name, format!("its Content-Type is wrong: {message} ({filename})")),
        }
        Ok(())
    }

    async fn text(&mut self, mut field: Field<'_>) -> Result<(), Problem> {
        let name = field.name().unwrap_or_default().to_owned();
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece(&mut field).await? {
            if bytes.len() + piece.len() > FIELD_BYTES {
                return Err(Problem::field(name, format!("may have at most {FIELD_BYTES} bytes")));
            }
            bytes.extend_from_slice(&piece);
        }
        match String::from_utf8(bytes) {
            Ok(text) => {
                if self.texts.insert(name.clone(), text).is_some() {
                    self.refuse(name, "was given more than once");
                }
            }
            Err(_) => self.refuse(name, "must be UTF-8"),
        }
        Ok(())
    }

    async fn skip(&mut self, mut field: Field<'_>) -> Result<(), Problem> {
        while self.piece(&mut field).await?.is_some() {}
        Ok(())
    }

    async fn piece(&self, field: &mut Field<'_>) -> Result<Option<bytes::Bytes>, Problem> {
        match tokio::time::timeout(body::IDLE_TIME, field.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => Err(self.broken(&error.body_text())),
            Err(_) => Err(self.broken("it stopped coming")),
        }
    }

    fn broken(&self, reason: &str) -> Problem {
        if self.gauge.is_too_large() {
            return too_large(self.state);
        }
        Problem::unreadable(format!("The multipart body is broken: {reason}."))
    }

    fn refuse(&mut self, field: String, message: impl Into<String>) {
        self.errors.push(FieldError { field, message: message.into() });
    }

    fn finish(mut self) -> Result<Form, Problem> {
        let metadata = self.texts.remove("metadata").filter(|text| !text.trim().is_empty());
        let metadata = metadata.and_then(|text| self.metadata(&text));
        let charset = self.texts.remove("charset").filter(|text| !text.trim().is_empty());
        if let Some(label) = charset {
            self.charset(label.trim());
        }
        if self.files.is_empty() && self.errors.is_empty() {
            self.refuse("file".to_owned(), "is required");
        }
        if self.seen == 1 {
            self.name_the_only_file();
        }
        if !self.errors.is_empty() {
            return Err(Problem::fields(self.errors));
        }
        Ok(Form { files: self.files, metadata })
    }

    /// It needs no number.
    fn name_the_only_file(&mut self) {
        for error in self.errors.iter_mut().filter(|error| error.field == "file[0]") {
            "file".clone_into(&mut error.field);
        }
    }

    fn metadata(&mut self, text: &str) -> Option<Value> {
        let found = unique::read(text.as_bytes()).map_err(|error| format!("is not valid JSON: {error}"));
        let once = found.and_then(|(value, twice)| match twice.first() {
            Some(member) => Err(format!("has {member} more than once")),
            None => Ok(value),
        });
        match once.and_then(|value| metadata_problem(&value).map_or(Ok(value), Err)) {
            Ok(value) => Some(value),
            Err(message) => {
                self.refuse("metadata".to_owned(), message);
                None
            }
        }
    }

    /// Overrides what the files themselves say.
    fn charset(&mut self, label: &str) {
        match media_type::charset(label) {
            Ok(charset) => {
                for file in &mut self.files {
                    file.charset = Some(charset.clone());
                }
            }
            Err(message) => self.refuse("charset".to_owned(), message),
        }
    }
}
