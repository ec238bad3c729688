use crate::{PostgresStore, error::port_error};
use chat_core::{EmbeddingModel, EmbeddingModels, ModelState, PortResult, VersionId, ports::ModelStore};
use uuid::Uuid;

#[async_trait::async_trait]
impl ModelStore for PostgresStore {
    async fn embedding_models(&self) -> PortResult<EmbeddingModels> {
        let rows = sqlx::query_as!(ModelRow, "SELECT name, dimensions, state FROM embedding_models")
            .fetch_all(self.pool())
            .await
            .map_err(port_error)?;
        Ok(EmbeddingModels(rows.into_iter().filter_map(ModelRow::read).collect()))
    }

    async fn answering_versions(
        &self,
        without: Option<&str>,
        after: Option<VersionId>,
        limit: u32,
    ) -> PortResult<Vec<VersionId>> {
        sqlx::query_scalar!(
            r#"SELECT d.live_version AS "version!" FROM documents d
               WHERE d.live_version IS NOT NULL AND NOT d.hidden AND d.live_version > $2
                 AND ($1::text IS NULL
                      OR NOT EXISTS (SELECT 1 FROM version_models m WHERE m.version = d.live_version AND m.model = $1))
               ORDER BY d.live_version LIMIT $3"#,
            without,
            after.map_or(Uuid::nil(), |version| version.0),
            i64::from(limit)
        )
        .fetch_all(self.pool())
        .await
        .map(|ids| ids.into_iter().map(VersionId).collect())
        .map_err(port_error)
    }

    async fn indexed_under(&self, model: &str) -> PortResult<(u64, u64)> {
        let counts = sqlx::query!(
            r#"SELECT count(m.version) AS "indexed!", count(*) AS "answering!" FROM documents d
               LEFT JOIN version_models m ON m.version = d.live_version AND m.model = $1
               WHERE d.live_version IS NOT NULL AND NOT d.hidden"#,
            model
        )
        .fetch_one(self.pool())
        .await
        .map_err(port_error)?;
        Ok((counts.indexed as u64, counts.answering as u64))
    }
}

/// A model's row.
pub(crate) struct ModelRow {
    pub(crate) name: String,
    pub(crate) dimensions: Option<i32>,
    pub(crate) state: String,
}

impl ModelRow {
    /// None if the state is not known here.
    pub(crate) fn read(self) -> Option<EmbeddingModel> {
        Some(EmbeddingModel {
            name: self.name,
            dimensions: self.dimensions.and_then(|dimensions| u32::try_from(dimensions).ok()),
            state: ModelState::parse(&self.state)?,
        })
    }
}
