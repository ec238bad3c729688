use super::{ANSWER_AGE_MS, from_json, page};
use crate::sqlite::{SqliteStore, error::port_error, now};
use chat_core::{
    ChunkId, DocumentId, JobId, KeptAnswer, Message, MessageId, Page, PageRequest, PortError, PortResult,
    Reference, Response, ResponseId, ResponseStatus, Role, Session, SessionId, SessionStamp, Tenant,
    Timestamp,
    ports::{ChatStore, TurnRows},
};
use futures::try_join;
use sqlx::{QueryBuilder, Row};
use sqlx_sqlite::{Sqlite, SqliteRow};
use std::collections::HashMap;
use uuid::Uuid;

const SESSIONS: &str = "SELECT id, tenant, title, collections, instructions, metadata, created_at, updated_at, revision FROM chat_sessions";
const STAMPS: &str = "SELECT id, revision, updated_at FROM chat_sessions";
const MESSAGES: &str = "SELECT id, session, tenant, role, content, response, created_at FROM chat_messages";

#[async_trait::async_trait]
impl ChatStore for SqliteStore {
    async fn session(&self, tenant: &Tenant, id: SessionId) -> PortResult<Session> {
        let mut query = QueryBuilder::<Sqlite>::new(SESSIONS);
        query.push(" WHERE id = ").push_bind(id.0).push(" AND tenant = ").push_bind(tenant.as_str());
        let row = query.build().fetch_optional(self.readers()).await.map_err(port_error)?;
        row.as_ref().map(read_session).ok_or_else(|| PortError::not_found(id))
    }

    async fn sessions(&self, tenant: &Tenant, request: PageRequest) -> PortResult<Page<Session>> {
        let mut query = QueryBuilder::<Sqlite>::new(SESSIONS);
        query.push(" WHERE tenant = ").push_bind(tenant.as_str());
        page(&mut query, "id", request);
        let rows = query.build().fetch_all(self.readers()).await.map_err(port_error)?;
        Ok(Page::of(rows.iter().map(read_session).collect(), request.limit))
    }

    async fn session_stamp(&self, tenant: &Tenant, id: SessionId) -> PortResult<SessionStamp> {
        let mut query = QueryBuilder::<Sqlite>::new(STAMPS);
        query.push(" WHERE id = ").push_bind(id.0).push(" AND tenant = ").push_bind(tenant.as_str());
        let row = query.build().fetch_optional(self.readers()).await.map_err(port_error)?;
        row.as_ref().map(read_stamp).ok_or_else(|| PortError::not_found(id))
    }

    async fn session_stamps(&self, tenant: &Tenant, request: PageRequest) -> PortResult<Page<SessionStamp>> {
        let mut query = QueryBuilder::<Sqlite>::new(STAMPS);
        query.push(" WHERE tenant = ").push_bind(tenant.as_str());
        page(&mut query, "id", request);
        let rows = query.build().fetch_all(self.readers()).await.map_err(port_error)?;
        Ok(Page::of(rows.iter().map(read_stamp).collect(), request.limit))
    }

    async fn messages(
        &self,
        tenant: &Tenant,
        session: SessionId,
        request: PageRequest,
    ) -> PortResult<Page<Message>> {
        let mut query = QueryBuilder::<Sqlite>::new(MESSAGES);
        query
            .push(" WHERE session = ")
            .push_bind(session.0)
            .push(" AND tenant = ")
            .push_bind(tenant.as_str());
        page(&mut query, "id", request);
        let rows = query.build().fetch_all(self.readers()).await.map_err(port_error)?;
        let mut page = Page::of(rows.iter().map(read_message).collect::<Vec<_>>(), request.limit);
        self.add_references(&mut page.rows).await?;
        Ok(page)
    }

    async fn message(&self, tenant: &Tenant, id: MessageId) -> PortResult<Message> {
        let mut query = QueryBuilder::<Sqlite>::new(MESSAGES);
        query.push(" WHERE id = ").push_bind(id.0).push(" AND tenant = ").push_bind(tenant.as_str());
        let row = query.build().fetch_optional(self.readers()).await.map_err(port_error)?;
        let mut messages = vec![row.as_ref().map(read_message).ok_or_else(|| PortError::not_found(id))?];
        self.add_references(&mut messages).await?;
        Ok(messages.remove(0))
    }

    async fn turn(&self, tenant: &Tenant, id: ResponseId, limit: u32) -> PortResult<TurnRows> {
        let response = self.response(tenant, id).await?;
        let about = sqlx::query(
            "SELECT id, tenant, title, collections, instructions, metadata, created_at, updated_at, revision,
                    summary_until, summary
             FROM chat_sessions WHERE id = ?1 AND tenant = ?2",
        );
        let about = about.bind(response.session.0).bind(tenant.as_str()).fetch_optional(self.readers());
        let mut newest = QueryBuilder::<Sqlite>::new(MESSAGES);
        newest.push(" WHERE session = ").push_bind(response.session.0);
        newest.push(" AND tenant = ").push_bind(tenant.as_str());
        newest.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit));
        let newest = newest.build().fetch_all(self.readers());
        let (about, newest) = try_join!(about, newest).map_err(port_error)?;
        let about = about.ok_or_else(|| PortError::not_found(response.session))?;
        let until = about.get::<Option<Uuid>, _>(9).map(MessageId);
        let summary = until.zip(about.get::<Option<String>, _>(10));
        let newest = newest.iter().map(read_message).collect();
        Ok(TurnRows { response, session: read_session(&about), summary, newest })
    }

    async fn response(&self, tenant: &Tenant, id: ResponseId) -> PortResult<Response> {
        let row = sqlx::query(
            "SELECT r.id, r.tenant, r.session, r.message, r.job, r.status, r.attempt, r.model, r.options, r.output_text,
                    r.usage, r.timings, r.error, r.created_at, r.completed_at, j.state, j.attempt
             FROM chat_responses r LEFT JOIN jobs j ON j.id = r.job WHERE r.id = ?1 AND r.tenant = ?2",
        )
        .bind(id.0)
        .bind(tenant.as_str())
        .fetch_optional(self.readers())
        .await
        .map_err(port_error)?
        .ok_or_else(|| PortError::not_found(id))?;
        let mut response = read_response(&row);
        if response.status.is_final() {
            response.references = self.references(&[id.0]).await?.remove(&id).unwrap_or_default();
        }
        Ok(response)
    }

    async fn open_responses(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> PortResult<Vec<(ResponseId, JobId)>> {
        sqlx::query(
            "SELECT id, job FROM chat_responses WHERE session = ?1 AND tenant = ?2 AND status IS NULL ORDER BY id",
        )
        .bind(session.0)
        .bind(tenant.as_str())
        .fetch_all(self.readers())
        .await
        .map(|rows| rows.iter().map(|row| (ResponseId(row.get::<Uuid, _>(0)), JobId(row.get::<Uuid, _>(1)))).collect())
        .map_err(port_error)
    }

    async fn kept_answer(&self, tenant: &Tenant, key: &str) -> PortResult<Option<KeptAnswer>> {
        let row = sqlx::query(concat!(
            "SELECT request, status, body, stream, location, created_at FROM idempotency_keys
             WHERE tenant = ?1 AND key = ?2 AND created_at >= ",
            now!(),
            " - ?3"
        ))
        .bind(tenant.as_str())
        .bind(key)
        .bind(ANSWER_AGE_MS)
        .fetch_optional(self.readers())
        .await
        .map_err(port_error)?;
        Ok(row.map(|row| KeptAnswer {
            tenant: tenant.clone(),
            key: key.to_owned(),
            request: row.get(0),
            status: row.get(1),
            body: row.get(2),
            stream: row.get::<Option<Uuid>, _>(3).map(ResponseId),
            location: row.get(4),
            created_at: Timestamp(row.get(5)),
        }))
    }
}

impl SqliteStore {
    async fn references(&self, responses: &[Uuid]) -> PortResult<HashMap<ResponseId, Vec<Reference>>> {
        let mut found: HashMap<ResponseId, Vec<Reference>> = HashMap::new();
        if responses.is_empty() {
            return Ok(found);
        }
        let mut query = QueryBuilder::<Sqlite>::new(
            r#"SELECT response, number, document, chunk, title, text, score, start, "end" FROM chat_references
               WHERE response IN ("#,
        );
        let mut list = query.separated(", ");
        for response in responses {
            list.push_bind(*response);
        }
        query.push(") ORDER BY response, number");
        for row in query.build().fetch_all(self.readers()).await.map_err(port_error)? {
            found.entry(ResponseId(row.get::<Uuid, _>(0))).or_default().push(Reference {
                index: row.get(1),
                document_id: DocumentId(row.get::<Uuid, _>(2)),
                chunk_id: ChunkId(row.get::<Uuid, _>(3)),
                title: row.get(4),
                text: row.get(5),
                score: row.get(6),
                start: row.get::<i64, _>(7) as u64,
                end: row.get::<i64, _>(8) as u64,
            });
        }
        Ok(found)
    }

    async fn add_references(&self, messages: &mut [Message]) -> PortResult<()> {
        let answers = messages.iter().filter(|message| message.role == Role::Assistant);
        let responses: Vec<Uuid> = answers.filter_map(|message| message.response).map(|id| id.0).collect();
        let mut found = self.references(&responses).await?;
        for message in messages.iter_mut().filter(|message| message.role == Role::Assistant) {
            message.references = message.response.and_then(|id| found.remove(&id)).unwrap_or_default();
        }
        Ok(())
    }
}

fn read_session(row: &SqliteRow) -> Session {
    Session {
        id: SessionId(row.get::<Uuid, _>(0)),
        tenant: Tenant::from(row.get::<&str, _>(1)),
        title: row.get(2),
        collections: from_json(row.get(3)).unwrap_or_default(),
        instructions: row.get(4),
        metadata: from_json(row.get(5)).unwrap_or_default(),
        created_at: Timestamp(row.get(6)),
        updated_at: Timestamp(row.get(7)),
        revision: row.get(8),
    }
}

fn read_stamp(row: &SqliteRow) -> SessionStamp {
    SessionStamp {
        id: SessionId(row.get::<Uuid, _>(0)),
        revision: row.get(1),
        updated_at: Timestamp(row.get(2)),
    }
}

fn read_message(row: &SqliteRow) -> Message {
    Message {
        id: MessageId(row.get::<Uuid, _>(0)),
        session: SessionId(row.get::<Uuid, _>(1)),
        tenant: Tenant::from(row.get::<&str, _>(2)),
        role: Role::parse(row.get(3)).unwrap_or(Role::User),
        content: row.get(4),
        response: row.get::<Option<Uuid>, _>(5).map(ResponseId),
        references: Vec::new(),
        created_at: Timestamp(row.get(6)),
    }
}

/// Until a response is final its job knows how far it is.
fn read_response(row: &SqliteRow) -> Response {
    let ended = row.get::<Option<&str>, _>(5).and_then(ResponseStatus::parse);
    let begun = row.get::<Option<u32>, _>(16).unwrap_or(0);
    let live = if row.get::<Option<i64>, _>(15) == Some(3) {
        ResponseStatus::InProgress
    } else {
        ResponseStatus::Queued
    };
    Response {
        id: ResponseId(row.get::<Uuid, _>(0)),
        tenant: Tenant::from(row.get::<&str, _>(1)),
        session: SessionId(row.get::<Uuid, _>(2)),
        message: MessageId(row.get::<Uuid, _>(3)),
        job: JobId(row.get::<Uuid, _>(4)),
        status: ended.unwrap_or(live),
        attempt: if ended.is_some() { row.get(6) } else { begun },
        model: row.get(7),
        options: from_json(row.get(8)).unwrap_or_default(),
        output_text: row.get(9),
        references: Vec::new(),
        usage: from_json(row.get(10)),
        timings: from_json(row.get(11)).unwrap_or_default(),
        error: from_json(row.get(12)),
        created_at: Timestamp(row.get(13)),
        completed_at: row.get::<Option<i64>, _>(14).map(Timestamp),
    }
}
