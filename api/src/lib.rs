//! The HTTP interface: records and enqueues
