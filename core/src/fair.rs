//! Start-time fair queueing (Goyal, Vin, Cheng: "Start-time Fair Queuing", SIGCOMM 1996): each job gets a virtual
//! start time, and a lane runs them in that order. A tenant that floods a lane runs ahead of the lane's clock and
//! waits; another tenant's single job starts at the clock.

use crate::{Lane, Tenant};
use std::collections::HashMap;

/// Tenants that are remembered before those the clock has passed are dropped.
const PRUNE_ABOVE: usize = 4_096;

/// The virtual clocks of lanes, and when each tenant's last job ends.
#[derive(Debug, Default)]
pub struct FairClock {
    lanes: HashMap<Lane, f64>,
    tenants: HashMap<(Lane, Tenant), f64>,
}

impl FairClock {
    /// The virtual start time of a new job of this cost.
    pub fn start(&mut self, lane: Lane, tenant: &Tenant, cost: f64) -> f64 {
        let clock = self.lanes.get(&lane).copied().unwrap_or(0.0);
        if self.tenants.len() > PRUNE_ABOVE {
            let lanes = &self.lanes;
            self.tenants.retain(|(lane, _), end| *end > lanes.get(lane).copied().unwrap_or(0.0));
        }
        if let Some(end) = self.tenants.get_mut(&(lane, tenant.clone())) {
            let start = end.max(clock);
            *end = start + cost.max(0.0);
            return start;
        }
        self.tenants.insert((lane, tenant.clone()), clock + cost.max(0.0));
        clock
    }

    /// A job that starts at `vtime` was handed out: the lane's clock does not go back.
    pub fn advance(&mut self, lane: Lane, vtime: f64) {
        let clock = self.lanes.entry(lane).or_insert(0.0);
        *clock = clock.max(vtime);
    }

    /// A lane's clock.
    pub fn clock(&self, lane: Lane) -> f64 {
        self.lanes.get(&lane).copied().unwrap_or(0.0)
    }

    /// Goes on from what the rows of an earlier process say.
    pub fn restore(&mut self, lane: Lane, tenant: Tenant, first: f64, end: f64) {
        let clock = self.lanes.entry(lane).or_insert(first);
        *clock = clock.min(first);
        self.tenants.insert((lane, tenant), end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_does_not_delay_a_single_job() {
        let mut clock = FairClock::default();
        let (flood, single) = (Tenant::from("flood"), Tenant::from("single"));
        let last = (0..100).map(|_| clock.start(Lane::Chat, &flood, 1.0)).fold(0.0, f64::max);
        clock.advance(Lane::Chat, 3.0);
        let start = clock.start(Lane::Chat, &single, 1.0);
        assert!(start < last && (start - 3.0).abs() < f64::EPSILON, "{start} of {last}");
    }

    #[test]
    fn costs_are_shared_evenly() {
        let mut clock = FairClock::default();
        let (cheap, dear) = (Tenant::from("cheap"), Tenant::from("dear"));
        let cheap: Vec<_> = (0..10).map(|_| clock.start(Lane::Embed, &cheap, 1.0)).collect();
        let dear: Vec<_> = (0..10).map(|_| clock.start(Lane::Embed, &dear, 5.0)).collect();
        assert_eq!(dear.iter().filter(|start| **start < 9.0).count(), 2);
        assert_eq!(cheap.iter().filter(|start| **start <= 9.0).count(), 10);
    }
}
