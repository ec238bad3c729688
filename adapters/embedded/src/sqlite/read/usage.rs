//! Reads of usage: sums over the entries of one tenant and a bounded time.

use crate::sqlite::{SqliteStore, error::port_error};
use async_trait::async_trait;
use chat_core::{
    DAY_MS, Page, PortResult, SessionId, Tenant, Timestamp, Usage, UsageGroup, UsageOf, UsageQuery, UsageSum,
    ports::UsageStore,
};
use sqlx::{QueryBuilder, Row};
use sqlx_sqlite::{Sqlite, SqliteRow};
use uuid::Uuid;

#[async_trait]
impl UsageStore for SqliteStore {
    async fn usage(&self, tenant: &Tenant, wanted: &UsageQuery) -> PortResult<Page<UsageSum>> {
        let (of, order) = match wanted.group {
            UsageGroup::Day => ("created_at / 86400000", "part"),
            UsageGroup::Model => ("model", "input + output DESC, part"),
            UsageGroup::Session => ("session", "input + output DESC, part"),
        };
        let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM (SELECT ");
        query.push(of).push(
            " AS part, count(*) AS requests, sum(input_tokens) AS input, sum(output_tokens) AS output,
              sum(cost_usd) AS cost FROM chat_usage WHERE tenant = ",
        );
        query.push_bind(tenant.as_str().to_owned());
        query.push(" AND created_at >= ").push_bind(wanted.from.0);
        query.push(" AND created_at < ").push_bind(wanted.to.0);
        query.push(" GROUP BY 1) AS sums ORDER BY ").push(order);
        query.push(" LIMIT ").push_bind(i64::from(wanted.limit) + 1);
        let rows = query.build().fetch_all(self.readers()).await.map_err(port_error)?;
        Ok(Page::of(rows.iter().map(|row| sum(row, wanted.group)).collect(), wanted.limit))
    }
}

fn sum(row: &SqliteRow, group: UsageGroup) -> UsageSum {
    let number = |name| row.get::<i64, _>(name) as u64;
    let (input, output) = (number("input"), number("output"));
    UsageSum {
        of: match group {
            UsageGroup::Day => UsageOf::Day(Timestamp(row.get::<i64, _>("part") * DAY_MS)),
            UsageGroup::Model => UsageOf::Model(row.get("part")),
            UsageGroup::Session => UsageOf::Session(row.get::<Option<Uuid>, _>("part").map(SessionId)),
        },
        requests: number("requests"),
        usage: Usage {
            input_tokens: input,
            output_tokens: output,
            total_tokens: input + output,
            cost_usd: row.get("cost"),
        },
    }
}
