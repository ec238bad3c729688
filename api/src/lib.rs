//! The HTTP interface: records and enqueues. It does no work itself, and knows ports only.
//!
//! A request becomes a list of changes that commit together; what happens then is told by numbered events. Errors
//! become HTTP in `problem` and nowhere else.

mod answer;
mod auth;
mod blob_key;
mod body;
mod caller;
mod connections;
mod deadline;
mod docs;
mod feed;
mod fields;
mod hosts;
mod idempotency;
mod json;
mod limits;
mod metrics;
mod page;
mod parameters;
mod path;
mod problem;
mod query;
mod range;
mod request_id;
mod router;
mod routes;
mod security;
mod server;
mod sse;
mod state;
mod trace;
mod turn;
mod unique;
mod upload;
mod views;
mod ws;

pub use auth::{Credential, Identity, token::sign as sign_token};
pub use caller::Caller;
pub use feed::{Feed, Subject};
pub use metrics::install as install_metrics;
pub use problem::{Code, FieldError, Problem};
pub use router::{health, openapi, router};
pub use security::secure;
pub use server::{serve, serve_router};
pub use state::{ApiOptions, AppState, Published, Shared};
