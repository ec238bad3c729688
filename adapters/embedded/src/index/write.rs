//! Adding and removing points.

use super::{
    passages::Row,
    schema::{drop_if_empty, spaces},
    terms::{self, Term},
};
use chat_core::{DocumentId, PortError, PortResult, Tenant, VersionId, ports::Point};
use sqlx_sqlite::SqliteConnection;

/// How many points one step removes.
const STEP: i64 = 2_000;

/// The dimension of the vectors. `Invalid` if they differ, or no distance can be computed of one.
pub(super) fn dimension(points: &[Point]) -> PortResult<usize> {
    let dimension = points.first().map_or(0, |point| point.vector.len());
    let refusal = if dimension == 0 {
        "a vector without dimensions cannot be searched"
    } else if points.iter().any(|point| point.vector.len() != dimension) {
        "the vectors differ in their number of dimensions"
    } else if points.iter().flat_map(|point| &point.vector).any(|value| !value.is_finite()) {
        "a vector holds something that is not a number"
    } else {
        return Ok(dimension);
    };
    Err(PortError::invalid(refusal))
}

pub(super) fn to_blob(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A point as it is kept.
#[derive(Debug)]
pub(super) struct NewRow {
    pub(super) row: Row,
    pub(super) vector: Vec<f32>,
    pub(super) terms: Vec<Term>,
}

impl From<Point> for NewRow {
    fn from(point: Point) -> Self {
        Self { row: Row::from(&point), terms: terms::count(&point.keywords), vector: point.vector }
    }
}

pub(super) async fn upsert(db: &mut SqliteConnection, space: i64, rows: &[NewRow]) -> sqlx::Result<()> {
    for new in rows {
        sqlx::query(
            "INSERT INTO points (space, id, version, document, collection, vector, terms) VALUES (?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (space, id) DO UPDATE SET version = excluded.version, document = excluded.document,
                 collection = excluded.collection, vector = excluded.vector, terms = excluded.terms",
        )
        .bind(space)
        .bind(&new.row.id.0.as_bytes()[..])
        .bind(&new.row.version.0.as_bytes()[..])
        .bind(&new.row.document.0.as_bytes()[..])
        .bind(&new.row.collection.0.as_bytes()[..])
        .bind(to_blob(&new.vector))
        .bind(terms::to_blob(&new.terms))
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Removes some of the points of a space, and the space with the last of them. How many; an empty space counts as one,
/// so that 0 means that there was nothing to do.
pub(super) async fn drop_some(db: &mut SqliteConnection, space: i64) -> sqlx::Result<u64> {
    let removed =
        sqlx::query("DELETE FROM points WHERE row IN (SELECT row FROM points WHERE space = ? LIMIT ?)")
            .bind(space)
            .bind(STEP)
            .execute(&mut *db)
            .await?
            .rows_affected();
    drop_if_empty(db, space).await?;
    Ok(removed.max(1))
}

/// What is to be removed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Doomed {
    Version(VersionId),
    Document(DocumentId),
}

impl Doomed {
    pub(super) fn is(self, row: &Row) -> bool {
        match self {
            Self::Version(version) => row.version == version,
            Self::Document(document) => row.document == document,
        }
    }

    fn id(&self) -> &[u8] {
        match self {
            Self::Version(id) => id.0.as_bytes(),
            Self::Document(id) => id.0.as_bytes(),
        }
    }
}

/// Removes it from every space of the tenant.
pub(super) async fn remove(db: &mut SqliteConnection, tenant: &Tenant, doomed: Doomed) -> sqlx::Result<()> {
    for space in spaces(db, tenant).await? {
        let statement = match doomed {
            Doomed::Version(_) => "DELETE FROM points WHERE version = ? AND space = ?",
            Doomed::Document(_) => "DELETE FROM points WHERE document = ? AND space = ?",
        };
        sqlx::query(statement).bind(doomed.id()).bind(space).execute(&mut *db).await?;
        drop_if_empty(db, space).await?;
    }
    Ok(())
}
