use chat_core::{Tenant, VersionId};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Where the text of a version is kept. A tenant's name that is not fit for a key goes in as its hash.
pub(crate) fn text_blob(tenant: &Tenant, version: VersionId) -> String {
    let name = tenant.as_str();
    let fit = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if fit {
        return format!("text/{name}/{version}");
    }
    let mut key = String::from("text/");
    for byte in &Sha256::digest(name)[..16] {
        let _ = write!(key, "{byte:02x}");
    }
    let _ = write!(key, "/{version}");
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fit_for_blobs_whatever_the_tenant() {
        let version = VersionId::new();
        assert_eq!(text_blob(&Tenant::from("acme-1"), version), format!("text/acme-1/{version}"));
        let key = text_blob(&Tenant::from("../租户"), version);
        assert!(key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/')), "{key}");
        assert_ne!(key, text_blob(&Tenant::from("../租"), version));
    }
}
