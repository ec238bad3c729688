//! Accepted turns: question, response, job and first event of many callers in one transaction.

use super::{
    Tx, answers, chat,
    commit::{Commits, Failed},
    enqueue, events,
};
use crate::{
    batch::Work,
    clock::SharedClock,
    error::{is_connection, port_error, same},
};
use chat_core::{
    Change, Committed, ErrorKind, Event, KeptAnswer, Message, NewJob, NewResponse, PortError, PortResult,
    Role, StreamId, Timestamp, Write,
};
use futures::future::join_all;
use sqlx::{Acquire, PgPool};
use std::{collections::HashSet, sync::Arc};

/// Whether a write accepts a turn and does nothing else.
pub(super) fn is_turn(write: &Write) -> bool {
    Turn::of(write).is_some()
}

/// Accepts the turns of a whole group. If one of them spoils it for the others, each is done by itself.
pub(crate) fn accept_work(
    pool: PgPool,
    clock: Arc<SharedClock>,
    alone: Arc<Commits>,
) -> Work<Write, Committed> {
    Arc::new(move |writes| {
        let (pool, clock, alone) = (pool.clone(), clock.clone(), alone.clone());
        Box::pin(async move {
            match accept_all(&pool, &clock, &writes).await {
                Ok(answers) => Ok(answers),
                Err(Failed::Refused(error)) => Err(error),
                Err(Failed::Unclear(error)) => Err(port_error(error)),
                Err(Failed::Sql(error)) if is_connection(&error) && writes.len() > 1 => {
                    Err(port_error(error))
                }
                Err(Failed::Sql(_)) => Ok(join_all(writes.iter().map(|write| alone.run(write))).await),
            }
        })
    })
}

/// What a turn's acceptance consists of.
#[derive(Clone, Copy)]
struct Turn<'a> {
    message: &'a Message,
    response: &'a NewResponse,
    job: &'a NewJob,
    /// The conversation: its turns are answered one at a time.
    key: &'a str,
    stream: StreamId,
    events: &'a [Event],
    answer: Option<&'a KeptAnswer>,
}

impl<'a> Turn<'a> {
    fn of(write: &'a Write) -> Option<Self> {
        let (turn, answer) = match &write.changes[..] {
            [turn @ .., Change::KeepAnswer(answer)] => (turn, Some(&**answer)),
            turn => (turn, None),
        };
        let [
            Change::InsertMessage(message),
            Change::InsertResponse(response),
            Change::Enqueue(job),
            Change::AppendEvents(stream, events),
        ] = turn
        else {
            return None;
        };
        let key = job.concurrency_key.as_deref()?;
        let alone = job.unique.is_none() && job.parent.is_none() && job.pending_children == 0;
        let plain = write.held.is_none() && write.outcome.is_none() && message.role == Role::User;
        let belongs = (&message.tenant, message.session, message.id)
            == (&response.tenant, response.session, response.message);
        (alone && plain && belongs && job.run_at.is_none() && !events.is_empty()).then_some(Self {
            message,
            response,
            job,
            key,
            stream: *stream,
            events,
            answer,
        })
    }
}

/// Turns under way, each with its answer once it has one.
struct Group<'a> {
    turns: Vec<Turn<'a>>,
    answers: Vec<Option<PortResult<Committed>>>,
}

impl<'a> Group<'a> {
    /// Those that nothing stands against so far.
    fn open(&self) -> impl Iterator<Item = (usize, Turn<'a>)> {
        let open = self.turns.iter().zip(&self.answers).enumerate();
        open.filter(|(_, (_, answer))| answer.is_none()).map(|(at, (turn, _))| (at, *turn))
    }

    fn column<T>(&self, of: impl Fn(Turn<'a>) -> T) -> Vec<T> {
        self.open().map(|(_, turn)| of(turn)).collect()
    }

    fn refuse(&mut self, at: usize, error: PortError) {
        self.answers[at] = Some(Err(error));
    }
}

async fn accept_all(
    pool: &PgPool,
    clock: &SharedClock,
    writes: &[Write],
) -> Result<Vec<PortResult<Committed>>, Failed> {
    clock.agree(pool).await?;
    let turns: Vec<_> = writes.iter().filter_map(Turn::of).collect();
    let answers = turns.iter().map(|_| None).collect();
    let mut group = Group { turns, answers };
    let mut conn = pool.acquire().await?;
    let mut transaction = conn.begin().await?;
    let mut tx = Tx { conn: &mut transaction, clock, now: Timestamp(0) };
    lock_keys(&mut tx, &group).await?;
    let busy = touch_sessions(&mut tx, &mut group).await?;
    keep_answers(&mut tx, &mut group).await?;
    insert_turns(&mut tx, &group).await?;
    insert_jobs(&mut tx, &mut group, busy).await?;
    transaction
        .commit()
        .await
        .map_err(|error| if is_connection(&error) { Failed::Unclear(error) } else { Failed::Sql(error) })?;
    let missing = || Err(same(&PortError::new(ErrorKind::Internal, "a turn was left out of its group")));
    Ok(group.answers.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect())
}

/// In one order, so that two groups never wait for each other.
async fn lock_keys(tx: &mut Tx<'_>, group: &Group<'_>) -> sqlx::Result<()> {
    let times = sqlx::query!(
        r#"SELECT chat_now() AS "now!", pg_advisory_xact_lock(number) AS locked
           FROM (SELECT DISTINCT hashtextextended(key, 0) AS number FROM unnest($1::text[]) AS key
                 ORDER BY 1) AS keys"#,
        &group.column(|turn| turn.key)[..] as _
    )
    .fetch_all(&mut *tx.conn)
    .await?;
    tx.now = Timestamp(times.into_iter().map(|row| row.now).max().unwrap_or_default());
    Ok(())
}

/// Conversations that are not there, or not the caller's, are refused. Answers with the keys of those that are being
/// answered: one entry of the index `idx_jobs_key` is read for each, in its order, however many turns wait.
async fn touch_sessions(tx: &mut Tx<'_>, group: &mut Group<'_>) -> sqlx::Result<HashSet<String>> {
    let rows = sqlx::query!(
        "WITH touched AS (
             UPDATE chat_sessions SET updated_at = $4
             FROM (SELECT DISTINCT id, tenant FROM unnest($1::uuid[], $2::text[]) AS row (id, tenant)) AS asked
             WHERE chat_sessions.id = asked.id AND chat_sessions.tenant = asked.tenant
             RETURNING chat_sessions.id, chat_sessions.tenant
         )
         SELECT id, tenant, NULL AS busy FROM touched
         UNION ALL
         SELECT NULL::uuid, NULL, key FROM (SELECT DISTINCT key FROM unnest($3::text[]) AS key) AS asked,
             LATERAL (SELECT 1 FROM jobs WHERE concurrency_key = key AND state < 4
                      ORDER BY blocked, id LIMIT 1) AS open",
        &group.column(|turn| turn.message.session.0)[..],
        &group.column(|turn| turn.message.tenant.as_str())[..] as _,
        &group.column(|turn| turn.key)[..] as _,
        tx.now.0
    )
    .fetch_all(&mut *tx.conn)
    .await?;
    let (mut known, mut busy) = (HashSet::new(), HashSet::new());
    for row in rows {
        known.extend(row.id.zip(row.tenant));
        busy.extend(row.busy);
    }
    for at in 0..group.turns.len() {
        let message = group.turns[at].message;
        if !known.contains(&(message.session.0, message.tenant.as_str().to_owned())) {
            group.refuse(at, PortError::not_found(message.session));
        }
    }
    Ok(busy)
}

/// Of requests with the same key the first one wins; the others hear of a conflict and find its answer.
async fn keep_answers(tx: &mut Tx<'_>, group: &mut Group<'_>) -> sqlx::Result<()> {
    let keyed = group.open().filter_map(|(at, turn)| Some((at, turn.answer?)));
    let (places, keyed): (Vec<_>, Vec<_>) = keyed.unzip();
    if keyed.is_empty() {
        return Ok(());
    }
    for (at, kept) in places.into_iter().zip(answers::keep_all(tx, &keyed).await?) {
        if !kept {
            group.refuse(at, answers::taken());
        }
    }
    Ok(())
}

/// Questions, responses and first events, with one statement: every further one is a round trip for all who wait.
async fn insert_turns(tx: &mut Tx<'_>, group: &Group<'_>) -> Result<(), Failed> {
    let options = group.column(|turn| chat::json(&turn.response.options)).into_iter();
    let first = |turn: Turn<'_>| turn.events.first().map_or(0, |event| event.seq as i64);
    let last = |turn: Turn<'_>| turn.events.last().map_or(0, |event| event.seq as i64);
    sqlx::query!(
        "WITH asked AS (
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::bigint[],
                                  $7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::bigint[],
                                  $12::uuid[], $13::bigint[], $14::bigint[], $15::text[])
                  AS row (message, session, tenant, content, answered_by, said_at,
                          response, job, model, options, accepted_at,
                          stream, first_seq, last_seq, events)
         ), said AS (
             INSERT INTO chat_messages (id, session, tenant, role, content, response, created_at)
             SELECT message, session, tenant, 'user', content, answered_by, said_at FROM asked
         ), told AS (
             INSERT INTO chat_streams (stream, first_seq, last_seq, events, created_at)
             SELECT stream, first_seq, last_seq, events, $16::bigint FROM asked
             ON CONFLICT (stream, last_seq) DO NOTHING
         )
         INSERT INTO chat_responses (id, tenant, session, message, job, model, options, created_at)
         SELECT response, tenant, session, message, job, model, options, accepted_at FROM asked",
        &group.column(|turn| turn.message.id.0)[..],
        &group.column(|turn| turn.message.session.0)[..],
        &group.column(|turn| turn.message.tenant.as_str())[..] as _,
        &group.column(|turn| chat::clean(&turn.message.content).into_owned())[..],
        &group.column(|turn| turn.message.response.map(|id| id.0))[..] as _,
        &group.column(|turn| turn.message.created_at.0)[..],
        &group.column(|turn| turn.response.id.0)[..],
        &group.column(|turn| turn.response.job.0)[..],
        &group.column(|turn| turn.response.model.as_str())[..] as _,
        &options.collect::<Result<Vec<_>, _>>()?[..],
        &group.column(|turn| turn.response.created_at.0)[..],
        &group.column(|turn| turn.stream.0)[..],
        &group.column(first)[..],
        &group.column(last)[..],
        &group.column(|turn| events::lines(turn.events))[..],
        tx.now.0
    )
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}

/// The jobs, each behind those of its conversation that have not ended.
async fn insert_jobs(tx: &mut Tx<'_>, group: &mut Group<'_>, mut busy: HashSet<String>) -> sqlx::Result<()> {
    let mut jobs = enqueue::Columns::default();
    let open: Vec<_> = group.open().collect();
    for (at, turn) in open {
        let mut committed = Committed::default();
        jobs.place(turn.job, !busy.insert(turn.key.to_owned()), tx, &mut committed);
        group.answers[at] = Some(Ok(committed));
    }
    jobs.insert(&mut *tx.conn).await
}
