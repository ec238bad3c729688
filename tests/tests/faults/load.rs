//! What users do meanwhile: they ask, read along, upload, and try again when something fails.

use chat_tests::{chat::ChatClient, history::History};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// A user.
#[derive(Clone)]
pub struct User {
    pub client: ChatClient,
    pub history: History,
}

impl User {
    /// Submits until it is accepted; an `Idempotency-Key` makes that safe when the answer was lost. All that may go
    /// wrong is a connection, or a 503 that says when to try again.
    pub async fn submit(&self, path: &str, body: &Value, key: &str) -> Value {
        loop {
            let request =
                self.client.http.post(self.client.at(path)).header("Idempotency-Key", key).json(body);
            if let Ok(answer) = request.send().await
                && let (status, wait) = (answer.status(), answer.headers().get("retry-after").cloned())
                && let Ok(body) = answer.json::<Value>().await
            {
                if status.is_success() {
                    return body;
                }
                assert!(status == 503 && wait.is_some(), "{path}: {status}, Retry-After {wait:?}, {body}");
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Asks; the response's id.
    pub async fn ask(&self, session: &str, question: &str, key: &str) -> String {
        let body = json!({ "content": question });
        let answer = self.submit(&format!("/sessions/{session}/messages"), &body, key).await;
        let response = answer["response"]["id"].as_str().unwrap().to_owned();
        self.history.turn(&response);
        response
    }

    /// Asks and reads the answer to its end.
    pub async fn turn(&self, session: &str, question: &str, key: &str) {
        let response = self.ask(session, question, key).await;
        self.history.follow(&self.client, &response).await;
    }

    /// Uploads a manual of so many sections; the document's id.
    pub async fn upload(&self, collection: &str, number: usize, sections: usize) -> String {
        let text = format!("# Pump {number}\n\n泵 {number} 的维护手册。\n\n").repeat(sections);
        let body = json!({ "text": text, "filename": format!("pump-{number}.md") });
        let path = format!("/collections/{collection}/documents");
        let answer = self.submit(&path, &body, &format!("document-{number}")).await;
        let document = answer["documents"][0]["id"].as_str().unwrap().to_owned();
        self.history.document(&document);
        document
    }
}
