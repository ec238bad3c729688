//! Writes of conversations.

use super::{Tx, commit::Failed, events};
use chat_core::{
    Change, Farewell, Message, NewResponse, PortError, Reference, ResponseEnd, ResponseId, Role, Session,
    SessionId, Tenant, Timestamp,
};
use serde::Serialize;
use std::borrow::Cow;
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
            sqlx::query!(
                "UPDATE chat_sessions SET summary = $2, summary_until = $3 WHERE id = $1",
                session.0,
                &*clean(&text),
                until.0
            )
            .execute(&mut *tx.conn)
            .await?;
            Ok(())
        }
        _ => Err(PortError::internal("not a change of conversations").into()),
    }
}

/// PostgreSQL keeps no NUL in text: it becomes the mark of what could not be read.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// JSON without the escape of NUL, for the same reason.
pub(super) fn json(value: &impl Serialize) -> Result<String, PortError> {
    serde_json::to_string(value)
        .map(|text| if text.contains("\\u0000") { text.replace("\\u0000", "\\ufffd") } else { text })
        .map_err(|error| PortError::internal("a value cannot be written").with_source(error))
}

async fn insert_session(tx: &mut Tx<'_>, session: &Session) -> Result<(), Failed> {
    sqlx::query!(
        "INSERT INTO chat_sessions (id, tenant, title, collections, instructions, metadata, created_at,
                                    updated_at)
         VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8)",
        session.id.0,
        session.tenant.as_str(),
        session.title,
        json(&session.collections)?,
        session.instructions,
        json(&session.metadata)?,
        session.created_at.0,
        session.updated_at.0
    )
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}

async fn update_session(tx: &mut Tx<'_>, change: Change) -> Result<(), Failed> {
    let Change::UpdateSession { tenant, id, title, collections, instructions, metadata } = change else {
        return Ok(());
    };
    let changed = sqlx::query!(
        "UPDATE chat_sessions
         SET title = CASE WHEN $3 THEN $4 ELSE title END,
             collections = coalesce($5, collections),
             instructions = CASE WHEN $6 THEN $7 ELSE instructions END,
             metadata = coalesce($8::text::jsonb, metadata),
             updated_at = $9
         WHERE id = $1 AND tenant = $2",
        id.0,
        tenant.as_str(),
        title.is_some(),
        title.flatten(),
        collections.as_ref().map(json).transpose()?,
        instructions.is_some(),
        instructions.flatten(),
        metadata.as_ref().map(json).transpose()?,
        tx.now.0
    )
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
    sqlx::query!(
        "DELETE FROM chat_streams
         WHERE stream IN (SELECT id FROM chat_responses WHERE session = $1 AND tenant = $2)",
        id.0,
        tenant.as_str()
    )
    .execute(&mut *tx.conn)
    .await?;
    let deleted =
        sqlx::query!("DELETE FROM chat_sessions WHERE id = $1 AND tenant = $2", id.0, tenant.as_str())
            .execute(&mut *tx.conn)
            .await?
            .rows_affected();
    found(deleted, id)?;
    for farewell in farewells {
        events::append(tx, farewell.response.into(), &farewell.events).await?;
    }
    Ok(())
}

/// The turns of a conversation that have not ended, with the last number in the log of each. From here on no other is
/// accepted: a turn waits for its conversation's row.
async fn open_turns(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    session: SessionId,
) -> sqlx::Result<Vec<(ResponseId, u64)>> {
    sqlx::query!(
        "SELECT id FROM chat_sessions WHERE id = $1 AND tenant = $2 FOR UPDATE",
        session.0,
        tenant.as_str()
    )
    .fetch_optional(&mut *tx.conn)
    .await?;
    let rows = sqlx::query!(
        r#"SELECT id, coalesce((SELECT max(last_seq) FROM chat_streams WHERE stream = chat_responses.id), 0) AS "said!"
           FROM chat_responses WHERE session = $1 AND tenant = $2 AND status IS NULL"#,
        session.0,
        tenant.as_str()
    )
    .fetch_all(&mut *tx.conn)
    .await?;
    Ok(rows.into_iter().map(|row| (ResponseId(row.id), row.said as u64)).collect())
}

pub(super) fn found(rows: u64, what: impl std::fmt::Display) -> Result<(), Failed> {
    if rows == 0 { Err(PortError::not_found(what).into()) } else { Ok(()) }
}

/// An answer whose conversation was deleted meanwhile has nowhere to go: that is no error. A question is.
async fn insert_message(tx: &mut Tx<'_>, message: &Message) -> Result<(), Failed> {
    let inserted = sqlx::query!(
        "INSERT INTO chat_messages (id, session, tenant, role, content, response, created_at)
         SELECT $1, id, tenant, $4, $5, $6::uuid, $7::bigint FROM chat_sessions
         WHERE id = $2 AND tenant = $3",
        message.id.0,
        message.session.0,
        message.tenant.as_str(),
        message.role.as_str(),
        &*clean(&message.content),
        message.response.map(|id| id.0),
        message.created_at.0
    )
    .execute(&mut *tx.conn)
    .await?
    .rows_affected();
    if message.role == Role::User {
        found(inserted, message.session)?;
    }
    sqlx::query!(
        "UPDATE chat_sessions SET updated_at = $2 WHERE id = $1 AND tenant = $3",
        message.session.0,
        tx.now.0,
        message.tenant.as_str()
    )
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}

async fn insert_response(tx: &mut Tx<'_>, response: &NewResponse) -> Result<(), Failed> {
    let inserted = sqlx::query!(
        "INSERT INTO chat_responses (id, tenant, session, message, job, model, options, created_at)
         SELECT $1, tenant, id, $4, $5, $6, $7, $8 FROM chat_sessions WHERE id = $3 AND tenant = $2",
        response.id.0,
        response.tenant.as_str(),
        response.session.0,
        response.message.0,
        response.job.0,
        response.model,
        json(&response.options)?,
        response.created_at.0
    )
    .execute(&mut *tx.conn)
    .await?
    .rows_affected();
    found(inserted, response.session)
}

/// The columns of some passages, so that all of a response's go in with one statement.
#[derive(Default)]
struct Columns {
    numbers: Vec<i32>,
    documents: Vec<Uuid>,
    chunks: Vec<Uuid>,
    titles: Vec<String>,
    texts: Vec<String>,
    scores: Vec<f32>,
    starts: Vec<i64>,
    ends: Vec<i64>,
}

impl Columns {
    fn of(references: &[Reference]) -> Self {
        let mut columns = Self::default();
        for reference in references {
            columns.numbers.push(reference.index as i32);
            columns.documents.push(reference.document_id.0);
            columns.chunks.push(reference.chunk_id.0);
            columns.titles.push(clean(&reference.title).into_owned());
            columns.texts.push(clean(&reference.text).into_owned());
            columns.scores.push(reference.score);
            columns.starts.push(reference.start as i64);
            columns.ends.push(reference.end as i64);
        }
        columns
    }
}

async fn save_contexts(
    tx: &mut Tx<'_>,
    response: ResponseId,
    passages: &[Reference],
    expires_at: Timestamp,
) -> Result<(), Failed> {
    let columns = Columns::of(passages);
    sqlx::query!(
        "INSERT INTO chat_contexts (response, number, document, chunk, relevance, expires_at)
         SELECT $1, number, document, chunk, score, $6
         FROM unnest($2::int[], $3::uuid[], $4::uuid[], $5::real[]) AS row (number, document, chunk, score)
         WHERE EXISTS (SELECT 1 FROM chat_responses WHERE id = $1)
         ON CONFLICT (response, number) DO UPDATE SET document = excluded.document, chunk = excluded.chunk,
             relevance = excluded.relevance, expires_at = excluded.expires_at",
        response.0,
        &columns.numbers[..],
        &columns.documents[..],
        &columns.chunks[..],
        &columns.scores[..],
        expires_at.0
    )
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}

async fn end_response(tx: &mut Tx<'_>, id: ResponseId, end: &ResponseEnd) -> Result<(), Failed> {
    sqlx::query!(
        "UPDATE chat_responses
         SET status = $2, attempt = $3, model = $4, output_text = $5, usage = $6, timings = $7, error = $8,
             completed_at = $9
         WHERE id = $1",
        id.0,
        end.status.as_str(),
        end.attempt as i32,
        end.model,
        &*clean(&end.output_text),
        end.usage.as_ref().map(json).transpose()?,
        json(&end.timings)?,
        end.error.as_ref().map(json).transpose()?,
        end.completed_at.0
    )
    .execute(&mut *tx.conn)
    .await?;
    if end.references.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(&end.references);
    sqlx::query!(
        r#"INSERT INTO chat_references (response, number, document, chunk, title, text, score, start, "end")
           SELECT $1, row.* FROM unnest($2::int[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::real[],
                                        $8::bigint[], $9::bigint[]) AS row
           WHERE EXISTS (SELECT 1 FROM chat_responses WHERE id = $1)
           ON CONFLICT (response, number) DO NOTHING"#,
        id.0,
        &columns.numbers[..],
        &columns.documents[..],
        &columns.chunks[..],
        &columns.titles[..],
        &columns.texts[..],
        &columns.scores[..],
        &columns.starts[..],
        &columns.ends[..]
    )
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}
