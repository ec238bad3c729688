//! Processes that are killed, with a history checker. The seed is printed; `SEED=n` repeats a run.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod kill;
