//! What users do meanwhile: they ask, read along, upload, and try again when something fails.

use super::Size;
use chat_tests::{chat::ChatClient, history::History};
use rand::{RngExt, rngs::SmallRng};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{task::JoinSet, time::sleep};

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

    /// A new conversation.
    pub async fn session(&self, key: &str) -> String {
        let session = self.submit("/sessions", &json!({}), key).await;
        session["id"].as_str().unwrap().to_owned()
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

/// When things happen: half of them at once, the others at any time.
fn when(random: &mut SmallRng, at_once: bool, window: Duration) -> Duration {
    let longest = if at_once { Duration::from_secs(1) } else { window };
    longest.mul_f64(random.random::<f64>())
}

/// Starts the load: turns of conversations of two, and documents.
pub async fn begin(
    load: &mut JoinSet<()>,
    user: &User,
    collection: &str,
    size: Size,
    window: Duration,
    random: &mut SmallRng,
) {
    for number in 0..size.turns / 2 {
        let session = user.session(&format!("session-{number}")).await;
        let (user, first) = (user.clone(), when(random, true, window));
        let second = when(random, false, window);
        load.spawn(async move {
            let question = format!("问题 {number}: what does the manual say about pump {number}?");
            sleep(first).await;
            let key = format!("turn-{number}");
            let early = user.turn(&session, &question, &key);
            let late = async {
                sleep(second).await;
                user.turn(&session, "And what else?", &format!("next-{number}")).await;
            };
            tokio::join!(early, late);
        });
    }
    for number in 0..size.documents {
        let wait = when(random, number % 2 == 0, window);
        let sections = random.random_range(1..40);
        let (user, collection) = (user.clone(), collection.to_owned());
        load.spawn(async move {
            sleep(wait).await;
            user.upload(&collection, number, sections).await;
        });
    }
}
