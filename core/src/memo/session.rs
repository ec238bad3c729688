//! `session_data`: one conversation.

use super::{Memo, count, sessions};
use crate::{PortResult, Session, SessionId, Tenant};
use futures::join;
use std::time::Duration;

const NAME: &str = "session_data";
const TTL: Duration = Duration::from_hours(1);

fn key(id: SessionId) -> String {
    format!("session:{id}")
}

impl Memo<'_> {
    /// One session of a tenant, as it is now.
    pub async fn session(self, tenant: &Tenant, id: SessionId) -> PortResult<Session> {
        let key = key(id);
        let (stamp, copy) = join!(self.store.session_stamp(tenant, id), self.read::<Session>(&key));
        let stamp = stamp?;
        let copy = copy.filter(|copy| stamp.is_of(copy) && copy.tenant == *tenant);
        count(NAME, copy.is_some());
        if let Some(copy) = copy {
            return Ok(Session { updated_at: stamp.updated_at, ..copy });
        }
        let session = self.store.session(tenant, id).await?;
        self.keep(&key, &session, TTL).await;
        Ok(session)
    }

    /// Drops what is kept of a deleted session. It cannot be found any more anyhow; what it holds need not stay.
    pub async fn forget_session(self, tenant: &Tenant, id: SessionId) {
        let (session, list) = (key(id), sessions::key(tenant));
        join!(self.cache.forget(&session), self.cache.forget(&list));
    }
}
