//! Multipart bodies, right and wrong.

use axum::{body::Body, http::Request};

pub const BOUNDARY: &str = "----boundary7MA4YWxkTrZu0gW";

/// A form, part by part.
#[derive(Default)]
pub struct Form(Vec<u8>);

impl Form {
    /// A part with this head (after `form-data; `) and content.
    pub fn part(mut self, head: &[u8], content: &[u8]) -> Self {
        self.0.extend_from_slice(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; ").as_bytes());
        self.0.extend_from_slice(head);
        self.0.extend_from_slice(b"\r\n\r\n");
        self.0.extend_from_slice(content);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    pub fn file(self, filename: &str, content: &[u8]) -> Self {
        self.part(format!("name=\"file\"; filename=\"{filename}\"").as_bytes(), content)
    }

    pub fn text(self, name: &str, content: &str) -> Self {
        self.part(format!("name=\"{name}\"").as_bytes(), content.as_bytes())
    }

    /// Without its end.
    pub fn open(self) -> Vec<u8> {
        self.0
    }

    pub fn bytes(mut self) -> Vec<u8> {
        self.0.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.0
    }

    pub fn post(self, path: &str) -> Request<Body> {
        post(path, Body::from(self.bytes()))
    }
}

pub fn post(path: &str, body: Body) -> Request<Body> {
    let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
    Request::post(path).header("content-type", media_type).body(body).unwrap()
}
