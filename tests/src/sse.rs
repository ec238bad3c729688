//! Server-sent events, read as a client reads them.

use futures::StreamExt;
use reqwest::Response;
use serde_json::Value;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct SseEvent {
    /// Its number.
    pub id: u64,
    /// Its type.
    pub name: String,
    /// Its data.
    pub data: Value,
}

impl SseEvent {
    /// Whether nothing follows it.
    pub fn is_terminal(&self) -> bool {
        let ends = ["completed", "incomplete", "failed", "cancelled"];
        self.name.strip_prefix("response.").is_some_and(|end| ends.contains(&end))
    }
}

/// Reads a stream event by event.
pub struct SseReader {
    body: futures::stream::BoxStream<'static, reqwest::Result<Vec<u8>>>,
    buffer: Vec<u8>,
}

impl SseReader {
    /// A reader of an answer, which must be a stream of events.
    pub fn new(answer: Response) -> Self {
        assert_eq!(answer.status(), 200);
        let kind = answer.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        Self {
            body: answer.bytes_stream().map(|piece| piece.map(|piece| piece.to_vec())).boxed(),
            buffer: Vec::new(),
        }
    }

    /// The next event; `None` at the end of the stream, an error if the connection broke.
    pub async fn next(&mut self) -> Option<reqwest::Result<SseEvent>> {
        loop {
            while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let frame: Vec<u8> = self.buffer.drain(..end + 2).collect();
                if let Some(event) = parse(std::str::from_utf8(&frame).unwrap()) {
                    return Some(Ok(event));
                }
            }
            match self.body.next().await? {
                Ok(piece) => self.buffer.extend(piece),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Everything up to the end of the stream.
    pub async fn rest(mut self) -> reqwest::Result<Vec<SseEvent>> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event?);
        }
        Ok(events)
    }
}

/// A frame without data is a comment or a keep-alive.
fn parse(frame: &str) -> Option<SseEvent> {
    let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).map(str::trim_start);
    let data = field("data:")?;
    let event = SseEvent {
        id: field("id:").expect("an event has an id").parse().unwrap(),
        name: field("event:").expect("an event has a type").to_owned(),
        data: serde_json::from_str(data).unwrap(),
    };
    assert_eq!(event.data["sequence_number"], event.id);
    assert_eq!(event.data["type"], event.name.as_str());
    Some(event)
}
