//! Documents: upload, look, follow.

use super::{Client, ClientError, Document, Events, Listed, error::Refusal};
use reqwest::{
    Body, Method,
    multipart::{Form, Part},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

/// How often an upload is repeated that the server was too busy for.
const TRIES: u32 = 8;

#[derive(Deserialize)]
struct Uploaded {
    documents: Vec<Document>,
}

impl Client {
    /// Uploads a file, piece by piece; `path` is kept in its metadata.
    pub async fn upload(&self, collection: &str, file: &Path, path: &str) -> Result<Document, ClientError> {
        let mut tries = 0;
        loop {
            let error = match self.upload_once(collection, file, path).await {
                Ok(document) => return Ok(document),
                Err(error) => error,
            };
            tries += 1;
            match error.retry_after() {
                Some(wait) if tries < TRIES => tokio::time::sleep(wait.min(Duration::from_secs(30))).await,
                _ => return Err(error),
            }
        }
    }

    async fn upload_once(&self, collection: &str, file: &Path, path: &str) -> Result<Document, ClientError> {
        let form = form(file, path).await.map_err(|error| unreadable(&error))?;
        let request =
            self.request(Method::POST, &format!("/collections/{collection}/documents")).multipart(form);
        let uploaded: Uploaded = self.read(self.once(request).await?).await?;
        let document = uploaded.documents.into_iter().next();
        document.ok_or_else(|| ClientError::Unexpected("it names no document".into()))
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

async fn form(file: &Path, path: &str) -> std::io::Result<Form> {
    let open = File::open(file).await?;
    let length = open.metadata().await?.len();
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let part = Part::stream_with_length(Body::wrap_stream(ReaderStream::new(open)), length).file_name(name);
    // Fields before the file: the server reads them in this order.
    Ok(Form::new().text("metadata", json!({"path": path}).to_string()).part("file", part))
}

/// A file that cannot be read is refused before it is sent.
fn unreadable(error: &std::io::Error) -> ClientError {
    ClientError::Refused(Refusal {
        status: 0,
        detail: format!("it cannot be read: {error}"),
        retry_after: None,
    })
}
