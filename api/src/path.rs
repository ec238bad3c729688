//! Ids in paths and query strings: what is not one cannot be found.

use crate::problem::Problem;
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use chat_core::{BadId, ChunkId, CollectionId, DocumentId, JobId, KeyId, MessageId, ResponseId, SessionId};
use std::str::FromStr;
use uuid::Uuid;

/// An id of which is known in words what it names.
pub trait Named: FromStr<Err = BadId> + Copy {
    /// What it names.
    const NOUN: &'static str;
    /// The id without its prefix.
    fn raw(self) -> Uuid;
}

macro_rules! named {
    ($($id:ty = $noun:literal),* $(,)?) => {$(
        impl Named for $id {
            const NOUN: &'static str = $noun;
            fn raw(self) -> Uuid {
                self.uuid()
            }
        }
    )*};
}

named! {
    SessionId = "The session",
    MessageId = "The message",
    KeyId = "The key",
    ResponseId = "The response",
    CollectionId = "The collection",
    DocumentId = "The document",
    ChunkId = "The passage",
    JobId = "The job",
}

/// The id in the path.
#[derive(Debug, Clone, Copy)]
pub struct PathId<T>(pub T);

impl<S: Send + Sync, T: Named> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        let id = text.ok().and_then(|Path(text)| text.parse().ok());
        id.map(Self).ok_or_else(|| Problem::not_found(T::NOUN))
    }
}
