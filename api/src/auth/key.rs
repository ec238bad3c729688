//! API keys: what they look like, and how they are checked.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chat_core::KeyId;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// What every secret begins with, so that scanners of source code find one that was committed.
pub const PREFIX: &str = "ragc_";
/// Random bytes of a secret.
const RANDOM: usize = 32;

/// The secret of a new key, and the hash that is kept of it.
pub fn mint(id: KeyId, secret_key: &str) -> (String, String) {
    let random: [u8; RANDOM] = rand::random();
    let secret = format!("{PREFIX}{}_{}", id.0.simple(), URL_SAFE_NO_PAD.encode(random));
    let hash = hex::encode(mac(&secret, secret_key).finalize().into_bytes());
    (secret, hash)
}

/// The key that a secret claims to be.
pub fn claimed(secret: &str) -> Option<KeyId> {
    let (id, random) = secret.strip_prefix(PREFIX)?.split_once('_')?;
    let sound = id.len() == 32 && !random.is_empty();
    sound.then(|| Uuid::try_parse(id).ok().map(KeyId))?
}

/// Whether this is the secret of a kept hash. Takes the same time however much of it is right.
pub fn matches(secret: &str, hash: &str, secret_key: &str) -> bool {
    hex::decode(hash).is_ok_and(|hash| mac(secret, secret_key).verify_slice(&hash).is_ok())
}

/// A keyed hash: rows alone, without `SECRET_KEY`, tell nothing about which secrets would fit. No slow hash is needed: a
/// secret has 256 random bits.
fn mac(secret: &str, secret_key: &str) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret_key.as_bytes()).expect("a key of any length");
    mac.update(b"api key\0");
    mac.update(secret.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_names_its_key_and_fits_only_its_hash() {
        let (one, other) = (KeyId::new(), KeyId::new());
        let ((secret, hash), (another, _)) = (mint(one, "k"), mint(other, "k"));
        assert_eq!((claimed(&secret), claimed(&another)), (Some(one), Some(other)));
        assert!(matches(&secret, &hash, "k"));
        assert!(!matches(&another, &hash, "k"));
        assert!(!matches(&secret, &hash, "another SECRET_KEY"));
        assert!(!matches(&secret, "not hex", "k"));
    }

    #[test]
    fn what_is_no_secret_names_no_key() {
        for text in ["", "ragc_", "ragc_x_y", "sk-1234", "ragc_0192f0c1aaaa7bbb8ccc0123456789ab"] {
            assert_eq!(claimed(text), None, "{text}");
        }
    }
}
