//! Collections, by name.

use super::{Client, ClientError, Collection};
use reqwest::Method;
use serde_json::json;

impl Client {
    /// Every collection.
    pub async fn collections(&self) -> Result<Vec<Collection>, ClientError> {
        self.all("/collections", &[]).await
    }

    /// The collection of this name, and whether it was there; made if it was not.
    pub async fn collection(&self, name: &str) -> Result<(Collection, bool), ClientError> {
        if let Some(found) = self.named(name).await? {
            return Ok((found, true));
        }
        let body = json!({"name": name});
        let made = self.call(|| self.request(Method::POST, "/collections").json(&body)).await;
        match made {
            // Somebody else made it in between.
            Err(ClientError::Refused(refusal)) if refusal.status == 409 => {
                let found = self.named(name).await?.ok_or(ClientError::Refused(refusal))?;
                Ok((found, true))
            }
            other => Ok((other?, false)),
        }
    }

    async fn named(&self, name: &str) -> Result<Option<Collection>, ClientError> {
        Ok(self.collections().await?.into_iter().find(|collection| collection.name == name))
    }
}
