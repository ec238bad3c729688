//! A WebSocket that follows one response.

use super::model;
use crate::{
    client::Client,
    failure::{Failure, Outcome},
};
use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::json;
use std::{borrow::Cow, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Message, client::IntoClientRequest, http::header::AUTHORIZATION, protocol::WebSocketConfig,
    },
};

/// An open socket.
pub(super) struct Reader(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What came over it.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// From the model's sending of a token to its arrival, for each token.
    pub(super) delays: Vec<Duration>,
    pub(super) events: usize,
    /// Events whose number does not follow the one before.
    pub(super) gaps: usize,
    pub(super) completed: bool,
    last: u64,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    sequence_number: Option<u64>,
    #[serde(default, borrow)]
    delta: Option<Cow<'a, str>>,
}

impl Reader {
    /// Connects to an interface.
    pub(super) async fn open(client: &Client) -> Outcome<Self> {
        let url = format!("{}/api/v1/ws", client.base().replacen("http", "ws", 1));
        let mut request = url.into_client_request().map_err(lost)?;
        if let Some(token) = client.bearer() {
            let value = format!("Bearer {token}").parse();
            request
                .headers_mut()
                .insert(AUTHORIZATION, value.map_err(|_| Failure::new("the token is no header"))?);
        }
        // The library writes zeros over its whole buffer before each read: with its 128 KiB the clients would be most of
        // the load.
        let config = WebSocketConfig::default().read_buffer_size(4 * 1024);
        let (stream, _) = connect_async_with_config(request, Some(config), true).await.map_err(lost)?;
        Ok(Self(stream))
    }

    /// Follows a response to its end.
    pub(super) async fn read(mut self, response: &str, silence: Duration) -> Outcome<Heard> {
        let subscribe = json!({"id": 1, "type": "subscribe", "response_id": response}).to_string();
        self.0.send(Message::text(subscribe)).await.map_err(lost)?;
        let mut heard = Heard::default();
        while !heard.completed {
            let frame =
                timeout(silence, self.0.next()).await.map_err(|_| Failure::new("a stream fell silent"))?;
            match frame {
                Some(Ok(Message::Text(text))) => heard.take(&text)?,
                Some(Ok(Message::Close(frame))) => {
                    return Err(Failure::new(format!("a socket was closed: {frame:?}")));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(lost(error)),
                None => return Err(Failure::new("a socket was cut")),
            }
        }
        self.0.close(None).await.ok();
        Ok(heard)
    }
}

impl Heard {
    /// How many tokens came.
    pub(super) fn tokens(&self) -> usize {
        self.delays.len()
    }

    fn take(&mut self, text: &str) -> Outcome<()> {
        let wrong = |why: &str| Failure::new(format!("{why}: {text}"));
        let frame: Frame<'_> = serde_json::from_str(text).map_err(|_| wrong("a frame cannot be read"))?;
        let Some(number) = frame.sequence_number else {
            return if frame.kind == "ok" { Ok(()) } else { Err(wrong("a request was refused")) };
        };
        self.events += 1;
        self.gaps += usize::from(number != self.last + 1);
        self.last = number;
        match &*frame.kind {
            "response.output_text.delta" => {
                let now = model::now();
                let times = frame.delta.iter().flat_map(|delta| delta.split_whitespace());
                let sent = times.filter_map(|time| time.parse::<u64>().ok());
                self.delays.extend(sent.map(|sent| Duration::from_micros(now.saturating_sub(sent))));
            }
            "response.completed" => self.completed = true,
            "response.failed" | "response.cancelled" | "response.incomplete" => {
                return Err(wrong("a turn failed"));
            }
            _ => {}
        }
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn lost(error: tokio_tungstenite::tungstenite::Error) -> Failure {
    Failure::new(format!("a socket failed: {error}"))
}
