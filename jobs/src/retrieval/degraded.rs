//! Searches that had to do with less than was asked for.

use chat_core::{
    ErrorKind, PortError, PortResult,
    ports::{Hit, IndexQuery, KeywordQuery, Ports},
};
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a search had to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Degraded {
    /// Words alone.
    Keyword,
}

impl Degraded {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
        }
    }
}

/// Why it had to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// The embedding model does not answer.
    Embedder,
    /// The index does not answer.
    Index,
}

impl Missing {
    fn as_str(self) -> &'static str {
        match self {
            Self::Embedder => "embedder",
            Self::Index => "index",
        }
    }

    /// Whether the searches of this process lack it since some time: what is said once need not be said of each.
    fn known(self) -> &'static AtomicBool {
        static EMBEDDER: AtomicBool = AtomicBool::new(false);
        static INDEX: AtomicBool = AtomicBool::new(false);
        match self {
            Self::Embedder => &EMBEDDER,
            Self::Index => &INDEX,
        }
    }

    /// Whether the last search did without it.
    pub(super) fn is_known(self) -> bool {
        self.known().load(Ordering::Relaxed)
    }

    /// Counts a search that does without it.
    pub(super) fn note(self, error: &PortError) {
        metrics::counter!("searches_degraded_total", "missing" => self.as_str()).increment(1);
        if !self.known().swap(true, Ordering::Relaxed) {
            tracing::warn!(
                missing = self.as_str(), error = %error, source = error.cause(),
                "searches use keywords alone until what they need answers again"
            );
        }
    }

    /// It answered.
    pub(super) fn is_back(self) {
        if self.is_known() && self.known().swap(false, Ordering::Relaxed) {
            tracing::info!(back = self.as_str(), "searches are complete again");
        }
    }
}

/// Whether another way is better than the error.
pub(super) fn is_away(error: &PortError) -> bool {
    matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Timeout)
}

/// Searches the rows by keywords.
pub(super) async fn in_rows(ports: &Ports, query: &IndexQuery) -> PortResult<Vec<Hit>> {
    let query = KeywordQuery {
        tenant: query.tenant.clone(),
        collections: query.collections.clone(),
        documents: query.documents.clone(),
        terms: query.terms.clone(),
        limit: query.limit,
    };
    ports.store.keyword_search(&query).await
}
