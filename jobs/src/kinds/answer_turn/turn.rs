//! What a turn is about.

use super::history::{self, Memory};
use crate::JobContext;
use chat_core::{ErrorKind, Message, MessageId, PortError, PortResult, Response, ResponseId, Session};

/// A message, its conversation, and the response that is to be made.
#[derive(Debug)]
pub(super) struct Turn {
    pub response: Response,
    pub message: Message,
    pub session: Session,
    pub memory: Memory,
}

impl Turn {
    /// Reads a turn; none if there is nothing to answer any more: it is answered, or the conversation was deleted.
    pub(super) async fn load(cx: &JobContext, id: ResponseId) -> PortResult<Option<Self>> {
        match Self::read(cx, id).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            turn => turn,
        }
    }

    async fn read(cx: &JobContext, id: ResponseId) -> PortResult<Option<Self>> {
        let (store, tenant) = (&cx.ports.store, &cx.claim.tenant);
        let response = store.response(tenant, id).await?;
        if response.status.is_final() {
            return Ok(None);
        }
        // Asked for up to now, not up to the message: an answer to an earlier message may be younger than this one.
        let (message, history, copy) = tokio::join!(
            store.message(tenant, response.message),
            store.history(response.session, MessageId::new(), history::LIMIT),
            cx.ports.memo().recall_session(response.session),
        );
        let (message, history) = (message?, history?);
        let stamp = history.session.ok_or_else(|| PortError::not_found(response.session))?;
        let session = copy.checked(tenant, stamp).await?;
        let memory = Memory::plan(history, message.id, cx.options.history_tokens);
        Ok(Some(Self { response, message, session, memory }))
    }
}
