//! Which embedding models the index has vectors of.

use super::{Tx, commit::Failed};
use crate::sqlite::read::read_model;
use chat_core::{Change, EmbeddingModels, ErrorKind, ModelState, PortError, VersionId};

pub(super) async fn apply(tx: &mut Tx<'_>, change: &Change) -> Result<(), Failed> {
    match change {
        Change::VersionIndexed { version, models } => indexed(tx, *version, models).await,
        Change::BuildModel { name, dimensions } => build(tx, name, *dimensions).await,
        Change::SwitchModel(name) => switch(tx, name).await,
        Change::ForgetModel(name) => {
            sqlx::query("DELETE FROM embedding_models WHERE name = ?1 AND state = 'dropping'")
                .bind(name)
                .execute(&mut *tx.conn)
                .await?;
            Ok(())
        }
        _ => Err(PortError::internal("not a change of models").into()),
    }
}

async fn known_models(tx: &mut Tx<'_>) -> Result<EmbeddingModels, Failed> {
    let select = "SELECT name, dimensions, state FROM embedding_models";
    let rows = sqlx::query(select).fetch_all(&mut *tx.conn).await?;
    Ok(EmbeddingModels(rows.iter().filter_map(read_model).collect()))
}

async fn indexed(tx: &mut Tx<'_>, version: VersionId, models: &[String]) -> Result<(), Failed> {
    let known = known_models(tx).await?;
    let wanted: Vec<&String> = models.iter().filter(|name| known.wants(name)).collect();
    if known.live().is_some() && wanted.is_empty() {
        let message = "another embedding model has become the live one meanwhile";
        return Err(PortError::new(ErrorKind::Conflict, message).into());
    }
    for model in wanted {
        sqlx::query(
            "INSERT INTO version_models (version, model) SELECT id, ?2 FROM document_versions WHERE id = ?1
             ON CONFLICT DO NOTHING",
        )
        .bind(version.0)
        .bind(model)
        .execute(&mut *tx.conn)
        .await?;
    }
    Ok(())
}

async fn build(tx: &mut Tx<'_>, name: &str, dimensions: Option<u32>) -> Result<(), Failed> {
    for (model, state) in known_models(tx).await?.toward(name)? {
        let dimensions = dimensions.filter(|_| model == name);
        sqlx::query(
            "INSERT INTO embedding_models (name, dimensions, state) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET state = excluded.state",
        )
        .bind(&model)
        .bind(dimensions.map(i64::from))
        .bind(state.as_str())
        .execute(&mut *tx.conn)
        .await?;
        if state == ModelState::Dropping {
            forget_versions(tx, &model).await?;
        }
    }
    Ok(())
}

async fn switch(tx: &mut Tx<'_>, name: &str) -> Result<(), Failed> {
    let known = known_models(tx).await?;
    if known.building().is_none_or(|model| model.name != name) {
        return Ok(());
    }
    let missing: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM documents d WHERE d.live_version IS NOT NULL AND d.hidden = 0
           AND NOT EXISTS (SELECT 1 FROM version_models m WHERE m.version = d.live_version AND m.model = ?1))",
    )
    .bind(name)
    .fetch_one(&mut *tx.conn)
    .await?;
    if missing {
        return Ok(());
    }
    if let Some(before) = known.live() {
        set(tx, &before.name, ModelState::Dropping).await?;
        forget_versions(tx, &before.name).await?;
    }
    set(tx, name, ModelState::Live).await
}

async fn set(tx: &mut Tx<'_>, name: &str, state: ModelState) -> Result<(), Failed> {
    sqlx::query("UPDATE embedding_models SET state = ?2 WHERE name = ?1")
        .bind(name)
        .bind(state.as_str())
        .execute(&mut *tx.conn)
        .await?;
    Ok(())
}

/// No version counts as indexed under a model whose vectors are being removed.
async fn forget_versions(tx: &mut Tx<'_>, model: &str) -> Result<(), Failed> {
    sqlx::query("DELETE FROM version_models WHERE model = ?1").bind(model).execute(&mut *tx.conn).await?;
    Ok(())
}
