//! What models took.

use super::{Client, ClientError, Listed, UsageSum};
use reqwest::Method;

impl Client {
    /// Sums by `day`, `model` or `session`. Times are as the interface reads them; none: the last 30 days.
    pub async fn usage(
        &self,
        by: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Vec<UsageSum>, ClientError> {
        let named = [("group_by", Some(by)), ("from", from), ("to", to), ("limit", Some("400"))];
        let query: Vec<_> = named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let sums: Listed<UsageSum> = self.call(|| self.request(Method::GET, "/usage").query(&query)).await?;
        Ok(sums.data)
    }
}
