//! Rows through the cache: what is read is what is there, whoever changed it, however late somebody keeps a copy.

use super::rows::{chunks, library, message, session, version, write};
use async_trait::async_trait;
use chat_core::{
    Change, DocumentId, ErrorKind, PageRequest, Role, Session, SessionId, Tenant, VersionId,
    memo::Memo,
    ports::{Cache, Store},
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// A process: its store and its cache.
type Side<'a> = (&'a dyn Store, &'a dyn Cache);

/// How often something changes while others read it.
const CHANGES: u32 = 40;

/// Runs every promise on two processes that share rows and cache; they may be the same.
pub async fn exercise(one: Side<'_>, other: Side<'_>) {
    a_copy_is_used_until_the_session_changes(one, other).await;
    a_list_is_used_until_a_session_changes(one, other).await;
    passages_are_used_until_another_version_answers(one, other).await;
    many_passages_are_not_kept(one).await;
    what_is_kept_late_is_not_believed(one, other).await;
    what_another_form_of_the_program_kept_is_not_read(one).await;
    readers_never_see_what_was_before(one, other).await;
    readers_never_see_half_a_version(one, other).await;
}

fn memo(side: Side<'_>) -> Memo<'_> {
    Memo::new(side.0, side.1)
}

/// Changes a value behind everybody's back: who answers with it has used the copy.
async fn mark(cache: &dyn Cache, key: &str, from: &str, to: &str) {
    let value = cache.get(key).await.unwrap_or_else(|| panic!("nothing is kept under {key}"));
    assert!(value.contains(from), "{key}: {value}");
    cache.put(key, value.replace(from, to).into(), Duration::from_mins(1)).await;
}

async fn begin(store: &dyn Store, tenant: &Tenant) -> Session {
    let session = session(tenant);
    write(store, vec![Change::InsertSession(Box::new(session.clone()))]).await;
    session
}

fn retitle(tenant: &Tenant, id: SessionId, title: &str) -> Change {
    Change::UpdateSession {
        tenant: tenant.clone(),
        id,
        title: Some(Some(title.to_owned())),
        collections: None,
        instructions: None,
        metadata: None,
    }
}

async fn title(side: Side<'_>, tenant: &Tenant, id: SessionId) -> String {
    memo(side).session(tenant, id).await.unwrap().title.unwrap()
}

async fn titles(side: Side<'_>, tenant: &Tenant) -> Vec<String> {
    let page = memo(side).sessions(tenant, PageRequest::default()).await.unwrap();
    page.rows.into_iter().map(|session| session.title.unwrap()).collect()
}

async fn a_copy_is_used_until_the_session_changes(one: Side<'_>, other: Side<'_>) {
    let tenant = Tenant::from("看官");
    let session = begin(one.0, &tenant).await;
    let key = format!("session:{}", session.id);
    assert_eq!(memo(one).session(&tenant, session.id).await.unwrap(), session);
    mark(one.1, &key, "标题", "抄本").await;
    assert_eq!(title(other, &tenant, session.id).await, "抄本", "the copy was not used");
    // A message changes when the session changed last, and leaves the rest as it was.
    let before = memo(other).session(&tenant, session.id).await.unwrap().updated_at;
    write(other.0, vec![Change::InsertMessage(Box::new(message(&session, Role::User, "问", None)))]).await;
    let read = memo(one).session(&tenant, session.id).await.unwrap();
    assert!(read.updated_at > before && read.title.as_deref() == Some("抄本"), "{read:?}");

    write(other.0, vec![retitle(&tenant, session.id, "新题")]).await;
    assert_eq!(title(one, &tenant, session.id).await, "新题");
    mark(one.1, &key, "新题", "抄本").await;
    // The same words again are another revision.
    write(one.0, vec![retitle(&tenant, session.id, "新题")]).await;
    assert_eq!(title(other, &tenant, session.id).await, "新题");

    let stranger = memo(one).session(&Tenant::from("stranger"), session.id).await;
    assert_eq!(stranger.unwrap_err().kind, ErrorKind::NotFound);
    write(other.0, vec![Change::DeleteSession(tenant.clone(), session.id, Vec::new())]).await;
    assert!(one.1.get(&key).await.is_some(), "this would prove nothing");
    assert_eq!(memo(one).session(&tenant, session.id).await.unwrap_err().kind, ErrorKind::NotFound);
    memo(one).forget_session(&tenant, session.id).await;
    assert!(other.1.get(&key).await.is_none(), "what was said to a deleted session stays");
}

async fn a_list_is_used_until_a_session_changes(one: Side<'_>, other: Side<'_>) {
    let tenant = Tenant::from("list: {of} 会话");
    let key = format!("user_sessions:{tenant}");
    assert!(titles(one, &tenant).await.is_empty());
    let (first, second) = (begin(one.0, &tenant).await, begin(one.0, &tenant).await);
    write(one.0, vec![retitle(&tenant, first.id, "一")]).await;
    write(one.0, vec![retitle(&tenant, second.id, "二")]).await;
    assert_eq!(titles(one, &tenant).await, ["二", "一"]);
    mark(one.1, &key, "二", "抄本").await;
    assert_eq!(titles(other, &tenant).await, ["抄本", "一"], "the copy was not used");
    let short = PageRequest { limit: 1, ..PageRequest::default() };
    let page = memo(other).sessions(&tenant, short).await.unwrap();
    assert!(page.has_more && page.rows.len() == 1, "a shorter page comes from the same copy");
    let next = PageRequest { after: Some(second.id.uuid()), ..short };
    assert_eq!(memo(one).sessions(&tenant, next).await.unwrap().rows[0].id, first.id);
    assert!(titles(one, &Tenant::from("stranger")).await.is_empty());

    write(other.0, vec![retitle(&tenant, first.id, "壹")]).await;
    assert_eq!(titles(one, &tenant).await, ["二", "壹"]);
    let third = begin(other.0, &tenant).await;
    assert_eq!(titles(one, &tenant).await, ["标题", "二", "壹"]);
    write(other.0, vec![Change::DeleteSession(tenant.clone(), second.id, Vec::new())]).await;
    assert_eq!(titles(one, &tenant).await, ["标题", "壹"]);
    write(one.0, vec![Change::DeleteSession(tenant.clone(), third.id, Vec::new())]).await;
    write(one.0, vec![Change::DeleteSession(tenant.clone(), first.id, Vec::new())]).await;
    assert!(titles(other, &tenant).await.is_empty());
}

async fn texts(side: Side<'_>, tenant: &Tenant, document: DocumentId) -> Vec<String> {
    let chunks = memo(side).chunks(tenant, document).await.unwrap().expect("they are few");
    chunks.into_iter().map(|chunk| chunk.text).collect()
}

async fn passages_are_used_until_another_version_answers(one: Side<'_>, other: Side<'_>) {
    let (library, first) = library(one.0, "librarian", json!({})).await;
    let (tenant, id) = (&library.tenant, library.document);
    let key = format!("chunks:{id}");
    write(one.0, vec![Change::InsertChunks { version: first.id, chunks: chunks(first.id, 2) }]).await;
    assert!(texts(one, tenant, id).await.is_empty(), "no version answers yet");
    write(one.0, vec![Change::FlipVersion(first.id)]).await;
    assert_eq!(memo(one).chunks(tenant, id).await.unwrap(), Some(chunks(first.id, 2)));
    mark(one.1, &key, "第 1 段", "抄本").await;
    assert_eq!(texts(other, tenant, id).await, ["第 0 段", "抄本"], "the copy was not used");

    let second = version(&library, "second");
    let staged = vec![
        Change::InsertVersion(Box::new(second.clone())),
        Change::InsertChunks { version: second.id, chunks: chunks(second.id, 3) },
    ];
    write(other.0, staged).await;
    assert_eq!(texts(one, tenant, id).await.len(), 2, "the old version answers meanwhile");
    write(other.0, vec![Change::FlipVersion(second.id), Change::RemoveVersion(first.id)]).await;
    assert_eq!(texts(one, tenant, id).await, ["第 0 段", "第 1 段", "第 2 段"]);

    let stranger = memo(one).chunks(&Tenant::from("stranger"), id).await;
    assert_eq!(stranger.unwrap_err().kind, ErrorKind::NotFound);
    write(other.0, vec![Change::HideDocument(tenant.clone(), id)]).await;
    assert!(one.1.get(&key).await.is_some(), "this would prove nothing");
    assert_eq!(memo(one).chunks(tenant, id).await.unwrap_err().kind, ErrorKind::NotFound);
    memo(one).forget_chunks(id).await;
    assert!(other.1.get(&key).await.is_none(), "the text of a deleted document stays");
}

async fn many_passages_are_not_kept(one: Side<'_>) {
    let (library, first) = library(one.0, "hoarder", json!({})).await;
    let many = chunks(first.id, 101);
    let insert = Change::InsertChunks { version: first.id, chunks: many };
    write(one.0, vec![insert, Change::FlipVersion(first.id)]).await;
    for _ in 0..2 {
        assert_eq!(memo(one).chunks(&library.tenant, library.document).await.unwrap(), None);
    }
    let kept = one.1.get(&format!("chunks:{}", library.document)).await.unwrap();
    assert!(kept.len() < 200, "{kept}");
}

/// A cache that keeps a value only when it is told to: somebody reads, and is slow to keep what was read.
struct Slow<'a> {
    cache: &'a dyn Cache,
    reached: Notify,
    go: Notify,
}

#[async_trait]
impl Cache for Slow<'_> {
    async fn get(&self, key: &str) -> Option<Arc<str>> {
        self.cache.get(key).await
    }

    async fn put(&self, key: &str, value: Arc<str>, ttl: Duration) {
        self.reached.notify_one();
        self.go.notified().await;
        self.cache.put(key, value, ttl).await;
    }

    async fn forget(&self, key: &str) {
        self.cache.forget(key).await;
    }
}

/// The reader begins before the change and keeps what it read after it, and after others have read the new.
async fn what_is_kept_late_is_not_believed(one: Side<'_>, other: Side<'_>) {
    let tenant = Tenant::from("slow");
    let session = begin(one.0, &tenant).await;
    let slow = Slow { cache: one.1, reached: Notify::new(), go: Notify::new() };
    let late: Side<'_> = (one.0, &slow);
    let change = async |title: &str| {
        slow.reached.notified().await;
        write(other.0, vec![retitle(&tenant, session.id, title)]).await;
        memo(other).forget_session(&tenant, session.id).await;
        slow.go.notify_one();
    };
    let (read, ()) = tokio::join!(title(late, &tenant, session.id), change("后来"));
    assert_eq!(read, "标题", "it began before the change");
    assert!(one.1.get(&format!("session:{}", session.id)).await.unwrap().contains("标题"));
    assert_eq!(title(one, &tenant, session.id).await, "后来", "a copy that was kept late was believed");
    let (read, ()) = tokio::join!(titles(late, &tenant), change("更后来"));
    assert_eq!(read, ["后来"]);
    assert_eq!(titles(other, &tenant).await, ["更后来"], "a list that was kept late was believed");

    let (library, first) = library(one.0, "slow", json!({})).await;
    let insert = Change::InsertChunks { version: first.id, chunks: chunks(first.id, 1) };
    write(one.0, vec![insert, Change::FlipVersion(first.id)]).await;
    let hide = async {
        slow.reached.notified().await;
        write(other.0, vec![Change::HideDocument(tenant.clone(), library.document)]).await;
        memo(other).forget_chunks(library.document).await;
        slow.go.notify_one();
    };
    let (read, ()) = tokio::join!(texts(late, &tenant, library.document), hide);
    assert_eq!(read.len(), 1);
    let gone = memo(one).chunks(&tenant, library.document).await;
    assert_eq!(gone.unwrap_err().kind, ErrorKind::NotFound, "passages of a deleted document were answered");
}

async fn what_another_form_of_the_program_kept_is_not_read(one: Side<'_>) {
    let tenant = Tenant::from("upgrader");
    let session = begin(one.0, &tenant).await;
    let key = format!("session:{}", session.id);
    assert_eq!(title(one, &tenant, session.id).await, "标题");
    mark(one.1, &key, "[1,", "[0,").await;
    mark(one.1, &key, "标题", "旧").await;
    assert_eq!(title(one, &tenant, session.id).await, "标题");
    one.1.put(&key, "not JSON".into(), Duration::from_mins(1)).await;
    assert_eq!(title(one, &tenant, session.id).await, "标题");
}

/// Whoever reads after a change was committed sees it, or a later one.
async fn readers_never_see_what_was_before(one: Side<'_>, other: Side<'_>) {
    let tenant = Tenant::from("reader");
    let session = begin(one.0, &tenant).await;
    write(one.0, vec![retitle(&tenant, session.id, "0")]).await;
    let committed = AtomicU32::new(0);
    let change = async {
        for number in 1..=CHANGES {
            write(one.0, vec![retitle(&tenant, session.id, &number.to_string())]).await;
            committed.store(number, Ordering::SeqCst);
        }
    };
    let read = async |side: Side<'_>| {
        let mut before = 0;
        while before < CHANGES {
            before = committed.load(Ordering::SeqCst);
            let number: u32 = title(side, &tenant, session.id).await.parse().unwrap();
            assert!(number >= before, "{number} was read after {before} was committed");
            before = committed.load(Ordering::SeqCst);
            let number: u32 = titles(side, &tenant).await[0].parse().unwrap();
            assert!(number >= before, "{number} was listed after {before} was committed");
        }
    };
    tokio::join!(change, read(one), read(other), read(one), read(other));
}

/// Versions come and go while passages are read: all of one version, and of one that answers.
async fn readers_never_see_half_a_version(one: Side<'_>, other: Side<'_>) {
    let (library, first) = library(one.0, "flipper", json!({})).await;
    let flip = async |version: VersionId, count: u32| {
        let insert = Change::InsertChunks { version, chunks: chunks(version, count) };
        write(one.0, vec![insert, Change::FlipVersion(version)]).await;
    };
    flip(first.id, 1).await;
    let committed = AtomicU32::new(1);
    let change = async {
        let mut live = first.id;
        for number in 2..=CHANGES {
            let next = version(&library, &number.to_string());
            write(one.0, vec![Change::InsertVersion(Box::new(next.clone()))]).await;
            flip(next.id, number).await;
            committed.store(number, Ordering::SeqCst);
            write(one.0, vec![Change::RemoveVersion(live)]).await;
            live = next.id;
        }
    };
    let read = async |side: Side<'_>| {
        let mut before = 0;
        while before < CHANGES {
            before = committed.load(Ordering::SeqCst);
            let Some(found) = memo(side).chunks(&library.tenant, library.document).await.unwrap() else {
                continue; // replaced again and again while it was read
            };
            assert!(found.len() as u32 >= before, "version {} after {before}", found.len());
            let ordinals: Vec<_> = found.iter().map(|chunk| chunk.ordinal).collect();
            assert_eq!(ordinals, (0..found.len() as u32).collect::<Vec<_>>());
        }
    };
    tokio::join!(change, read(one), read(other), read(other));
}
