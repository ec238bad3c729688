//! Which passages a search may find.

use super::passages::Row;
use chat_core::{CollectionId, DocumentId, ports::IndexQuery};
use std::collections::HashSet;

/// A query's filters, quick to ask.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// Empty: any.
    collections: HashSet<CollectionId>,
    documents: Option<HashSet<DocumentId>>,
}

impl Filter {
    pub(super) fn of(query: &IndexQuery) -> Self {
        Self {
            collections: query.collections.iter().copied().collect(),
            documents: query.documents.as_ref().map(|some| some.iter().copied().collect()),
        }
    }

    pub(super) fn admits(&self, row: &Row) -> bool {
        (self.collections.is_empty() || self.collections.contains(&row.collection))
            && self.documents.as_ref().is_none_or(|some| some.contains(&row.document))
    }
}
