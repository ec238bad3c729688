//! `DATABASE_*`.

use std::path::{Path, PathBuf};

use super::local_path;
use crate::catalog::stores::database as keys;
use crate::loader::Loader;
use crate::parse::{Parsed, unknown_scheme};
use crate::url::Url;

/// The file of the embedded database, inside the data folder.
const FILE: &str = "chat.db";

/// Which database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file of SQLite.
    Sqlite {
        /// The file; its folder may be missing still.
        path: PathBuf,
    },
    /// A PostgreSQL server; the scheme is always `postgresql`.
    Postgres(Url),
}

/// The database.
#[derive(Clone, Debug)]
pub struct Database {
    /// Which one.
    pub url: DatabaseUrl,
    /// Connections that are kept open.
    pub pool_size: u32,
    /// Connections that may be opened on top under load.
    pub max_overflow: u32,
}

impl Database {
    pub(crate) fn read(loader: &mut Loader, data_dir: &Path) -> Self {
        let url = match loader.get(&keys::DATABASE_URL) {
            DatabaseUrl::Sqlite { path } if path.as_os_str().is_empty() => {
                DatabaseUrl::Sqlite { path: data_dir.join(FILE) }
            }
            url => url,
        };
        let pool_size = loader.get(&keys::DATABASE_POOL_SIZE);
        let max_overflow = loader.get(&keys::DATABASE_MAX_OVERFLOW);
        Self { url, pool_size, max_overflow }
    }

    /// The most connections that may be open at a time.
    pub fn max_connections(&self) -> u32 {
        self.pool_size + self.max_overflow
    }
}

/// Reads `DATABASE_URL`. An empty path stands for the file in the data folder.
pub(crate) fn database_url(text: &str) -> Parsed<DatabaseUrl> {
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err("has no scheme".into());
    };
    match scheme.to_ascii_lowercase().as_str() {
        "sqlite" => sqlite(rest),
        // SQLAlchemy writes its driver into the scheme; to a server they are all the same.
        "postgres" | "postgresql" | "postgresql+asyncpg" | "postgresql+psycopg" | "postgresql+psycopg2" => {
            postgres(text)
        }
        other => Err(unknown_scheme(other)),
    }
}

fn sqlite(rest: &str) -> Parsed<DatabaseUrl> {
    if rest.contains(":memory:") {
        return Err("would keep nothing: every job and document must survive a restart".into());
    }
    let path = local_path(rest)?.unwrap_or_default();
    Ok(DatabaseUrl::Sqlite { path })
}

fn postgres(text: &str) -> Parsed<DatabaseUrl> {
    let url = Url::parse(text)?.with_scheme("postgresql");
    let socket = url.query().split('&').any(|pair| pair.starts_with("host="));
    if url.hosts().len() > 1 || (url.hosts().is_empty() && !socket) {
        return Err("does not name one host".into());
    }
    let query = url
        .query()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(ssl_parameter)
        .collect::<Parsed<Vec<_>>>()?;
    Ok(DatabaseUrl::Postgres(url.with_query(&query.join("&"))))
}

/// asyncpg says `ssl=require` where everybody else says `sslmode=require`. Passed on as it is, it would be ignored and
/// the connection would not be what was asked for.
fn ssl_parameter(pair: &str) -> Parsed<String> {
    let Some(mode) = pair.strip_prefix("ssl=") else {
        return Ok(pair.to_owned());
    };
    let mode = match mode {
        "true" | "1" => "require",
        "false" | "0" => "disable",
        "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full" => mode,
        _ => return Err("has an unknown value for `ssl`".into()),
    };
    Ok(format!("sslmode={mode}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> PathBuf {
        match database_url(text) {
            Ok(DatabaseUrl::Sqlite { path }) => path,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn exposed(text: &str) -> String {
        match database_url(text) {
            Ok(DatabaseUrl::Postgres(url)) => url.expose().to_owned(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn sqlite_has_a_path_or_the_data_folder() {
        assert_eq!(path("sqlite:"), PathBuf::new());
        assert_eq!(path("sqlite://"), PathBuf::new());
        assert_eq!(path("sqlite:chat.db"), PathBuf::from("chat.db"));
        assert_eq!(path("SQLITE:///var/lib/chat.db"), PathBuf::from("/var/lib/chat.db"));
        assert!(database_url("sqlite::memory:").unwrap_err().contains("keep nothing"));
        assert!(database_url("sqlite:a.db?mode=ro").unwrap_err().contains("parameters"));
    }

    #[test]
    fn postgres_has_many_names() {
        for scheme in ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg2"] {
            assert_eq!(exposed(&format!("{scheme}://u:p@db:5432/rag_db")), "postgresql://u:p@db:5432/rag_db");
        }
        assert_eq!(
            exposed("postgres://u@/rag?host=/run/postgresql"),
            "postgresql://u@/rag?host=/run/postgresql"
        );
    }

    #[test]
    fn asyncpg_tls_is_kept() {
        assert_eq!(
            exposed("postgresql+asyncpg://db/rag?ssl=require&a=b"),
            "postgresql://db/rag?sslmode=require&a=b"
        );
        assert_eq!(exposed("postgres://db/rag?ssl=true"), "postgresql://db/rag?sslmode=require");
        assert!(database_url("postgres://db/rag?ssl=maybe").is_err());
    }

    #[test]
    fn other_databases_are_refused() {
        assert_eq!(database_url("mysql://db/rag").unwrap_err(), "has the unknown scheme `mysql:`");
        assert_eq!(database_url("db").unwrap_err(), "has no scheme");
        assert!(database_url("postgres:///rag").unwrap_err().contains("host"));
        assert!(database_url("postgres://a,b/rag").unwrap_err().contains("one host"));
    }
}
