//! `GET /usage`.

use crate::app::App;
use chat_core::{Change, DAY_MS, JobId, SessionId, Tenant, Timestamp, Usage, UsageEntry, Write};
use serde_json::{Value, json};

/// 2026-03-01.
const MARCH: i64 = 20_513 * DAY_MS;

async fn used(app: &App, tenant: &str, session: Option<SessionId>, model: &str, at: i64, tokens: u64) {
    let cost = model.starts_with("dear").then_some(0.25);
    let usage = Usage { input_tokens: tokens, output_tokens: 1, total_tokens: tokens + 1, cost_usd: cost };
    let entry = UsageEntry {
        job: JobId::new(),
        tenant: Tenant::from(tenant),
        key: None,
        session,
        model: model.into(),
        usage,
        at: Timestamp(at),
    };
    app.state.ports.store.commit(Write::of(vec![Change::RecordUsage(Box::new(entry))])).await.unwrap();
}

async fn sums(app: &App, query: &str) -> Vec<Value> {
    let list = app.get(&format!("/api/v1/usage?{query}")).await.is(200).json();
    assert_eq!((&list["object"], &list["has_more"]), (&json!("list"), &json!(false)));
    list["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn usage_is_added_up_by_day_model_and_conversation() {
    let app = App::start().await;
    let (one, other) = (SessionId::new(), SessionId::new());
    used(&app, "default", Some(one), "dear", MARCH, 10).await;
    used(&app, "default", Some(one), "cheap", MARCH + 1_000, 20).await;
    used(&app, "default", Some(other), "dear", MARCH + DAY_MS, 40).await;
    used(&app, "default", None, "embedder", MARCH + 2 * DAY_MS, 5).await;
    used(&app, "另一家", Some(one), "dear", MARCH, 1_000).await;

    let days = sums(&app, "from=2026-03-01&to=2026-03-02").await;
    assert_eq!(
        days,
        [
            json!({"object": "usage", "day": "2026-03-01", "requests": 2, "input_tokens": 30, "output_tokens": 2,
                   "total_tokens": 32, "cost_usd": 0.25}),
            json!({"object": "usage", "day": "2026-03-02", "requests": 1, "input_tokens": 40, "output_tokens": 1,
                   "total_tokens": 41, "cost_usd": 0.25}),
        ]
    );
    let models = sums(&app, "from=2026-03-01&to=2026-03-31&group_by=model").await;
    let names: Vec<_> =
        models.iter().map(|sum| (sum["model"].clone(), sum["total_tokens"].clone())).collect();
    let wanted = [("dear", 52), ("cheap", 21), ("embedder", 6)].map(|(name, sum)| (json!(name), json!(sum)));
    assert_eq!(names, wanted);
    assert!(models[1].get("cost_usd").is_none());
    let sessions = sums(&app, "from=2026-03-01T00:00:00Z&to=2026-03-04&group_by=session").await;
    let ids: Vec<_> = sessions.iter().map(|sum| sum.get("session_id").cloned()).collect();
    assert_eq!(ids, [Some(json!(other)), Some(json!(one)), None]);
    let half = sums(&app, "from=2026-03-01T00:00:00.500Z&to=2026-03-01").await;
    assert_eq!(half[0]["input_tokens"], 20);
}

#[tokio::test]
async fn there_are_no_more_groups_than_asked_for() {
    let app = App::start().await;
    let now = app.state.ports.clock.now().0;
    for model in ["一", "二", "三"] {
        used(&app, "default", None, model, now - 1_000, 1).await;
    }
    let list = app.get("/api/v1/usage?group_by=model&limit=2").await.is(200).json();
    assert_eq!((list["data"].as_array().unwrap().len(), &list["has_more"]), (2, &json!(true)));
    assert!(sums(&app, "to=2020-01-01").await.is_empty());
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let app = App::start().await;
    let bad =
        async |query: &str| app.get(&format!("/api/v1/usage?{query}")).await.problem(422, "invalid_request");
    assert_eq!(bad("from=yesterday").await, ["from"]);
    assert_eq!(bad("to=2026-02-30").await, ["to"]);
    assert_eq!(bad("group_by=week&limit=0&page=2").await, ["group_by", "limit", "page"]);
    assert_eq!(bad("from=2026-03-02&to=2026-03-01").await, ["from"]);
    assert_eq!(bad("from=2020-01-01&to=2026-03-01").await, ["from"]);
}
