//! PostgreSQL's errors as the ports speak of them. Codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use chat_core::{ErrorKind, PortError};
use std::time::Duration;

/// What a caller is told to wait when the database is away.
const AWAY: Duration = Duration::from_secs(2);
/// The session was ended because its process stood still within a transaction.
const IDLE_IN_TRANSACTION: &str = "25P03";

/// The error with its cause.
pub(crate) fn port_error(error: sqlx::Error) -> PortError {
    let (kind, message) = describe(&error);
    let wait = (kind == ErrorKind::Unavailable).then_some(AWAY);
    PortError::new(kind, message).with_retry_after(wait).with_source(error)
}

/// Whether the same transaction, begun again, may succeed: it lost against another one, or its connection was dead
/// before anything was sent.
pub(crate) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(cause) => matches!(cause.code().as_deref(), Some("40001" | "40P01" | "55P03")),
        _ => false,
    }
}

/// Whether the connection, not the statement, was at fault.
pub(crate) fn is_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(cause) => cause.code().is_some_and(|code| {
            ["57P", "08", IDLE_IN_TRANSACTION].iter().any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}

fn describe(error: &sqlx::Error) -> (ErrorKind, &'static str) {
    match error {
        sqlx::Error::RowNotFound => (ErrorKind::NotFound, "it was not found"),
        sqlx::Error::Database(cause) => match cause.code().as_deref().unwrap_or_default() {
            "23505" | "23503" | "23514" => (ErrorKind::Conflict, "it contradicts what is there"),
            "22021" | "22P05" => (ErrorKind::Invalid, "text with NUL characters cannot be kept"),
            "28000" | "28P01" => (ErrorKind::Unauthorized, "the database refuses the user or the password"),
            "3D000" => (ErrorKind::Invalid, "there is no such database"),
            "42P01" | "42703" | "42883" => {
                (ErrorKind::Internal, "the database's schema is not this version's: run `chat migrate`")
            }
            "57014" => (ErrorKind::Timeout, "a statement took too long"),
            code if is_busy(code) => (ErrorKind::Unavailable, "the database does not take it now"),
            _ => (ErrorKind::Internal, "the database refused a statement"),
        },
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Io(_) => (ErrorKind::Unavailable, "the database does not answer"),
        sqlx::Error::Tls(_) => (ErrorKind::Unavailable, "the database cannot be reached by TLS"),
        sqlx::Error::Configuration(_) => (ErrorKind::Invalid, "the database's address cannot be used"),
        _ => (ErrorKind::Internal, "the database answered something unexpected"),
    }
}

/// Shutting down, starting, read-only, out of connections, memory or disk; or a conflict that did not end by itself.
fn is_busy(code: &str) -> bool {
    ["57P", "08", "53", "58", "40", "25006", IDLE_IN_TRANSACTION, "55P03"]
        .iter()
        .any(|class| code.starts_with(class))
}

/// The same failure for everyone whose writes were in one statement.
pub(crate) fn same(error: &PortError) -> PortError {
    PortError::new(error.kind, error.message.clone()).with_retry_after(error.retry_after)
}
