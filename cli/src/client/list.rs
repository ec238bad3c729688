//! Lists, page by page.

use super::{Client, ClientError, Listed};
use reqwest::Method;
use serde::de::DeserializeOwned;

impl Client {
    /// Every object of a list, in its order; `only` are parameters that say which.
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        path: &str,
        only: &[(&str, &str)],
    ) -> Result<Vec<T>, ClientError> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let from: Vec<_> = after.iter().map(|id| ("after", id)).collect();
            let make = || self.request(Method::GET, path).query(&[("limit", "100")]).query(only).query(&from);
            let page: Listed<T> = self.call(make).await?;
            all.extend(page.data);
            match page.last_id {
                Some(last) if page.has_more => after = Some(last),
                _ => return Ok(all),
            }
        }
    }
}
