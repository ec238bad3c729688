//! Sessions, turns and their events.

use super::{Client, ClientError, Events};
use reqwest::{Method, header::ACCEPT};
use serde::Deserialize;
use serde_json::json;

/// A question.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What is asked.
    pub question: String,
    /// Where to look; empty: everywhere.
    pub collections: Vec<String>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

impl Client {
    /// Begins a conversation.
    pub async fn begin(&self, ask: &Ask) -> Result<String, ClientError> {
        let title: String = ask.question.chars().take(80).collect();
        let body = json!({"title": title, "collections": ask.collections});
        let session: Id = self.call(|| self.request(Method::POST, "/sessions").json(&body)).await?;
        Ok(session.id)
    }

    /// Asks in a conversation; the answer's events come back on the same connection.
    pub async fn ask(&self, session: &str, question: &str) -> Result<Events, ClientError> {
        let body = json!({"content": question, "stream": true});
        let path = format!("/sessions/{session}/messages");
        let make = || self.request(Method::POST, &path).header(ACCEPT, "text/event-stream").json(&body);
        Ok(Events::of(self.send(make).await?, self.base()))
    }

    /// Asks in a conversation, under an `Idempotency-Key` if there is one, and does not wait for the answer; its id.
    pub async fn submit(
        &self,
        session: &str,
        question: &str,
        key: Option<&str>,
    ) -> Result<String, ClientError> {
        #[derive(Deserialize)]
        struct Submitted {
            response: Id,
        }
        let body = json!({"content": question});
        let path = format!("/sessions/{session}/messages");
        let make = || {
            let request = self.request(Method::POST, &path).json(&body);
            key.into_iter().fold(request, |request, key| request.header("idempotency-key", key))
        };
        let submitted: Submitted = self.call(make).await?;
        Ok(submitted.response.id)
    }

    /// The events of an answer after a number.
    pub async fn events_after(&self, response: &str, after: u64) -> Result<Events, ClientError> {
        let path = format!("/responses/{response}/events");
        let make = || self.request(Method::GET, &path).header("last-event-id", after);
        Ok(Events::of(self.send(make).await?, self.base()))
    }

    /// Stops an answer.
    pub async fn cancel_response(&self, id: &str) -> Result<(), ClientError> {
        self.send(|| self.request(Method::POST, &format!("/responses/{id}/cancel"))).await.map(drop)
    }
}
