#![allow(clippy::unwrap_used)]

use super::{Chunk, ChunkOptions, chunk};
use crate::{
    ports::TextFormat::{self, Markdown, Plain},
    text::count_tokens,
};
use std::time::{Duration, Instant};

const SMALL: ChunkOptions = ChunkOptions { max_tokens: 40, overlap_tokens: 8 };

/// Cuts and checks what holds for every text.
fn cut(text: &str, format: TextFormat, options: ChunkOptions) -> Vec<Chunk> {
    let chunks = chunk(text, format, options);
    let characters = text.chars().collect::<Vec<_>>();
    let mut covered = 0;
    let mut last_start = None;
    for (place, chunk) in chunks.iter().enumerate() {
        assert_eq!(chunk.ordinal as usize, place);
        assert_eq!(characters[chunk.start..chunk.end].iter().collect::<String>(), chunk.text);
        assert_eq!(chunk.tokens as usize, count_tokens(&chunk.text));
        assert!(chunk.tokens as usize <= options.max_tokens, "{} tokens: {:?}", chunk.tokens, chunk.text);
        assert!(!chunk.text.trim().is_empty());
        assert!(last_start < Some(chunk.start), "passages move on");
        if chunk.start > covered {
            let between = characters[covered..chunk.start].iter().collect::<String>();
            assert!(between.trim().is_empty(), "left out: {between:?}");
        }
        assert!(chunk.end > covered, "a passage that says nothing new: {:?}", chunk.text);
        covered = chunk.end;
        last_start = Some(chunk.start);
    }
    assert!(characters[covered..].iter().all(|c| c.is_whitespace()), "the end is left out");
    chunks
}

fn titles(chunks: &[Chunk]) -> Vec<&str> {
    chunks.iter().map(|chunk| chunk.title.as_deref().unwrap_or_default()).collect()
}

fn prose(words: usize) -> String {
    let mut text = String::new();
    for word in 0..words {
        text.push_str(["ownership", "moves", "the", "value", "into", "a", "function"][word % 7]);
        text.push_str(if word % 11 == 10 { ". " } else { " " });
    }
    text
}

#[test]
fn nothing_comes_of_nothing() {
    for text in ["", " \n\t\r\n", "\u{3000}\n"] {
        assert_eq!(cut(text, Markdown, SMALL), []);
        assert_eq!(cut(text, Plain, SMALL), []);
    }
}

#[test]
fn a_short_text_is_one_passage_as_it_stands() {
    let chunks = cut("\n\n  indented\r\nlast line\r\n\r\n", Plain, SMALL);
    assert_eq!(chunks.len(), 1);
    assert_eq!((chunks[0].text.as_str(), chunks[0].start, chunks[0].end), ("  indented\r\nlast line", 2, 23));
}

#[test]
fn a_passage_starts_at_its_heading_and_names_those_above() {
    let text = format!("# Book\n\n{0}\n\n## One\n\n{0}\n\n## Two\n\n{0}\n", prose(28));
    let chunks = cut(&text, Markdown, SMALL);
    assert_eq!(titles(&chunks), ["Book", "Book > One", "Book > Two"]);
    assert!(chunks[1].text.starts_with("## One\n\nownership"));
}

#[test]
fn small_neighbours_are_joined_and_a_new_chapter_is_not() {
    let text = "# A\n\nlong enough not to be a stray line\n\n## B\n\nb\n\n## C\n\nc\n\n# D\n\n## E\n\ne\n";
    let wide = ChunkOptions { max_tokens: 100, overlap_tokens: 8 };
    assert_eq!(titles(&cut(text, Markdown, wide)), ["A · D"]);
    let chunks = cut("intro text that stands before all headings, long\n\n# A\n\na\n", Markdown, wide);
    assert_eq!(titles(&chunks), ["", "A"]);
    let chunks = cut("# A\n\n## B\n\nsome words of this section\n\n# C\n\nother words\n", Markdown, SMALL);
    assert_eq!(titles(&chunks), ["A · C"], "siblings of the first heading join, and both are named");
    let chunks = cut(&format!("## B\n\n{0}\n\n# C\n\n{0}", prose(10)), Markdown, SMALL);
    assert_eq!(titles(&chunks), ["B", "C"], "a higher heading starts anew");
}

#[test]
fn a_stray_line_takes_the_title_of_what_follows() {
    let text = format!("<a></a>\n\n# Real\n\n{}", prose(80));
    let options = ChunkOptions { max_tokens: 120, overlap_tokens: 8 };
    assert_eq!(titles(&cut(&text, Markdown, options)), ["Real"]);
}

#[test]
fn a_long_section_is_divided_with_overlap_and_keeps_its_title() {
    let text = format!("# 第一章\n\n## Part\n\n### Long\n\n{}\n", prose(400));
    let chunks = cut(&text, Markdown, SMALL);
    assert!(chunks.len() > 8);
    assert!(chunks[0].text.starts_with("# 第一章\n\n## Part\n\n### Long\n\nownership"), "{}", chunks[0].text);
    assert!(titles(&chunks).iter().all(|title| *title == "第一章 > Part > Long"));
    let overlapping = chunks.windows(2).filter(|pair| pair[1].start < pair[0].end).count();
    assert!(overlapping * 2 > chunks.len(), "{overlapping} of {}", chunks.len());
    let without = chunk(&text, Markdown, ChunkOptions { overlap_tokens: 0, ..SMALL });
    assert!(without.windows(2).all(|pair| pair[1].start >= pair[0].end));
}

#[test]
fn a_heading_never_stands_alone_before_a_block_that_is_too_long() {
    let text = format!("# Heading\n\n```rust\n{}```\n", "let value = compute(1, 2);\n".repeat(40));
    let chunks = cut(&text, Markdown, SMALL);
    assert!(chunks[0].text.starts_with("# Heading\n\n```rust\nlet value"), "{}", chunks[0].text);
}

#[test]
fn a_fence_that_fits_stays_together() {
    let fence = "```rust\n# not a heading\nfn main() {\n    println!(\"hi\");\n\n    run();\n}\n```";
    for words in 20..40 {
        let text = format!("# T\n\n{}\n\n{fence}\n\n{}\n", prose(words), prose(40));
        let chunks = cut(&text, Markdown, SMALL);
        assert!(chunks.iter().any(|chunk| chunk.text.contains(fence)), "{words}: {chunks:#?}");
        assert!(titles(&chunks).iter().all(|title| *title == "T"));
    }
}

#[test]
fn headings_alone_are_text_too() {
    let chunks = cut("# A\n# B\n## C\n", Markdown, SMALL);
    assert_eq!(chunks.len(), 1);
    let many = (0..200).map(|n| format!("# Heading number {n}")).collect::<Vec<_>>().join("\n");
    assert!(cut(&many, Markdown, SMALL).len() < 60);
    cut(&format!("# {}\n\ntext\n", prose(300)), Markdown, SMALL);
}

#[test]
fn chinese_is_divided_at_its_full_stops() {
    let sentence = "所有权是 Rust 最为与众不同的特性，它让 Rust 无需垃圾回收器即可保证内存安全。";
    let text = format!("## 什么是所有权？\n\n{}", sentence.repeat(30));
    let chunks = cut(&text, Markdown, ChunkOptions { max_tokens: 128, overlap_tokens: 32 });
    assert!(chunks.len() > 5);
    assert!(chunks.iter().all(|chunk| chunk.text.ends_with('。')), "{chunks:#?}");
    assert!(chunks[1..].iter().all(|chunk| chunk.text.starts_with("所有权")));
}

#[test]
fn every_kind_of_line_end_and_of_character() {
    let pieces = [
        "# 标题\r\n",
        "plain line\n",
        "\r\n",
        "\n",
        "\r",
        "👩‍👩‍👧‍👦🦀",
        "é",
        "a\u{301}",
        "```\n",
        "~~~",
        "> quote\n",
        "- item\n",
        "  - nested\n",
        "| a | b |\n|---|---|\n",
        "\u{3000}",
        "。",
        "Setext\n===\n",
        "---\n",
        "<div>\n",
        "\u{feff}",
        "\0",
        "[link](x) ",
        "**bold** ",
        "word ",
        "漢字仮名交じり文",
        "ภาษาไทย",
        "1234567890",
        "\t",
        "    code\n",
        "\u{202e}",
        "## x ##\n",
    ];
    let mut state = 42_u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for round in 0..300 {
        let text = (0..next(400)).map(|_| pieces[next(pieces.len())]).collect::<String>();
        let options = ChunkOptions { max_tokens: 16 + next(80), overlap_tokens: next(60) };
        let format = if round % 3 == 0 { Plain } else { Markdown };
        cut(&text, format, options);
    }
}

#[test]
fn endless_words_and_lines() {
    let options = ChunkOptions::default();
    for (piece, count, format) in [
        ("a", 1_000_000, Plain),
        ("aGVsbG8gd29ybGQ", 70_000, Markdown),
        ("权", 200_000, Plain),
        ("🦀", 20_000, Markdown),
        ("a,", 20_000, Plain),
        ("\\<", 300_000, Markdown),
        ("- x\n", 5_000, Markdown),
    ] {
        let text = piece.repeat(count);
        let begun = Instant::now();
        let passages = cut(&text, format, options).len();
        assert!(passages > 10, "{piece}: {passages}");
        assert!(begun.elapsed() < Duration::from_secs(30), "{piece}: {:?}", begun.elapsed());
    }
}

#[test]
fn nested_quotes_and_lists_are_not_crumbled() {
    let line = |n: usize| format!("{} words of line {n}", ">".repeat(n % 12));
    let text = (0..600).map(line).collect::<Vec<_>>().join("\n");
    let chunks = cut(&text, Markdown, ChunkOptions { max_tokens: 128, overlap_tokens: 16 });
    let average = chunks.iter().map(|chunk| chunk.tokens).sum::<u32>() as usize / chunks.len();
    assert!(average > 50, "{average} tokens a passage");
}

#[test]
fn unusable_limits_are_made_usable() {
    let text = prose(100);
    let least = ChunkOptions { max_tokens: 0, overlap_tokens: 500 };
    let chunks = chunk(&text, Plain, least);
    assert!(chunks.iter().all(|chunk| chunk.tokens as usize <= ChunkOptions::LEAST_TOKENS));
    assert_eq!(chunk("x", Plain, ChunkOptions { max_tokens: usize::MAX, overlap_tokens: 0 }).len(), 1);
}
