//! Which embedding models the index has vectors of.

use super::{Tx, commit::Failed};
use crate::read::ModelRow;
use chat_core::{Change, EmbeddingModels, ErrorKind, ModelState, PortError, VersionId};

pub(super) async fn apply(tx: &mut Tx<'_>, change: &Change) -> Result<(), Failed> {
    match change {
        Change::VersionIndexed { version, models } => indexed(tx, *version, models).await,
        Change::BuildModel { name, dimensions } => build(tx, name, *dimensions).await,
        Change::SwitchModel(name) => switch(tx, name).await,
        Change::ForgetModel(name) => {
            sqlx::query!("DELETE FROM embedding_models WHERE name = $1 AND state = 'dropping'", name)
                .execute(&mut *tx.conn)
                .await?;
            Ok(())
        }
        _ => Err(PortError::internal("not a change of models").into()),
    }
}

/// The models, held as they are to the end of the transaction: `SHARE` to be read on, `UPDATE` to be changed.
macro_rules! hold {
    ($tx:expr, $lock:literal) => {{
        let rows = sqlx::query_as!(
            ModelRow,
            "SELECT name, dimensions, state FROM embedding_models ORDER BY name FOR " + $lock
        );
        let rows = rows.fetch_all(&mut *$tx.conn).await?;
        EmbeddingModels(rows.into_iter().filter_map(ModelRow::read).collect())
    }};
}

/// Nobody can switch between this and the flip in the same transaction.
async fn indexed(tx: &mut Tx<'_>, version: VersionId, models: &[String]) -> Result<(), Failed> {
    let known = hold!(tx, "SHARE");
    let wanted: Vec<String> = models.iter().filter(|name| known.wants(name)).cloned().collect();
    if known.live().is_some() && wanted.is_empty() {
        let message = "another embedding model has become the live one meanwhile";
        return Err(PortError::new(ErrorKind::Conflict, message).into());
    }
    sqlx::query!(
        "INSERT INTO version_models (version, model)
         SELECT v.id, model FROM document_versions v, unnest($2::text[]) model WHERE v.id = $1
         ON CONFLICT DO NOTHING",
        version.0,
        &wanted
    )
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}

async fn build(tx: &mut Tx<'_>, name: &str, dimensions: Option<u32>) -> Result<(), Failed> {
    // One at a time, even when there is no row yet that could be held.
    sqlx::query!("LOCK TABLE embedding_models IN SHARE ROW EXCLUSIVE MODE").execute(&mut *tx.conn).await?;
    for (model, state) in hold!(tx, "UPDATE").toward(name)? {
        let dimensions = dimensions.filter(|_| model == name);
        sqlx::query!(
            "INSERT INTO embedding_models (name, dimensions, state) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET state = excluded.state",
            model,
            dimensions.map(u32::cast_signed),
            state.as_str()
        )
        .execute(&mut *tx.conn)
        .await?;
        if state == ModelState::Dropping {
            forget_versions(tx, &model).await?;
        }
    }
    Ok(())
}

async fn switch(tx: &mut Tx<'_>, name: &str) -> Result<(), Failed> {
    let known = hold!(tx, "UPDATE");
    if known.building().is_none_or(|model| model.name != name) {
        return Ok(());
    }
    let missing = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM documents d WHERE d.live_version IS NOT NULL AND NOT d.hidden
             AND NOT EXISTS (SELECT 1 FROM version_models m WHERE m.version = d.live_version AND m.model = $1)) AS "missing!""#,
        name
    )
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
    sqlx::query!("UPDATE embedding_models SET state = $2 WHERE name = $1", name, state.as_str())
        .execute(&mut *tx.conn)
        .await?;
    Ok(())
}

/// No version counts as indexed under a model whose vectors are being removed.
async fn forget_versions(tx: &mut Tx<'_>, model: &str) -> Result<(), Failed> {
    sqlx::query!("DELETE FROM version_models WHERE model = $1", model).execute(&mut *tx.conn).await?;
    Ok(())
}
