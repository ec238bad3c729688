//! `session_data`: one conversation.

use super::{Memo, count, sessions};
use crate::{PortResult, Session, SessionId, SessionStamp, Tenant};
use futures::join;
use std::time::Duration;

const NAME: &str = "session_data";
const TTL: Duration = Duration::from_hours(1);

fn key(id: SessionId) -> String {
    format!("session:{id}")
}

/// A copy of unknown age; nobody sees it before it is compared with the row's stamp.
pub struct UncheckedSession<'a> {
    memo: Memo<'a>,
    copy: Option<Session>,
}

impl<'a> Memo<'a> {
    /// One session of a tenant, as it is now.
    pub async fn session(self, tenant: &Tenant, id: SessionId) -> PortResult<Session> {
        let (stamp, copy) = join!(self.store.session_stamp(tenant, id), self.recall_session(id));
        copy.checked(tenant, stamp?).await
    }

    /// Looks for a copy: for who reads the session's stamp together with other things meanwhile.
    pub async fn recall_session(self, id: SessionId) -> UncheckedSession<'a> {
        UncheckedSession { memo: self, copy: self.read(&key(id)).await }
    }

    /// Drops what is kept of a deleted session. It cannot be found any more anyhow; what it holds need not stay.
    pub async fn forget_session(self, tenant: &Tenant, id: SessionId) {
        let (session, list) = (key(id), sessions::key(tenant));
        join!(self.cache.forget(&session), self.cache.forget(&list));
    }
}

impl UncheckedSession<'_> {
    /// The session whose stamp was read: from the copy if that is still right, from the store otherwise.
    pub async fn checked(self, tenant: &Tenant, stamp: SessionStamp) -> PortResult<Session> {
        let copy = self.copy.filter(|copy| stamp.is_of(copy) && copy.tenant == *tenant);
        count(NAME, copy.is_some());
        if let Some(copy) = copy {
            return Ok(Session { updated_at: stamp.updated_at, ..copy });
        }
        let session = self.memo.store.session(tenant, stamp.id).await?;
        self.memo.keep(&key(session.id), &session, TTL).await;
        Ok(session)
    }
}
