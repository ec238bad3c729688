//! Who asks.

use crate::{
    auth::Credential,
    problem::{Code, Problem},
};
use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use chat_core::{KeyId, Scope, Tenant};

/// Who asks, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whose data the caller sees.
    pub tenant: Tenant,
    /// What the caller may do.
    pub scope: Scope,
    /// By what the caller is known.
    pub credential: Credential,
}

impl Caller {
    /// The key by which the caller is known, if it is one.
    pub fn key(&self) -> Option<KeyId> {
        match self.credential {
            Credential::Key(id) => Some(id),
            Credential::None | Credential::Token(_) => None,
        }
    }

    /// The tenant whose jobs the caller sees; `None`: everybody's.
    pub fn job_tenant(&self) -> Option<&Tenant> {
        (self.scope < Scope::Operator).then_some(&self.tenant)
    }

    /// Refuses whoever may do less.
    pub fn needs(&self, scope: Scope) -> Result<(), Problem> {
        if self.scope >= scope {
            return Ok(());
        }
        let detail = format!("This needs a key with the scope {}.", scope.as_str());
        Err(Problem::new(StatusCode::FORBIDDEN, Code::Forbidden, detail))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::internal)
    }
}

/// A caller who runs the system.
pub struct Operator;

impl<S: Send + Sync> FromRequestParts<S> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Caller::from_request_parts(parts, state).await?.needs(Scope::Operator).map(|()| Self)
    }
}

/// A caller who gives keys away.
pub struct Admin;

impl<S: Send + Sync> FromRequestParts<S> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Caller::from_request_parts(parts, state).await?.needs(Scope::Admin).map(|()| Self)
    }
}
