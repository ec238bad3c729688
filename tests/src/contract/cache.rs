//! The `Cache` port.

use chat_core::ports::Cache;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_mins(1);

/// Runs every promise. What one of them puts the other one finds; they may be the same.
pub async fn exercise(one: &dyn Cache, other: &dyn Cache) {
    assert_eq!(other.get("会话").await, None);
    one.put("会话", "一".into(), LONG).await;
    one.put("会话", "二".into(), LONG).await;
    assert_eq!(other.get("会话").await.as_deref(), Some("二"));
    one.forget("会话").await;
    assert_eq!(other.get("会话").await, None);
    one.forget("会话").await; // nothing to forget
    other.put("会话", "三".into(), LONG).await;
    assert_eq!(one.get("会话").await.as_deref(), Some("三"), "a key that was forgotten can be used again");
    names_are_told_apart(one, other).await;
    one.put("long", "stays".into(), LONG).await;
    one.put("short", "goes".into(), Duration::from_millis(50)).await;
    let deadline = Instant::now() + Duration::from_secs(5);
    while other.get("short").await.is_some() {
        assert!(Instant::now() < deadline, "an expired value is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(other.get("long").await.as_deref(), Some("stays"));
    let large = "大".repeat(500_000);
    one.put("large", large.as_str().into(), LONG).await;
    assert_eq!(other.get("large").await.as_deref(), Some(large.as_str()));
}

/// Tenants have any name: it is a part of keys.
async fn names_are_told_apart(one: &dyn Cache, other: &dyn Cache) {
    let names =
        ["a", "a ", "A", "{a}", "a:b", "a*", "a\n", "a\0", "甲", "user_sessions:a", &"长".repeat(300)];
    for name in names {
        one.put(name, name.into(), LONG).await;
    }
    for name in names {
        assert_eq!(other.get(name).await.as_deref(), Some(name));
    }
    one.forget("a").await;
    assert_eq!(other.get("a").await, None);
    assert_eq!(other.get("a*").await.as_deref(), Some("a*"), "a key is no pattern");
}
