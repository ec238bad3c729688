//! Every read and write of the `Store` port that takes a tenant, with another tenant's ids: nothing is found, nothing
//! changes. A method or a change that is not named here fails in `tidy`.

use super::rows::{chunks, library, message, session, version, write};
use chat_core::{
    ApiKey, Busy, Change, ChunkId, Collection, CollectionId, DocumentId, DocumentStatus, ErrorKind,
    JobFilter, JobId, KeptAnswer, KeyId, Message, NewJob, NewResponse, NewVersion, Outcome, PageRequest,
    ResponseId, Role, Scope, Session, SessionId, Tenant, Timestamp, TurnOptions, Usage, UsageEntry,
    UsageGroup, UsageQuery, WorkerId, Write,
    ports::{KeywordQuery, Store},
    text::fts_terms,
};
use serde_json::{Map, Value, json};

/// One thing of every sort that a tenant can have.
struct Belongings {
    tenant: Tenant,
    session: Session,
    message: Message,
    response: NewResponse,
    collection: CollectionId,
    collection_name: String,
    document: DocumentId,
    version: NewVersion,
    chunk: ChunkId,
    job: JobId,
    ended: JobId,
    dead: JobId,
    answer: KeptAnswer,
    key: ApiKey,
}

/// Runs every probe.
pub async fn exercise(store: &dyn Store) {
    let owner = Belongings::settle(store, "owner / 业主").await;
    let other = Belongings::settle(store, "other").await;
    let before = owner.view(store, &owner.tenant).await;
    for (what, seen) in &before {
        assert!(!is_nothing(seen), "the owner does not find {what}: {seen}");
    }
    nothing_is_found(store, &owner, &other).await;
    nothing_is_changed(store, &owner, &other).await;
    assert_eq!(owner.view(store, &owner.tenant).await, before, "another tenant has changed it");
}

impl Belongings {
    async fn settle(store: &dyn Store, name: &str) -> Self {
        let (library, version) = library(store, name, json!({"秘密": "阀门"})).await;
        let tenant = library.tenant.clone();
        let staged = chunks(version.id, 1);
        let chunk = staged[0].id;
        let session = session(&tenant);
        let message = message(&session, Role::User, "什么阀门？", None);
        let response = response(&tenant, &session, &message);
        let collection = store.collection(&tenant, library.collection).await.unwrap();
        let plain = || NewJob { tenant: tenant.clone(), session: Some(session.id), ..super::jobs::job() };
        let [ended, dead] = [plain(), plain()];
        let job = NewJob { concurrency_key: Some(session.id.to_string()), ..plain() };
        let (answer, key) = (answer(&tenant), key(&tenant));
        let belongings = Self {
            job: job.id,
            ended: ended.id,
            dead: dead.id,
            session: session.clone(),
            message: message.clone(),
            response: response.clone(),
            collection: library.collection,
            collection_name: collection.name,
            document: library.document,
            answer: answer.clone(),
            key: key.clone(),
            tenant,
            version,
            chunk,
        };
        let version = belongings.version.id;
        let changes = vec![
            Change::InsertSession(Box::new(session)),
            Change::InsertMessage(Box::new(message)),
            Change::InsertResponse(Box::new(response)),
            Change::InsertChunks { version, chunks: staged },
            Change::FlipVersion(version),
            Change::KeepAnswer(Box::new(answer)),
            Change::InsertKey(Box::new(key)),
            Change::RecordUsage(Box::new(usage(&belongings.tenant, belongings.job, belongings.session.id))),
        ];
        write(store, changes).await;
        for job in [job, ended, dead] {
            write(store, vec![Change::Enqueue(Box::new(job))]).await;
        }
        end(store, belongings.ended, Outcome::Succeeded { result: None }).await;
        end(store, belongings.dead, Outcome::Dead { error: super::jobs::error(1) }).await;
        belongings
    }

    /// What a tenant finds when it asks for these things, read by read.
    async fn view(&self, store: &dyn Store, tenant: &Tenant) -> Vec<(&'static str, String)> {
        let page = PageRequest::default();
        let metadata: Map<String, Value> = json!({"秘密": "阀门"}).as_object().unwrap().clone();
        let about = JobFilter { session: Some(self.session.id), ..JobFilter::default() };
        let own = JobFilter { tenant: Some(tenant.clone()), ..about.clone() };
        let mut seen = Vec::new();
        macro_rules! see {
            ($what:literal, $read:expr) => {
                seen.push(($what, told($read.await)))
            };
        }
        see!("job", store.job(Some(tenant), self.job));
        see!("jobs", store.jobs(&own, page));
        see!("session", store.session(tenant, self.session.id));
        see!("session_stamp", store.session_stamp(tenant, self.session.id));
        see!("messages", store.messages(tenant, self.session.id, page));
        see!("message", store.message(tenant, self.message.id));
        see!("response", store.response(tenant, self.response.id));
        see!("turn", store.turn(tenant, self.response.id, 10));
        see!("open_responses", store.open_responses(tenant, self.session.id));
        see!("kept_answer", store.kept_answer(tenant, &self.answer.key));
        see!("collection", store.collection(tenant, self.collection));
        see!("collection_named", store.collection_named(tenant, &self.collection_name));
        see!("document", store.document(tenant, self.document));
        see!("documents in a collection", store.documents(tenant, Some(self.collection), None, page));
        see!("live_version", store.live_version(tenant, self.document));
        see!("chunks", store.chunks(tenant, self.document, 0, 10));
        see!("passages", store.passages(tenant, &[self.chunk]));
        // What has no id: all of a tenant's, of which these things must be no part.
        see!("sessions", store.sessions(tenant, page));
        see!("session_stamps", store.session_stamps(tenant, page));
        see!("collections", store.collections(tenant, page));
        see!("documents", store.documents(tenant, None, Some(DocumentStatus::Ready), page));
        see!("documents_where", store.documents_where(tenant, &metadata));
        see!("api_keys", store.api_keys(Some(tenant), page));
        see!("search_revision", store.search_revision(tenant));
        let (from, to) = (Timestamp(0), Timestamp(10_000));
        let spent = UsageQuery { from, to, group: UsageGroup::Session, limit: 10 };
        see!("usage", store.usage(tenant, &spent));
        let words = KeywordQuery {
            tenant: tenant.clone(),
            collections: vec![],
            documents: None,
            terms: fts_terms("标题"),
            limit: 10,
        };
        see!("keyword_search", store.keyword_search(&words));
        seen
    }

    /// The ids by which any of it would be recognized.
    fn ids(&self) -> Vec<String> {
        let ids = [
            self.session.id.uuid(),
            self.message.id.uuid(),
            self.response.id.uuid(),
            self.collection.uuid(),
            self.document.uuid(),
            self.version.id.uuid(),
            self.chunk.uuid(),
            self.job.uuid(),
            self.ended.uuid(),
            self.dead.uuid(),
            self.key.id.uuid(),
        ];
        ids.iter().map(ToString::to_string).collect()
    }
}

fn response(tenant: &Tenant, session: &Session, message: &Message) -> NewResponse {
    NewResponse {
        id: ResponseId::new(),
        tenant: tenant.clone(),
        session: session.id,
        message: message.id,
        job: JobId::new(),
        model: "m".into(),
        options: TurnOptions::default(),
        created_at: Timestamp(2_000),
    }
}

fn answer(tenant: &Tenant) -> KeptAnswer {
    KeptAnswer {
        tenant: tenant.clone(),
        key: format!("key of {tenant}"),
        request: "hash".into(),
        status: 202,
        body: "{}".into(),
        stream: None,
        location: None,
        created_at: Timestamp(i64::from(u32::MAX) * 1_000),
    }
}

fn key(tenant: &Tenant) -> ApiKey {
    ApiKey {
        id: KeyId::new(),
        tenant: tenant.clone(),
        name: "a key".into(),
        scopes: vec![Scope::User],
        hash: "00".into(),
        created_at: Timestamp(1_000),
        expires_at: None,
        revoked_at: None,
    }
}

fn usage(tenant: &Tenant, job: JobId, session: SessionId) -> UsageEntry {
    UsageEntry {
        job,
        tenant: tenant.clone(),
        key: None,
        session: Some(session),
        model: "m".into(),
        usage: Usage { input_tokens: 3, output_tokens: 4, total_tokens: 7, cost_usd: None },
        at: Timestamp(2_000),
    }
}

async fn end(store: &dyn Store, job: JobId, outcome: Outcome) {
    let claim = store.claim(WorkerId::new(), vec![job]).await.unwrap().remove(0);
    store.commit(Write::finish(claim.held(), outcome, vec![])).await.unwrap();
}

fn told<T: std::fmt::Debug>(read: chat_core::PortResult<T>) -> String {
    match read {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{:?}", error.kind),
    }
}

/// `NotFound`, or an empty answer.
fn is_nothing(seen: &str) -> bool {
    ["NotFound", "None", "[]", "0", "Page { rows: [], has_more: false }"].contains(&seen)
}

async fn nothing_is_found(store: &dyn Store, owner: &Belongings, other: &Belongings) {
    let nobody = Tenant::from("nobody");
    for (what, seen) in owner.view(store, &nobody).await {
        assert!(is_nothing(&seen), "{what}: nobody finds {seen}");
    }
    // A store need not count words; how many another tenant has, `words::frequencies` asks.
    let counted = store.word_frequencies(&nobody, &fts_terms("标题")).await.unwrap();
    assert!(counted.iter().flatten().all(|count| *count == 0), "nobody's words are counted: {counted:?}");
    let whole = [
        "sessions",
        "session_stamps",
        "collections",
        "documents",
        "documents_where",
        "api_keys",
        "search_revision",
        "usage",
        "keyword_search",
    ];
    for (what, seen) in owner.view(store, &other.tenant).await {
        // A tenant that has such things itself finds those, and no others.
        assert_eq!(is_nothing(&seen), !whole.contains(&what), "{what}: the other finds {seen}");
        for id in owner.ids() {
            assert!(!seen.contains(&id), "{what}: the other finds {seen}");
        }
    }
}

/// What is to be refused, and how; and what finds nothing to do.
async fn nothing_is_changed(store: &dyn Store, owner: &Belongings, other: &Belongings) {
    for change in refused(owner, other) {
        let told = store.commit(Write::of(vec![change.clone()])).await.map_err(|error| error.kind);
        assert!(
            matches!(told, Err(ErrorKind::NotFound | ErrorKind::Conflict)),
            "{change:?} of another tenant's: {told:?}"
        );
    }
    let own = JobFilter { tenant: Some(other.tenant.clone()), ..JobFilter::default() };
    let named = vec![owner.job, owner.ended, owner.dead];
    for change in [
        Change::CancelJobs(own.clone(), named.clone()),
        Change::RetryJobs(own.clone(), named.clone()),
        Change::DeleteJobs(own.clone(), named),
        Change::CancelJobs(JobFilter { session: Some(owner.session.id), ..own.clone() }, vec![]),
        Change::RetryJobs(JobFilter { session: Some(owner.session.id), ..own.clone() }, vec![]),
        Change::DeleteJobs(JobFilter { session: Some(owner.session.id), ..own }, vec![]),
    ] {
        let affected = write(store, vec![change.clone()]).await.affected;
        assert_eq!(affected, 0, "{change:?} touched another tenant's jobs");
    }
    for busy in [Busy::Refuse, Busy::Cancel] {
        let (tenant, key) = (other.tenant.clone(), owner.session.id.to_string());
        let affected = write(store, vec![Change::ClearKey { tenant, key, busy }]).await.affected;
        assert_eq!(affected, 0, "another tenant's job was in the way: {busy:?}");
    }
    // An answer to a conversation that is not there, or not the tenant's, is dropped.
    let stray = Message { role: Role::Assistant, ..foreign_message(owner, other) };
    write(store, vec![Change::InsertMessage(Box::new(stray))]).await;
    // The same key, and the same name: each tenant has its own.
    let same_key =
        KeptAnswer { key: owner.answer.key.clone(), body: "other".into(), ..answer(&other.tenant) };
    write(store, vec![Change::KeepAnswer(Box::new(same_key))]).await;
    let same_name = collection(&other.tenant, CollectionId::new(), &owner.collection_name);
    write(store, vec![Change::InsertCollection(Box::new(same_name))]).await;
    // What a job took was noted for its owner.
    let spent = usage(&other.tenant, owner.job, other.session.id);
    write(store, vec![Change::RecordUsage(Box::new(spent))]).await;
    // A job about a conversation belongs to whoever enqueued it.
    let job = NewJob { tenant: other.tenant.clone(), session: Some(owner.session.id), ..super::jobs::job() };
    write(store, vec![Change::Enqueue(Box::new(job))]).await;
}

fn foreign_message(owner: &Belongings, other: &Belongings) -> Message {
    Message { tenant: other.tenant.clone(), ..message(&owner.session, Role::User, "x", None) }
}

fn collection(tenant: &Tenant, id: CollectionId, name: &str) -> Collection {
    Collection {
        id,
        tenant: tenant.clone(),
        name: name.to_owned(),
        metadata: json!({}),
        document_count: 0,
        chunk_count: 0,
        bytes: 0,
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}

/// Changes by the other tenant that name the owner's things.
fn refused(owner: &Belongings, other: &Belongings) -> Vec<Change> {
    let tenant = other.tenant.clone();
    let foreign = |of: &NewVersion| NewVersion { tenant: tenant.clone(), job: JobId::new(), ..of.clone() };
    let another = version(
        &super::rows::Library {
            tenant: tenant.clone(),
            collection: owner.collection,
            document: owner.document,
        },
        "another",
    );
    let second = NewResponse { id: ResponseId::new(), tenant: tenant.clone(), ..owner.response.clone() };
    vec![
        Change::InsertSession(Box::new(Session { tenant: tenant.clone(), ..owner.session.clone() })),
        Change::UpdateSession {
            tenant: tenant.clone(),
            id: owner.session.id,
            title: Some(Some("mine now".into())),
            collections: Some(vec![]),
            instructions: Some(None),
            metadata: Some(json!({})),
        },
        Change::DeleteSession(tenant.clone(), owner.session.id, Vec::new()),
        Change::InsertMessage(Box::new(foreign_message(owner, other))),
        Change::InsertResponse(Box::new(second)),
        Change::InsertCollection(Box::new(collection(&tenant, owner.collection, "mine now"))),
        Change::UpdateCollection {
            tenant: tenant.clone(),
            id: owner.collection,
            name: Some("mine now".into()),
            metadata: Some(json!({})),
        },
        Change::HideCollection(tenant.clone(), owner.collection),
        Change::InsertDocument {
            id: DocumentId::new(),
            collection: owner.collection,
            metadata: json!({}),
            version: Box::new(foreign(&owner.version)),
        },
        Change::InsertVersion(Box::new(another)),
        Change::HideDocument(tenant.clone(), owner.document),
        Change::InsertKey(Box::new(ApiKey { tenant: tenant.clone(), ..owner.key.clone() })),
        Change::RevokeKey(Some(tenant), owner.key.id),
    ]
}
