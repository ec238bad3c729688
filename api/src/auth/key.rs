//! API keys: what they look like, and how they are checked.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chat_core::KeyId;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// What every secret begins with, so that scanners of source code find one that was committed.
pub const PREFIX: &str = "ragc_";

/// The secret of a key. It follows from the id and `SECRET_KEY` (HMAC as a pseudo-random function, RFC 2104), so that an
/// answer that has it can be given again without being kept.
pub fn secret(id: KeyId, secret_key: &str) -> String {
    let proof = mac("api key secret", id.0.as_bytes(), secret_key).finalize().into_bytes();
    format!("{PREFIX}{}_{}", id.0.simple(), URL_SAFE_NO_PAD.encode(proof))
}

/// What is kept of a secret.
pub fn hash(secret: &str, secret_key: &str) -> String {
    hex::encode(of_secret(secret, secret_key).finalize().into_bytes())
}

/// The key that a secret claims to be.
pub fn claimed(secret: &str) -> Option<KeyId> {
    let (id, random) = secret.strip_prefix(PREFIX)?.split_once('_')?;
    let sound = id.len() == 32 && !random.is_empty();
    sound.then(|| Uuid::try_parse(id).ok().map(KeyId))?
}

/// Whether this is the secret of a kept hash. Takes the same time however much of it is right.
pub fn matches(secret: &str, hash: &str, secret_key: &str) -> bool {
    hex::decode(hash).is_ok_and(|hash| of_secret(secret, secret_key).verify_slice(&hash).is_ok())
}

/// A keyed hash: rows alone, without `SECRET_KEY`, tell nothing about which secrets would fit. No slow hash is needed: a
/// secret has 256 bits that nobody can guess.
fn of_secret(secret: &str, secret_key: &str) -> Hmac<Sha256> {
    mac("api key", secret.as_bytes(), secret_key)
}

/// `purpose` keeps what is made for one end from being of use for another.
fn mac(purpose: &str, bytes: &[u8], secret_key: &str) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret_key.as_bytes()).expect("a key of any length");
    mac.update(purpose.as_bytes());
    mac.update(b"\0");
    mac.update(bytes);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_names_its_key_and_fits_only_its_hash() {
        let (one, other) = (KeyId::new(), KeyId::new());
        let (mine, another) = (secret(one, "k"), secret(other, "k"));
        assert_eq!((claimed(&mine), claimed(&another)), (Some(one), Some(other)));
        let hash = hash(&mine, "k");
        assert!(matches(&mine, &hash, "k"));
        assert!(!matches(&another, &hash, "k"));
        assert!(!matches(&mine, &hash, "another SECRET_KEY"));
        assert!(!matches(&mine, "not hex", "k"));
        assert_eq!(mine, secret(one, "k"), "the same again");
        assert_ne!(mine, secret(one, "another SECRET_KEY"));
    }

    #[test]
    fn what_is_no_secret_names_no_key() {
        for text in ["", "ragc_", "ragc_x_y", "sk-1234", "ragc_0192f0c1aaaa7bbb8ccc0123456789ab"] {
            assert_eq!(claimed(text), None, "{text}");
        }
    }
}
