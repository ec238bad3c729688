//! API keys.

use super::{ApiKey, Client, ClientError, Listed};
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
        let mut keys: Vec<ApiKey> = Vec::new();
        loop {
            let after: Vec<_> = keys.last().map(|key| ("after", key.id.clone())).into_iter().collect();
            let make = || self.request(Method::GET, "/keys").query(&[("limit", "100")]).query(&after);
            let page: Listed<ApiKey> = self.call(make).await?;
            keys.extend(page.data);
            if !page.has_more {
                return Ok(keys);
            }
        }
    }

    /// Revokes a key.
    pub async fn revoke_key(&self, id: &str) -> Result<(), ClientError> {
        self.send(|| self.request(Method::DELETE, &format!("/keys/{id}"))).await.map(drop)
    }
}
