//! The messages of Weaviate's gRPC interface that are used here, with the names and numbers of its protos
//! (`grpc/proto/v1` of version 1.39). What is left out is skipped by the decoder.

#![allow(clippy::struct_field_names, clippy::struct_excessive_bools)] // the names are the protos'

use prost::{Message, Oneof};
use std::collections::HashMap;

/// `batch.proto`: objects to be added or replaced.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchObjectsRequest {
    #[prost(message, repeated, tag = "1")]
    pub(crate) objects: Vec<BatchObject>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchObject {
    #[prost(string, tag = "1")]
    pub(crate) uuid: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) properties: Option<BatchProperties>,
    #[prost(string, tag = "4")]
    pub(crate) collection: String,
    #[prost(string, tag = "5")]
    pub(crate) tenant: String,
    #[prost(message, repeated, tag = "23")]
    pub(crate) vectors: Vec<Vectors>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchProperties {
    #[prost(message, optional, tag = "1")]
    pub(crate) non_ref_properties: Option<Struct>,
}

/// `google.protobuf.Struct`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Struct {
    #[prost(map = "string, message", tag = "1")]
    pub(crate) fields: HashMap<String, Value>,
}

/// `google.protobuf.Value`, of which only texts are sent.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Value {
    #[prost(oneof = "ValueKind", tags = "3")]
    pub(crate) kind: Option<ValueKind>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum ValueKind {
    #[prost(string, tag = "3")]
    String(String),
}

/// Every object may fail on its own.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchObjectsReply {
    #[prost(message, repeated, tag = "2")]
    pub(crate) errors: Vec<BatchError>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchError {
    #[prost(int32, tag = "1")]
    pub(crate) index: i32,
    #[prost(string, tag = "2")]
    pub(crate) error: String,
}

/// `base.proto`: a named vector; little-endian 32-bit floats.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Vectors {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) vector_bytes: Vec<u8>,
    #[prost(int32, tag = "4")]
    pub(crate) kind: i32,
}

/// `Vectors.VECTOR_TYPE_SINGLE_FP32`.
pub(crate) const SINGLE_FP32: i32 = 1;

/// `base.proto`: a condition, or several.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Filters {
    #[prost(int32, tag = "1")]
    pub(crate) operator: i32,
    #[prost(message, repeated, tag = "3")]
    pub(crate) filters: Vec<Filters>,
    #[prost(oneof = "TestValue", tags = "4, 9")]
    pub(crate) test_value: Option<TestValue>,
    #[prost(message, optional, tag = "20")]
    pub(crate) target: Option<FilterTarget>,
}

/// `Filters.Operator`.
pub(crate) const EQUAL: i32 = 1;
/// `Filters.Operator`.
pub(crate) const AND: i32 = 7;
/// `Filters.Operator`.
pub(crate) const CONTAINS_ANY: i32 = 12;

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum TestValue {
    #[prost(string, tag = "4")]
    Text(String),
    #[prost(message, tag = "9")]
    Texts(TextArray),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TextArray {
    #[prost(string, repeated, tag = "1")]
    pub(crate) values: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct FilterTarget {
    #[prost(string, tag = "1")]
    pub(crate) property: String,
}

/// `batch_delete.proto`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchDeleteRequest {
    #[prost(string, tag = "1")]
    pub(crate) collection: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) filters: Option<Filters>,
    #[prost(string, optional, tag = "6")]
    pub(crate) tenant: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchDeleteReply {
    #[prost(int64, tag = "2")]
    pub(crate) failed: i64,
    #[prost(int64, tag = "3")]
    pub(crate) matches: i64,
}

/// `aggregate.proto`: how many objects match.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AggregateRequest {
    #[prost(string, tag = "1")]
    pub(crate) collection: String,
    #[prost(string, tag = "10")]
    pub(crate) tenant: String,
    #[prost(bool, tag = "20")]
    pub(crate) objects_count: bool,
    #[prost(message, optional, tag = "40")]
    pub(crate) filters: Option<Filters>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AggregateReply {
    #[prost(message, optional, tag = "2")]
    pub(crate) single_result: Option<AggregateSingle>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AggregateSingle {
    #[prost(int64, optional, tag = "1")]
    pub(crate) objects_count: Option<i64>,
}

/// `search_get.proto`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SearchRequest {
    #[prost(string, tag = "1")]
    pub(crate) collection: String,
    #[prost(string, tag = "10")]
    pub(crate) tenant: String,
    #[prost(message, optional, tag = "20")]
    pub(crate) properties: Option<PropertiesRequest>,
    #[prost(message, optional, tag = "21")]
    pub(crate) metadata: Option<MetadataRequest>,
    #[prost(uint32, tag = "30")]
    pub(crate) limit: u32,
    #[prost(string, tag = "33")]
    pub(crate) after: String,
    #[prost(message, optional, tag = "40")]
    pub(crate) filters: Option<Filters>,
    #[prost(message, optional, tag = "42")]
    pub(crate) bm25_search: Option<Bm25>,
    #[prost(message, optional, tag = "43")]
    pub(crate) near_vector: Option<NearVector>,
    #[prost(bool, tag = "102")]
    pub(crate) uses_127_api: bool,
}

/// A search asks for no properties: SQL has them.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PropertiesRequest {
    #[prost(string, repeated, tag = "1")]
    pub(crate) non_ref_properties: Vec<String>,
    #[prost(bool, tag = "11")]
    pub(crate) return_all_nonref_properties: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MetadataRequest {
    #[prost(bool, tag = "1")]
    pub(crate) uuid: bool,
    #[prost(bool, tag = "5")]
    pub(crate) distance: bool,
    #[prost(bool, tag = "7")]
    pub(crate) score: bool,
}

/// `base_search.proto`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Targets {
    #[prost(string, repeated, tag = "1")]
    pub(crate) target_vectors: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Bm25 {
    #[prost(string, tag = "1")]
    pub(crate) query: String,
    #[prost(string, repeated, tag = "2")]
    pub(crate) properties: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct NearVector {
    #[prost(message, optional, tag = "6")]
    pub(crate) targets: Option<Targets>,
    #[prost(message, repeated, tag = "9")]
    pub(crate) vectors: Vec<Vectors>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SearchReply {
    #[prost(message, repeated, tag = "2")]
    pub(crate) results: Vec<SearchResult>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SearchResult {
    #[prost(message, optional, tag = "1")]
    pub(crate) properties: Option<PropertiesResult>,
    #[prost(message, optional, tag = "2")]
    pub(crate) metadata: Option<MetadataResult>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct PropertiesResult {
    #[prost(message, optional, tag = "11")]
    pub(crate) non_ref_props: Option<Properties>,
}

/// `properties.proto`, of which only texts are asked for.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Properties {
    #[prost(map = "string, message", tag = "1")]
    pub(crate) fields: HashMap<String, Property>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Property {
    #[prost(string, tag = "13")]
    pub(crate) text_value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MetadataResult {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(float, tag = "7")]
    pub(crate) distance: f32,
    #[prost(bool, tag = "8")]
    pub(crate) distance_present: bool,
    #[prost(float, tag = "11")]
    pub(crate) score: f32,
}
