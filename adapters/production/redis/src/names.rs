//! Keys and channels. What one script touches has one hash tag, so that it is on one node of a cluster.

use chat_core::{JobId, Lane, StreamId, Tenant};
use uuid::Uuid;

/// The lists of a lane, from the most to the least urgent.
pub(crate) const URGENCIES: usize = 4;

/// The longest tenant's name that stands in a key as it is, in bytes.
const LONGEST_NAME: usize = 64;

pub(crate) struct Names {
    prefix: String,
}

/// What a channel is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Stream(StreamId),
    Control,
    Lanes,
}

impl Names {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// The events of a stream.
    pub(crate) fn events(&self, stream: StreamId) -> String {
        format!("{}:{{{}}}:events", self.prefix, stream.0)
    }

    /// Who may write a stream.
    pub(crate) fn fence(&self, stream: StreamId) -> String {
        format!("{}:{{{}}}:fence", self.prefix, stream.0)
    }

    /// Where a stream's events are announced.
    pub(crate) fn stream(&self, stream: StreamId) -> String {
        format!("{}:stream:{}", self.prefix, stream.0)
    }

    /// Where workers are told things.
    pub(crate) fn control(&self) -> String {
        format!("{}:control", self.prefix)
    }

    /// Where relays are told things.
    pub(crate) fn lanes(&self) -> String {
        format!("{}:lanes", self.prefix)
    }

    /// The ids that wait in a lane, by urgency.
    pub(crate) fn waiting(&self, lane: Lane, urgency: usize) -> String {
        format!("{}:{{lanes}}:{}:{urgency}", self.prefix, lane.as_str())
    }

    /// The queue of the crate `apalis-redis` for ids of a lane, by urgency: what its keys begin with.
    pub(crate) fn queue(&self, lane: Lane, urgency: usize) -> String {
        format!("{}:{{lanes}}:apalis:{}:{urgency}", self.prefix, lane.as_str())
    }

    /// Counts the announcements of a lane's backlog.
    pub(crate) fn backlog(&self, lane: Lane) -> String {
        format!("{}:{{lanes}}:{}:backlog", self.prefix, lane.as_str())
    }

    /// How many ids each process takes at once.
    pub(crate) fn slots(&self) -> String {
        format!("{}:{{lanes}}:slots", self.prefix)
    }

    /// A cached value.
    pub(crate) fn cached(&self, key: &str) -> String {
        format!("{}:{key}", self.prefix)
    }

    /// A count of a tenant. All of a tenant's have one hash tag, no two tenants' the same.
    pub(crate) fn counter(&self, tenant: &Tenant, counter: &str) -> String {
        format!("{}:{{limits:{}}}:{counter}", self.prefix, short(tenant))
    }

    /// That the tokens of a job were counted.
    pub(crate) fn spent(&self, tenant: &Tenant, job: JobId) -> String {
        format!("{}:{{limits:{}}}:spent:{}", self.prefix, short(tenant), job.0)
    }

    /// What a channel's name says.
    pub(crate) fn channel(&self, name: &str) -> Option<Channel> {
        match name.strip_prefix(&self.prefix)?.strip_prefix(':')? {
            "control" => Some(Channel::Control),
            "lanes" => Some(Channel::Lanes),
            rest => {
                Uuid::parse_str(rest.strip_prefix("stream:")?).ok().map(|id| Channel::Stream(StreamId(id)))
            }
        }
    }
}

/// A tenant's name if it is short and plain, so that operators recognize it, and else a hash.
fn short(tenant: &Tenant) -> String {
    let name = tenant.as_str();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
    if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(plain) {
        return name.to_owned();
    }
    format!("#{}", Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).simple())
}

/// Which list a priority belongs to. SQL keeps the exact order; lanes are shallow.
pub(crate) fn urgency(priority: i16) -> usize {
    match priority {
        100.. => 0,
        1..100 => 1,
        0 => 2,
        _ => 3,
    }
}

/// A priority of that list.
pub(crate) fn priority(urgency: usize) -> i16 {
    match urgency {
        0 => 100,
        1 => 1,
        2 => 0,
        _ => -1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_says_what_it_is_about() {
        let (names, id) = (Names::new("a:b"), StreamId(Uuid::from_u128(7)));
        assert_eq!(names.channel(&names.stream(id)), Some(Channel::Stream(id)));
        assert_eq!(names.channel(&names.control()), Some(Channel::Control));
        assert_eq!(names.channel(&names.lanes()), Some(Channel::Lanes));
        assert_eq!(names.channel("other:control"), None);
        assert_eq!(names.channel("a:b:stream:x"), None);
    }

    #[test]
    fn the_counters_of_a_tenant_have_one_hash_tag() {
        let names = Names::new("a:b");
        let tag = |key: &str| key.split_once('{').unwrap().1.split_once('}').unwrap().0.to_owned();
        for name in ["house", "租户", "}", "", "a}:requests", "a", &"x".repeat(5_000)] {
            let tenant = Tenant::from(name);
            let (counter, spent) = (names.counter(&tenant, "requests"), names.spent(&tenant, JobId::new()));
            assert_eq!(tag(&counter), tag(&spent));
            assert!(counter.starts_with("a:b:") && counter.ends_with(":requests") && counter.len() < 200);
        }
        assert_eq!(names.counter(&Tenant::from("house"), "tokens"), "a:b:{limits:house}:tokens");
        assert_ne!(names.counter(&Tenant::from("租户"), "x"), names.counter(&Tenant::from("房客"), "x"));
    }

    #[test]
    fn higher_priorities_are_more_urgent() {
        let order: Vec<_> = [1_000, 5, 0, -3].map(urgency).into();
        assert_eq!(order, [0, 1, 2, 3]);
        assert!(order.iter().all(|urgency| *urgency < URGENCIES));
        assert!((0..URGENCIES).all(|list| urgency(priority(list)) == list));
    }
}
