//! Where files are kept.

use chat_core::{Tenant, VersionId};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The bytes of a version as they were uploaded.
pub fn upload(tenant: &Tenant, version: VersionId) -> String {
    format!("uploads/{}/{}", segment(tenant), version.uuid().hyphenated())
}

/// The text that was read from a version; the work puts it there.
pub fn text(tenant: &Tenant, version: VersionId) -> String {
    format!("text/{}/{version}", segment(tenant))
}

/// Texts whose vectors are wanted.
pub fn input(tenant: &Tenant) -> String {
    format!("inputs/{}/{}", segment(tenant), Uuid::now_v7().hyphenated())
}

/// A tenant's name as a part of a key; one that is not fit for it goes in as its hash.
fn segment(tenant: &Tenant) -> String {
    let name = tenant.as_str();
    let fit =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if fit { name.to_owned() } else { hex::encode(&Sha256::digest(name)[..16]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fit_for_blobs_whatever_the_tenant() {
        let version = VersionId::new();
        assert_eq!(text(&Tenant::from("acme-1"), version), format!("text/acme-1/{version}"));
        let key = upload(&Tenant::from("../租户"), version);
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-/".contains(&byte)), "{key}");
        assert_ne!(segment(&Tenant::from("../租")), segment(&Tenant::from("../租户")));
    }
}
