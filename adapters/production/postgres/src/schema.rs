//! The schema's version: too old or too new is said at the start, not by a failing statement later.

use crate::error::port_error;
use chat_core::{ErrorKind, PortError, PortResult};
use sqlx::{Connection, PgConnection, PgPool, migrate::Migrator, postgres::PgConnectOptions};

static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations/postgres");

/// Brings the schema up to date; safe to repeat, and to run in several processes at once. Returns its version.
pub(crate) async fn migrate(options: &PgConnectOptions) -> PortResult<i64> {
    // Building an index may take longer than a statement of a request may.
    let mut conn = PgConnection::connect_with(&options.clone().options([("statement_timeout", "0")]))
        .await
        .map_err(port_error)?;
    let result = MIGRATIONS.run_direct(None, &mut conn, false).await;
    conn.close().await.ok();
    result.map_err(|error| PortError::internal(format!("the database cannot be migrated: {error}")))?;
    Ok(ours())
}

/// Refuses a database whose schema is not this program's.
pub(crate) async fn check(pool: &PgPool) -> PortResult<()> {
    let exists: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(pool)
        .await
        .map_err(port_error)?;
    let found: Option<i64> = if exists {
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success")
            .fetch_one(pool)
            .await
            .map_err(port_error)?
    } else {
        None
    };
    let wrong = |what: String| Err(PortError::new(ErrorKind::Invalid, what));
    match found {
        None => wrong("the database has no schema yet: run `chat migrate`".into()),
        Some(found) if found < ours() => wrong(format!(
            "the database's schema is {found}, older than this program's {}: run `chat migrate`",
            ours()
        )),
        // Newer migrations only add: while replicas are replaced one by one, the old ones go on.
        Some(found) if found > ours() + COMPATIBLE => wrong(format!(
            "the database's schema is {found}, too new for this program's {}: use a newer program",
            ours()
        )),
        Some(_) => Ok(()),
    }
}

/// How many migrations a database may be ahead: a rolling upgrade migrates first and restarts then.
const COMPATIBLE: i64 = 1;

fn ours() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}
