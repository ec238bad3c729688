use crate::PortResult;
use async_trait::async_trait;
use bytes::Bytes;

/// A file as it was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseInput {
    /// Its bytes.
    pub bytes: Bytes,
    /// Its name; the extension is a hint.
    pub filename: String,
    /// The media type that the caller gave.
    pub media_type: Option<String>,
    /// The character set that the caller insists on, as a WHATWG label.
    pub charset: Option<String>,
}

/// What a text's structure is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// None.
    Plain,
    /// Markdown.
    Markdown,
}

/// The text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedText {
    /// The text; offsets of passages point into it.
    pub text: String,
    /// How its structure is written.
    pub format: TextFormat,
    /// What the file was.
    pub media_type: String,
    /// The character set that it was read with.
    pub charset: String,
    /// Its own title, if it has one.
    pub title: Option<String>,
}

/// Bytes to text with structure, within limits.
#[async_trait]
pub trait Parser: Send + Sync {
    /// Reads a file. `Invalid` names what is wrong with it, in words for its owner.
    async fn parse(&self, input: ParseInput) -> PortResult<ParsedText>;
}
