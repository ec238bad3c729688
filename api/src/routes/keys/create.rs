use crate::{
    auth::{self, TENANT_CHARS, key::mint},
    caller::{Admin, Caller},
    fields::{Fields, Input},
    json::JsonBody,
    problem::{Problem, ProblemBody},
    state::AppState,
    views::KeyView,
};
use axum::{Json, extract::State, http::StatusCode};
use chat_core::{ApiKey, Change, KeyId, Scope, Tenant, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

const NAME_CHARS: std::ops::RangeInclusive<usize> = 1..=200;

/// A key to be made.
#[derive(Debug, ToSchema)]
pub struct CreateKey {
    /// What to call it.
    #[schema(max_length = 200, example = "nightly import")]
    name: String,
    /// What it allows: `user`, `operator`, `admin`; each includes the ones before.
    #[schema(value_type = Vec<String>, example = json!(["user"]))]
    scopes: Vec<Scope>,
    /// Whose data it opens; none: the caller's.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    tenant: Option<Tenant>,
    /// When it stops working; none: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

const SCOPES: [(&str, Scope); 3] =
    [("user", Scope::User), ("operator", Scope::Operator), ("admin", Scope::Admin)];

impl Input for CreateKey {
    fn read(fields: &mut Fields) -> Self {
        Self {
            name: fields.required_text("name", NAME_CHARS),
            scopes: read_scopes(fields),
            tenant: read_tenant(fields),
            expires_at: read_end(fields),
        }
    }
}

fn read_scopes(fields: &mut Fields) -> Vec<Scope> {
    fields.require("scopes");
    let mut scopes = fields.choices("scopes", &SCOPES);
    scopes.sort_unstable();
    scopes
}

fn read_tenant(fields: &mut Fields) -> Option<Tenant> {
    let name = fields.text("tenant", TENANT_CHARS)?;
    let tenant = auth::tenant(&name);
    if tenant.is_none() {
        fields.refuse("tenant", "must not contain control characters");
    }
    tenant
}

fn read_end(fields: &mut Fields) -> Option<Timestamp> {
    let text = fields.text("expires_at", 1..=40)?;
    let time = serde_json::from_value(text.into()).ok();
    if time.is_none() {
        fields.refuse("expires_at", "must be a time as RFC 3339 has it");
    }
    time
}

/// A new key with its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewKey {
    #[serde(flatten)]
    key: KeyView,
    /// What to send as `Authorization: Bearer`. It is shown only this once.
    #[schema(example = "ragc_019aa0c86f307aa0b5a00a4f4a1b2c3d_…")]
    secret: String,
}

/// Makes a key. Its secret is in this answer and nowhere else, so an `Idempotency-Key` is not taken into account.
#[utoipa::path(
    post, path = "/keys", tag = "keys", request_body = CreateKey,
    responses((status = 201, body = NewKey), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub async fn create_key(
    State(state): State<AppState>,
    caller: Caller,
    _: Admin,
    body: JsonBody<CreateKey>,
) -> Result<(StatusCode, Json<NewKey>), Problem> {
    let now = state.ports.clock.now();
    let wanted = body.value;
    if wanted.expires_at.is_some_and(|ends| ends <= now) {
        return Err(Problem::field("expires_at", "must lie in the future"));
    }
    let id = KeyId::new();
    let (secret, hash) = mint(id, &state.options.identity.secret_key);
    let key = ApiKey {
        id,
        tenant: wanted.tenant.unwrap_or(caller.tenant),
        name: wanted.name,
        scopes: wanted.scopes,
        hash,
        created_at: now,
        expires_at: wanted.expires_at,
        revoked_at: None,
    };
    state.commit(vec![Change::InsertKey(Box::new(key.clone()))], Vec::new()).await?;
    Ok((StatusCode::CREATED, Json(NewKey { key: key.into(), secret })))
}
