//! The data folder belongs to one process at a time. Its lock file says which, and where it listens, so that the
//! command line can talk to a running server instead of opening the files behind its back.

use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

/// Who holds a data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// Where its HTTP interface is, once it listens.
    pub url: Option<String>,
}

/// Held as long as this value lives; the operating system drops it with the process.
#[derive(Debug)]
pub struct DataLock {
    file: File,
}

impl DataLock {
    /// Takes the lock, or says who has it.
    pub fn take(folder: &Path) -> io::Result<Result<Self, Option<Holder>>> {
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path(folder))?;
        match file.try_lock() {
            Ok(()) => {
                let mut lock = Self { file };
                lock.announce(None)?;
                Ok(Ok(lock))
            }
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text)?;
                Ok(Err(serde_json::from_str(&text).ok()))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Writes down where this process listens.
    pub fn announce(&mut self, url: Option<String>) -> io::Result<()> {
        let holder = Holder { pid: std::process::id(), url };
        let text = serde_json::to_string(&holder).map_err(io::Error::other)?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())?;
        self.file.flush()
    }

    /// Who holds a folder now, without taking it.
    pub fn holder(folder: &Path) -> Option<Holder> {
        let mut file = OpenOptions::new().read(true).write(true).open(path(folder)).ok()?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text).ok()?;
                serde_json::from_str(&text).ok()
            }
            _ => None,
        }
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("chat.lock")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_learns_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(DataLock::holder(folder.path()), None);
        let mut lock = DataLock::take(folder.path()).unwrap().unwrap();
        lock.announce(Some("http://127.0.0.1:1".into())).unwrap();
        let holder = DataLock::take(folder.path()).unwrap().unwrap_err().unwrap();
        assert_eq!(holder.url.as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!(DataLock::holder(folder.path()), Some(holder));
        drop(lock);
        assert!(DataLock::take(folder.path()).unwrap().is_ok());
    }
}
