//! Plain text, and every text format whose structure is not looked at: tables, settings, source code.

use crate::{File, FormatParser, ParseError, Parsed, decode};
use chat_core::ports::TextFormat;

/// Reads text as it stands.
#[derive(Debug, Clone, Copy)]
pub struct PlainParser;

const EXTENSIONS: &[(&str, &str)] = &[
    ("txt", "text/plain"),
    ("text", "text/plain"),
    ("log", "text/plain"),
    ("csv", "text/csv"),
    ("tsv", "text/tab-separated-values"),
    ("json", "application/json"),
    ("jsonl", "application/x-ndjson"),
    ("ndjson", "application/x-ndjson"),
    ("xml", "application/xml"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("toml", "application/toml"),
    ("ini", "text/plain"),
    ("cfg", "text/plain"),
    ("conf", "text/plain"),
    ("properties", "text/plain"),
    ("rst", "text/x-rst"),
    ("adoc", "text/asciidoc"),
    ("org", "text/org"),
    ("tex", "application/x-tex"),
    ("srt", "application/x-subrip"),
    ("vtt", "text/vtt"),
    ("sql", "application/sql"),
    ("sh", "application/x-sh"),
    ("py", "text/x-python"),
    ("rs", "text/x-rust"),
    ("go", "text/x-go"),
    ("java", "text/x-java"),
    ("c", "text/x-c"),
    ("h", "text/x-c"),
    ("cpp", "text/x-c++"),
    ("hpp", "text/x-c++"),
    ("cs", "text/x-csharp"),
    ("js", "text/javascript"),
    ("ts", "text/x-typescript"),
    ("css", "text/css"),
];

impl FormatParser for PlainParser {
    fn description(&self) -> &'static str {
        "plain text in any common charset (.txt, .csv, .json, source code)"
    }

    fn extensions(&self) -> &'static [(&'static str, &'static str)] {
        EXTENSIONS
    }

    fn reads(&self, media_type: &str) -> bool {
        media_type.starts_with("text/")
            || media_type.ends_with("+json")
            || media_type.ends_with("+xml") && !media_type.starts_with("image/")
            || EXTENSIONS.iter().any(|(_, own)| *own == media_type)
    }

    fn parse(&self, file: &File<'_>) -> Result<Parsed, ParseError> {
        let decoded = decode(file.bytes, file.charset, None)?;
        Ok(Parsed { text: decoded.text, format: TextFormat::Plain, charset: decoded.charset, title: None })
    }
}
