//! Answers that are kept for requests with an `Idempotency-Key`.

use super::ANSWER_AGE_MS;
use crate::{
    batch::Work,
    error::{is_connection, port_error},
};
use chat_core::{KeptAnswer, ResponseId, Tenant, Timestamp};
use sqlx::PgPool;
use std::{collections::HashMap, sync::Arc};

/// Whose answer is asked for, and by which key.
pub(crate) type AnswerKey = (Tenant, String);

/// Looks kept answers up for a whole group, with one statement: every request that has a key asks before anything else.
pub(crate) fn answers_work(pool: PgPool) -> Work<AnswerKey, Option<KeptAnswer>> {
    Arc::new(move |keys| {
        let pool = pool.clone();
        Box::pin(async move {
            let found = match find(&pool, &keys).await {
                // The whole group would hear of one connection that had died unseen.
                Err(error) if is_connection(&error) => find(&pool, &keys).await,
                found => found,
            };
            let found = found.map_err(port_error)?;
            Ok(keys.iter().map(|key| Ok(found.get(key).cloned())).collect())
        })
    })
}

async fn find(pool: &PgPool, keys: &[AnswerKey]) -> sqlx::Result<HashMap<AnswerKey, KeptAnswer>> {
    let (tenants, names): (Vec<_>, Vec<_>) =
        keys.iter().map(|(tenant, key)| (tenant.as_str(), key.as_str())).unzip();
    let rows = sqlx::query!(
        "SELECT kept.tenant, kept.key, request, status, body, stream, location, created_at
         FROM unnest($1::text[], $2::text[]) AS asked (tenant, key)
              JOIN idempotency_keys AS kept ON kept.tenant = asked.tenant AND kept.key = asked.key
         WHERE created_at >= chat_now() - $3",
        &tenants[..] as _,
        &names[..] as _,
        ANSWER_AGE_MS
    )
    .fetch_all(pool)
    .await?;
    let kept = rows.into_iter().map(|row| KeptAnswer {
        tenant: Tenant(row.tenant.into()),
        key: row.key,
        request: row.request,
        status: row.status as u16,
        body: row.body,
        stream: row.stream.map(ResponseId),
        location: row.location,
        created_at: Timestamp(row.created_at),
    });
    Ok(kept.map(|kept| ((kept.tenant.clone(), kept.key.clone()), kept)).collect())
}
