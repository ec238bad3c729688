//! SQLite's errors as the ports speak of them.

use chat_core::{ErrorKind, PortError};

/// Locked, full and I/O errors are worth another try; a broken constraint is a conflict; the rest are faults of ours.
pub(crate) fn kind(error: &sqlx::Error) -> ErrorKind {
    describe(error).0
}

/// The error with its cause.
pub(crate) fn port_error(error: sqlx::Error) -> PortError {
    let (kind, message) = describe(&error);
    PortError::new(kind, message).with_source(error)
}

fn describe(error: &sqlx::Error) -> (ErrorKind, &'static str) {
    match error {
        sqlx::Error::RowNotFound => (ErrorKind::NotFound, "it was not found"),
        // https://www.sqlite.org/rescode.html: the primary result code is the low byte.
        sqlx::Error::Database(cause) => {
            match cause.code().and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff) {
                Some(5 | 6) => (ErrorKind::Unavailable, "the database is locked"),
                Some(13) => (ErrorKind::Unavailable, "the disk is full"),
                Some(8 | 10 | 14) => (ErrorKind::Unavailable, "the database cannot be written"),
                Some(19) => (ErrorKind::Conflict, "it contradicts what is there"),
                _ => (ErrorKind::Internal, "the database refused a statement"),
            }
        }
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_) => (ErrorKind::Unavailable, "the database does not answer"),
        _ => (ErrorKind::Internal, "the database answered something unexpected"),
    }
}

/// The same failure for everyone whose writes were in one transaction.
pub(crate) fn same(error: &PortError) -> PortError {
    PortError::new(error.kind, error.message.clone())
}
