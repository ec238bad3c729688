//! Walks the folder.

use super::failed;
use chat_core::{PortResult, Timestamp, ports::Listed};
use futures::{StreamExt, stream, stream::BoxStream};
use std::{
    io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};
use tokio::sync::mpsc;

/// How many entries wait for whoever reads them.
const AHEAD: usize = 256;

/// Every file under a folder of the root, as it is found.
pub(super) fn list(root: PathBuf, segment: String) -> BoxStream<'static, PortResult<Listed>> {
    let (found, entries) = mpsc::channel(AHEAD);
    let walking = move || {
        let mut folders = vec![root.join(segment)];
        while let Some(folder) = folders.pop() {
            if let Err(error) = look(&root, &folder, &mut folders, &found) {
                let _ = found.blocking_send(Err(failed(error, "listing files")));
                return;
            }
        }
    };
    // Whoever stops reading ends the walk: sending fails.
    drop(tokio::task::spawn_blocking(walking));
    stream::unfold(entries, async |mut entries| Some((entries.recv().await?, entries))).boxed()
}

/// One folder; those in it are looked at later.
fn look(
    root: &Path,
    folder: &Path,
    folders: &mut Vec<PathBuf>,
    found: &mpsc::Sender<PortResult<Listed>>,
) -> io::Result<()> {
    let Some(entries) = there(std::fs::read_dir(folder))? else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let Some(about) = there(entry.metadata())? else { continue };
        if about.is_dir() {
            folders.push(entry.path());
            continue;
        }
        let path = entry.path();
        let key = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let age = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let written = Timestamp(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        if found.blocking_send(Ok(Listed { key, written })).is_err() {
            folders.clear();
            return Ok(());
        }
    }
    Ok(())
}

/// What somebody removes meanwhile is not there: that is no error.
fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}
