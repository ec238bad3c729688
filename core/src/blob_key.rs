//! Which keys are accepted: names that mean the same on every file system and in every object store.

use crate::{PortError, PortResult};

const LONGEST_SEGMENT: usize = 200;
const LONGEST_KEY: usize = 600;
/// No key begins with this segment: a store may keep there what is being written.
pub const BLOB_STAGING: &str = "tmp";

/// `Invalid` unless the key is segments of `[A-Za-z0-9_.-]` joined by `/`, none of which begins with a dot.
pub fn check_blob_key(key: &str) -> PortResult<()> {
    let mut segments = key.split('/');
    let sound =
        key.len() <= LONGEST_KEY && segments.clone().all(is_segment) && segments.next() != Some(BLOB_STAGING);
    if sound { Ok(()) } else { Err(PortError::invalid("not a valid name for a file")) }
}

fn is_segment(segment: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (1..=LONGEST_SEGMENT).contains(&segment.len())
        && !segment.starts_with('.')
        && segment.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn plain_names_are_accepted() {
        for key in ["a", "files/ver_0192.bin", "a/b/c-d_e", "tmpfile", "a/tmp"] {
            assert!(check_blob_key(key).is_ok(), "{key}");
        }
    }

    #[test]
    fn what_could_lead_elsewhere_is_refused() {
        let long = "x".repeat(201);
        for key in [
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/",
            "..",
            "a/../b",
            ".hidden",
            "a/.b",
            "a\\b",
            "a\0b",
            "文件",
            "tmp",
            "tmp/x",
            &long,
        ] {
            assert_eq!(check_blob_key(key).map_err(|error| error.kind), Err(ErrorKind::Invalid), "{key:?}");
        }
    }
}
