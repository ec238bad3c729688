//! Handlers with fakes of every port and a fixed clock.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods)] // tests await the tasks that they spawn

mod cancelling;
mod documents;
mod fakes;
mod kinds;
mod limits;
mod models;
mod reconcile;
mod removal;
mod restarts;
mod retrieval;
mod stream;
mod turns;
mod usage;
