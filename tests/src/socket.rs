//! A client of the WebSocket.

use crate::chat::PATIENCE;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::CloseFrame},
};

fn address(url: &str) -> String {
    format!("{}/api/v1/ws", url.replacen("http", "ws", 1))
}

/// A connection.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    asked: u64,
    /// Events that came before they were asked for.
    early: Vec<Value>,
}

impl Socket {
    /// Connects to the interface at this address, with these headers.
    pub async fn connect(url: &str, headers: &[(&'static str, &str)]) -> Result<Self, Box<Error>> {
        let mut request = address(url).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (stream, _) = connect_async(request).await?;
        Ok(Self { stream, asked: 0, early: Vec::new() })
    }

    /// Connects with the smallest buffer that the system allows: what is not read soon stays with the sender.
    pub async fn connect_narrow(url: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(1).unwrap();
        let stream = socket.connect(url.trim_start_matches("http://").parse().unwrap()).await.unwrap();
        let (stream, _) = client_async(address(url), MaybeTlsStream::Plain(stream)).await.unwrap();
        Self { stream, asked: 0, early: Vec::new() }
    }

    /// Sends a text.
    pub async fn send(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    /// Asks, and reads the answer.
    pub async fn ask(&mut self, mut frame: Value) -> Value {
        self.asked += 1;
        let id = json!(self.asked);
        frame["id"] = id.clone();
        self.send(&frame.to_string()).await;
        loop {
            let heard = self.hear().await.expect("an answer");
            if heard["id"] == id && (heard["type"] == "ok" || heard["type"] == "error") {
                return heard;
            }
            self.early.push(heard);
        }
    }

    /// The next event.
    pub async fn event(&mut self) -> Option<Value> {
        if !self.early.is_empty() {
            return Some(self.early.remove(0));
        }
        self.hear().await.ok()
    }

    /// The next frame; why there is none.
    pub async fn hear(&mut self) -> Result<Value, Option<CloseFrame>> {
        loop {
            match timeout(PATIENCE, self.stream.next()).await.expect("the socket says nothing") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => return Err(frame),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }
}
