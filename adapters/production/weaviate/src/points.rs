//! Adding, counting, deleting.

use crate::{
    WeaviateIndex,
    names::{object_id, shard},
    schema::vector_name,
    wire::{
        AND, AggregateReply, AggregateRequest, BatchDeleteReply, BatchDeleteRequest, BatchObject,
        BatchObjectsRequest, BatchProperties, EQUAL, FilterTarget, Filters, SINGLE_FP32, Struct, TestValue,
        Value, ValueKind, Vectors,
    },
};
use chat_core::{ErrorKind, PortError, PortResult, Tenant, ports::Point};
use std::time::Duration;

/// The most objects of one call.
const GROUP: usize = 256;
/// How often objects that the server did not take are sent again.
const TRIES: u32 = 4;
/// The first pause between two tries; it doubles.
const PAUSE: Duration = Duration::from_millis(200);
/// How many objects one step of dropping a model deletes, or a few more.
const STEP: u64 = 10_000;
/// How often a delete is repeated: each matches 10,000 objects at most.
const ROUNDS: usize = 1_000;

/// Objects whose property has this value.
pub(crate) fn equals(property: &str, value: &str) -> Filters {
    Filters {
        operator: EQUAL,
        target: Some(FilterTarget { property: property.to_owned() }),
        test_value: Some(TestValue::Text(value.to_owned())),
        ..Filters::default()
    }
}

/// Objects that meet both conditions.
pub(crate) fn both(one: Filters, other: Filters) -> Filters {
    Filters { operator: AND, filters: vec![one, other], ..Filters::default() }
}

/// A vector as it is sent.
pub(crate) fn vectors(model: &str, vector: &[f32]) -> Vectors {
    let vector_bytes = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    Vectors { name: vector_name(model), vector_bytes, kind: SINGLE_FP32 }
}

/// What was never put anywhere is not there: that is no error.
pub(crate) fn or_nothing<T>(result: PortResult<T>, nothing: T) -> PortResult<T> {
    match result {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(nothing),
        result => result,
    }
}

impl WeaviateIndex {
    pub(crate) async fn add(&self, tenant: &Tenant, model: &str, points: &[Point]) -> PortResult<()> {
        for group in points.chunks(GROUP) {
            let mut objects: Vec<_> = group.iter().map(|point| self.object(tenant, model, point)).collect();
            let mut tries = 0;
            loop {
                objects = self.send(objects).await?;
                if objects.is_empty() {
                    break;
                }
                tries += 1;
                if tries == TRIES {
                    return Err(PortError::unavailable("the index did not take all passages"));
                }
                tokio::time::sleep(PAUSE * 2_u32.pow(tries)).await;
            }
        }
        Ok(())
    }

    /// Sends objects; those that the server did not take.
    async fn send(&self, objects: Vec<BatchObject>) -> PortResult<Vec<BatchObject>> {
        let reply = self.grpc.add(BatchObjectsRequest { objects: objects.clone() }).await;
        let reply = reply.inspect_err(|error| {
            if error.kind == ErrorKind::NotFound {
                self.schema.forget(); // somebody removed the collection: the next try makes it again
            }
        });
        // An answer that is well may be about objects that are not.
        let reply = reply.map_err(|error| match error.kind {
            ErrorKind::NotFound => PortError::unavailable("the index lost its collection").with_source(error),
            _ => error,
        })?;
        let Some(first) = reply.errors.first() else { return Ok(Vec::new()) };
        tracing::warn!(
            failed = reply.errors.len(),
            error = first.error,
            "the index did not take some passages"
        );
        let failed = reply.errors.iter().filter_map(|error| usize::try_from(error.index).ok());
        Ok(failed.filter_map(|at| objects.get(at).cloned()).collect())
    }

    fn object(&self, tenant: &Tenant, model: &str, point: &Point) -> BatchObject {
        let text = |text: String| Value { kind: Some(ValueKind::String(text)) };
        let fields = [
            ("keywords", point.keywords.clone()),
            ("version", point.version.0.to_string()),
            ("document", point.document.0.to_string()),
            ("collection", point.collection.0.to_string()),
            ("model", model.to_owned()),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), text(value))).into();
        BatchObject {
            uuid: object_id(point.id, model).to_string(),
            properties: Some(BatchProperties { non_ref_properties: Some(Struct { fields }) }),
            collection: self.schema.collection.clone(),
            tenant: shard(tenant),
            vectors: vec![vectors(model, &point.vector)],
        }
    }

    pub(crate) async fn count_of_all(&self, tenant: &Tenant, filters: Filters) -> PortResult<u64> {
        self.count_in(&shard(tenant), filters).await
    }

    async fn count_in(&self, shard: &str, filters: Filters) -> PortResult<u64> {
        let request = AggregateRequest {
            collection: self.schema.collection.clone(),
            tenant: shard.to_owned(),
            objects_count: true,
            filters: Some(filters),
        };
        let reply = or_nothing(self.grpc.aggregate(request).await, AggregateReply::default())?;
        let count = reply.single_result.and_then(|single| single.objects_count).unwrap_or(0);
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Deletes objects of a model, shard by shard, until these are enough for one step. How many.
    pub(crate) async fn drop_some(&self, model: &str) -> PortResult<u64> {
        let mut dropped = 0;
        for shard in self.schema.shards(&self.rest).await? {
            let request = BatchDeleteRequest {
                collection: self.schema.collection.clone(),
                filters: Some(equals("model", model)),
                tenant: Some(shard),
            };
            let reply = or_nothing(self.grpc.delete(request).await, BatchDeleteReply::default())?;
            if reply.failed > 0 {
                return Err(PortError::unavailable("the index did not delete some passages"));
            }
            dropped += u64::try_from(reply.matches).unwrap_or(0);
            if dropped >= STEP {
                break;
            }
        }
        Ok(dropped)
    }

    /// Deletes from a shard until nothing matches any more, and counts to be sure.
    pub(crate) async fn delete(&self, shard: &str, filters: Filters) -> PortResult<()> {
        for _ in 0..ROUNDS {
            let request = BatchDeleteRequest {
                collection: self.schema.collection.clone(),
                filters: Some(filters.clone()),
                tenant: Some(shard.to_owned()),
            };
            let reply = or_nothing(self.grpc.delete(request).await, BatchDeleteReply::default())?;
            if reply.failed > 0 {
                tracing::warn!(failed = reply.failed, "the index did not delete some passages");
                tokio::time::sleep(PAUSE).await;
            } else if reply.matches == 0 && self.count_in(shard, filters.clone()).await? == 0 {
                return Ok(());
            }
        }
        Err(PortError::unavailable("the index still has passages that were deleted"))
    }
}
