//! Fair order over several processes. Each has a clock of its own and tells the others how far it is, about once a
//! second: a tenant's flood through one process does not run ahead of a single job through another for longer.

use crate::error::port_error;
use chat_core::{FairClock, Lane, PortResult, Tenant};
use sqlx::PgPool;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How old the other processes' word may be.
const TOLD_EVERY: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct SharedClock {
    clock: Mutex<FairClock>,
    told: Mutex<Option<Instant>>,
}

impl SharedClock {
    pub(crate) fn lock(&self) -> MutexGuard<'_, FairClock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The virtual start time of a new job.
    pub(crate) fn start(&self, lane: Lane, tenant: &Tenant, cost: f64) -> f64 {
        self.lock().start(lane, tenant, cost)
    }

    /// Tells and hears how far the lanes are, if that was not done just now.
    pub(crate) async fn agree(&self, pool: &PgPool) -> PortResult<()> {
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.is_some_and(|at| at.elapsed() < TOLD_EVERY) {
                return Ok(());
            }
            *told = Some(Instant::now());
        }
        let clocks = Lane::ALL.map(|lane| self.lock().clock(lane)).to_vec();
        // In one order, so that two processes never wait for each other.
        let rows = sqlx::query!(
            "INSERT INTO lane_clocks (lane, vtime) SELECT *
         FROM unnest($1::text[], $2::float8[]) ORDER BY 1
             ON CONFLICT (lane) DO UPDATE SET vtime = greatest(lane_clocks.vtime, excluded.vtime)
             RETURNING lane, vtime",
            &Lane::ALL.map(Lane::as_str)[..] as _,
            &clocks[..]
        )
        .fetch_all(pool)
        .await
        .map_err(port_error)?;
        let mut clock = self.lock();
        for row in rows {
            if let Some(lane) = Lane::parse(&row.lane) {
                clock.advance(lane, row.vtime);
            }
        }
        Ok(())
    }
}
