//! Who may call, and what keys may say.

use crate::app::{App, json_request};
use chat_api::{ApiOptions, Identity, sign_token};
use chat_core::{Scope, Tenant};
use serde_json::{Value, json};
use std::time::Duration;

const SECRET: &str = "a secret that is long enough for a test";

async fn closed() -> App {
    let identity = Identity { secret_key: SECRET.to_owned(), required: true };
    App::with(ApiOptions { identity, ..ApiOptions::default() }).await
}

/// A token for whatever this tenant's name is.
fn token(app: &App, tenant: &str) -> String {
    let (now, tenant) = (app.state.ports.clock.now(), Tenant::from(tenant));
    sign_token(SECRET, &tenant, Scope::Admin, now, Duration::from_mins(1)).unwrap()
}

#[tokio::test]
async fn whoever_is_not_known_is_told_how_to_be() {
    let app = closed().await;
    for authorization in [None, Some("Basic eA=="), Some("Bearer nonsense")] {
        let mut request = json_request("POST", "/api/v1/sessions", &json!({}));
        if let Some(authorization) = authorization {
            request.headers_mut().insert("authorization", authorization.parse().unwrap());
        }
        let reply = app.send(request).await;
        reply.problem(401, "unauthorized");
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
}

#[tokio::test]
async fn a_tenant_has_a_name() {
    let app = closed().await;
    let call = |tenant: &str| {
        let mut request = json_request("POST", "/api/v1/sessions", &json!({}));
        let bearer = format!("Bearer {}", token(&app, tenant));
        request.headers_mut().insert("authorization", bearer.parse().unwrap());
        app.send(request)
    };
    call("租户").await.is(201);
    for tenant in ["", "a\u{1}b", &"t".repeat(201)] {
        call(tenant).await.problem(401, "unauthorized");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_named() {
    let app = App::start().await;
    let create = |tenant: &str, scopes: Value| {
        app.post("/api/v1/keys", json!({"name": "钥匙", "scopes": scopes, "tenant": tenant}))
    };
    let made = create("t", json!(["admin", "user", "user"])).await.is(201).json();
    assert_eq!(made["scopes"], json!(["user", "admin"]));
    for (tenant, scopes, bad) in [
        ("t", json!("user"), "scopes"),
        ("t", json!([]), "scopes"),
        ("t", json!(null), "scopes"),
        ("t", json!(["user", "root"]), "scopes[1]"),
        ("t", json!([7]), "scopes[0]"),
        ("", json!(["user"]), "tenant"),
        ("a\nb", json!(["user"]), "tenant"),
        (&"t".repeat(201), json!(["user"]), "tenant"),
    ] {
        let named = create(tenant, scopes.clone()).await.problem(422, "invalid_request");
        assert_eq!(named, [bad], "{tenant:?} {scopes}");
    }
}
