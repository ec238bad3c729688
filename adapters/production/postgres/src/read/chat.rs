//! Reads of conversations.

use super::{from_json, page_of};
use crate::{PostgresStore, error::port_error};
use chat_core::{
    ChunkId, DocumentId, JobId, JobState, KeptAnswer, Message, MessageId, Page, PageRequest, PortError,
    PortResult, Reference, Response, ResponseId, ResponseStatus, Role, Session, SessionId, SessionStamp,
    Tenant, Timestamp,
    ports::{ChatStore, TurnRows},
};
use futures::{TryFutureExt, try_join};
use std::collections::HashMap;
use uuid::Uuid;

struct SessionRow {
    id: Uuid,
    tenant: String,
    title: Option<String>,
    collections: String,
    instructions: Option<String>,
    metadata: String,
    created_at: i64,
    updated_at: i64,
    revision: Uuid,
}

struct StampRow {
    id: Uuid,
    revision: Uuid,
    updated_at: i64,
}

struct MessageRow {
    id: Uuid,
    session: Uuid,
    tenant: String,
    role: String,
    content: String,
    response: Option<Uuid>,
    created_at: i64,
}

/// Sessions; the rest of the statement follows `WHERE`.
macro_rules! sessions {
    ($first:literal $(+ $rest:literal)* $(, $argument:expr)*) => {
        sqlx::query_as!(
            SessionRow,
            r#"SELECT id, tenant, title, collections, instructions, metadata::text AS "metadata!",
                      created_at, updated_at, revision
               FROM chat_sessions WHERE "# + $first $(+ $rest)*
            $(, $argument)*
        )
    };
}

/// Stamps of sessions; the rest of the statement follows `WHERE`.
macro_rules! stamps {
    ($first:literal $(+ $rest:literal)* $(, $argument:expr)*) => {
        sqlx::query_as!(
            StampRow,
            "SELECT id, revision, updated_at FROM chat_sessions WHERE " + $first $(+ $rest)*
            $(, $argument)*
        )
    };
}

/// Messages; the rest of the statement follows `WHERE`.
macro_rules! messages {
    ($first:literal $(+ $rest:literal)* $(, $argument:expr)*) => {
        sqlx::query_as!(
            MessageRow,
            "SELECT id, session, tenant, role, content, response, created_at FROM chat_messages
            WHERE " + $first $(+ $rest)*
            $(, $argument)*
        )
    };
}

#[async_trait::async_trait]
impl ChatStore for PostgresStore {
    async fn session(&self, tenant: &Tenant, id: SessionId) -> PortResult<Session> {
        let query = sessions!("id = $1 AND tenant = $2", id.0, tenant.as_str());
        let row = query.fetch_optional(self.pool()).await.map_err(port_error)?;
        row.map(Session::from).ok_or_else(|| PortError::not_found(id))
    }

    async fn sessions(&self, tenant: &Tenant, request: PageRequest) -> PortResult<Page<Session>> {
        let rows = page_of!(self, request, sessions, "id > $1 AND id < $2 AND tenant = $4", tenant.as_str())?;
        Ok(Page::of(rows.into_iter().map(Session::from).collect(), request.limit))
    }

    async fn session_stamp(&self, tenant: &Tenant, id: SessionId) -> PortResult<SessionStamp> {
        let query = stamps!("id = $1 AND tenant = $2", id.0, tenant.as_str());
        let row = query.fetch_optional(self.pool()).await.map_err(port_error)?;
        row.map(SessionStamp::from).ok_or_else(|| PortError::not_found(id))
    }

    async fn session_stamps(&self, tenant: &Tenant, request: PageRequest) -> PortResult<Page<SessionStamp>> {
        let rows = page_of!(self, request, stamps, "id > $1 AND id < $2 AND tenant = $4", tenant.as_str())?;
        Ok(Page::of(rows.into_iter().map(SessionStamp::from).collect(), request.limit))
    }

    async fn messages(
        &self,
        tenant: &Tenant,
        session: SessionId,
        request: PageRequest,
    ) -> PortResult<Page<Message>> {
        let rows = page_of!(
            self,
            request,
            messages,
            "id > $1 AND id < $2 AND session = $4 AND tenant = $5",
            session.0,
            tenant.as_str()
        )?;
        let mut page = Page::of(rows.into_iter().map(Message::from).collect(), request.limit);
        self.add_references(&mut page.rows).await?;
        Ok(page)
    }

    async fn message(&self, tenant: &Tenant, id: MessageId) -> PortResult<Message> {
        let query = messages!("id = $1 AND tenant = $2", id.0, tenant.as_str());
        let row = query.fetch_optional(self.pool()).await.map_err(port_error)?;
        let mut messages = vec![row.map(Message::from).ok_or_else(|| PortError::not_found(id))?];
        self.add_references(&mut messages).await?;
        Ok(messages.remove(0))
    }

    async fn turn(&self, tenant: &Tenant, id: ResponseId, limit: u32) -> PortResult<TurnRows> {
        let newest = messages!(
            "tenant = $2 AND session = (SELECT session FROM chat_responses WHERE id = $1 AND tenant = $2)
             ORDER BY id DESC LIMIT $3",
            id.0,
            tenant.as_str(),
            i64::from(limit)
        );
        let about = sqlx::query!(
            r#"SELECT id, tenant, title, collections, instructions, metadata::text AS "metadata!", created_at,
                      updated_at, revision, summary_until, summary
               FROM chat_sessions
               WHERE tenant = $2 AND id = (SELECT session FROM chat_responses WHERE id = $1 AND tenant = $2)"#,
            id.0,
            tenant.as_str()
        );
        let (response, newest, about) = try_join!(
            self.response(tenant, id),
            newest.fetch_all(self.pool()).map_err(port_error),
            about.fetch_optional(self.pool()).map_err(port_error),
        )?;
        let about = about.ok_or_else(|| PortError::not_found(response.session))?;
        let summary = about.summary_until.map(MessageId).zip(about.summary);
        let session = SessionRow {
            id: about.id,
            tenant: about.tenant,
            title: about.title,
            collections: about.collections,
            instructions: about.instructions,
            metadata: about.metadata,
            created_at: about.created_at,
            updated_at: about.updated_at,
            revision: about.revision,
        };
        let newest = newest.into_iter().map(Message::from).collect();
        Ok(TurnRows { response, session: session.into(), summary, newest })
    }

    async fn response(&self, tenant: &Tenant, id: ResponseId) -> PortResult<Response> {
        let row = sqlx::query_as!(
            ResponseRow,
            r#"SELECT r.id, r.tenant, r.session, r.message, r.job, r.status, r.attempt, r.model,
                      r.options, r.output_text, r.usage, r.timings, r.error, r.created_at, r.completed_at,
                      j.state AS "state?", j.attempt AS "begun?"
               FROM chat_responses r LEFT JOIN jobs j ON j.id = r.job WHERE r.id = $1 AND r.tenant = $2"#,
            id.0,
            tenant.as_str()
        )
        .fetch_optional(self.pool())
        .await
        .map_err(port_error)?;
        let mut response = Response::from(row.ok_or_else(|| PortError::not_found(id))?);
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
        let rows = sqlx::query!(
            "SELECT id, job FROM chat_responses WHERE session = $1 AND tenant = $2
             AND status IS NULL ORDER BY id",
            session.0,
            tenant.as_str()
        )
        .fetch_all(self.pool())
        .await
        .map_err(port_error)?;
        Ok(rows.into_iter().map(|row| (ResponseId(row.id), JobId(row.job))).collect())
    }

    async fn kept_answer(&self, tenant: &Tenant, key: &str) -> PortResult<Option<KeptAnswer>> {
        self.answers.ask((tenant.clone(), key.to_owned())).await
    }
}

impl PostgresStore {
    async fn references(&self, responses: &[Uuid]) -> PortResult<HashMap<ResponseId, Vec<Reference>>> {
        let mut found: HashMap<ResponseId, Vec<Reference>> = HashMap::new();
        if responses.is_empty() {
            return Ok(found);
        }
        let rows = sqlx::query!(
            r#"SELECT response, number, document, chunk, title, text, score, start, "end"
         FROM chat_references
               WHERE response = ANY($1) ORDER BY response, number"#,
            responses
        )
        .fetch_all(self.pool())
        .await
        .map_err(port_error)?;
        for row in rows {
            found.entry(ResponseId(row.response)).or_default().push(Reference {
                index: row.number as u32,
                document_id: DocumentId(row.document),
                chunk_id: ChunkId(row.chunk),
                title: row.title,
                text: row.text,
                score: row.score,
                start: row.start as u64,
                end: row.end as u64,
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

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            id: SessionId(row.id),
            tenant: Tenant(row.tenant.into()),
            title: row.title,
            collections: from_json(Some(&row.collections)).unwrap_or_default(),
            instructions: row.instructions,
            metadata: from_json(Some(&row.metadata)).unwrap_or_default(),
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            revision: row.revision,
        }
    }
}

impl From<StampRow> for SessionStamp {
    fn from(row: StampRow) -> Self {
        Self { id: SessionId(row.id), revision: row.revision, updated_at: Timestamp(row.updated_at) }
    }
}

impl From<MessageRow> for Message {
    fn from(row: MessageRow) -> Self {
        Self {
            id: MessageId(row.id),
            session: SessionId(row.session),
            tenant: Tenant(row.tenant.into()),
            role: Role::parse(&row.role).unwrap_or(Role::User),
            content: row.content,
            response: row.response.map(ResponseId),
            references: Vec::new(),
            created_at: Timestamp(row.created_at),
        }
    }
}

struct ResponseRow {
    id: Uuid,
    tenant: String,
    session: Uuid,
    message: Uuid,
    job: Uuid,
    status: Option<String>,
    attempt: i32,
    model: String,
    options: String,
    output_text: String,
    usage: Option<String>,
    timings: String,
    error: Option<String>,
    created_at: i64,
    completed_at: Option<i64>,
    state: Option<i16>,
    begun: Option<i32>,
}

/// Until a response is final its job knows how far it is.
impl From<ResponseRow> for Response {
    fn from(row: ResponseRow) -> Self {
        let ended = row.status.as_deref().and_then(ResponseStatus::parse);
        let runs = row.state == Some(JobState::Running as i16);
        let live = if runs { ResponseStatus::InProgress } else { ResponseStatus::Queued };
        let attempt = if ended.is_some() { row.attempt } else { row.begun.unwrap_or(0) };
        Self {
            id: ResponseId(row.id),
            tenant: Tenant(row.tenant.into()),
            session: SessionId(row.session),
            message: MessageId(row.message),
            job: JobId(row.job),
            status: ended.unwrap_or(live),
            attempt: attempt as u32,
            model: row.model,
            options: from_json(Some(&row.options)).unwrap_or_default(),
            output_text: row.output_text,
            references: Vec::new(),
            usage: from_json(row.usage.as_deref()),
            timings: from_json(Some(&row.timings)).unwrap_or_default(),
            error: from_json(row.error.as_deref()),
            created_at: Timestamp(row.created_at),
            completed_at: row.completed_at.map(Timestamp),
        }
    }
}
