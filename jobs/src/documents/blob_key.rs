//! Where the files of documents are kept.

use chat_core::{Tenant, VersionId};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Where the bytes of a version are, as they were uploaded.
pub fn upload_blob(tenant: &Tenant, version: VersionId) -> String {
    format!("uploads/{}/{}", tenant_segment(tenant), version.uuid().hyphenated())
}

/// Where the text of a version is kept.
pub fn text_blob(tenant: &Tenant, version: VersionId) -> String {
    format!("text/{}/{version}", tenant_segment(tenant))
}

/// A tenant's name as a part of a key; one that is not fit for it goes in as its hash.
pub fn tenant_segment(tenant: &Tenant) -> String {
    let name = tenant.as_str();
    let fit = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if fit {
        return name.to_owned();
    }
    Sha256::digest(name)[..16].iter().fold(String::new(), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fit_for_blobs_whatever_the_tenant() {
        let version = VersionId::new();
        let acme = Tenant::from("acme-1");
        assert_eq!(text_blob(&acme, version), format!("text/acme-1/{version}"));
        assert_eq!(upload_blob(&acme, version), format!("uploads/acme-1/{}", version.uuid().hyphenated()));
        for blob in [text_blob, upload_blob] {
            let key = blob(&Tenant::from("../租户"), version);
            assert!(
                key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/')),
                "{key}"
            );
            assert_ne!(key, blob(&Tenant::from("../租"), version), "two tenants share a folder");
        }
    }
}
