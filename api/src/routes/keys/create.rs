use crate::{
    auth::key::mint,
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
    #[schema(max_length = 200)]
    tenant: Option<String>,
    /// When it stops working; none: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl Input for CreateKey {
    fn read(fields: &mut Fields) -> Self {
        fields.require("scopes");
        Self {
            name: fields.required_text("name", NAME_CHARS),
            scopes: scopes(fields),
            tenant: fields.text("tenant", NAME_CHARS),
            expires_at: fields.text("expires_at", 1..=40).and_then(|text| {
                let time = serde_json::from_value(text.into()).ok();
                if time.is_none() {
                    fields.refuse("expires_at", "must be a time as RFC 3339 has it");
                }
                time
            }),
        }
    }
}

fn scopes(fields: &mut Fields) -> Vec<Scope> {
    let names = fields.texts("scopes", 3, &(1..=20)).unwrap_or_default();
    let mut scopes = Vec::new();
    for name in names {
        match serde_json::from_value(name.into()) {
            Ok(scope) => scopes.push(scope),
            Err(_) => fields.refuse("scopes", "may hold user, operator and admin"),
        }
    }
    scopes.sort_unstable();
    scopes.dedup();
    scopes
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
        tenant: wanted.tenant.map_or(caller.tenant, |name| Tenant::from(name.as_str())),
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
