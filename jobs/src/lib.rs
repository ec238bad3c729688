//! The work itself: one file per job kind, with its payload, policy (lane, retry, timeout) and handler together.
//! Nothing here knows HTTP, SQL, Redis or apalis: handlers use ports, and return what is to be written as values.

mod context;
mod documents;
mod done;
mod failure;
mod farewell;
mod kind;
mod kinds;
mod measure;
mod models;
mod options;
mod registry;
mod response_json;
pub mod retrieval;
mod schedules;
mod stream;

pub use context::*;
pub use documents::{tenant_segment, text_blob, upload_blob};
pub use done::*;
pub use failure::{document_failure, is_of_model, response_failure, response_failure_code};
pub use farewell::farewell;
pub use kind::*;
pub use kinds::*;
pub use models::{Chosen, choose_model};
pub use options::*;
pub use registry::*;
pub use response_json::*;
pub use retrieval::{Degraded, Findings, Found, SearchRequest, search};
pub use schedules::*;
pub use stream::{JUMP, QUEUED, ResponseStream, Rest, Start, Voice};
