//! `user_sessions`: the newest conversations of a user, which is whoever calls for a tenant: all callers of a tenant see
//! the same conversations, so they share one list.

use super::{Memo, count};
use crate::{Page, PageRequest, PortResult, Session, SessionStamp, Tenant};
use futures::join;
use std::time::Duration;

const NAME: &str = "user_sessions";
const TTL: Duration = Duration::from_mins(30);

pub(super) fn key(tenant: &Tenant) -> String {
    format!("user_sessions:{tenant}")
}

impl Memo<'_> {
    /// A page of a tenant's sessions, as they are now. Only the first page of the newest ones is kept: it is what is
    /// asked for again and again.
    pub async fn sessions(self, tenant: &Tenant, request: PageRequest) -> PortResult<Page<Session>> {
        if request.ascending || request.after.is_some() || request.before.is_some() {
            return self.store.sessions(tenant, request).await;
        }
        let key = key(tenant);
        let (stamps, copy) =
            join!(self.store.session_stamps(tenant, request), self.read::<Vec<Session>>(&key));
        let stamps = stamps?;
        let rows = copy.and_then(|copy| checked(copy, tenant, &stamps.rows));
        count(NAME, rows.is_some());
        if let Some(rows) = rows {
            return Ok(Page { rows, has_more: stamps.has_more });
        }
        let page = self.store.sessions(tenant, request).await?;
        self.keep(&key, &page.rows, TTL).await;
        Ok(page)
    }
}

/// The copies, if there is one for every stamp, in the same order, and each is still right. What a longer page kept
/// answers for a shorter one.
fn checked(copies: Vec<Session>, tenant: &Tenant, stamps: &[SessionStamp]) -> Option<Vec<Session>> {
    if copies.len() < stamps.len() {
        return None;
    }
    let fresh = copies.into_iter().zip(stamps).map(|(copy, stamp)| {
        let right = stamp.is_of(&copy) && copy.tenant == *tenant;
        right.then_some(Session { updated_at: stamp.updated_at, ..copy })
    });
    fresh.collect()
}
