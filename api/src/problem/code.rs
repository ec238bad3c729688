//! The codes that programs match on.

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// The stable codes that programs match on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request is understood and cannot be accepted; `errors` names the fields.
    InvalidRequest,
    /// The body is not JSON.
    InvalidJson,
    /// There is no valid key or token.
    Unauthorized,
    /// The key may not do this.
    Forbidden,
    /// There is no such thing, or it is somebody else's.
    NotFound,
    /// The path knows other methods.
    MethodNotAllowed,
    /// It contradicts what is there.
    Conflict,
    /// The `Idempotency-Key` was used for another request.
    IdempotencyConflict,
    /// The body is too large.
    PayloadTooLarge,
    /// The body's media type is not accepted here.
    UnsupportedMediaType,
    /// Too many requests.
    RateLimited,
    /// The tenant's quota is used up.
    QuotaExceeded,
    /// Too much work is waiting.
    QueueFull,
    /// The model provider is away.
    ProviderUnavailable,
    /// Something that this service needs is away.
    DependencyUnavailable,
    /// A fault of this service.
    Internal,
}

impl Code {
    /// The code as clients read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidJson => "invalid_json",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Conflict => "conflict",
            Self::IdempotencyConflict => "idempotency_conflict",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::RateLimited => "rate_limited",
            Self::QuotaExceeded => "quota_exceeded",
            Self::QueueFull => "queue_full",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::DependencyUnavailable => "dependency_unavailable",
            Self::Internal => "internal",
        }
    }

    /// The code of an answer that something else than a handler gave.
    pub(super) fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::CONFLICT => Self::Conflict,
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::TOO_MANY_REQUESTS => Self::RateLimited,
            StatusCode::SERVICE_UNAVAILABLE => Self::DependencyUnavailable,
            status if status.is_server_error() => Self::Internal,
            _ => Self::InvalidRequest,
        }
    }

    /// OpenAI's name for this sort of error.
    pub(super) fn openai_type(self) -> &'static str {
        match self {
            Self::Unauthorized => "authentication_error",
            Self::Forbidden => "permission_error",
            Self::RateLimited | Self::QuotaExceeded | Self::QueueFull => "rate_limit_error",
            Self::ProviderUnavailable | Self::DependencyUnavailable | Self::Internal => "server_error",
            _ => "invalid_request_error",
        }
    }
}
