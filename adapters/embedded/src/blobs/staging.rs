//! A file that is being written.

use super::{failed, off_thread};
use chat_core::PortResult;
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use tokio::io::{AsyncWriteExt, BufWriter};
use uuid::Uuid;

/// How much is gathered before it is written.
const BUFFER: usize = 256 * 1024;

/// A file in the staging folder. It is removed when this is dropped, unless it was published: neither an error nor a
/// caller that went away leaves anything behind.
pub(super) struct Staged {
    file: BufWriter<tokio::fs::File>,
    path: Removed,
    size: u64,
}

struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // After a rename there is nothing any more: no error to report.
        let _ = fs::remove_file(&self.0);
    }
}

impl Staged {
    pub(super) async fn create(folder: &Path) -> PortResult<Self> {
        let path = folder.join(Uuid::new_v4().simple().to_string());
        let file =
            tokio::fs::File::create_new(&path).await.map_err(|error| failed(error, "creating a file"))?;
        Ok(Self { file: BufWriter::with_capacity(BUFFER, file), path: Removed(path), size: 0 })
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> PortResult<()> {
        self.file.write_all(bytes).await.map_err(|error| failed(error, "writing a file"))?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Makes the bytes durable, then gives them their name. Returns how many there are.
    pub(super) async fn publish(mut self, target: PathBuf) -> PortResult<u64> {
        self.file.flush().await.map_err(|error| failed(error, "writing a file"))?;
        let file = self.file.into_inner().into_std().await;
        let path = self.path;
        let renaming = move || {
            file.sync_all()?;
            rename(&path.0, &target)
        };
        off_thread(renaming, "writing a file").await?;
        Ok(self.size)
    }
}

/// Renames and makes the new name durable. A delete that removes empty folders may take ours away in between:
/// then it is made again.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().unwrap_or(Path::new("."));
    let mut tries = 0;
    loop {
        make_folder(folder)?;
        match fs::rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && tries < 5 => tries += 1,
            done => break done?,
        }
    }
    sync(folder)
}

/// Makes a folder and those above it; each new name is durable.
fn make_folder(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => folder.parent().map_or(Ok(()), sync),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match folder.parent() {
            Some(above) => {
                make_folder(above)?;
                make_folder(folder)
            }
            None => Err(error),
        },
        Err(error) => Err(error),
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}
