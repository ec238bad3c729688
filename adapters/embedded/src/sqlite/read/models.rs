use crate::sqlite::{SqliteStore, error::port_error};
use chat_core::{EmbeddingModel, EmbeddingModels, ModelState, PortResult, VersionId, ports::ModelStore};
use sqlx::Row;
use sqlx_sqlite::SqliteRow;
use uuid::Uuid;

#[async_trait::async_trait]
impl ModelStore for SqliteStore {
    async fn embedding_models(&self) -> PortResult<EmbeddingModels> {
        let rows = sqlx::query("SELECT name, dimensions, state FROM embedding_models")
            .fetch_all(self.readers())
            .await
            .map_err(port_error)?;
        Ok(EmbeddingModels(rows.iter().filter_map(read_model).collect()))
    }

    async fn answering_versions(
        &self,
        without: Option<&str>,
        after: Option<VersionId>,
        limit: u32,
    ) -> PortResult<Vec<VersionId>> {
        sqlx::query_scalar::<_, Uuid>(
            "SELECT d.live_version FROM documents d
             WHERE d.live_version IS NOT NULL AND d.hidden = 0 AND d.live_version > ?2
               AND (?1 IS NULL OR NOT EXISTS (SELECT 1 FROM version_models m WHERE m.version = d.live_version AND m.model = ?1))
             ORDER BY d.live_version LIMIT ?3",
        )
        .bind(without)
        .bind(after.map_or(Uuid::nil(), |version| version.0))
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await
        .map(|ids| ids.into_iter().map(VersionId).collect())
        .map_err(port_error)
    }

    async fn indexed_under(&self, model: &str) -> PortResult<(u64, u64)> {
        let row = sqlx::query(
            "SELECT count(m.version), count(*) FROM documents d
             LEFT JOIN version_models m ON m.version = d.live_version AND m.model = ?1
             WHERE d.live_version IS NOT NULL AND d.hidden = 0",
        )
        .bind(model)
        .fetch_one(self.readers())
        .await
        .map_err(port_error)?;
        Ok((row.get::<i64, _>(0) as u64, row.get::<i64, _>(1) as u64))
    }
}

/// Columns of name, dimensions and state; none if the state is not known here.
pub(crate) fn read_model(row: &SqliteRow) -> Option<EmbeddingModel> {
    let dimensions: Option<i64> = row.get(1);
    Some(EmbeddingModel {
        name: row.get(0),
        dimensions: dimensions.and_then(|dimensions| u32::try_from(dimensions).ok()),
        state: ModelState::parse(row.get(2))?,
    })
}
