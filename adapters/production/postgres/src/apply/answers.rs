//! Answers that are kept for requests with an `Idempotency-Key`.

use super::{Tx, commit::Failed};
use chat_core::{ErrorKind, KeptAnswer, PortError};
use std::collections::HashSet;

/// Keeps one answer; a key that is taken is a conflict.
pub(super) async fn keep(tx: &mut Tx<'_>, answer: &KeptAnswer) -> Result<(), Failed> {
    if keep_all(tx, &[answer]).await? == [true] { Ok(()) } else { Err(taken().into()) }
}

/// The key holds another answer.
pub(super) fn taken() -> PortError {
    PortError::new(ErrorKind::Conflict, "this Idempotency-Key is taken")
}

/// Keeps answers with one statement, and says of each whether it was kept. It is not, if its key is taken by an earlier
/// one of these, or by an answer that is less than a day old.
pub(super) async fn keep_all(tx: &mut Tx<'_>, answers: &[&KeptAnswer]) -> sqlx::Result<Vec<bool>> {
    let mut first = HashSet::new();
    let mut asked: Vec<_> =
        answers.iter().filter(|answer| first.insert((answer.tenant.as_str(), answer.key.as_str()))).collect();
    // In one order, so that two groups never wait for each other.
    asked.sort_unstable_by_key(|answer| (answer.tenant.as_str(), answer.key.as_str()));
    let kept = sqlx::query!(
        "INSERT INTO idempotency_keys (tenant, key, request, status, body, stream, location, created_at)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::uuid[], $7::text[],
                              $8::bigint[])
         ON CONFLICT (tenant, key) DO UPDATE
             SET request = excluded.request, status = excluded.status, body = excluded.body,
                 stream = excluded.stream, location = excluded.location, created_at = excluded.created_at
             WHERE idempotency_keys.created_at < $9
         RETURNING tenant, key",
        &column(&asked, |answer| answer.tenant.as_str())[..] as _,
        &column(&asked, |answer| answer.key.as_str())[..] as _,
        &column(&asked, |answer| answer.request.as_str())[..] as _,
        &column(&asked, |answer| i32::from(answer.status))[..],
        &column(&asked, |answer| answer.body.as_str())[..] as _,
        &column(&asked, |answer| answer.stream.map(|id| id.0))[..] as _,
        &column(&asked, |answer| answer.location.as_deref())[..] as _,
        &column(&asked, |answer| answer.created_at.0)[..],
        tx.now.0 - crate::read::ANSWER_AGE_MS
    )
    .fetch_all(&mut *tx.conn)
    .await?;
    let mut kept: HashSet<_> = kept.into_iter().map(|row| (row.tenant, row.key)).collect();
    Ok(answers
        .iter()
        .map(|answer| kept.remove(&(answer.tenant.as_str().to_owned(), answer.key.clone())))
        .collect())
}

fn column<'a, T>(answers: &[&&'a KeptAnswer], of: impl Fn(&'a KeptAnswer) -> T) -> Vec<T> {
    answers.iter().map(|answer| of(answer)).collect()
}
