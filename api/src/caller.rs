//! Who asks.

use crate::problem::Problem;
use axum::{extract::FromRequestParts, http::request::Parts};
use chat_core::{Scope, Tenant};

/// Who asks, and what they may do. Without a configured identity everybody is the operator of the default tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whose data the caller sees.
    pub tenant: Tenant,
    /// What the caller may do.
    pub scope: Scope,
}

impl Caller {
    /// The tenant whose jobs the caller sees; `None`: everybody's.
    pub fn job_tenant(&self) -> Option<&Tenant> {
        (self.scope < Scope::Operator).then_some(&self.tenant)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(_parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(Self { tenant: Tenant::default(), scope: Scope::Operator })
    }
}
