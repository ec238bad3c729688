use chat_core::{ApiKey, KeyId, Scope, Tenant, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// A key with which a program calls. Its secret is not here.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct KeyView {
    /// Its id.
    #[schema(value_type = String, example = "key_019aa0c8-6f30-7aa0-b5a0-0a4f4a1b2c3d")]
    id: KeyId,
    /// `api_key`.
    #[schema(example = "api_key")]
    object: &'static str,
    /// What people call it.
    name: String,
    /// Whose data it opens.
    #[schema(value_type = String)]
    tenant: Tenant,
    /// What it allows: `user`, `operator`, `admin`; each includes the ones before.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it stops working, if ever.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            object: "api_key",
            name: key.name,
            tenant: key.tenant,
            scopes: key.scopes,
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}
