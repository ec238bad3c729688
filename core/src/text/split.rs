//! Splitting what does not fit into one passage, with text-splitter.
//!
//! text-splitter looks at all that remains before each cut and asks for the size of many overlapping ranges: on whole
//! files that is 1.4 MB/s on English and quadratic on Han without punctuation. Here it sees windows of a few passages,
//! and sizes are looked up in one table of token places per window; the window's last passage is cut again in the next
//! window, so that windows leave no seams.

use super::{
    outline::Outline,
    tokens::{Kind, tokens_before},
};
use std::ops::Range;
use text_splitter::{ChunkConfig, ChunkSizer, MarkdownSplitter, TextSplitter};

/// A window's bytes for each token of a passage: some six passages of English prose. A smaller window has more of its
/// passages cut twice, in a larger one text-splitter takes longer for each.
const WINDOW_BYTES_PER_TOKEN: usize = 24;

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

/// Cuts part of a text into ranges that have at most `limits.max` tokens by the table of their window. At a cut the
/// exact count can be a token or two larger: the caller counts.
pub(super) fn split(
    text: &str,
    outline: &Outline,
    syntax: Syntax,
    bytes: Range<usize>,
    mut limits: Limits,
) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = bytes.start;
    while at < bytes.end {
        let (rest, syntax) = rest_of_block(outline, syntax, at..bytes.end);
        let end = window_end(text, rest, limits.max);
        let run = first_long_run(&text[at..end], limits.max).map(|run| at + run);
        if run == Some(at) {
            let end = at + word_end(&text[at..bytes.end]);
            out.extend(cut_run(text, at..end, limits));
            at = end;
            continue;
        }
        let end = run.unwrap_or(end);
        let ranges = split_window(&text[at..end], syntax, limits);
        // Only the next window knows how far the last passage of this one goes.
        let open_end = end < bytes.end && run.is_none() && ranges.len() > 1;
        let kept = ranges.len() - usize::from(open_end);
        out.extend(ranges[..kept].iter().map(|range| at + range.start..at + range.end));
        at = ranges.get(kept).map_or(end, |last| at + last.start);
        limits.reserve = 0;
    }
    out
}

/// Where the first word begins that has more characters than a passage has tokens.
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

/// How many bytes the word at the start of a text has; 0 if it starts with white space or punctuation.
fn word_end(text: &str) -> usize {
    text.find(|c| Kind::of(c) != Kind::Word).unwrap_or(text.len())
}

/// Cuts one endless word (base64, Han without punctuation) between tokens: it has no better place, and looking for
/// words and sentences in it is what makes text-splitter slow (0.45 s for 200,000 Han characters, 0.1 s so).
fn cut_run(text: &str, run: Range<usize>, limits: Limits) -> Vec<Range<usize>> {
    let (max, overlap) = limits.for_window();
    // The exact count takes the word in other parts than the table: a few tokens more.
    let max = max - max / 64;
    let table = TokenTable::new(&text[run.clone()]);
    let place = |from: usize, tokens: usize| {
        let byte = table.place(table.before[from - run.start] as usize + tokens);
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

/// What a window may take: inside a fence its lines are plain and it ends with it.
fn rest_of_block(outline: &Outline, syntax: Syntax, rest: Range<usize>) -> (Range<usize>, Syntax) {
    let next = outline.fences.partition_point(|fence| fence.end <= rest.start);
    match outline.fences.get(next) {
        Some(fence) if fence.start < rest.start => (rest.start..rest.end.min(fence.end), Syntax::Plain),
        _ => (rest, syntax),
    }
}

/// Where a window at the start of `rest` ends: after a line, if it has one in its latter half.
fn window_end(text: &str, rest: Range<usize>, max_tokens: usize) -> usize {
    let bytes = max_tokens.saturating_mul(WINDOW_BYTES_PER_TOKEN);
    if bytes >= rest.len() {
        return rest.end;
    }
    let end = text.floor_char_boundary(rest.start + bytes);
    let latter_half = text.floor_char_boundary(usize::midpoint(rest.start, end));
    text[latter_half..end].rfind('\n').map_or(end, |line| latter_half + line + 1)
}

fn split_window(text: &str, syntax: Syntax, limits: Limits) -> Vec<Range<usize>> {
    let (max, overlap) = limits.for_window();
    let Ok(config) = ChunkConfig::new(max).with_sizer(TokenTable::new(text)).with_overlap(overlap) else {
        unreachable!("an overlap is at most half of its passage")
    };
    let range = |(start, passage): (usize, &str)| start..start + passage.len();
    match syntax {
        Syntax::Plain => TextSplitter::new(config).chunk_indices(text).map(range).collect(),
        Syntax::Markdown => MarkdownSplitter::new(config).chunk_indices(text).map(range).collect(),
    }
}

/// Sizes of the parts of one text, from one encoding of the whole.
struct TokenTable {
    /// The text's address: text-splitter asks about slices of it and says no offsets.
    address: usize,
    before: Vec<u32>,
}

impl TokenTable {
    fn new(text: &str) -> Self {
        Self { address: text.as_ptr().addr(), before: tokens_before(text) }
    }

    /// How many bytes hold at most `tokens` tokens.
    fn place(&self, tokens: usize) -> usize {
        self.before.partition_point(|before| *before as usize <= tokens) - 1
    }

    /// Tokens that lie in a range, a divided first one included.
    fn tokens(&self, start: usize, end: usize) -> Option<usize> {
        let (first, last) = (*self.before.get(start)?, *self.before.get(end)?);
        let divided = start < end && self.before[start + 1] == first;
        Some((last - first) as usize + usize::from(divided))
    }
}

impl ChunkSizer for TokenTable {
    fn size(&self, chunk: &str) -> usize {
        let inside = chunk.as_ptr().addr().checked_sub(self.address);
        inside
            .and_then(|start| self.tokens(start, start + chunk.len()))
            .unwrap_or_else(|| super::tokens::count_tokens(chunk))
    }
}
