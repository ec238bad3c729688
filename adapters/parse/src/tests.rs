#![allow(clippy::unwrap_used)]

use crate::MediaParser;
use bytes::Bytes;
use chat_core::{
    ErrorKind,
    ports::{ParseInput, ParsedText, Parser, TextFormat},
};

async fn parse(filename: &str, bytes: &[u8], media_type: Option<&str>) -> Result<ParsedText, String> {
    let input = ParseInput {
        bytes: Bytes::copy_from_slice(bytes),
        filename: filename.to_owned(),
        media_type: media_type.map(str::to_owned),
        charset: None,
    };
    MediaParser::default().parse(input).await.map_err(|error| {
        assert_eq!(error.kind, ErrorKind::Invalid, "never worth another try: {error}");
        error.message
    })
}

#[tokio::test]
async fn a_file_is_what_its_name_says_then_what_the_caller_says_then_what_it_looks_like() {
    for (filename, bytes, declared, media_type, format) in [
        ("notes.txt", "# text", None, "text/plain", TextFormat::Plain),
        ("README.MD", "# 标题", Some("application/octet-stream"), "text/markdown", TextFormat::Markdown),
        ("a.b/page.htm", "<h1>x</h1>", Some("text/plain"), "text/html", TextFormat::Markdown),
        ("data.csv", "a,b\n1,2", None, "text/csv", TextFormat::Plain),
        ("main.rs", "fn main() {}", None, "text/x-rust", TextFormat::Plain),
        ("noname", "<!doctype html><p>x", None, "text/html", TextFormat::Markdown),
        (
            "noname",
            "\u{feff}\n <HTML><p>x",
            Some("application/octet-stream"),
            "text/html",
            TextFormat::Markdown,
        ),
        ("noname", "words", Some("Text/Markdown; charset=utf-8"), "text/markdown", TextFormat::Markdown),
        ("noname", "words", Some("nonsense"), "text/plain", TextFormat::Plain),
        ("noname.unknown", "words", Some("text/x-special"), "text/x-special", TextFormat::Plain),
        ("", "words", None, "text/plain", TextFormat::Plain),
    ] {
        let parsed = parse(filename, bytes.as_bytes(), declared).await.unwrap();
        assert_eq!((parsed.media_type.as_str(), parsed.format), (media_type, format), "{filename}");
    }
}

#[tokio::test]
async fn text_comes_out_as_it_went_in() {
    let text = "\r\n# 第一章\r\n\r\n正文  e\u{301}\u{3000}\n\n\n";
    for filename in ["a.md", "a.txt"] {
        let parsed = parse(filename, format!("\u{feff}{text}").as_bytes(), None).await.unwrap();
        assert_eq!((parsed.text.as_str(), parsed.charset.as_str()), (text, "UTF-8"));
    }
    let title = parse("a.md", text.as_bytes(), None).await.unwrap().title;
    assert_eq!(title.as_deref(), Some("第一章"));
}

#[tokio::test]
async fn what_cannot_be_read_is_said_in_a_sentence() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice();
    let tar = [vec![b'a'; 257], b"ustar\0".to_vec()].concat();
    for (filename, bytes, declared, words) in [
        ("a.txt", b"".as_slice(), None, "The file is empty"),
        ("a.txt", b" \r\n\t", None, "The file has no text"),
        ("a.html", b"<p> <script>x</script>", None, "The file has no text"),
        ("a.txt", &[0; 64], None, "The file has binary content, not text: it consists of zero bytes"),
        (
            "a.txt",
            png,
            None,
            "The file is a PNG image, which is not supported. Supported are: Markdown (.md), HTML",
        ),
        ("a.md", b"%PDF-1.7\nx", None, "The file is a PDF document"),
        ("a.txt", b"PK\x03\x04rest", None, "The file is a ZIP archive"),
        ("a.docx", b"PK\x03\x04rest", None, "The file is a Word document"),
        ("a.docx", b"not even that", None, "The file is a Word document"),
        ("a.txt", b"\x7fELF\x02\x01\x01", None, "The file is a program (ELF)"),
        ("a.txt", b"\x1f\x8b\x08\0", None, "The file is a gzip archive"),
        ("a.txt", &tar, None, "The file is a tar archive"),
        ("a", b"xx", Some("video/quicktime"), "The file is of the type video/quicktime"),
        ("a.txt", b"MZ\x90\0\x03\0\0\0\x04", None, "The file has binary content"),
    ] {
        let error = parse(filename, bytes, declared).await.unwrap_err();
        assert!(error.starts_with(words), "{filename}: {error}");
    }
}

#[tokio::test]
async fn text_that_only_begins_like_something_else_is_text() {
    for text in
        ["ID3 tags are metadata", "PK is a pair of letters", "GIF is a format", "wOFF we go", "xxxxftyp"]
    {
        assert_eq!(parse("a.txt", text.as_bytes(), None).await.unwrap().text, text);
    }
}

#[tokio::test]
async fn the_callers_charset_reaches_every_format() {
    for filename in ["a.txt", "a.md", "a.html"] {
        let (bytes, _, _) = encoding_rs::GBK.encode("所有权");
        let charset = |label: &str| ParseInput {
            bytes: Bytes::copy_from_slice(&bytes),
            filename: filename.to_owned(),
            media_type: None,
            charset: Some(label.to_owned()),
        };
        let parser = MediaParser::default();
        assert_eq!(parser.parse(charset("gb18030")).await.unwrap().text, "所有权");
        let error = parser.parse(charset("utf-8")).await.unwrap_err().to_string();
        assert!(error.contains("not in the charset utf-8"), "{error}");
        let error = parser.parse(charset("x-none")).await.unwrap_err().to_string();
        assert!(error.contains("\"x-none\" is unknown"), "{error}");
    }
}

/// On a thread with the stack that the runtime gives to blocking work.
#[tokio::test]
async fn deep_nesting_does_not_overflow_the_stack() {
    for tag in ["div", "ul", "table", "b", "blockquote", "section"] {
        let html = format!("<{tag}>").repeat(100_000) + "found";
        let parsed = parse("deep.html", html.as_bytes(), None).await.unwrap();
        assert!(parsed.text.contains("found"), "{tag}");
    }
}
