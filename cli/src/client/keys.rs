//! API keys.

use super::{ApiKey, Client, ClientError};
use chat_core::Scope;
use reqwest::Method;
use serde_json::json;

impl Client {
    /// Makes a key; its secret is in the answer.
    pub async fn create_key(
        &self,
        name: &str,
        scopes: &[Scope],
        tenant: Option<&str>,
        expires_at: Option<&str>,
    ) -> Result<ApiKey, ClientError> {
        let mut body = json!({ "name": name, "scopes": scopes });
        for (member, value) in [("tenant", tenant), ("expires_at", expires_at)] {
            if let Some(value) = value {
                body[member] = value.into();
            }
        }
        self.call(|| self.request(Method::POST, "/keys").json(&body)).await
    }

    /// Every key, newest first.
    pub async fn keys(&self) -> Result<Vec<ApiKey>, ClientError> {
        self.all("/keys", &[]).await
    }

    /// Revokes a key.
    pub async fn revoke_key(&self, id: &str) -> Result<(), ClientError> {
        self.send(|| self.request(Method::DELETE, &format!("/keys/{id}"))).await.map(drop)
    }
}
