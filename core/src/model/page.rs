//! Lists in pages.

use uuid::Uuid;

/// Which part of a list is wanted. Ids are time-ordered, so a page is a range of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// How many at most, 1 to 100.
    pub limit: u32,
    /// Only what comes after this id, in the order asked for.
    pub after: Option<Uuid>,
    /// Only what comes before this id, in the order asked for.
    pub before: Option<Uuid>,
    /// Oldest first.
    pub ascending: bool,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: 20, after: None, before: None, ascending: false }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the order asked for.
    pub rows: Vec<T>,
    /// Whether there are more in that direction.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// Makes a page of rows that were read with a limit of one more than wanted.
    pub fn of(mut rows: Vec<T>, limit: u32) -> Self {
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        Self { rows, has_more }
    }
}
