//! Workspace-level tests and what they share.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)] // a test that cannot go on panics

pub mod chat;
pub mod contract;
pub mod deployment;
pub mod engines;
pub mod fake_openai;
pub mod history;
pub mod ledger;
pub mod process;
pub mod queries;
pub mod socket;
pub mod sse;
