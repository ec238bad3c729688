//! Usage of the `Store` port.

use chat_core::{
    Change, DAY_MS, JobId, KeyId, Page, SessionId, Tenant, Timestamp, Usage, UsageEntry, UsageGroup, UsageOf,
    UsageQuery, UsageSum, Write,
    ports::{Store, Upkeep},
};
use std::time::Duration;

/// Some midnight.
const MIDNIGHT: i64 = 20_000 * DAY_MS;

/// Runs every promise.
pub async fn exercise(store: &dyn Store) {
    entries_are_added_up(store).await;
    a_job_has_one_entry(store).await;
    old_entries_go(store).await;
}

fn entry(tenant: &Tenant, session: Option<SessionId>, model: &str, at: i64, tokens: u64) -> UsageEntry {
    UsageEntry {
        job: JobId::new(),
        tenant: tenant.clone(),
        key: session.map(|_| KeyId::new()),
        session,
        model: model.into(),
        usage: Usage {
            input_tokens: tokens,
            output_tokens: 2 * tokens,
            total_tokens: 3 * tokens,
            cost_usd: tokens.is_multiple_of(2).then_some(tokens as f64 / 8.0),
        },
        at: Timestamp(at),
    }
}

async fn record(store: &dyn Store, entries: impl IntoIterator<Item = UsageEntry>) {
    let changes = entries.into_iter().map(|entry| Change::RecordUsage(Box::new(entry))).collect();
    store.commit(Write::of(changes)).await.unwrap();
}

async fn sums(store: &dyn Store, tenant: &Tenant, group: UsageGroup, limit: u32) -> Page<UsageSum> {
    let (from, to) = (Timestamp(MIDNIGHT), Timestamp(MIDNIGHT + 2 * DAY_MS));
    store.usage(tenant, &UsageQuery { from, to, group, limit }).await.unwrap()
}

fn sum(of: UsageOf, requests: u64, input: u64, cost_usd: Option<f64>) -> UsageSum {
    let usage = Usage { input_tokens: input, output_tokens: 2 * input, total_tokens: 3 * input, cost_usd };
    UsageSum { of, requests, usage }
}

async fn entries_are_added_up(store: &dyn Store) {
    let (tenant, session) = (Tenant::from("用量"), SessionId::new());
    let day = |number: i64| UsageOf::Day(Timestamp(MIDNIGHT + number * DAY_MS));
    record(
        store,
        [
            entry(&tenant, Some(session), "模型", MIDNIGHT - 1, 1_000),
            entry(&tenant, Some(session), "模型", MIDNIGHT, 2),
            entry(&tenant, Some(session), "其他", MIDNIGHT + DAY_MS - 1, 4),
            entry(&tenant, None, "模型", MIDNIGHT + DAY_MS, 3),
            entry(&tenant, Some(session), "模型", MIDNIGHT + 2 * DAY_MS, 1_000),
            entry(&Tenant::from("旁人"), Some(session), "模型", MIDNIGHT, 1_000),
        ],
    )
    .await;
    let days = sums(store, &tenant, UsageGroup::Day, 10).await;
    assert_eq!(days.rows, [sum(day(0), 2, 6, Some(0.75)), sum(day(1), 1, 3, None)]);
    assert!(!days.has_more);
    let models = sums(store, &tenant, UsageGroup::Model, 10).await.rows;
    let model = |name: &str| UsageOf::Model(name.into());
    assert_eq!(models, [sum(model("模型"), 2, 5, Some(0.25)), sum(model("其他"), 1, 4, Some(0.5))]);
    let sessions = sums(store, &tenant, UsageGroup::Session, 10).await.rows;
    let of = UsageOf::Session;
    assert_eq!(sessions, [sum(of(Some(session)), 2, 6, Some(0.75)), sum(of(None), 1, 3, None)]);
    let first = sums(store, &tenant, UsageGroup::Model, 1).await;
    assert_eq!((first.rows.len(), first.has_more), (1, true));
    assert!(sums(store, &Tenant::from("无人"), UsageGroup::Day, 10).await.rows.is_empty());
}

async fn a_job_has_one_entry(store: &dyn Store) {
    let tenant = Tenant::from("一次");
    let once = entry(&tenant, None, "模型", MIDNIGHT, 2);
    record(store, [once.clone()]).await;
    record(store, [UsageEntry { usage: Usage { input_tokens: 9, ..once.usage }, ..once }]).await;
    let rows = sums(store, &tenant, UsageGroup::Day, 10).await.rows;
    assert_eq!((rows[0].requests, rows[0].usage.input_tokens), (1, 2));
}

async fn old_entries_go(store: &dyn Store) {
    let tenant = Tenant::from("旧账");
    let new = entry(&tenant, None, "模型", MIDNIGHT, 1);
    // What is old is told by the job's id, which has the time of its making.
    let made = Timestamp((new.job.0.as_u128() >> 80) as i64 - 10 * DAY_MS);
    let old = UsageEntry { job: JobId::begin_of(made), ..entry(&tenant, None, "模型", MIDNIGHT, 10) };
    record(store, [old, new]).await;
    let age = Duration::from_millis(9 * DAY_MS as u64);
    assert_eq!(store.upkeep(Upkeep::PurgeUsage(age)).await.unwrap(), 1);
    assert_eq!(store.upkeep(Upkeep::PurgeUsage(age)).await.unwrap(), 0);
    assert_eq!(sums(store, &tenant, UsageGroup::Day, 10).await.rows[0].usage.input_tokens, 1);
}
