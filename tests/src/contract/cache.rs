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
