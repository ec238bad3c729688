//! HTML to Markdown.
//!
//! The tree builder and the converter are recursive, keep every element in memory and have steps that take the square
//! of their input. So a file goes through [`simplify`] first, which keeps only what Markdown can say, without deep
//! nesting: what it lets through is small and shallow whatever the file is like.

mod converter;
mod entities;
mod output;
mod role;
mod simplify;
mod tags;

use crate::{File, FormatParser, ParseError, Parsed, decode, markdown};
use chat_core::ports::TextFormat;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use simplify::{Simplified, simplify};
use tags::{Token, Tokens};

/// Reads HTML: the words, headings, lists, tables and code of a page, without scripts, styles and navigation.
#[derive(Debug, Clone, Copy)]
pub struct HtmlParser;

/// Within this many bytes a page names its character set (the HTML standard's limit).
const PRESCAN_BYTES: usize = 1024;

const EXTENSIONS: &[(&str, &str)] = &[
    ("html", "text/html"),
    ("htm", "text/html"),
    ("xhtml", "application/xhtml+xml"),
    ("shtml", "text/html"),
];

impl FormatParser for HtmlParser {
    fn description(&self) -> &'static str {
        "HTML (.html)"
    }

    fn extensions(&self) -> &'static [(&'static str, &'static str)] {
        EXTENSIONS
    }

    fn sniff(&self, start: &[u8]) -> Option<&'static str> {
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        let start = &start[..start.len().min(PRESCAN_BYTES)];
        let begins = String::from_utf8_lossy(start).trim_start().to_ascii_lowercase();
        ["<!doctype html", "<html", "<head", "<body"]
            .iter()
            .any(|tag| begins.starts_with(tag))
            .then_some("text/html")
    }

    fn parse(&self, file: &File<'_>) -> Result<Parsed, ParseError> {
        let decoded = decode(file.bytes, file.charset, declared_charset(file.bytes))?;
        let Simplified { html, title } = simplify(&decoded.text)?;
        let text = converter::to_markdown(&html);
        let text = match &title {
            Some(title) if !text.trim().is_empty() && !html.contains("<h1") => under_title(title, &text),
            _ => text,
        };
        let title = title.or_else(|| markdown::title(&text));
        Ok(Parsed { text, format: TextFormat::Markdown, charset: decoded.charset, title })
    }
}

/// A page whose headings do not say what it is about: its title does, to readers and to searches.
fn under_title(title: &str, text: &str) -> String {
    let words = title.replace('&', "&amp;").replace('<', "&lt;");
    format!("{}\n\n{text}", converter::to_markdown(&format!("<h1>{words}</h1>")))
}

/// What `<meta charset>` or `<meta http-equiv="Content-Type">` says.
fn declared_charset(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(PRESCAN_BYTES)]);
    Tokens::new(&start).find_map(|token| match token {
        Token::Open { name, attributes, .. } if name == "meta" => {
            let value =
                |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value);
            let label = value("charset").or_else(|| charset_parameter(value("content")?))?;
            let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
            // A tag that could be read byte by byte is not in UTF-16, whatever it says.
            Some(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding })
        }
        _ => None,
    })
}

/// The charset in `text/html; charset=gbk`.
fn charset_parameter(content: &str) -> Option<&str> {
    let at = content.to_ascii_lowercase().find("charset")?;
    let value = content[at + "charset".len()..].trim_start().strip_prefix('=')?;
    let value = value.trim_start().trim_start_matches(['"', '\'']);
    value.split(['"', '\'', ';', ' ']).next()
}

#[cfg(test)]
mod tests;
