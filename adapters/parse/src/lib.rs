//! Bytes to structured text, by media type: plain text, Markdown and HTML, in any of the usual character sets.
//!
//! A new format is one file with a [`FormatParser`] and one line in [`MediaParser::default`].

mod charset;
mod error;
mod format;
mod frequent;
mod html;
mod markdown;
mod media_type;
mod plain;

pub use charset::{Decoded, decode};
pub use error::ParseError;
pub use format::{File, FormatParser, Parsed};
pub use html::HtmlParser;
pub use markdown::MarkdownParser;
pub use plain::PlainParser;

use async_trait::async_trait;
use chat_core::{
    PortError, PortResult,
    ports::{ParseInput, ParsedText, Parser},
};
use std::sync::Arc;

/// The formats that are read, and the choice between them.
pub struct MediaParser {
    formats: Arc<[Box<dyn FormatParser>]>,
}

impl Default for MediaParser {
    fn default() -> Self {
        // Plain text is last: it takes every text that no other format claims.
        Self::new([
            Box::new(MarkdownParser) as Box<dyn FormatParser>,
            Box::new(HtmlParser),
            Box::new(PlainParser),
        ])
    }
}

impl MediaParser {
    /// A parser of these formats; the first that claims a file reads it.
    pub fn new(formats: impl IntoIterator<Item = Box<dyn FormatParser>>) -> Self {
        Self { formats: formats.into_iter().collect() }
    }
}

#[async_trait]
impl Parser for MediaParser {
    async fn parse(&self, input: ParseInput) -> PortResult<ParsedText> {
        let formats = Arc::clone(&self.formats);
        // Decoding and tree building keep a core busy: not on a thread that streams wait for.
        match tokio::task::spawn_blocking(move || read(&formats, &input)).await {
            Ok(result) => result.map_err(PortError::from),
            Err(stopped) if stopped.is_panic() => {
                Err(PortError::invalid("The file cannot be read: its content breaks the parser")
                    .with_source(stopped))
            }
            Err(stopped) => {
                Err(PortError::unavailable("The file was not read: the process is ending")
                    .with_source(stopped))
            }
        }
    }
}

fn read(formats: &[Box<dyn FormatParser>], input: &ParseInput) -> Result<ParsedText, ParseError> {
    if input.bytes.is_empty() {
        return Err(ParseError::Empty);
    }
    let kind = media_type::detect(formats, input);
    let Some(format) = formats.iter().find(|format| format.reads(&kind.media_type)) else {
        let supported = formats.iter().map(|format| format.description()).collect::<Vec<_>>().join(", ");
        return Err(ParseError::Unsupported { what: kind.description(), supported });
    };
    let file = File { bytes: &input.bytes, charset: input.charset.as_deref() };
    let Parsed { text, format, charset, title } = format.parse(&file)?;
    if text.trim().is_empty() {
        return Err(ParseError::NoText);
    }
    Ok(ParsedText { text, format, media_type: kind.media_type, charset: charset.to_owned(), title })
}

#[cfg(test)]
mod tests;
