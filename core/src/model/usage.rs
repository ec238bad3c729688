//! What models took for whom.

use crate::{JobId, KeyId, SessionId, Tenant, Timestamp, Usage};

/// Tokens that models took for a tenant: one entry for each job that used any. It stays when what was said is deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageEntry {
    /// The job that took them; a job has one entry.
    pub job: JobId,
    /// Who it was for.
    pub tenant: Tenant,
    /// The key that asked for it, if it was one.
    pub key: Option<KeyId>,
    /// The conversation, if it was a turn.
    pub session: Option<SessionId>,
    /// The model.
    pub model: String,
    /// How much.
    pub usage: Usage,
    /// When.
    pub at: Timestamp,
}

/// By what usage is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageGroup {
    /// By day (UTC), oldest first.
    Day,
    /// By model, most tokens first.
    Model,
    /// By conversation, most tokens first.
    Session,
}

impl UsageGroup {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Day, Self::Model, Self::Session];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Model => "model",
            Self::Session => "session",
        }
    }

    /// Reads its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == name)
    }
}

/// Whose usage is wanted, of what time, and how it is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageQuery {
    /// The beginning.
    pub from: Timestamp,
    /// The end; what happened just then is not in it.
    pub to: Timestamp,
    /// By what it is added up.
    pub group: UsageGroup,
    /// How many groups at most.
    pub limit: u32,
}

/// What a sum is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsageOf {
    /// A day, by its beginning.
    Day(Timestamp),
    /// A model.
    Model(String),
    /// A conversation; none: what belongs to no conversation, such as documents.
    Session(Option<SessionId>),
}

/// The sum of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageSum {
    /// What it is of.
    pub of: UsageOf,
    /// How many jobs took tokens.
    pub requests: u64,
    /// Tokens and their price; the price of those that have one.
    pub usage: Usage,
}

/// A day, in milliseconds.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
