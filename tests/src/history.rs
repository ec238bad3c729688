//! The history checker: what clients were promised and saw, held against what there is in the end.

use crate::{
    chat::ChatClient,
    sse::{SseEvent, SseReader},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// What clients were promised and saw.
#[derive(Clone, Default)]
pub struct History(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    turns: Vec<String>,
    documents: Vec<String>,
    events: BTreeMap<(String, u64), SseEvent>,
    /// How often a stream broke off or ended early, and was resumed.
    resumed: usize,
    /// How a turn may fail, because what it needs is away.
    excuse: Option<&'static str>,
    /// How many failed so.
    excused: usize,
}

impl History {
    /// A turn was accepted.
    pub fn turn(&self, response: &str) {
        self.0.lock().unwrap().turns.push(response.to_owned());
    }

    /// A document was accepted.
    pub fn document(&self, document: &str) {
        self.0.lock().unwrap().documents.push(document.to_owned());
    }

    /// Responses that were accepted so far.
    pub fn turns(&self) -> Vec<String> {
        self.0.lock().unwrap().turns.clone()
    }

    /// Documents that were accepted so far.
    pub fn documents(&self) -> Vec<String> {
        self.0.lock().unwrap().documents.clone()
    }

    /// A client saw an event. A number that was seen before must have had the same content.
    pub fn event(&self, response: &str, event: &SseEvent) {
        let mut seen = self.0.lock().unwrap();
        let before = seen.events.insert((response.to_owned(), event.id), event.clone());
        if let Some(before) = before {
            assert_eq!(&before, event, "one number had two contents in {response}");
        }
    }

    /// How many events clients saw.
    pub fn events(&self) -> usize {
        self.0.lock().unwrap().events.len()
    }

    /// How often a stream ended early, and was resumed.
    pub fn resumed(&self) -> usize {
        self.0.lock().unwrap().resumed
    }

    /// From now on a turn may also fail, if it says so with this code.
    pub fn excuse(&self, code: &'static str) {
        self.0.lock().unwrap().excuse = Some(code);
    }

    /// How many of the turns that were checked failed with that excuse.
    pub fn excused(&self) -> usize {
        self.0.lock().unwrap().excused
    }

    /// Whether a turn ended as it may; a failed one has no text to be compared.
    fn ended_well(&self, end: &Value) -> bool {
        let mut seen = self.0.lock().unwrap();
        let excused =
            end["status"] == "failed" && seen.excuse.is_some_and(|code| end["error"]["code"] == code);
        assert!(excused || end["status"] == "completed", "{end}");
        seen.excused += usize::from(excused);
        !excused
    }

    /// Reads a stream to its end, as a client does: it resumes whenever the stream breaks.
    pub async fn follow(&self, client: &ChatClient, response: &str) {
        let mut after = 0;
        while !self.watch(client, response, &mut after).await {
            self.0.lock().unwrap().resumed += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Reads a stream to where it breaks or ends, resuming after `after`; whether it ended.
    pub async fn watch(&self, client: &ChatClient, response: &str, after: &mut u64) -> bool {
        let Ok(answer) = client.events(response, *after).await else { return false };
        let status = answer.status();
        if !status.is_success() {
            assert!(status.is_server_error(), "{response} was accepted, and now its stream is {status}");
            return false;
        }
        let mut reader = SseReader::new(answer);
        while let Some(Ok(event)) = reader.next().await {
            assert!(event.id > *after, "event {} of {response} was repeated", event.id);
            let jumped = event.id != *after + 1;
            assert!(
                !jumped || event.name == "response.restarted",
                "a gap in {response}: {after} then {}",
                event.id
            );
            *after = event.id;
            self.event(response, &event);
            if event.is_terminal() {
                return true;
            }
        }
        false
    }

    /// Every turn ended, once; its stream is whole; what was seen live is what is replayed.
    pub async fn check_turns(&self, client: &ChatClient) {
        for response in self.turns() {
            let end = client.response_end(&response).await;
            let answered = self.ended_well(&end);
            let events = SseReader::new(client.events(&response, 0).await.unwrap()).rest().await.unwrap();
            check_stream(&response, &events);
            if answered {
                let said = end["output_text"].as_str().unwrap();
                assert_eq!(text(&events), said, "the stream of {response} says another text");
            }
            self.check_seen(&response, &events);
        }
    }

    fn check_seen(&self, response: &str, events: &[SseEvent]) {
        let replayed: BTreeMap<u64, &SseEvent> = events.iter().map(|event| (event.id, event)).collect();
        let seen = self.0.lock().unwrap();
        for ((_, id), event) in seen.events.range((response.to_owned(), 0)..=(response.to_owned(), u64::MAX))
        {
            if let Some(replayed) = replayed.get(id) {
                assert_eq!(*replayed, event, "event {id} of {response} was seen with another content");
            }
        }
    }

    /// Every document ended well, once.
    pub async fn check_documents(&self, client: &ChatClient) {
        for document in self.documents() {
            let end = client.document_end(&document).await;
            assert_eq!(end["status"], "ready", "{end}");
            let (_, chunks) = client.get(&format!("/documents/{document}/chunks?limit=100")).await.unwrap();
            assert_eq!(chunks["data"].as_array().unwrap().len() as u64, end["chunk_count"].as_u64().unwrap());
        }
    }
}

/// Numbers from 1 without a gap but at a restart; exactly one terminal event, at the end.
pub fn check_stream(response: &str, events: &[SseEvent]) {
    let mut last = 0;
    for event in events {
        let follows = event.id == last + 1 || (event.id > last && event.name == "response.restarted");
        assert!(follows, "a gap in {response}: {last} then {} {}", event.id, event.name);
        assert_eq!(event.data["response_id"], response);
        last = event.id;
    }
    let terminal = events.iter().filter(|event| event.is_terminal()).count();
    assert_eq!(terminal, 1, "{response} has {terminal} terminal events");
    assert!(events.last().unwrap().is_terminal(), "{response} goes on after its end");
    let done = events.iter().rev().find(|event| event.name == "response.output_text.done");
    if let Some(done) = done {
        assert_eq!(done.data["text"], text(events), "`done` is not what the deltas said in {response}");
    }
}

/// The deltas since the last restart, joined.
pub fn text(events: &[SseEvent]) -> String {
    let from = events.iter().rposition(|event| event.name == "response.restarted").unwrap_or(0);
    let deltas = events[from..].iter().filter(|event| event.name == "response.output_text.delta");
    deltas.map(|event| event.data["delta"].as_str().unwrap()).collect()
}
