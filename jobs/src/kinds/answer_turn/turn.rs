//! What a turn is about.

use super::history::{self, Memory};
use crate::JobContext;
use chat_core::{ErrorKind, Message, PortResult, Response, ResponseId, Session, ports::TurnRows};

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
        // The newest messages, not those before the question: an answer to an earlier one may be younger than it.
        let TurnRows { response, session, summary, newest } = store.turn(tenant, id, history::LIMIT).await?;
        if response.status.is_final() {
            return Ok(None);
        }
        let message = match newest.iter().find(|message| message.id == response.message) {
            Some(message) => message.clone(),
            None => store.message(tenant, response.message).await?,
        };
        let memory = Memory::plan(newest, summary, message.id, cx.options.history_tokens);
        Ok(Some(Self { response, message, session, memory }))
    }
}
