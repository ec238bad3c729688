//! Where files are kept.

use chat_core::{Tenant, VersionId};
use chat_jobs::tenant_segment;
use uuid::Uuid;

/// The bytes of a version as they were uploaded.
pub fn upload(tenant: &Tenant, version: VersionId) -> String {
    format!("uploads/{}/{}", tenant_segment(tenant), version.uuid().hyphenated())
}

/// Texts whose vectors are wanted.
pub fn input(tenant: &Tenant) -> String {
    format!("inputs/{}/{}", tenant_segment(tenant), Uuid::now_v7().hyphenated())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fit_for_blobs_whatever_the_tenant() {
        let version = VersionId::new();
        let plain = upload(&Tenant::from("acme-1"), version);
        assert_eq!(plain, format!("uploads/acme-1/{}", version.uuid().hyphenated()));
        let key = upload(&Tenant::from("../租户"), version);
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-/".contains(&byte)), "{key}");
        assert_ne!(key, upload(&Tenant::from("../租"), version), "two tenants share a folder");
    }
}
