//! Where files are kept.

use chat_core::Tenant;
use chat_jobs::tenant_segment;
use uuid::Uuid;

/// Texts whose vectors are wanted.
pub fn input(tenant: &Tenant) -> String {
    format!("inputs/{}/{}", tenant_segment(tenant), Uuid::now_v7().hyphenated())
}
