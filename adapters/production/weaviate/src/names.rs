//! What things are called in Weaviate.

use chat_core::{ChunkId, Tenant};
use uuid::Uuid;

/// The name of a tenant's shard: letters, digits, `-` and `_`, at most 64 of them.
pub(crate) fn shard(tenant: &Tenant) -> String {
    let name = tenant.as_str();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=60).contains(&name.len()) && name.bytes().all(plain) {
        return format!("t-{name}");
    }
    format!("h-{}", Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).simple())
}

/// The id of a passage's object under a model. A shard has objects of all models, and each object an id of its own: the
/// passage's, mixed with the model's hash so that it can be told from it again.
///
/// Ids of passages are of UUID version 5, mixed ones of version 8. Objects that were written before there were mixed
/// ones have the passage's own id.
pub(crate) fn object_id(passage: ChunkId, model: &str) -> Uuid {
    mix(passage.0, model, MIXED)
}

/// The passage of an object that a search for this model found.
pub(crate) fn passage_id(object: Uuid, model: &str) -> ChunkId {
    ChunkId(if version(object) == MIXED { mix(object, model, PLAIN) } else { object })
}

const PLAIN: u128 = 5;
const MIXED: u128 = 8;
/// Where the version of a UUID stands.
const VERSION_AT: u32 = 76;

fn version(id: Uuid) -> u128 {
    id.as_u128() >> VERSION_AT & 0xf
}

/// Doing it twice with one model gives back the id.
fn mix(id: Uuid, model: &str, version: u128) -> Uuid {
    // Bits that say version and variant stay out of it.
    let kept = 0xf << VERSION_AT | 0b11 << 62;
    let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, model.as_bytes()).as_u128() & !kept;
    Uuid::from_u128((id.as_u128() ^ hash) & !(0xf << VERSION_AT) | version << VERSION_AT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_tenant_has_a_shard_of_its_own() {
        let long = "x".repeat(61);
        let tenants = ["default", "a_b-C", "租户", "a b", "a/b", "t-default", "", &long];
        let shards: HashSet<_> = tenants.iter().map(|name| shard(&Tenant::from(*name))).collect();
        assert_eq!(shards.len(), tenants.len());
        for name in &shards {
            assert!(
                name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)),
                "{name}"
            );
        }
    }

    #[test]
    fn every_model_has_an_object_of_a_passage_and_it_leads_back() {
        let passage = ChunkId::of(chat_core::VersionId::new(), 7, "m");
        let objects: HashSet<_> = ["m", "n", "模型"].iter().map(|model| object_id(passage, model)).collect();
        assert_eq!(objects.len(), 3);
        for model in ["m", "n", "模型"] {
            let object = object_id(passage, model);
            assert_eq!((object.get_version_num(), object.get_variant()), (8, uuid::Variant::RFC4122));
            assert_eq!(passage_id(object, model), passage);
            assert_eq!(passage_id(passage.0, model), passage, "an object of former times");
        }
    }
}
