//! Documents: upload, look, follow.

use super::{Client, ClientError, Document, Events, Listed, StoredDocument, error::Refusal};
use crate::{failure::plain, output};
use futures::stream;
use reqwest::{
    Body, Method, Response,
    header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT},
    multipart::{Form, Part},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use tokio::{fs::File, time::timeout};
use tokio_util::io::ReaderStream;

/// How often an upload is repeated that the server was too busy for.
const TRIES: u32 = 8;
/// How long a server may take to refuse a file by its size.
const VERDICT: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct Uploaded {
    documents: Vec<Document>,
}

impl Client {
    /// Uploads a file, piece by piece. Kept in its metadata: `path`, for people, and `source`, where it came from.
    pub async fn upload(
        &self,
        collection: &str,
        file: &Path,
        path: &str,
        source: &str,
    ) -> Result<Document, ClientError> {
        let to = format!("/collections/{collection}/documents");
        let metadata = json!({"path": path, "source": source}).to_string();
        let uploaded: Uploaded = self.send_file(&Method::POST, &to, file, Some(&metadata)).await?;
        let document = uploaded.documents.into_iter().next();
        document.ok_or_else(|| ClientError::Unexpected("it names no document".into()))
    }

    /// Puts a file into a document that is there. Its old content answers until the new one is ready.
    pub async fn replace(&self, document: &str, file: &Path) -> Result<Document, ClientError> {
        self.send_file(&Method::PUT, &format!("/documents/{document}/content"), file, None).await
    }

    async fn send_file<T: DeserializeOwned>(
        &self,
        method: &Method,
        to: &str,
        file: &Path,
        metadata: Option<&str>,
    ) -> Result<T, ClientError> {
        let mut tries = 0;
        loop {
            let error = match self.send_file_once(method, to, file, metadata).await {
                Ok(response) => return self.read(response).await,
                Err(error) => error,
            };
            tries += 1;
            match error.retry_after() {
                Some(wait) if tries < TRIES => tokio::time::sleep(wait.min(Duration::from_secs(30))).await,
                _ => return Err(error),
            }
        }
    }

    async fn send_file_once(
        &self,
        method: &Method,
        to: &str,
        file: &Path,
        metadata: Option<&str>,
    ) -> Result<Response, ClientError> {
        let (form, bytes) = form(file, metadata).await.map_err(|error| unreadable(&error))?;
        let sent = match self.once(self.request(method.clone(), to).multipart(form)).await {
            // A server that refuses a file hangs up while it is still being sent, and its reason may be lost.
            Err(broken @ ClientError::Unreachable { .. }) => {
                Err(self.verdict(method, to, bytes).await.unwrap_or(broken))
            }
            sent => sent,
        };
        sent.map_err(|error| about_file(error, bytes))
    }

    /// Asks whether a form with so many bytes would be taken, and sends none of them.
    async fn verdict(&self, method: &Method, to: &str, bytes: u64) -> Option<ClientError> {
        let nothing = Body::wrap_stream(stream::pending::<std::io::Result<Vec<u8>>>());
        let asking = self
            .request(method.clone(), to)
            .header(EXPECT, "100-continue")
            .header(CONTENT_TYPE, "multipart/form-data; boundary=none")
            .header(CONTENT_LENGTH, bytes)
            .body(nothing);
        let answer = timeout(VERDICT, self.once(asking)).await.ok()?.err()?;
        matches!(answer, ClientError::Refused(_)).then_some(answer)
    }

    /// Every document of a collection, newest first.
    pub async fn documents(&self, collection: &str) -> Result<Vec<StoredDocument>, ClientError> {
        self.all("/documents", &[("collection", collection)]).await
    }

    /// A document.
    pub async fn document(&self, id: &str) -> Result<Document, ClientError> {
        self.call(|| self.request(Method::GET, &format!("/documents/{id}"))).await
    }

    /// The stages of a document's newest version.
    pub async fn document_events(&self, id: &str) -> Result<Events, ClientError> {
        let response = self.send(|| self.request(Method::GET, &format!("/documents/{id}/events"))).await?;
        Ok(Events::of(response, self.base()))
    }

    /// Whether anything can be found, in one of these collections or at all.
    pub async fn has_documents(&self, collection: Option<&str>) -> Result<bool, ClientError> {
        // Most are ready; one whose replacement is under way, or failed, answers all the same.
        for some in [&[("status", "ready"), ("limit", "1")][..], &[("limit", "100")]] {
            let page: Listed<Value> = self
                .call(|| {
                    let request = self.request(Method::GET, "/documents").query(some);
                    match collection {
                        Some(id) => request.query(&[("collection", id)]),
                        None => request,
                    }
                })
                .await?;
            if page.data.iter().any(|document| document["searchable"] == true) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What is sent, and the size of the file.
async fn form(file: &Path, metadata: Option<&str>) -> std::io::Result<(Form, u64)> {
    let open = File::open(file).await?;
    let length = open.metadata().await?.len();
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let part = Part::stream_with_length(Body::wrap_stream(ReaderStream::new(open)), length).file_name(name);
    // Fields before the file: the server reads them in this order.
    let form = match metadata {
        Some(metadata) => Form::new().text("metadata", metadata.to_owned()),
        None => Form::new(),
    };
    Ok((form.part("file", part), length))
}

/// A file that cannot be read is refused before it is sent.
fn unreadable(error: &std::io::Error) -> ClientError {
    ClientError::Refused(Refusal {
        detail: format!("it cannot be read: {}", plain(error)),
        ..Refusal::default()
    })
}

/// The server speaks of a form and its fields; who reads this named a file.
fn about_file(error: ClientError, bytes: u64) -> ClientError {
    let ClientError::Refused(mut refusal) = error else { return error };
    match refusal.status {
        413 => refusal.detail = format!("it is too large ({}): {}", output::size(bytes), refusal.detail),
        422 if refusal.errors.iter().all(|error| error.field == "file") => {
            // The name in brackets stands beside it anyway.
            let told =
                refusal.errors.iter().map(|error| error.message.split(" (").next().unwrap_or_default());
            refusal.detail = format!("it {}", told.collect::<Vec<_>>().join(", and "));
        }
        _ => {}
    }
    ClientError::Refused(refusal)
}
