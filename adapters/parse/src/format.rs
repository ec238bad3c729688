//! What a format's parser says about itself and does.

use crate::ParseError;
use chat_core::ports::TextFormat;

/// What a parser gets of a file.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Its bytes; never none.
    pub bytes: &'a [u8],
    /// The character set that the caller insists on, as a WHATWG label.
    pub charset: Option<&'a str>,
}

/// What a parser makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The text. Plain text and Markdown come as they stand, line ends included, but for a byte order mark.
    pub text: String,
    /// How its structure is written.
    pub format: TextFormat,
    /// The name of the character set that the file was read with.
    pub charset: &'static str,
    /// Its own title.
    pub title: Option<String>,
}

/// Reads one format.
pub trait FormatParser: Send + Sync {
    /// The format for an error's list of what is supported: "Markdown (.md)".
    fn description(&self) -> &'static str;

    /// File name extensions, in lower case and without a dot, each with its media type.
    fn extensions(&self) -> &'static [(&'static str, &'static str)];

    /// Whether a media type (lower case, without parameters) is this format's.
    fn reads(&self, media_type: &str) -> bool {
        self.extensions().iter().any(|(_, own)| *own == media_type)
    }

    /// The media type of a file that begins like this format, for files whose names tell nothing.
    fn sniff(&self, _start: &[u8]) -> Option<&'static str> {
        None
    }

    /// Reads a file.
    fn parse(&self, file: &File<'_>) -> Result<Parsed, ParseError>;
}
