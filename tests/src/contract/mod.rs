//! One suite per port: every adapter passes it.

pub mod jobs;
pub mod replicas;
pub mod rows;
