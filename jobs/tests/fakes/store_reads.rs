use super::store::{FakeStore, Rows, matches};
use async_trait::async_trait;
use chat_core::{
    ApiKey, Chunk, ChunkId, Claim, Collection, CollectionId, Committed, Document, DocumentId, DocumentStatus,
    EmbeddingModels, Event, Job, JobFilter, JobId, KeptAnswer, KeyId, Lane, LaneState, LaneStats, Message,
    MessageId, Page, PageRequest, Passage, PortError, PortResult, Response, ResponseId, Session, SessionId,
    SessionStamp, StreamId, Tenant, Timestamp, UsageQuery, UsageSum, Version, VersionId, WorkerId,
    WorkerState, Write,
    ports::{
        ChatStore, DocumentStore, EventStore, Hit, JobStore, KeyStore, KeywordQuery, ModelStore, Reaped,
        Store, TurnRows, Upkeep, UsageStore,
    },
    text::{Ranking, fts_terms},
};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, time::Duration};

fn found<T>(row: Option<T>, what: &str) -> PortResult<T> {
    row.ok_or_else(|| PortError::not_found(what))
}

fn stamp(session: &Session) -> SessionStamp {
    SessionStamp { id: session.id, revision: session.revision, updated_at: session.updated_at }
}

#[async_trait]
impl JobStore for FakeStore {
    async fn job(&self, _tenant: Option<&Tenant>, id: JobId) -> PortResult<Job> {
        found(self.rows(|rows| rows.jobs.get(&id).map(|row| row.1.clone())), "the job")
    }

    async fn jobs(&self, filter: &JobFilter, page: PageRequest) -> PortResult<Page<Job>> {
        let all = self.rows(|rows| rows.jobs.values().map(|row| row.1.clone()).collect::<Vec<_>>());
        let mut jobs: Vec<_> = all.into_iter().filter(|job| matches(filter, job)).collect();
        jobs.sort_by_key(|job| std::cmp::Reverse(job.id));
        jobs.retain(|job| page.after.is_none_or(|after| job.id.uuid() < after));
        Ok(Page::of(jobs, page.limit))
    }

    async fn claim(&self, _worker: WorkerId, _ids: Vec<JobId>) -> PortResult<Vec<Claim>> {
        unreachable!("handlers do not claim")
    }

    async fn claim_next(&self, _worker: WorkerId, _lane: Lane, _limit: usize) -> PortResult<Vec<Claim>> {
        unreachable!("handlers do not claim")
    }

    async fn promote_due(&self) -> PortResult<(Vec<Lane>, Option<Timestamp>)> {
        unreachable!("handlers do not promote")
    }

    async fn heartbeat(&self, _worker: WorkerId, _lanes: &[(Lane, usize)]) -> PortResult<()> {
        unreachable!("handlers have no heartbeat")
    }

    async fn retire(&self, _worker: WorkerId) -> PortResult<()> {
        unreachable!("handlers do not retire")
    }

    async fn asked_to_stop(&self, _running: Vec<JobId>) -> PortResult<Vec<JobId>> {
        unreachable!("handlers are told by their context")
    }

    async fn reap(&self, _lease: Duration, _offer_again: Duration) -> PortResult<Reaped> {
        unreachable!("handlers do not reap")
    }

    async fn lane_stats(&self, _unfinished_only: bool) -> PortResult<Vec<LaneStats>> {
        unreachable!("handlers read no statistics")
    }

    async fn lane_states(&self, _window: Duration) -> PortResult<Vec<LaneState>> {
        unreachable!("handlers pause no lanes")
    }

    async fn workers(&self, _lease: Duration) -> PortResult<Vec<WorkerState>> {
        unreachable!("handlers know no workers")
    }

    async fn last_tick(&self, _schedule: &str) -> PortResult<Option<Timestamp>> {
        unreachable!("handlers read no schedules")
    }
}

#[async_trait]
impl ChatStore for FakeStore {
    async fn session(&self, _tenant: &Tenant, id: SessionId) -> PortResult<Session> {
        found(self.rows(|rows| rows.sessions.get(&id).cloned()), "the session")
    }

    async fn session_stamp(&self, _tenant: &Tenant, id: SessionId) -> PortResult<SessionStamp> {
        found(self.rows(|rows| rows.sessions.get(&id).map(stamp)), "the session")
    }

    async fn session_stamps(&self, _tenant: &Tenant, _page: PageRequest) -> PortResult<Page<SessionStamp>> {
        unreachable!("handlers list no sessions")
    }

    async fn message(&self, _tenant: &Tenant, id: MessageId) -> PortResult<Message> {
        found(self.rows(|rows| rows.messages.iter().find(|message| message.id == id).cloned()), "the message")
    }

    async fn turn(&self, tenant: &Tenant, id: ResponseId, limit: u32) -> PortResult<TurnRows> {
        let response = self.response(tenant, id).await?;
        let session = self.session(tenant, response.session).await?;
        Ok(self.rows(|rows| {
            let mut newest: Vec<_> =
                rows.messages.iter().filter(|m| m.session == session.id).cloned().collect();
            newest.sort_by_key(|message| std::cmp::Reverse(message.id));
            newest.truncate(limit as usize);
            TurnRows { response, session, summary: rows.summary.clone(), newest }
        }))
    }

    async fn response(&self, tenant: &Tenant, id: ResponseId) -> PortResult<Response> {
        let response = self.rows(|rows| rows.responses.get(&id).cloned());
        found(response.filter(|response| response.tenant == *tenant), "the response")
    }

    async fn sessions(&self, _tenant: &Tenant, _page: PageRequest) -> PortResult<Page<Session>> {
        unreachable!("handlers list no sessions")
    }

    async fn messages(
        &self,
        _tenant: &Tenant,
        _session: SessionId,
        _page: PageRequest,
    ) -> PortResult<Page<Message>> {
        unreachable!("handlers list no messages")
    }

    async fn open_responses(
        &self,
        _tenant: &Tenant,
        _session: SessionId,
    ) -> PortResult<Vec<(ResponseId, JobId)>> {
        unreachable!("handlers list no responses")
    }

    async fn kept_answer(&self, _tenant: &Tenant, _key: &str) -> PortResult<Option<KeptAnswer>> {
        unreachable!("handlers keep no answers")
    }
}

#[async_trait]
impl DocumentStore for FakeStore {
    async fn documents_where(
        &self,
        tenant: &Tenant,
        metadata: &Map<String, Value>,
    ) -> PortResult<Vec<DocumentId>> {
        Ok(self.rows(|rows| {
            let of_tenant: Vec<_> =
                rows.versions.values().filter(|v| v.tenant == *tenant).map(|v| v.document).collect();
            let fits = |value: &Value| metadata.iter().all(|(key, wanted)| value.get(key) == Some(wanted));
            rows.metadata
                .iter()
                .filter(|(id, value)| of_tenant.contains(id) && fits(value))
                .map(|(id, _)| *id)
                .collect()
        }))
    }

    async fn hidden_documents(&self, collection: CollectionId, limit: u32) -> PortResult<Vec<DocumentId>> {
        Ok(self.rows(|rows| {
            let mut documents: Vec<_> =
                rows.versions.values().filter(|v| v.collection == collection).map(|v| v.document).collect();
            documents.sort_unstable();
            documents.dedup();
            documents.truncate(limit as usize);
            documents
        }))
    }

    async fn unneeded_blobs(&self, keys: &[String]) -> PortResult<Vec<String>> {
        Ok(self.rows(|rows| {
            let needs = |version: &Version, key: &str| {
                version.upload.blob == key || key.ends_with(&version.id.to_string())
            };
            let unneeded = |key: &&String| !rows.versions.values().any(|version| needs(version, key));
            keys.iter().filter(unneeded).cloned().collect()
        }))
    }

    async fn live_version(&self, _tenant: &Tenant, _id: DocumentId) -> PortResult<Option<VersionId>> {
        unreachable!("handlers read versions")
    }

    async fn version(&self, id: VersionId) -> PortResult<Version> {
        found(self.rows(|rows| rows.versions.get(&id).cloned()), "the version")
    }

    async fn versions(&self, document: DocumentId) -> PortResult<Vec<Version>> {
        Ok(self.rows(|rows| rows.versions.values().filter(|v| v.document == document).cloned().collect()))
    }

    async fn chunk_range(&self, version: VersionId, from: u32, to: u32) -> PortResult<Vec<Chunk>> {
        Ok(self.rows(|rows| {
            let chunks = rows.chunks.get(&version);
            chunks
                .map(|chunks| chunks.range(from..to).map(|(_, chunk)| chunk.clone()).collect())
                .unwrap_or_default()
        }))
    }

    async fn passages(&self, tenant: &Tenant, ids: &[ChunkId]) -> PortResult<Vec<Passage>> {
        Ok(self.rows(|rows| {
            let live = rows
                .versions
                .values()
                .filter(|v| v.tenant == *tenant && !v.deleted && v.live_version == Some(v.id));
            let all = live.flat_map(|version| {
                rows.chunks.get(&version.id).into_iter().flat_map(|chunks| chunks.values()).map(
                    move |chunk| Passage {
                        chunk: chunk.clone(),
                        document: version.document,
                        collection: version.collection,
                        filename: version.upload.filename.clone(),
                        metadata: Value::Null,
                    },
                )
            });
            all.filter(|passage| ids.contains(&passage.chunk.id)).collect()
        }))
    }

    async fn keyword_search(&self, query: &KeywordQuery) -> PortResult<Vec<Hit>> {
        let mut ranking = Ranking::of(&query.terms);
        self.rows(|rows| {
            let live = rows.versions.values().filter(|version| {
                version.tenant == query.tenant
                    && !version.deleted
                    && version.live_version == Some(version.id)
                    && (query.collections.is_empty() || query.collections.contains(&version.collection))
                    && query.documents.as_ref().is_none_or(|some| some.contains(&version.document))
            });
            for chunk in live.filter_map(|version| rows.chunks.get(&version.id)).flat_map(BTreeMap::values) {
                ranking.add(chunk.id, &chunk.headed());
            }
        });
        Ok(ranking.best(query.limit))
    }

    async fn word_frequencies(&self, tenant: &Tenant, words: &[String]) -> PortResult<Option<Vec<u64>>> {
        let having = |rows: &Rows, word: &String| {
            let of_tenant = rows.versions.values().filter(|version| version.tenant == *tenant);
            let chunks =
                of_tenant.filter_map(|version| rows.chunks.get(&version.id)).flat_map(BTreeMap::values);
            chunks.filter(|chunk| fts_terms(&chunk.headed()).contains(word)).count() as u64
        };
        Ok(Some(self.rows(|rows| words.iter().map(|word| having(rows, word)).collect())))
    }

    async fn search_revision(&self, _tenant: &Tenant) -> PortResult<u64> {
        Ok(self.rows(|rows| rows.revision))
    }

    async fn collection(&self, _tenant: &Tenant, _id: CollectionId) -> PortResult<Collection> {
        unreachable!("handlers read no collections")
    }

    async fn collection_named(&self, _tenant: &Tenant, _name: &str) -> PortResult<Option<CollectionId>> {
        unreachable!("handlers read no collections")
    }

    async fn collections(&self, _tenant: &Tenant, _page: PageRequest) -> PortResult<Page<Collection>> {
        unreachable!("handlers read no collections")
    }

    async fn document(&self, _tenant: &Tenant, _id: DocumentId) -> PortResult<Document> {
        unreachable!("handlers read versions")
    }

    async fn documents(
        &self,
        _tenant: &Tenant,
        _collection: Option<CollectionId>,
        _status: Option<DocumentStatus>,
        _page: PageRequest,
    ) -> PortResult<Page<Document>> {
        unreachable!("handlers read versions")
    }

    async fn document_with_hash(
        &self,
        _collection: CollectionId,
        _sha256: &str,
    ) -> PortResult<Option<DocumentId>> {
        unreachable!("handlers compare no hashes")
    }

    async fn chunks(&self, _: &Tenant, _: DocumentId, _: u32, _: u32) -> PortResult<Vec<Chunk>> {
        unreachable!("handlers read ranges")
    }
}

#[async_trait]
impl ModelStore for FakeStore {
    async fn embedding_models(&self) -> PortResult<EmbeddingModels> {
        Ok(self.rows(|rows| rows.models.clone()))
    }

    async fn answering_versions(
        &self,
        without: Option<&str>,
        after: Option<VersionId>,
        limit: u32,
    ) -> PortResult<Vec<VersionId>> {
        Ok(self.rows(|rows| {
            let has = |id: &VersionId, model: &str| rows.indexed.contains(&(*id, model.to_owned()));
            let lacks = |id: &VersionId| without.is_none_or(|model| !has(id, model));
            let live = rows.live().filter(|id| after.is_none_or(|after| *id > after));
            live.filter(lacks).take(limit as usize).collect()
        }))
    }

    async fn indexed_under(&self, model: &str) -> PortResult<(u64, u64)> {
        Ok(self.rows(|rows| {
            let has = |id: &VersionId| rows.indexed.contains(&(*id, model.to_owned()));
            (rows.live().filter(has).count() as u64, rows.live().count() as u64)
        }))
    }
}

#[async_trait]
impl EventStore for FakeStore {
    async fn events_after(&self, stream: StreamId, after: u64) -> PortResult<Vec<Event>> {
        Ok(self.rows(|rows| {
            let log = rows.events.get(&stream);
            // Small batches, so that readers have to ask again.
            log.map(|log| log.range(after + 1..).take(3).map(|(_, event)| event.clone()).collect())
                .unwrap_or_default()
        }))
    }

    async fn last_event(&self, stream: StreamId) -> PortResult<u64> {
        Ok(self.rows(|rows| {
            rows.events.get(&stream).and_then(|log| log.keys().next_back().copied()).unwrap_or(0)
        }))
    }
}

#[async_trait]
impl KeyStore for FakeStore {
    async fn api_key(&self, _: KeyId) -> PortResult<ApiKey> {
        unreachable!("handlers know no keys")
    }

    async fn api_keys(&self, _: Option<&Tenant>, _: PageRequest) -> PortResult<Page<ApiKey>> {
        unreachable!("handlers know no keys")
    }
}

#[async_trait]
impl UsageStore for FakeStore {
    async fn usage(&self, _: &Tenant, _: &UsageQuery) -> PortResult<Page<UsageSum>> {
        unreachable!("handlers read no usage")
    }
}

#[async_trait]
impl Store for FakeStore {
    async fn commit(&self, write: Write) -> PortResult<Committed> {
        for _ in 0..=self.rows(|rows| rows.slow) {
            tokio::task::yield_now().await; // a real one takes its time
        }
        self.write(write)
    }

    async fn upkeep(&self, _task: Upkeep) -> PortResult<u64> {
        Ok(self.rows(|rows| {
            let step = rows.upkeep_left.min(100);
            rows.upkeep_left -= step;
            step
        }))
    }

    async fn ping(&self) -> PortResult<()> {
        Ok(())
    }
}
