//! A model server that takes questions and never answers.

use std::{
    io::{ErrorKind, Read},
    net::{TcpListener, TcpStream},
    time::Duration,
};

/// Listens, and says nothing.
pub struct SilentModel(TcpListener);

impl SilentModel {
    pub fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    /// For `OPENAI_BASE_URL`.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.0.local_addr().unwrap())
    }

    /// Waits for a question: its connection.
    pub fn asked(&self) -> TcpStream {
        let (mut stream, _) = self.0.accept().unwrap();
        stream.set_read_timeout(Some(crate::program::DEADLINE)).unwrap();
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0, "a request");
        stream
    }
}

/// Waits until the other side has closed the connection.
pub fn is_closed(mut stream: TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut rest = [0; 4096];
    loop {
        match stream.read(&mut rest) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == ErrorKind::ConnectionReset,
        }
    }
}
