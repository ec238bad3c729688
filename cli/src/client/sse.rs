//! Reads server-sent events: `id`, `event` and `data` lines, ended by an empty one.

use super::error::ClientError;
use futures::{StreamExt, stream::BoxStream};
use reqwest::Response;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// Its number; what a reader resumes after.
    pub id: Option<u64>,
    /// Its type.
    pub name: String,
    /// JSON.
    pub data: String,
}

/// The events of a response that is being read.
pub struct Events {
    bytes: BoxStream<'static, reqwest::Result<Vec<u8>>>,
    lines: Lines,
    base: String,
}

impl Events {
    /// The events in the body of a response.
    pub(super) fn of(response: Response, base: &str) -> Self {
        let bytes = response.bytes_stream().map(|piece| piece.map(|bytes| bytes.to_vec())).boxed();
        Self { bytes, lines: Lines::default(), base: base.to_owned() }
    }

    /// The next event; `None`: the stream is over.
    pub async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        loop {
            if let Some(event) = self.lines.event() {
                return Ok(Some(event));
            }
            match self.bytes.next().await {
                Some(Ok(piece)) => self.lines.unread.extend(piece),
                Some(Err(error)) => return Err(ClientError::transport(&self.base, &error)),
                None => return Ok(None),
            }
        }
    }
}

/// Bytes that became no event yet.
#[derive(Default)]
struct Lines {
    unread: Vec<u8>,
    event: Event,
    has_data: bool,
}

impl Lines {
    /// The next whole event, if its end has come.
    fn event(&mut self) -> Option<Event> {
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if !line.is_empty() {
                self.field(line);
            } else if std::mem::take(&mut self.has_data) {
                return Some(std::mem::take(&mut self.event));
            }
        }
        None
    }

    /// A line that starts with a colon is a comment: it only shows that the stream is alive.
    fn field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => self.event.id = value.parse().ok(),
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stream in pieces of `size` bytes.
    fn read(stream: &str, size: usize) -> Vec<Event> {
        let mut lines = Lines::default();
        let mut events = Vec::new();
        for piece in stream.as_bytes().chunks(size) {
            lines.unread.extend(piece);
            events.extend(std::iter::from_fn(|| lines.event()));
        }
        events
    }

    #[test]
    fn any_cut_gives_the_same_events() {
        let stream = "id: 1\nevent: a\ndata: {\"text\":\"你好\"}\n\n: keep-alive\n\nid: 2\r\nevent: b\r\ndata: x\r\ndata: y\r\n\r\nid: 3\n";
        let whole = read(stream, stream.len());
        assert_eq!(whole.len(), 2, "{whole:?}");
        assert_eq!(whole[0], Event { id: Some(1), name: "a".into(), data: "{\"text\":\"你好\"}".into() });
        assert_eq!(whole[1], Event { id: Some(2), name: "b".into(), data: "x\ny".into() });
        for size in 1..20 {
            assert_eq!(read(stream, size), whole, "pieces of {size}");
        }
    }
}
