//! Who may call the interface.

use crate::{KeyId, Tenant, Timestamp};
use serde::{Deserialize, Serialize};

/// What a caller may do; each includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The tenant's own things.
    User,
    /// Jobs of everybody.
    Operator,
    /// Keys.
    Admin,
}

impl Scope {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// A key with which a program calls the interface. Its secret is shown once and kept by nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id; part of the secret, so that a key is found without a search.
    pub id: KeyId,
    /// Whose data it opens.
    pub tenant: Tenant,
    /// What people call it.
    pub name: String,
    /// What it allows, lowest first.
    pub scopes: Vec<Scope>,
    /// The keyed hash of its secret, in hex.
    pub hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
    /// When somebody revoked it.
    pub revoked_at: Option<Timestamp>,
}
