//! What an error of SQLite means to a caller.

use chat_core::{ErrorKind, PortError};

/// Primary result codes of SQLite (<https://www.sqlite.org/rescode.html>) that another try may cure.
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const IO: i32 = 10;
const FULL: i32 = 13;
const CANNOT_OPEN: i32 = 14;

pub(super) fn failed(error: sqlx::Error) -> PortError {
    let (kind, message) = match &error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => {
            (ErrorKind::Unavailable, "the search index cannot be used")
        }
        sqlx::Error::Database(cause) => of_code(cause.code().and_then(|code| code.parse().ok()).unwrap_or(0)),
        _ => (ErrorKind::Internal, "the search index failed"),
    };
    PortError::new(kind, message).with_source(error)
}

/// Extended codes have the primary one in their lowest byte.
fn of_code(code: i32) -> (ErrorKind, &'static str) {
    match code & 0xff {
        BUSY | LOCKED => (ErrorKind::Unavailable, "the search index is locked"),
        FULL => (ErrorKind::Unavailable, "the search index cannot grow: the disk is full"),
        IO | CANNOT_OPEN => (ErrorKind::Unavailable, "the search index cannot be used"),
        _ => (ErrorKind::Internal, "the search index failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_codes_are_understood() {
        assert_eq!(of_code(778).0, ErrorKind::Unavailable, "SQLITE_IOERR_WRITE");
        assert_eq!(of_code(13).0, ErrorKind::Unavailable);
        assert_eq!(of_code(1).0, ErrorKind::Internal);
    }
}
