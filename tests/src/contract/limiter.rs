//! The `Limiter` port.

use chat_core::{
    Holder, JobId, KeyId, Limit, Measure, Tenant, Window,
    ports::{Limiter, Taken},
};
use futures::future::join_all;
use std::time::{Duration, Instant};

const LONG: Window = Window::Sliding(Duration::from_hours(1));

/// Runs every promise. What one of them counts the other one knows; they may be the same.
pub async fn exercise(one: &dyn Limiter, other: &dyn Limiter) {
    all_have_room_or_nothing_is_counted(one, other).await;
    tenants_are_counted_apart(one).await;
    no_more_are_admitted_at_once(one, other).await;
    whoever_waits_as_told_is_admitted(one, Window::Sliding(Duration::from_secs(1))).await;
    whoever_waits_as_told_is_admitted(one, Window::Fixed(Duration::from_secs(1))).await;
    a_job_is_counted_once(one, other).await;
}

fn tenant(name: &str) -> Tenant {
    Tenant::from(format!("{name} {}", KeyId::new()).as_str())
}

fn limit(holder: Holder, most: u64, window: Window) -> Limit {
    Limit { measure: Measure::Requests, holder, most, window }
}

fn used(taken: &Taken) -> Vec<u64> {
    taken.standings.iter().map(|standing| standing.used).collect()
}

async fn all_have_room_or_nothing_is_counted(one: &dyn Limiter, other: &dyn Limiter) {
    let (tenant, key) = (tenant("房东"), Holder::Key(KeyId::new()));
    let limits = [limit(key, 2, LONG), limit(Holder::Tenant, 5, LONG)];
    for n in 1..=2 {
        let taken = one.take(&tenant, &limits).await;
        assert!(taken.admitted);
        assert_eq!(used(&taken), [n, n]);
        assert!(taken.standings.iter().all(|standing| standing.reset <= Duration::from_hours(1)));
    }
    for _ in 0..3 {
        let refused = other.take(&tenant, &limits).await;
        assert!(!refused.admitted);
        assert_eq!(used(&refused), [2, 2], "a refusal was counted");
        assert!(refused.standings[0].wait > Duration::ZERO && refused.standings[1].wait == Duration::ZERO);
    }
    let elsewhere = [limit(Holder::Key(KeyId::new()), 2, LONG), limits[1]];
    assert_eq!(used(&other.take(&tenant, &elsewhere).await), [1, 3]);
    for looker in [one, other, one] {
        let looked = looker.look(&tenant, &limits).await;
        assert_eq!(looked.iter().map(|standing| standing.used).collect::<Vec<_>>(), [2, 3]);
    }
    assert!(one.take(&tenant, &[]).await.admitted, "no limit limits nothing");
}

async fn tenants_are_counted_apart(one: &dyn Limiter) {
    let limits = [limit(Holder::Tenant, 1, LONG)];
    for name in ["甲", "乙", "}", "{", "a:b"] {
        let tenant = tenant(name);
        assert!(one.take(&tenant, &limits).await.admitted, "{name} is counted as somebody else");
        assert!(!one.take(&tenant, &limits).await.admitted);
    }
}

async fn no_more_are_admitted_at_once(one: &dyn Limiter, other: &dyn Limiter) {
    let (tenant, limits) = (tenant("众"), [limit(Holder::Tenant, 20, LONG)]);
    let asking = (0..100).map(|n| if n % 2 == 0 { one } else { other }.take(&tenant, &limits));
    let admitted = join_all(asking).await.iter().filter(|taken| taken.admitted).count();
    assert_eq!(admitted, 20);
}

async fn whoever_waits_as_told_is_admitted(one: &dyn Limiter, window: Window) {
    let (tenant, limits) = (tenant("等"), [limit(Holder::Tenant, 5, window)]);
    for _ in 0..3 {
        let begun = Instant::now();
        let refused = loop {
            let taken = one.take(&tenant, &limits).await;
            if !taken.admitted {
                break taken.standings[0];
            }
            assert!(begun.elapsed() < Duration::from_secs(5), "nothing is ever refused");
        };
        assert!(refused.wait > Duration::ZERO && refused.wait <= Duration::from_secs(2), "{refused:?}");
        tokio::time::sleep(refused.wait).await;
        assert!(one.take(&tenant, &limits).await.admitted, "{window:?}: {refused:?}");
    }
}

async fn a_job_is_counted_once(one: &dyn Limiter, other: &dyn Limiter) {
    let (tenant, job) = (tenant("花"), JobId::new());
    let limits = [limit(Holder::Tenant, 100, Window::Fixed(Duration::from_hours(24)))];
    let before = one.look(&tenant, &limits).await[0];
    assert_eq!((before.used, before.left(), before.wait), (0, 100, Duration::ZERO));
    one.spend(&tenant, &limits, 70, job).await;
    other.spend(&tenant, &limits, 70, job).await;
    one.spend(&tenant, &limits, 70, job).await;
    assert_eq!(other.look(&tenant, &limits).await[0].left(), 30);
    other.spend(&tenant, &limits, 70, JobId::new()).await;
    let after = one.look(&tenant, &limits).await[0];
    assert_eq!((after.used, after.left()), (140, 0), "what was used counts, whatever the limit");
    assert!(after.wait > Duration::ZERO && after.wait <= Duration::from_hours(24), "{after:?}");
}
