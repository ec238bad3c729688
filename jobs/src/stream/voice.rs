//! What the work says.

use chat_core::{Change, PortError, PortResult};
use serde_json::{Map, Value};
use tokio::sync::mpsc;

/// One thing that was said.
#[derive(Debug)]
pub(super) enum Said {
    /// A piece of the answer.
    Text(String),
    /// An event.
    Event(&'static str, Map<String, Value>),
    /// A write that goes with the next batch of events.
    Write(Box<Change>),
}

/// The work's end of a stream. Waits when too much is not durable yet.
#[derive(Debug, Clone)]
pub struct Voice(pub(super) mpsc::Sender<Said>);

impl Voice {
    /// Says a piece of text and appends it to `text`: both, or, if the run is stopped meanwhile, neither.
    pub async fn say(&self, piece: &str, text: &mut String) -> PortResult<()> {
        let place = self.0.reserve().await.map_err(|_| closed())?;
        text.push_str(piece);
        place.send(Said::Text(piece.to_owned()));
        Ok(())
    }

    /// Says that something happened.
    pub async fn tell(&self, name: &'static str, body: Map<String, Value>) -> PortResult<()> {
        self.0.send(Said::Event(name, body)).await.map_err(|_| closed())
    }

    /// Writes something along with the next batch of events.
    pub async fn keep(&self, change: Change) -> PortResult<()> {
        self.0.send(Said::Write(Box::new(change))).await.map_err(|_| closed())
    }
}

fn closed() -> PortError {
    PortError::internal("the response's stream has ended")
}
