//! Writes of usage.

use super::{Tx, commit::Failed};
use chat_core::UsageEntry;

/// A job's end may be tried more than once: its usage is there once.
pub(super) async fn record(tx: &mut Tx<'_>, entry: &UsageEntry) -> Result<(), Failed> {
    sqlx::query!(
        "INSERT INTO chat_usage
           (job, tenant, api_key, session, model, input_tokens, output_tokens, cost_usd, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (job) DO NOTHING",
        entry.job.0,
        entry.tenant.as_str(),
        entry.key.map(|key| key.0),
        entry.session.map(|session| session.0),
        &entry.model,
        entry.usage.input_tokens as i64,
        entry.usage.output_tokens as i64,
        entry.usage.cost_usd,
        entry.at.0
    )
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}
