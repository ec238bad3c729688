//! Cutting a text into passages.

use super::{
    outline::{Outline, Section},
    split::{Limits, Splitter, Syntax},
    table::{Size, TokenTable},
    title::Title,
    tokens::count_tokens,
};
use crate::ports::TextFormat;
use std::ops::Range;

/// A section that goes up in the outline may join a passage only while that has less than this share of the limit:
/// else the passage would carry the title of a section that it has hardly anything of.
const STRAY_SHARE: usize = 16;

/// How text is cut into passages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkOptions {
    /// The longest passage, in tokens; at least [`ChunkOptions::LEAST_TOKENS`] are taken.
    pub max_tokens: usize,
    /// How much of a passage the next one repeats, in tokens, where a section is divided; at most half of the longest
    /// passage. A passage that starts at a heading repeats nothing.
    pub overlap_tokens: usize,
}

impl ChunkOptions {
    /// Below this a single character may not fit: one emoji has up to a dozen tokens.
    pub const LEAST_TOKENS: usize = 16;

    fn limits(self) -> Limits {
        let max = self.max_tokens.max(Self::LEAST_TOKENS);
        Limits { max, overlap: self.overlap_tokens.min(max / 2), reserve: 0 }
    }
}

impl Default for ChunkOptions {
    fn default() -> Self {
        Self { max_tokens: 512, overlap_tokens: 64 }
    }
}

/// A passage of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Its place among the passages, from 0.
    pub ordinal: u32,
    /// The headings that it stands under, "Chapter > Section"; a heading that it starts with is included. Where small
    /// sections are joined it names each: "Chapter > One · Two".
    pub title: Option<String>,
    /// Its text, exactly as it stands.
    pub text: String,
    /// Its first character, counted in Unicode scalar values from the text's start.
    pub start: usize,
    /// One past its last character, counted likewise.
    pub end: usize,
    /// Its o200k tokens.
    pub tokens: u32,
}

/// Cuts a text into passages of at most `options.max_tokens` tokens.
///
/// A passage starts at a heading where it can; small sections that follow one another are joined as far as they fit,
/// and a section that does not fit is divided at blocks, sentences or words, in this order, by text-splitter. Together
/// the passages hold every character of the text that is not white space. An empty text has none.
///
/// Measured by `examples/chunk_speed.rs` on a busy machine (release build, one of two cores, 512/64, the Markdown of two
/// programming books): 5.2 MB/s English and 3.5 MB/s Chinese, where text-splitter alone does 1.0 and 0.6 MB/s on the
/// same files; 200,000 Han characters without punctuation take 0.13 s, against 74 s.
pub fn chunk(text: &str, format: TextFormat, options: ChunkOptions) -> Vec<Chunk> {
    let (outline, syntax) = match format {
        TextFormat::Plain => (Outline::flat(text), Syntax::Plain),
        TextFormat::Markdown => (Outline::markdown(text), Syntax::Markdown),
    };
    let mut cutter = Cutter::new(text, &outline, syntax, options.limits());
    let mut group: Option<Group> = None;
    for section in &outline.sections {
        let next = Group::of(section, text, cutter.limits.max);
        match &mut group {
            Some(open) if open.accepts(&next, cutter.limits.max) => open.add(next, text),
            Some(open) if open.is_heading_of(&next, text) => open.head(next),
            _ => {
                if let Some(full) = group.replace(next) {
                    cutter.group(full);
                }
            }
        }
    }
    if let Some(last) = group {
        cutter.group(last);
    }
    cutter.chunks
}

/// Sections that become one passage, if they fit.
struct Group {
    /// Without blank lines around it.
    bytes: Range<usize>,
    heading: Range<usize>,
    level: u8,
    title: Option<Title>,
    size: Size,
    is_joined: bool,
}

impl Group {
    fn of(section: &Section, text: &str, max: usize) -> Self {
        let bytes = trim(text, section.bytes.clone());
        Self {
            size: Size::of(&text[bytes.clone()], max),
            heading: section.heading.start.max(bytes.start)
                ..section.heading.end.clamp(bytes.start, bytes.end),
            bytes,
            level: section.level,
            title: section.path.as_ref().map(Title::of),
            is_joined: false,
        }
    }

    fn accepts(&self, next: &Self, max: usize) -> bool {
        let stray = self.size.tokens < max / STRAY_SHARE;
        let below = self.level > 0 && next.level >= self.level;
        self.size.with(next.size.tokens) <= max && (stray || below)
    }

    /// Whether there is nothing yet but headings.
    fn is_bare(&self, text: &str) -> bool {
        text[self.heading.end..self.bytes.end].trim().is_empty()
    }

    /// Whether these are only the headings above a section, which itself is too long to be added.
    fn is_heading_of(&self, next: &Self, text: &str) -> bool {
        next.level > self.level && self.is_bare(text)
    }

    /// Becomes a section that has its chapter's heading before its own.
    fn head(&mut self, next: Self) {
        self.bytes.end = next.bytes.end;
        self.heading.end = next.heading.end;
        self.size = Size { tokens: self.size.with(next.size.tokens), ..next.size };
        self.title = next.title;
        self.is_joined = true;
    }

    fn add(&mut self, next: Self, text: &str) {
        if self.is_bare(text) {
            self.heading.end = next.heading.end;
        }
        self.bytes.end = next.bytes.end;
        self.size = Size { tokens: self.size.with(next.size.tokens), table: None };
        match (&mut self.title, next.title) {
            (Some(title), Some(next)) => title.join(&next),
            (title, next) => *title = title.take().or(next),
        }
        self.is_joined = true;
    }
}

/// A range, and its tokens if they are counted already.
struct Piece {
    range: Range<usize>,
    tokens: Option<usize>,
}

struct Cutter<'a> {
    text: &'a str,
    outline: &'a Outline,
    syntax: Syntax,
    limits: Limits,
    chunks: Vec<Chunk>,
    /// The bytes of the last passage.
    last: Range<usize>,
    /// A place as a byte and as a character: passages come in order, so characters are counted once.
    counted: (usize, usize),
}

impl<'a> Cutter<'a> {
    fn new(text: &'a str, outline: &'a Outline, syntax: Syntax, limits: Limits) -> Self {
        Self { text, outline, syntax, limits, chunks: Vec::new(), last: 0..0, counted: (0, 0) }
    }

    fn split(&self, range: Range<usize>, limits: Limits, table: Option<&TokenTable>) -> Vec<Range<usize>> {
        Splitter { text: self.text, outline: self.outline, syntax: self.syntax, table }.split(range, limits)
    }

    fn group(&mut self, group: Group) {
        if group.size.tokens > self.limits.max {
            return self.divide(&group);
        }
        let tokens = (!group.is_joined).then_some(group.size.tokens);
        let title = group.title.as_ref().map(Title::text);
        self.passage(&Piece { range: group.bytes, tokens }, title.as_deref(), self.limits);
    }

    /// Divides a section. Its heading goes with what follows it and never stands alone.
    fn divide(&mut self, group: &Group) {
        let heading_tokens = count_tokens(&self.text[group.heading.clone()]);
        let fits = heading_tokens < self.limits.max / 2;
        let (body, reserve) = if fits { (group.heading.end, heading_tokens) } else { (group.bytes.start, 0) };
        let limits = Limits { reserve, ..self.limits };
        let mut ranges = self.split(body..group.bytes.end, limits, group.size.table.as_ref());
        match ranges.first_mut() {
            Some(first) => first.start = group.bytes.start,
            None => ranges.push(group.bytes.clone()),
        }
        let title = group.title.as_ref().map(Title::text);
        for piece in self.joined(ranges) {
            self.passage(&piece, title.as_deref(), self.limits);
        }
    }

    /// Joins neighbours that fit together: text-splitter leaves single lines of deeply nested lists and quotes alone.
    fn joined(&self, ranges: Vec<Range<usize>>) -> Vec<Piece> {
        let mut out: Vec<Piece> = Vec::with_capacity(ranges.len());
        let mut sum = 0;
        for range in ranges {
            let tokens = count_tokens(&self.text[range.clone()]);
            match out.last_mut() {
                Some(last) if sum + tokens < self.limits.max => {
                    sum += tokens + 1;
                    *last = Piece { range: last.range.start..last.range.end.max(range.end), tokens: None };
                }
                _ => {
                    sum = tokens;
                    out.push(Piece { range, tokens: Some(tokens) });
                }
            }
        }
        out
    }

    /// Adds a passage; one that turns out to be too long, by the exact count, is divided again within `limits`.
    fn passage(&mut self, piece: &Piece, title: Option<&str>, limits: Limits) {
        let range = trim(self.text, self.news(piece.range.clone()));
        let text = &self.text[range.clone()];
        let counted = piece.tokens.filter(|_| range == piece.range);
        let tokens = counted.unwrap_or_else(|| count_tokens(text));
        if tokens > self.limits.max {
            let tighter = limits.tighter();
            for range in self.split(range, tighter, None) {
                self.passage(&Piece { range, tokens: None }, title, tighter);
            }
        } else if tokens > 0 {
            let start = self.characters_before(range.start);
            self.chunks.push(Chunk {
                ordinal: self.chunks.len() as u32,
                title: title.map(str::to_owned),
                text: text.to_owned(),
                start,
                end: start + text.chars().count(),
                tokens: tokens as u32,
            });
            self.last = range;
        }
    }

    /// A range without what must not come again. An overlap may reach back to the start of a passage that was divided
    /// once more, or even hold nothing new.
    fn news(&self, range: Range<usize>) -> Range<usize> {
        if self.chunks.is_empty() || (range.start > self.last.start && range.end > self.last.end) {
            range
        } else {
            range.start.max(self.last.end).min(range.end)..range.end
        }
    }

    fn characters_before(&mut self, byte: usize) -> usize {
        let (at, characters) = self.counted;
        debug_assert!(at <= byte, "passages come in order");
        let characters = characters + self.text[at..byte].chars().count();
        self.counted = (byte, characters);
        characters
    }
}

/// A range without blank lines before it and white space after it. The first line keeps its indent: it has a meaning in
/// code and lists.
fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let end = range.start + text[range.clone()].trim_end().len();
    let kept = &text[range.start..end];
    let first = kept.len() - kept.trim_start().len();
    let line = kept[..first].rfind(['\n', '\r']).map_or(0, |newline| newline + 1);
    range.start + line..end
}

#[cfg(test)]
#[path = "chunk_tests.rs"]
mod tests;
