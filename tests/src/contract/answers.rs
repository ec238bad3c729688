//! Answers that are kept for requests with an `Idempotency-Key`.

use super::rows::write;
use chat_core::{Change, ErrorKind, KeptAnswer, ResponseId, Tenant, Timestamp, Write, ports::Store};
use futures::future::join_all;

/// A key has one answer for a day, and everyone who asks hears of their own.
pub(super) async fn exercise(store: &dyn Store) {
    let kept = KeptAnswer {
        tenant: Tenant::from("keeper"),
        key: "k".into(),
        request: "hash".into(),
        status: 202,
        body: "{}".into(),
        stream: Some(ResponseId::new()),
        location: Some("/x".into()),
        created_at: Timestamp(i64::from(u32::MAX) * 1_000),
    };
    assert_eq!(store.kept_answer(&kept.tenant, "k").await.unwrap(), None);
    write(store, vec![Change::KeepAnswer(Box::new(kept.clone()))]).await;
    assert_eq!(store.kept_answer(&kept.tenant, "k").await.unwrap(), Some(kept.clone()));
    assert_eq!(store.kept_answer(&Tenant::from("other"), "k").await.unwrap(), None);
    let again = store.commit(Write::of(vec![Change::KeepAnswer(Box::new(kept.clone()))])).await;
    assert_eq!(again.unwrap_err().kind, ErrorKind::Conflict);
    // One that is older than a day makes room.
    let old = KeptAnswer { key: "old".into(), created_at: Timestamp(1_000), ..kept.clone() };
    let new = KeptAnswer { status: 201, stream: None, location: None, key: "old".into(), ..kept };
    write(store, vec![Change::KeepAnswer(Box::new(old))]).await;
    write(store, vec![Change::KeepAnswer(Box::new(new.clone()))]).await;
    assert_eq!(store.kept_answer(&new.tenant, "old").await.unwrap(), Some(new.clone()));
    // Many ask at the same time: each hears of its own.
    let other = Tenant::from("other");
    let asked =
        [(&new.tenant, "old"), (&new.tenant, "k"), (&other, "k"), (&new.tenant, "none"), (&new.tenant, "k")];
    let found = join_all(asked.map(|(tenant, key)| store.kept_answer(tenant, key))).await;
    let keys = found.into_iter().map(|found| found.unwrap().map(|kept| kept.key));
    let expected = [Some("old"), Some("k"), None, None, Some("k")].map(|key| key.map(String::from));
    assert_eq!(keys.collect::<Vec<_>>(), expected);
}
