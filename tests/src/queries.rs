//! What the compiler is told of the statements of the store on PostgreSQL, compared with the database.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, PgPool, SqlSafeStr};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn crate_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("adapters/production/postgres")
}

/// Every answer that is kept is what this database says now, and belongs to a statement that is there. That every
/// statement has one, the compiler sees to.
pub async fn check(database: &PgPool) -> usize {
    let sources = sources(&crate_folder().join("src"));
    let mut checked = 0;
    for file in fs::read_dir(crate_folder().join(".sqlx")).unwrap() {
        let path = file.unwrap().path();
        let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let statement = kept["query"].as_str().unwrap();
        let mut connection = database.acquire().await.unwrap();
        let says = connection.describe(AssertSqlSafe(statement.to_owned()).into_sql_str()).await;
        let says = says.unwrap_or_else(|error| panic!("{error}: {statement}"));
        let (says, kept) =
            (what_matters(&serde_json::to_value(&says).unwrap()), what_matters(&kept["describe"]));
        assert_eq!(says, kept, "run scripts/queries: PostgreSQL says something else of\n{statement}");
        assert!(is_said(statement, &sources), "run scripts/queries: nobody says any more\n{statement}");
        // A subquery may be run once for each row that is written, and pick other rows each time.
        let picks = statement.contains("SKIP LOCKED");
        assert!(!picks || statement.contains("AS MATERIALIZED"), "rows are not picked once by\n{statement}");
        checked += 1;
    }
    checked
}

/// An answer without what the statement decides by itself: whether a column may be NULL, where its name says so. Of the
/// columns of an outer join PostgreSQL says one or the other, as it plans the join.
fn what_matters(answer: &Value) -> Value {
    let mut answer = answer.clone();
    let names: Vec<_> = answer["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["name"].as_str().unwrap().to_owned())
        .collect();
    for (at, name) in names.iter().enumerate() {
        if name.ends_with(['!', '?']) {
            answer["nullable"][at] = Value::Null;
        }
    }
    answer
}

/// Whether a statement stands in the sources, in one piece or put together from a few.
fn is_said(statement: &str, sources: &str) -> bool {
    let mut rest = statement;
    for _ in 0..6 {
        let ends: Vec<usize> = rest.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
        let longest = ends.partition_point(|end| sources.contains(&rest[..*end]));
        if longest == ends.len() {
            return true;
        }
        rest = &rest[if longest == 0 { 0 } else { ends[longest - 1] }..];
    }
    false
}

fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        text += &if path.is_dir() { sources(&path) } else { fs::read_to_string(&path).unwrap() };
    }
    text
}
