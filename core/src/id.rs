//! Typed ids: a prefix that names the kind, and a UUID.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// An id that could not be read: it names what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id: expected `{prefix}` followed by a UUID")]
pub struct BadId {
    /// The prefix that the id should have, for instance `ses_`.
    pub prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Uuid);

        impl $name {
            /// What the text form starts with.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh, time-ordered id (`UUIDv7`).
            #[allow(clippy::new_without_default)] // two calls differ: that is no default
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The first id that could have been made at a time: older things have smaller ids.
            pub fn begin_of(at: crate::Timestamp) -> Self {
                let millis = u128::try_from(at.0).unwrap_or(0);
                Self(Uuid::from_u128((millis << 80) | (0x7 << 76)))
            }

            /// The UUID without its prefix, as the stores keep it.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $prefix, self.0.hyphenated())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix($prefix)
                    .and_then(|rest| Uuid::try_parse(rest).ok())
                    .map(Self)
                    .ok_or(BadId { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A conversation.
    SessionId = "ses_";
    /// One message of a conversation.
    MessageId = "msg_";
    /// One answer to a message; also names its event stream.
    ResponseId = "resp_";
    /// A set of documents that are searched together.
    CollectionId = "col_";
    /// A document, whatever its version.
    DocumentId = "doc_";
    /// One version of a document; also names the event stream of its ingestion.
    VersionId = "ver_";
    /// A passage of one version (`UUIDv5`, so that indexing twice writes the same point).
    ChunkId = "chk_";
    /// A background job.
    JobId = "job_";
    /// A running worker process.
    WorkerId = "wrk_";
    /// A key with which a program calls the interface.
    KeyId = "key_";
}

impl ChunkId {
    /// The id of passage `ordinal` of `version` under an embedding model.
    pub fn of(version: VersionId, ordinal: u32, model: &str) -> Self {
        Self(Uuid::new_v5(&version.0, format!("{ordinal}:{model}").as_bytes()))
    }
}

/// Who owns a row. Every read and write names one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tenant(pub std::sync::Arc<str>);

impl Tenant {
    /// The tenant of a deployment that has configured none.
    pub const DEFAULT: &'static str = "default";

    /// The tenant's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Tenant {
    fn default() -> Self {
        Self(Self::DEFAULT.into())
    }
}

impl From<&str> for Tenant {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_text() {
        let id = SessionId::new();
        assert_eq!(id.to_string().parse::<SessionId>().unwrap(), id);
        assert!(id.to_string().starts_with("ses_"));
    }

    #[test]
    fn ids_made_earlier_are_smaller() {
        let id = JobId::new();
        let millis = (id.0.as_u128() >> 80) as i64;
        assert!(JobId::begin_of(crate::Timestamp(millis)) <= id);
        assert!(JobId::begin_of(crate::Timestamp(millis + 1)) > id);
    }

    #[test]
    fn another_kind_of_id_is_refused() {
        let id = SessionId::new().to_string();
        assert_eq!(id.parse::<JobId>().unwrap_err(), BadId { prefix: "job_" });
        assert!("ses_nonsense".parse::<SessionId>().is_err());
    }

    #[test]
    fn chunk_ids_are_repeatable() {
        let version = VersionId::new();
        assert_eq!(ChunkId::of(version, 3, "m"), ChunkId::of(version, 3, "m"));
        assert_ne!(ChunkId::of(version, 3, "m"), ChunkId::of(version, 3, "n"));
    }
}
