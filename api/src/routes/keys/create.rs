use crate::{
    answer::Answer,
    auth::{self, TENANT_CHARS, key},
    caller::{Admin, Caller},
    fields::{Fields, Input},
    json::{BODY_BYTES, JsonBody, UnreadJson},
    problem::{Problem, ProblemBody},
    state::AppState,
    views::KeyView,
};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::Response,
};
use chat_core::{ApiKey, Change, KeyId, Scope, Tenant, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The largest answer that shows a key, in bytes.
const LARGEST: usize = 64 * 1024;
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
    /// What to send as `Authorization: Bearer`. It is shown only in this answer.
    #[schema(example = "ragc_019aa0c86f307aa0b5a00a4f4a1b2c3d_…")]
    secret: String,
}

/// Makes a key. Its secret is in this answer, and in what a repetition with the same `Idempotency-Key` gets, and nowhere
/// else.
#[utoipa::path(
    post, path = "/keys", tag = "keys", request_body = CreateKey,
    responses((status = 201, body = NewKey), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody))
)]
pub async fn create_key(
    State(state): State<AppState>,
    caller: Caller,
    _: Admin,
    request: Request,
) -> Result<Response, Problem> {
    let body = UnreadJson::receive(request, BODY_BYTES).await?;
    if let Some(replayed) = body.idempotency.replay(&state, &caller).await? {
        return with_secret(&state, replayed).await;
    }
    let JsonBody { value, idempotency } = body.read()?;
    let key = compose(&state, &caller, value)?;
    let answer = Answer::new(StatusCode::CREATED, &KeyView::from(key.clone()));
    let changes = vec![Change::InsertKey(Box::new(key))];
    let created = idempotency.answer(&state, &caller, changes, Vec::new(), answer).await?;
    with_secret(&state, created).await
}

fn compose(state: &AppState, caller: &Caller, wanted: CreateKey) -> Result<ApiKey, Problem> {
    let now = state.ports.clock.now();
    if wanted.expires_at.is_some_and(|ends| ends <= now) {
        return Err(Problem::field("expires_at", "must lie in the future"));
    }
    let (id, secret_key) = (KeyId::new(), &state.options.identity.secret_key);
    Ok(ApiKey {
        id,
        tenant: wanted.tenant.unwrap_or_else(|| caller.tenant.clone()),
        name: wanted.name,
        scopes: wanted.scopes,
        hash: key::hash(&key::secret(id, secret_key), secret_key),
        created_at: now,
        expires_at: wanted.expires_at,
        revoked_at: None,
    })
}

/// An answer that shows a key, with its secret: what is kept for repetitions does not have it.
async fn with_secret(state: &AppState, shown: Response) -> Result<Response, Problem> {
    let (mut head, body) = shown.into_parts();
    let bytes = to_bytes(body, LARGEST).await.map_err(|_| Problem::internal())?;
    let mut members: Map<String, Value> = serde_json::from_slice(&bytes).map_err(|_| Problem::internal())?;
    let id = members.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let id = id.ok_or_else(Problem::internal)?;
    members.insert("secret".to_owned(), key::secret(id, &state.options.identity.secret_key).into());
    head.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(head, Body::from(Value::from(members).to_string())))
}
