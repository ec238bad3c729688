//! The work of a version that has ended, done again when somebody retries its job.

use crate::{Done, IngestDocument, JobContext, JobError, documents::upload_blob};
use chat_core::{Change, ErrorKind, NewVersion, PortError, PortResult, Upload, Version, VersionId};
use serde_json::json;

/// Reads what was uploaded for a version that failed or was stopped again, as another version: the readers of the first
/// one were told its end, and nothing may follow that. Nothing is done if another version has followed already.
pub(crate) async fn renew(cx: &JobContext, ended: &Version) -> Result<Done, JobError> {
    let versions = cx.ports.store.versions(ended.document).await?;
    if versions.iter().any(|other| other.id > ended.id) {
        return Ok(Done::default());
    }
    let id = VersionId::new();
    let upload = copy(cx, ended, id).await?;
    let (blob, bytes) = (upload.blob.clone(), upload.bytes);
    let job = IngestDocument { version: id }.job_of(&ended.tenant, ended.document, bytes);
    let version = NewVersion {
        id,
        document: ended.document,
        tenant: ended.tenant.clone(),
        upload,
        job: job.id,
        follows: Some(ended.id),
        created_at: cx.now(),
    };
    let result = json!({"document_id": ended.document, "version_id": id, "job_id": job.id});
    let changes = vec![Change::InsertVersion(Box::new(version)), Change::Enqueue(Box::new(job))];
    match cx.commit(changes).await {
        Ok(_) => Ok(Done { result: Some(result), ..Done::default() }),
        Err(error) => {
            // What was written although nobody heard of it keeps its file.
            let version = cx.ports.store.version(id).await;
            if version.is_err_and(|error| error.kind == ErrorKind::NotFound) {
                cx.ports.blobs.delete(&blob).await?;
            }
            Err(error.into())
        }
    }
}

/// A version owns its file, and takes it along when it is removed: the new one gets a copy.
async fn copy(cx: &JobContext, ended: &Version, id: VersionId) -> PortResult<Upload> {
    let gone = |error: PortError| match error.kind {
        ErrorKind::NotFound => {
            PortError::invalid("the uploaded file is not there any more").with_source(error)
        }
        _ => error,
    };
    let blob = upload_blob(&ended.tenant, id);
    let bytes = cx.ports.blobs.get(&ended.upload.blob, None).await.map_err(gone)?;
    cx.ports.blobs.put(&blob, bytes).await?;
    Ok(Upload { blob, ..ended.upload.clone() })
}
