//! Where the headings and fenced blocks of a Markdown text are.
//!
//! A line scanner, not a Markdown parser: it needs one pass and no memory per element, and a passage's title and
//! first line depend on nothing else. Headings inside quotes and lists are left alone: they do not divide a text.

use super::{heading::heading_words, title::BELOW};
use std::{ops::Range, sync::Arc};

/// A heading and what follows it, up to the next heading. Sections tile the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// Its bytes.
    pub(super) bytes: Range<usize>,
    /// Its heading's lines, within `bytes`; empty before the first heading.
    pub(super) heading: Range<usize>,
    /// 1 to 6; 0 before the first heading.
    pub(super) level: u8,
    /// The headings above it and its own: "Chapter > Section".
    pub(super) path: Option<Arc<str>>,
}

/// A text's sections and fenced blocks, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outline {
    pub(super) sections: Vec<Section>,
    pub(super) fences: Vec<Range<usize>>,
}

impl Outline {
    /// The outline of a text without structure: one section.
    pub(super) fn flat(text: &str) -> Self {
        Self { sections: vec![Section::without_heading(0..text.len())], fences: Vec::new() }
    }

    /// The outline of a Markdown text.
    pub(super) fn markdown(text: &str) -> Self {
        let mut scan = Scan { text, ..Scan::default() };
        let mut at = front_matter_end(text);
        while at < text.len() {
            let end = line_end(text, at);
            scan.line(at..end);
            at = end;
        }
        scan.finish()
    }
}

impl Section {
    fn without_heading(bytes: Range<usize>) -> Self {
        Self { heading: bytes.start..bytes.start, bytes, level: 0, path: None }
    }
}

/// An open fence: its character and how many of it.
#[derive(Debug, Clone, Copy)]
struct Fence {
    mark: u8,
    count: usize,
    start: usize,
}

#[derive(Default)]
struct Scan<'a> {
    text: &'a str,
    outline: Outline,
    fence: Option<Fence>,
    /// Whether the line above belongs to a paragraph.
    in_paragraph: bool,
    /// The line above, if it is a paragraph's first: an underline makes it a heading.
    first_line: Option<Range<usize>>,
    /// Headings in force, by level.
    above: Vec<(u8, String)>,
}

impl Scan<'_> {
    fn line(&mut self, range: Range<usize>) {
        let text = self.text;
        let line = text[range.clone()].trim_end();
        if let Some(fence) = self.fence {
            if closes(line, fence) {
                self.outline.fences.push(fence.start..range.end);
                self.fence = None;
            }
            return;
        }
        let words = self.first_line.take();
        let in_paragraph = std::mem::take(&mut self.in_paragraph);
        if line.is_empty() {
            return;
        }
        if let Some((mark, count)) = opens(line) {
            self.fence = Some(Fence { mark, count, start: range.start });
        } else if let Some((level, words)) = hash_heading(line) {
            self.heading(level, words, range);
        } else if let (Some(level), Some(words)) = (underline(line), words) {
            self.heading(level, &text[words.clone()], words.start..range.end);
        } else {
            self.in_paragraph = underline(line).is_none();
            self.first_line = (!in_paragraph && may_be_heading_words(line)).then_some(range);
        }
    }

    fn heading(&mut self, level: u8, markup: &str, heading: Range<usize>) {
        self.above.retain(|(above, _)| *above < level);
        self.above.push((level, heading_words(markup)));
        let titles = self.above.iter().map(|(_, title)| title.as_str()).filter(|title| !title.is_empty());
        let path = titles.collect::<Vec<_>>().join(BELOW);
        let path = (!path.is_empty()).then(|| Arc::from(path));
        self.end_section(heading.start);
        self.outline.sections.push(Section { bytes: heading.start..heading.end, heading, level, path });
    }

    fn end_section(&mut self, end: usize) {
        match self.outline.sections.last_mut() {
            Some(section) => section.bytes.end = end,
            None if end > 0 => self.outline.sections.push(Section::without_heading(0..end)),
            None => {}
        }
    }

    fn finish(mut self) -> Outline {
        let end = self.text.len();
        if let Some(fence) = self.fence {
            self.outline.fences.push(fence.start..end);
        }
        self.end_section(end);
        self.outline
    }
}

/// The end of the line that starts at `at`, its line feed, carriage return or both included.
fn line_end(text: &str, at: usize) -> usize {
    let Some(length) = text[at..].find(['\n', '\r']) else { return text.len() };
    let end = at + length;
    if text[end..].starts_with("\r\n") { end + 2 } else { end + 1 }
}

/// The end of a YAML block at the very start: its last line would read as a heading's underline.
fn front_matter_end(text: &str) -> usize {
    let mut at = line_end(text, 0);
    if text[..at].trim_end().trim_start_matches('\u{feff}') != "---" {
        return 0;
    }
    while at < text.len() {
        let end = line_end(text, at);
        match text[at..end].trim_end() {
            "---" | "..." => return end,
            "" => return 0,
            _ => at = end,
        }
    }
    0
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// `## words`, indented by at most three spaces.
fn hash_heading(line: &str) -> Option<(u8, &str)> {
    let body = line.trim_start_matches(' ');
    let words = body.trim_start_matches('#');
    let level = body.len() - words.len();
    let divided = words.is_empty() || words.starts_with([' ', '\t']);
    (indent(line) < 4 && (1..=6).contains(&level) && divided).then_some((level as u8, words))
}

/// A line of `=` or `-` below a heading's words.
fn underline(line: &str) -> Option<u8> {
    let marks = line.trim_start_matches(' ');
    let level = match marks.bytes().next()? {
        b'=' => 1,
        b'-' => 2,
        _ => return None,
    };
    (indent(line) < 4 && marks.bytes().all(|b| b == marks.as_bytes()[0])).then_some(level)
}

/// Whether a line can be a paragraph's first: not a quote, list, table, rule or indented code.
fn may_be_heading_words(line: &str) -> bool {
    let body = line.trim_start_matches(' ');
    let numbered = || {
        let after = body.trim_start_matches(|c: char| c.is_ascii_digit());
        after.len() < body.len() && after.starts_with(['.', ')'])
    };
    let listed = || body.starts_with(['-', '*', '+']) && body[1..].trim_start().len() < body.len() - 1;
    indent(line) < 4
        && !body.is_empty()
        && !body.starts_with(['>', '|', '\t', '<'])
        && underline(line).is_none()
        && !listed()
        && !numbered()
}

/// The mark and length of a fence that a line opens. Any indent: fences sit deep inside lists, too.
fn opens(line: &str) -> Option<(u8, usize)> {
    let body = line.trim_start();
    let mark = *body.as_bytes().first()?;
    let count = body.bytes().take_while(|b| *b == mark).count();
    let fence = match mark {
        b'`' => count >= 3 && !body[count..].contains('`'),
        b'~' => count >= 3,
        _ => false,
    };
    fence.then_some((mark, count))
}

fn closes(line: &str, fence: Fence) -> bool {
    let body = line.trim_start().as_bytes();
    body.len() >= fence.count && body.iter().all(|b| *b == fence.mark)
}

#[cfg(test)]
#[path = "outline_tests.rs"]
mod tests;
