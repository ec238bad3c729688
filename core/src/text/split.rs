//! Splitting what does not fit into one passage, with text-splitter.
//!
//! text-splitter looks at all that remains before each cut and asks for the size of many overlapping ranges: slow on
//! whole files, and quadratic on Han without punctuation (the figures are at [`super::chunk()`]). Here it sees windows
//! of a few passages, and sizes are looked up in one table of token places per window; a window's last passage is cut
//! again in the next window, so that windows leave no seams.

use super::{outline::Outline, table::TokenTable, tokens::Kind};
use std::ops::Range;
use text_splitter::{ChunkConfig, MarkdownSplitter, TextSplitter};

/// A window's bytes for each token of a passage: some six passages of English prose. A smaller window has more of its
/// passages cut twice, in a larger one text-splitter takes longer for each.
const WINDOW_BYTES_PER_TOKEN: usize = 24;

/// As much of an endless word as is cut in one go.
const RUN_BYTES: usize = 1 << 18;

/// How many bytes a window has.
pub(super) fn window_bytes(max_tokens: usize) -> usize {
    max_tokens.saturating_mul(WINDOW_BYTES_PER_TOKEN)
}

/// How long passages and their overlap may be, in tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) max: usize,
    pub(super) overlap: usize,
    /// What the first window's passages leave free, for a heading that the caller puts before the first.
    pub(super) reserve: usize,
}

impl Limits {
    /// Limits for what came out too long: an eighth less. A character has at most four tokens, so this ends.
    pub(super) fn tighter(self) -> Self {
        let max = (self.max - self.max / 8).min(self.max - 1).max(4);
        Self { max, overlap: self.overlap.min(max / 2), reserve: 0 }
    }

    fn for_window(self) -> (usize, usize) {
        let max = self.max.saturating_sub(self.reserve).max(4);
        (max, self.overlap.min(max / 2))
    }
}

/// What the text's lines mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Plain,
    Markdown,
}

/// A text, and how it is to be cut.
#[derive(Clone, Copy)]
pub(super) struct Splitter<'a> {
    pub(super) text: &'a str,
    pub(super) outline: &'a Outline,
    pub(super) syntax: Syntax,
    /// The sizes of the part that is to be cut, if they are known already.
    pub(super) table: Option<&'a TokenTable>,
}

impl Splitter<'_> {
    /// Cuts part of the text into ranges that have at most `limits.max` tokens by the table of their window. At a cut
    /// the exact count can be a token or two larger: the caller counts.
    pub(super) fn split(&self, bytes: Range<usize>, mut limits: Limits) -> Vec<Range<usize>> {
        let mut out = Vec::new();
        let mut at = bytes.start;
        while at < bytes.end {
            let (rest, syntax) = self.rest_of_block(at..bytes.end);
            let end = self.window_end(rest, limits.max);
            let run = first_long_run(&self.text[at..end], limits.max).map(|run| at + run);
            if run == Some(at) {
                let run = self.run(at..bytes.end);
                at = run.end;
                out.extend(cut_run(self.text, run, limits));
                continue;
            }
            let end = run.unwrap_or(end);
            let ranges = self.split_window(at..end, syntax, limits);
            // Only the next window knows how far the last passage of this one goes.
            let open_end = end < bytes.end && run.is_none() && ranges.len() > 1;
            let next = if open_end { ranges[ranges.len() - 1].start } else { end };
            out.extend(ranges.into_iter().take_while(|range| !open_end || range.start < next));
            at = next;
            limits.reserve = 0;
        }
        out
    }

    /// What a window may take: inside a fence its lines are plain and it ends with it.
    fn rest_of_block(&self, rest: Range<usize>) -> (Range<usize>, Syntax) {
        let next = self.outline.fences.partition_point(|fence| fence.end <= rest.start);
        match self.outline.fences.get(next) {
            Some(fence) if fence.start < rest.start => (rest.start..rest.end.min(fence.end), Syntax::Plain),
            _ => (rest, self.syntax),
        }
    }

    /// Where a window at the start of `rest` ends: after a line, if it has one in its latter half.
    fn window_end(&self, rest: Range<usize>, max_tokens: usize) -> usize {
        let bytes = window_bytes(max_tokens);
        if bytes >= rest.len() {
            return rest.end;
        }
        let end = self.text.floor_char_boundary(rest.start + bytes);
        let latter_half = self.text.floor_char_boundary(usize::midpoint(rest.start, end));
        let line = self.text[latter_half..end].rfind('\n');
        line.map_or(end, |line| latter_half + line + 1)
    }

    /// The endless word at the start of `rest`, or as much of it as a table should hold.
    fn run(&self, rest: Range<usize>) -> Range<usize> {
        let end = self.text.floor_char_boundary(rest.end.min(rest.start + RUN_BYTES));
        rest.start..rest.start + word_end(&self.text[rest.start..end])
    }

    fn split_window(&self, window: Range<usize>, syntax: Syntax, limits: Limits) -> Vec<Range<usize>> {
        let text = &self.text[window.clone()];
        match self.table.filter(|table| table.covers(text)) {
            Some(table) => split_text(text, window.start, table, syntax, limits),
            None => split_text(text, window.start, &TokenTable::new(text), syntax, limits),
        }
    }
}

fn split_text(
    text: &str,
    at: usize,
    table: &TokenTable,
    syntax: Syntax,
    limits: Limits,
) -> Vec<Range<usize>> {
    let (max, overlap) = limits.for_window();
    let Ok(config) = ChunkConfig::new(max).with_sizer(table).with_overlap(overlap) else {
        unreachable!("an overlap is at most half of its passage")
    };
    let range = |(start, passage): (usize, &str)| at + start..at + start + passage.len();
    match syntax {
        Syntax::Plain => TextSplitter::new(config).chunk_indices(text).map(range).collect(),
        Syntax::Markdown => MarkdownSplitter::new(config).chunk_indices(text).map(range).collect(),
    }
}

/// Where the first word, or run of punctuation, begins that has more characters than a passage has tokens.
fn first_long_run(text: &str, max_tokens: usize) -> Option<usize> {
    let mut at = 0;
    while at < text.len() {
        let length = word_end(&text[at..]);
        if length > max_tokens && text[at..at + length].chars().count() > max_tokens {
            return Some(at);
        }
        at += length.max(text[at..].chars().next().map_or(1, char::len_utf8));
    }
    None
}

/// How many bytes the word, or the run of punctuation, at the start of a text has; 0 if it starts with white space.
fn word_end(text: &str) -> usize {
    match text.chars().next().map(Kind::of) {
        None | Some(Kind::Space) => 0,
        Some(kind) => text.find(|c| Kind::of(c) != kind).unwrap_or(text.len()),
    }
}

/// Cuts one endless word (base64, Han without punctuation, nothing but punctuation) between tokens: it has no better place, and looking for
/// words and sentences in it is what makes text-splitter slow (0.45 s for 200,000 Han characters, 0.1 s so).
fn cut_run(text: &str, run: Range<usize>, limits: Limits) -> Vec<Range<usize>> {
    let (max, overlap) = limits.for_window();
    // The exact count takes the word in other parts than the table: a few tokens more.
    let max = max - max / 64;
    let table = TokenTable::new(&text[run.clone()]);
    let place = |from: usize, tokens: usize| {
        let byte = table.place(table.before(from - run.start) + tokens);
        text.floor_char_boundary(run.start + byte)
    };
    let mut out = Vec::new();
    let mut at = run.start;
    while at < run.end {
        let end = place(at, max).max(at + text[at..].chars().next().map_or(1, char::len_utf8));
        out.push(at..end);
        at = if end < run.end { place(at, max - overlap) } else { end };
    }
    out
}
