//! What production, and its rehearsal, refuses to start on.

use std::collections::BTreeSet;

use crate::application::{App, DEVELOPMENT_KEY};
use crate::catalog::{application, stores};
use crate::loader::Loader;
use crate::stores::{DatabaseUrl, RedisUrl};
use crate::url::Url;

/// A signing key shorter than this can be guessed.
const KEY_LENGTH: usize = 32;
/// A key of fewer different characters is a placeholder, however long.
const KEY_VARIETY: usize = 8;

/// What stands in examples and images where a password should.
const EXAMPLE_PASSWORDS: [&str; 22] = [
    "123456",
    "12345678",
    "admin",
    "changeme",
    "default",
    "example",
    "guest",
    "minio",
    "minio123",
    "minioadmin",
    "passw0rd",
    "password",
    "password123",
    "pass",
    "postgres",
    "qwerty",
    "redis",
    "root",
    "secret",
    "test",
    "user",
    "weaviate",
];
/// Words that only placeholders contain.
const PLACEHOLDER_WORDS: [&str; 7] =
    ["changeme", "changethis", "yoursecret", "yourpassword", "replaceme", "placeholder", "everybodyknows"];

/// Notes every unsafe setting.
pub(crate) fn check(loader: &mut Loader, app: &App, database: &DatabaseUrl, redis: &RedisUrl) {
    let place = app.env.as_str();
    if app.debug {
        loader.conflict(&["DEBUG"], format!("is on, which {place} refuses"));
    }
    if let Some(what) = key_weakness(app.secret_key.expose()) {
        loader.conflict(
            &["SECRET_KEY"],
            format!("{what}, which {place} refuses; `openssl rand -hex 32` prints a good one"),
        );
    }
    check_storage_keys(loader, place);
    if let DatabaseUrl::Postgres(url) = database {
        check_password(loader, "DATABASE_URL", url, place);
    }
    if let RedisUrl::Single(url) | RedisUrl::Cluster(url) | RedisUrl::Sentinel(url) = redis {
        check_password(loader, "REDIS_URL", url, place);
    }
}

fn key_weakness(key: &str) -> Option<String> {
    if key == DEVELOPMENT_KEY {
        return Some("is not set, so that the default would be used".into());
    }
    let length = key.chars().count();
    if length < KEY_LENGTH {
        return Some(format!("has {length} characters instead of {KEY_LENGTH} or more"));
    }
    if is_repeated(key) {
        return Some("repeats the same characters".into());
    }
    if is_sequence(key) {
        return Some("is a sequence that anybody would guess".into());
    }
    let variety = key.chars().collect::<BTreeSet<_>>().len();
    (variety < KEY_VARIETY || is_placeholder(key)).then(|| "is a placeholder".into())
}

/// Whether it is a shorter text over and over: `abcabcabc…`.
fn is_repeated(key: &str) -> bool {
    let bytes = key.as_bytes();
    (1..=bytes.len() / 2).any(|period| bytes.iter().zip(&bytes[period..]).all(|(a, b)| a == b))
}

/// Whether most characters follow the one before as in the alphabet, upwards or downwards.
fn is_sequence(key: &str) -> bool {
    let pairs = || key.bytes().zip(key.bytes().skip(1));
    let most = |steps: usize| steps * 4 >= (key.len() - 1) * 3;
    most(pairs().filter(|(a, b)| a.checked_add(1) == Some(*b)).count())
        || most(pairs().filter(|(a, b)| b.checked_add(1) == Some(*a)).count())
}

/// Even if the files are kept elsewhere: a key of an example in a production environment is a mistake.
fn check_storage_keys(loader: &mut Loader, place: &str) {
    for key in [&stores::files::MINIO_ACCESS_KEY, &stores::files::MINIO_SECRET_KEY] {
        let text = loader.given(key);
        // `admin` is a fine name for an access key, and no secret; `minioadmin` gives the secret away with it.
        let weak = match key.spec.name {
            "MINIO_ACCESS_KEY" => is_minios(text),
            _ => !text.is_empty() && is_example(text),
        };
        if weak {
            loader
                .conflict(&[key.spec.name], format!("is the password of an example, which {place} refuses"));
        }
    }
}

fn check_password(loader: &mut Loader, name: &str, url: &Url, place: &str) {
    let Some(password) = url.password().map(crate::Secret::expose) else {
        return;
    };
    if is_example(password) {
        loader.conflict(&[name], format!("contains the password of an example, which {place} refuses"));
    } else if url.user() == Some(password) {
        loader.conflict(
            &[name],
            format!("contains a password that equals the user name, which {place} refuses"),
        );
    }
}

/// MinIO's own, and what people make of it: `minioadmin123`.
fn is_minios(text: &str) -> bool {
    text.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("minioadmin"))
}

fn is_example(password: &str) -> bool {
    is_minios(password)
        || EXAMPLE_PASSWORDS.contains(&password.to_ascii_lowercase().as_str())
        || is_placeholder(password)
}

fn is_placeholder(text: &str) -> bool {
    let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = letters.to_ascii_lowercase();
    PLACEHOLDER_WORDS.iter().any(|word| letters.contains(word))
}

/// Worth a word to every command: a server does not start like this.
pub(crate) fn warn_of_known_key(loader: &mut Loader, app: &App, loopback: bool) {
    if !loopback && !app.env.is_strict() && !loader.is_set(&application::SECRET_KEY) {
        loader.warn(
            "HOST lets others reach this server, which SECRET_KEY does not protect: it will refuse to start",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_must_be_long_and_not_to_be_guessed() {
        for (key, reason) in [
            (DEVELOPMENT_KEY, "not set"),
            ("short", "5 characters"),
            ("0123456789abcdef0123456789abcde", "31 characters"),
            ("your-secret-key-change-me-in-production", "placeholder"),
            ("0123456789abcdef0123456789abcdef", "repeats"),
            ("abcabcabcabcabcabcabcabcabcabcabc", "repeats"),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "repeats"),
            ("0123456789abcdefghijklmnopqrstuvwxyz", "sequence"),
            ("zyxwvutsrqponmlkjihgfedcba9876543210", "sequence"),
            ("aabbccddeeaabbccddeeffffbbaaccdd", "placeholder"),
        ] {
            assert!(key_weakness(key).unwrap().contains(reason), "{key}");
        }
        assert_eq!(key_weakness("4f0c9be2d8174a6b93e15d7c20fa86b1"), None);
    }

    #[test]
    fn passwords_of_examples_are_known() {
        for weak in ["minioadmin", "MinioAdmin", "minioadmin123", "postgres", "change-me", "your_password"] {
            assert!(is_example(weak), "{weak}");
        }
        for fine in ["kT9w-horse", "administrator-of-7-seas"] {
            assert!(!is_example(fine), "{fine}");
        }
    }
}
