//! Writes of conversations.

use super::{Tx, commit::Failed, events};
use chat_core::{
    Change, Farewell, KeptAnswer, Message, NewResponse, PortError, Reference, ResponseEnd, ResponseId, Role,
    Session, SessionId, Tenant, Timestamp,
};
use serde::Serialize;
use uuid::Uuid;

pub(super) async fn apply(tx: &mut Tx<'_>, change: Change) -> Result<(), Failed> {
    match change {
        Change::InsertSession(session) => insert_session(tx, &session).await,
        Change::UpdateSession { .. } => update_session(tx, change).await,
        Change::DeleteSession(tenant, id, farewells) => delete_session(tx, &tenant, id, &farewells).await,
        Change::InsertMessage(message) => insert_message(tx, &message).await,
        Change::InsertResponse(response) => insert_response(tx, &response).await,
        Change::SaveContexts { response, passages, expires_at } => {
            save_contexts(tx, response, &passages, expires_at).await
        }
        Change::EndResponse(id, end) => end_response(tx, id, &end).await,
        Change::SaveSummary { session, until, text } => {
            sqlx::query("UPDATE chat_sessions SET summary = ?2, summary_until = ?3 WHERE id = ?1")
                .bind(session.0)
                .bind(text)
                .bind(until.0)
                .execute(&mut *tx.conn)
                .await?;
            Ok(())
        }
        Change::KeepAnswer(answer) => keep_answer(tx, &answer).await,
        _ => Err(PortError::internal("not a change of conversations").into()),
    }
}

pub(super) fn json(value: &impl Serialize) -> Result<String, PortError> {
    serde_json::to_string(value)
        .map_err(|error| PortError::internal("a value cannot be written").with_source(error))
}

async fn insert_session(tx: &mut Tx<'_>, session: &Session) -> Result<(), Failed> {
    sqlx::query(
        "INSERT INTO chat_sessions (id, tenant, title, collections, instructions, metadata, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(session.id.0)
    .bind(session.tenant.as_str())
    .bind(&session.title)
    .bind(json(&session.collections)?)
    .bind(&session.instructions)
    .bind(json(&session.metadata)?)
    .bind(session.created_at.0)
    .bind(session.updated_at.0)
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}

async fn update_session(tx: &mut Tx<'_>, change: Change) -> Result<(), Failed> {
    let Change::UpdateSession { tenant, id, title, collections, instructions, metadata } = change else {
        return Ok(());
    };
    let changed = sqlx::query(
        "UPDATE chat_sessions
         SET title = CASE WHEN ?3 THEN ?4 ELSE title END,
             collections = coalesce(?5, collections),
             instructions = CASE WHEN ?6 THEN ?7 ELSE instructions END,
             metadata = coalesce(?8, metadata),
             updated_at = ?9
         WHERE id = ?1 AND tenant = ?2",
    )
    .bind(id.0)
    .bind(tenant.as_str())
    .bind(title.is_some())
    .bind(title.flatten())
    .bind(collections.as_ref().map(json).transpose()?)
    .bind(instructions.is_some())
    .bind(instructions.flatten())
    .bind(metadata.as_ref().map(json).transpose()?)
    .bind(tx.now.0)
    .execute(&mut *tx.conn)
    .await?
    .rows_affected();
    found(changed, id)
}

async fn delete_session(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    id: SessionId,
    farewells: &[Farewell],
) -> Result<(), Failed> {
    Farewell::check(farewells, open_turns(tx, tenant, id).await?)?;
    sqlx::query(
        "DELETE FROM chat_streams WHERE stream IN (SELECT id FROM chat_responses WHERE session = ?1 AND tenant = ?2)",
    )
    .bind(id.0)
    .bind(tenant.as_str())
    .execute(&mut *tx.conn)
    .await?;
    let deleted = sqlx::query("DELETE FROM chat_sessions WHERE id = ?1 AND tenant = ?2")
        .bind(id.0)
        .bind(tenant.as_str())
        .execute(&mut *tx.conn)
        .await?
        .rows_affected();
    found(deleted, id)?;
    for farewell in farewells {
        events::append(tx, farewell.response.into(), &farewell.events).await?;
    }
    Ok(())
}

/// The turns of a conversation that have not ended, with the last number in the log of each.
async fn open_turns(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    session: SessionId,
) -> sqlx::Result<Vec<(ResponseId, u64)>> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT id, coalesce((SELECT max(last_seq) FROM chat_streams WHERE stream = chat_responses.id), 0)
         FROM chat_responses WHERE session = ?1 AND tenant = ?2 AND status IS NULL",
    )
    .bind(session.0)
    .bind(tenant.as_str())
    .fetch_all(&mut *tx.conn)
    .await?;
    Ok(rows.into_iter().map(|(id, said)| (ResponseId(id), said as u64)).collect())
}

pub(super) fn found(rows: u64, what: impl std::fmt::Display) -> Result<(), Failed> {
    if rows == 0 { Err(PortError::not_found(what).into()) } else { Ok(()) }
}

/// An answer whose conversation was deleted meanwhile has nowhere to go: that is no error. A question is.
async fn insert_message(tx: &mut Tx<'_>, message: &Message) -> Result<(), Failed> {
    let inserted = sqlx::query(
        "INSERT INTO chat_messages (id, session, tenant, role, content, response, created_at)
         SELECT ?1, id, tenant, ?4, ?5, ?6, ?7 FROM chat_sessions WHERE id = ?2 AND tenant = ?3",
    )
    .bind(message.id.0)
    .bind(message.session.0)
    .bind(message.tenant.as_str())
    .bind(message.role.as_str())
    .bind(&message.content)
    .bind(message.response.map(|id| id.0))
    .bind(message.created_at.0)
    .execute(&mut *tx.conn)
    .await?
    .rows_affected();
    if message.role == Role::User {
        found(inserted, message.session)?;
    }
    sqlx::query("UPDATE chat_sessions SET updated_at = ?2 WHERE id = ?1 AND tenant = ?3")
        .bind(message.session.0)
        .bind(tx.now.0)
        .bind(message.tenant.as_str())
        .execute(&mut *tx.conn)
        .await?;
    Ok(())
}

async fn insert_response(tx: &mut Tx<'_>, response: &NewResponse) -> Result<(), Failed> {
    let inserted = sqlx::query(
        "INSERT INTO chat_responses (id, tenant, session, message, job, model, options, created_at)
         SELECT ?1, tenant, id, ?4, ?5, ?6, ?7, ?8 FROM chat_sessions WHERE id = ?3 AND tenant = ?2",
    )
    .bind(response.id.0)
    .bind(response.tenant.as_str())
    .bind(response.session.0)
    .bind(response.message.0)
    .bind(response.job.0)
    .bind(&response.model)
    .bind(json(&response.options)?)
    .bind(response.created_at.0)
    .execute(&mut *tx.conn)
    .await?
    .rows_affected();
    found(inserted, response.session)
}

/// A passage as one JSON array, so that all of a response's go in with one statement.
fn rows(references: &[Reference]) -> Result<String, PortError> {
    let rows: Vec<_> = references
        .iter()
        .map(|r| {
            let (document, chunk) = (r.document_id.0.simple().to_string(), r.chunk_id.0.simple().to_string());
            (r.index, document, chunk, &r.title, &r.text, r.score, r.start, r.end)
        })
        .collect();
    json(&rows)
}

async fn save_contexts(
    tx: &mut Tx<'_>,
    response: ResponseId,
    passages: &[Reference],
    expires_at: Timestamp,
) -> Result<(), Failed> {
    sqlx::query(
        "INSERT OR REPLACE INTO chat_contexts (response, number, document, chunk, relevance, expires_at)
         SELECT ?1, value ->> 0, unhex(value ->> 1), unhex(value ->> 2), value ->> 5, ?3 FROM json_each(?2)
         WHERE EXISTS (SELECT 1 FROM chat_responses WHERE id = ?1)",
    )
    .bind(response.0)
    .bind(rows(passages)?)
    .bind(expires_at.0)
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}

async fn end_response(tx: &mut Tx<'_>, id: ResponseId, end: &ResponseEnd) -> Result<(), Failed> {
    sqlx::query(
        "UPDATE chat_responses
         SET status = ?2, attempt = ?3, model = ?4, output_text = ?5, usage = ?6, timings = ?7, error = ?8,
             completed_at = ?9
         WHERE id = ?1",
    )
    .bind(id.0)
    .bind(end.status.as_str())
    .bind(end.attempt)
    .bind(&end.model)
    .bind(&end.output_text)
    .bind(end.usage.as_ref().map(json).transpose()?)
    .bind(json(&end.timings)?)
    .bind(end.error.as_ref().map(json).transpose()?)
    .bind(end.completed_at.0)
    .execute(&mut *tx.conn)
    .await?;
    if end.references.is_empty() {
        return Ok(());
    }
    sqlx::query(
        r#"INSERT OR REPLACE INTO chat_references (response, number, document, chunk, title, text, score, start, "end")
           SELECT ?1, value ->> 0, unhex(value ->> 1), unhex(value ->> 2), value ->> 3, value ->> 4, value ->> 5,
                  value ->> 6, value ->> 7
           FROM json_each(?2) WHERE EXISTS (SELECT 1 FROM chat_responses WHERE id = ?1)"#,
    )
    .bind(id.0)
    .bind(rows(&end.references)?)
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}

/// A key that is taken is a conflict, unless what it keeps is older than a day.
async fn keep_answer(tx: &mut Tx<'_>, answer: &KeptAnswer) -> Result<(), Failed> {
    sqlx::query("DELETE FROM idempotency_keys WHERE tenant = ?1 AND key = ?2 AND created_at < ?3")
        .bind(answer.tenant.as_str())
        .bind(&answer.key)
        .bind(tx.now.0 - crate::sqlite::read::ANSWER_AGE_MS)
        .execute(&mut *tx.conn)
        .await?;
    sqlx::query(
        "INSERT INTO idempotency_keys (tenant, key, request, status, body, stream, location, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(answer.tenant.as_str())
    .bind(&answer.key)
    .bind(&answer.request)
    .bind(answer.status)
    .bind(&answer.body)
    .bind(answer.stream.map(|id| id.0))
    .bind(&answer.location)
    .bind(answer.created_at.0)
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}
