//! How much callers may ask for: what is counted, over which time, and what follows from a count. No I/O: whoever keeps
//! counts, in this process or in another, does so by these rules.

use crate::KeyId;
use std::time::Duration;

/// Requests are counted over this time.
const MINUTE: Duration = Duration::from_mins(1);
/// Tokens are counted over this time.
const DAY: Duration = Duration::from_hours(24);

/// The limits that are configured; 0: none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Requests of one key within a minute.
    pub key_requests: u64,
    /// Requests of one tenant within a minute.
    pub tenant_requests: u64,
    /// Tokens of one key within a day.
    pub key_tokens: u64,
    /// Tokens of one tenant within a day.
    pub tenant_tokens: u64,
}

impl Limits {
    /// What limits the requests of a caller; who calls without a key is limited by the tenant alone.
    pub fn requests(&self, key: Option<KeyId>) -> Vec<Limit> {
        of(Measure::Requests, key, self.key_requests, self.tenant_requests)
    }

    /// What limits the tokens of a caller.
    pub fn tokens(&self, key: Option<KeyId>) -> Vec<Limit> {
        of(Measure::Tokens, key, self.key_tokens, self.tenant_tokens)
    }
}

fn of(measure: Measure, key: Option<KeyId>, of_key: u64, of_tenant: u64) -> Vec<Limit> {
    let key = key.map(|key| (Holder::Key(key), of_key));
    let all = key.into_iter().chain([(Holder::Tenant, of_tenant)]);
    let window = measure.window();
    all.filter(|(_, most)| *most > 0).map(|(holder, most)| Limit { measure, holder, most, window }).collect()
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Requests, in any minute.
    Requests,
    /// Tokens, on a day.
    Tokens,
}

impl Measure {
    /// Its name in counters and headers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
        }
    }

    fn window(self) -> Window {
        match self {
            Self::Requests => Window::Sliding(MINUTE),
            Self::Tokens => Window::Fixed(DAY),
        }
    }
}

/// Whose count it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    /// The tenant's.
    Tenant,
    /// One key's.
    Key(KeyId),
}

impl Holder {
    /// What sort of holder it is.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Key(_) => "key",
        }
    }
}

/// The time over which is counted. Windows begin at multiples of their length since 1970, UTC: everybody agrees on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Any stretch of this length, nearly: the window before counts for the part of it that still overlaps, as if its
    /// requests had come evenly. Two counts suffice for that, and no burst at the edge of two windows gets twice the
    /// limit.
    Sliding(Duration),
    /// From one beginning to the next: a day from midnight to midnight.
    Fixed(Duration),
}

impl Window {
    /// How long it is, in milliseconds, at least 1.
    pub fn length_ms(self) -> u64 {
        let (Self::Sliding(length) | Self::Fixed(length)) = self;
        (length.as_millis() as u64).max(1)
    }

    /// Whether the window before counts, too.
    pub fn slides(self) -> bool {
        matches!(self, Self::Sliding(_))
    }
}

/// A limit of one count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What is counted.
    pub measure: Measure,
    /// Whose count it is.
    pub holder: Holder,
    /// How much there may be.
    pub most: u64,
    /// Within which time.
    pub window: Window,
}

impl Limit {
    /// The name of its count among those of its tenant.
    pub fn counter(&self) -> String {
        match self.holder {
            Holder::Tenant => self.measure.as_str().to_owned(),
            Holder::Key(key) => format!("{}:{key}", self.measure.as_str()),
        }
    }
}

/// A count as it is kept: of the newest window that anything was counted in, and of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// The window's number since 1970.
    pub window: u64,
    /// What was counted in it.
    pub count: u64,
    /// What was counted in the window before.
    pub before: u64,
}

impl Tally {
    /// The count at a time, in milliseconds since 1970. A clock that was set back goes on in the newest window.
    #[must_use]
    pub fn at(self, window: Window, now: u64) -> Self {
        let number = now / window.length_ms();
        if number <= self.window {
            return self;
        }
        let before = if number == self.window + 1 { self.count } else { 0 };
        Self { window: number, count: 0, before }
    }

    /// How much of a limit is used; of a tally that was brought up [to the time](Self::at).
    pub fn used(self, window: Window, now: u64) -> u64 {
        let length = window.length_ms();
        let overlap = if window.slides() { length - now % length } else { 0 };
        self.count.saturating_add(part(self.before, overlap, length))
    }

    /// What that means for whoever asks.
    pub fn standing(self, limit: &Limit, now: u64) -> Standing {
        let used = self.used(limit.window, now);
        let length = limit.window.length_ms();
        let passed = now % length;
        let end = length - passed;
        let wait = if used < limit.most { 0 } else { self.wait(limit, passed, end) };
        let reset = Duration::from_millis(if wait > 0 { wait } else { end });
        Standing { limit: *limit, used, wait: Duration::from_millis(wait), reset }
    }

    /// How long until there is room for one more if nothing else comes, in milliseconds.
    fn wait(self, limit: &Limit, passed: u64, end: u64) -> u64 {
        let length = limit.window.length_ms();
        if !limit.window.slides() || limit.most == 0 {
            return end;
        }
        // From then on less than `room` of what a window counted overlaps.
        let until = |count: u64, room: u64| length - part(length, room, count.max(1)).min(length) + 1;
        match limit.most.checked_sub(self.count) {
            Some(room) if room > 0 => until(self.before, room).saturating_sub(passed).clamp(1, end),
            _ => end + until(self.count, limit.most).min(length),
        }
    }
}

/// `of` times `numerator / denominator`, rounded down.
fn part(of: u64, numerator: u64, denominator: u64) -> u64 {
    let whole = u128::from(of) * u128::from(numerator) / u128::from(denominator);
    u64::try_from(whole).unwrap_or(u64::MAX)
}

/// How far a limit is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The limit.
    pub limit: Limit,
    /// How much of it is used.
    pub used: u64,
    /// How long until there is room for one more if nothing else comes; zero if there is.
    pub wait: Duration,
    /// How long until the wait is over or, without one, until the window ends.
    pub reset: Duration,
}

impl Standing {
    /// How much is left.
    pub fn left(&self) -> u64 {
        self.limit.most.saturating_sub(self.used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: u64 = 60_000;
    /// Some window's beginning.
    const T0: u64 = 1_000 * LENGTH;

    fn limit(most: u64, slides: bool) -> Limit {
        let length = Duration::from_millis(LENGTH);
        let window = if slides { Window::Sliding(length) } else { Window::Fixed(length) };
        Limit { measure: Measure::Requests, holder: Holder::Tenant, most, window }
    }

    /// Counts one if there is room.
    fn take(tally: &mut Tally, limit: &Limit, now: u64) -> bool {
        *tally = tally.at(limit.window, now);
        let room = tally.used(limit.window, now) < limit.most;
        tally.count += u64::from(room);
        room
    }

    #[test]
    fn a_fixed_window_begins_anew() {
        let (limit, mut tally) = (limit(2, false), Tally::default());
        assert!(take(&mut tally, &limit, T0 + 59_000) && take(&mut tally, &limit, T0 + 59_000));
        assert!(!take(&mut tally, &limit, T0 + 59_400));
        let standing = tally.standing(&limit, T0 + 59_400);
        assert_eq!((standing.left(), standing.wait.as_millis(), standing.reset.as_millis()), (0, 600, 600));
        assert!(take(&mut tally, &limit, T0 + 60_000));
        assert_eq!(tally.standing(&limit, T0 + 61_000).reset.as_millis(), 59_000);
    }

    #[test]
    fn a_burst_at_the_edge_of_two_windows_does_not_get_twice_the_limit() {
        let (limit, mut tally) = (limit(10, true), Tally::default());
        let admitted = (0..40).filter(|n| take(&mut tally, &limit, T0 + 59_900 + n * 10)).count();
        assert!((10..=11).contains(&admitted), "{admitted}");
    }

    #[test]
    fn in_the_long_run_there_is_as_much_as_the_limit_says() {
        let (limit, mut tally) = (limit(60, true), Tally::default());
        let admitted = (0..6_000).filter(|n| take(&mut tally, &limit, T0 + n * 100)).count();
        assert!((580..=660).contains(&admitted), "{admitted} in ten minutes");
    }

    #[test]
    fn whoever_waits_as_told_is_admitted_and_not_much_sooner() {
        for most in [1, 2, 7, 60] {
            for late in [0, 1, 13_337, 59_999] {
                let (limit, mut tally) = (limit(most, true), Tally::default());
                let mut now = T0 + late;
                while take(&mut tally, &limit, now) {}
                for _ in 0..5 {
                    let wait = tally.standing(&limit, now).wait.as_millis() as u64;
                    assert!(wait > 0, "a refusal without a wait");
                    let sooner = tally.at(limit.window, now + wait - 1 - wait / 20);
                    assert!(
                        wait < 20 || sooner.used(limit.window, now + wait - 1 - wait / 20) >= most,
                        "{most} from {late}: {wait} ms are too long"
                    );
                    now += wait;
                    assert!(take(&mut tally, &limit, now), "{most} from {late}: {wait} ms are too short");
                    while take(&mut tally, &limit, now) {}
                }
            }
        }
    }

    #[test]
    fn a_clock_that_is_set_back_gives_nothing_away() {
        let (limit, mut tally) = (limit(1, false), Tally::default());
        assert!(take(&mut tally, &limit, T0));
        assert!(!take(&mut tally, &limit, T0 - 3 * LENGTH));
        assert!(take(&mut tally, &limit, T0 + LENGTH));
    }

    #[test]
    fn who_has_no_key_is_limited_by_the_tenant_alone() {
        let limits = Limits { key_requests: 5, tenant_requests: 9, key_tokens: 0, tenant_tokens: 100 };
        let key = KeyId::new();
        let most = |limits: Vec<Limit>| limits.iter().map(|limit| limit.most).collect::<Vec<_>>();
        assert_eq!(most(limits.requests(Some(key))), [5, 9]);
        assert_eq!(most(limits.requests(None)), [9]);
        assert_eq!(most(limits.tokens(Some(key))), [100]);
        assert!(Limits::default().requests(Some(key)).is_empty());
        let names: Vec<_> = limits.requests(Some(key)).iter().map(Limit::counter).collect();
        assert_eq!(names, [format!("requests:{key}"), "requests".to_owned()]);
    }
}
