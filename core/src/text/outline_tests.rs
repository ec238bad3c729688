#![allow(clippy::unwrap_used)]
use super::Outline;

/// Level, path and first line of each section.
fn sections(text: &str) -> Vec<(u8, String, String)> {
    let outline = Outline::markdown(text);
    let mut at = 0;
    for section in &outline.sections {
        assert_eq!(section.bytes.start, at, "sections tile the text");
        assert!(section.heading.start == at && section.heading.end <= section.bytes.end);
        at = section.bytes.end;
    }
    assert_eq!(at, text.len());
    let first_line = |at: usize| text[at..].lines().next().unwrap_or_default().to_owned();
    let path = |path: &Option<std::sync::Arc<str>>| path.as_deref().unwrap_or_default().to_owned();
    outline.sections.iter().map(|s| (s.level, path(&s.path), first_line(s.bytes.start))).collect()
}

fn paths(text: &str) -> Vec<String> {
    sections(text).into_iter().map(|(_, path, _)| path).collect()
}

#[test]
fn paths_follow_the_levels() {
    let text = "intro\n# One\na\n## Two\nb\n### Three\n## Four\n# Five\n";
    assert_eq!(paths(text), ["", "One", "One > Two", "One > Two > Three", "One > Four", "Five"]);
}

#[test]
fn a_text_without_headings_is_one_section_and_an_empty_one_none() {
    assert_eq!(sections("just\ntext"), [(0, String::new(), "just".to_owned())]);
    assert_eq!(sections(""), []);
}

#[test]
fn hashes_in_fences_are_code() {
    let text = "# Real\n```sh\n# not\n```\n~~~\n## nor this\n```\n~~~\n- list\n  ```toml\n  # no\n  ```\n## Also real\n";
    assert_eq!(paths(text), ["Real", "Real > Also real"]);
    let fences = Outline::markdown(text).fences;
    assert_eq!(fences.len(), 3);
    assert_eq!(&text[fences[0].clone()], "```sh\n# not\n```\n");
}

#[test]
fn an_open_fence_goes_on_to_the_end() {
    let text = "# A\n```\n# b\ncode";
    assert_eq!(paths(text), ["A"]);
    assert_eq!(Outline::markdown(text).fences, vec![4..text.len(); 1]);
}

#[test]
fn a_longer_fence_holds_a_shorter_one() {
    assert_eq!(paths("````md\n```\n# x\n```\n````\n# Y\n"), ["", "Y"]);
}

#[test]
fn underlined_headings_count_and_rules_do_not() {
    let text = "Title\n=====\ntext\n\nSection\n---\nmore\n\n---\n\n- item\n---\ntwo\nlines\n---\n> quote\n---\n| a | b |\n---\n";
    assert_eq!(paths(text), ["Title", "Title > Section"]);
}

#[test]
fn front_matter_is_no_heading() {
    assert_eq!(paths("---\ntitle: x\n---\n# Real\n"), ["", "Real"]);
    assert_eq!(paths("---\n\ntext\n---\n"), ["", "text"]);
}

#[test]
fn windows_lines_and_chinese_words() {
    let text = "# 第一章\r\n正文\r\n## 所有权 ##\r\n";
    assert_eq!(paths(text), ["第一章", "第一章 > 所有权"]);
}

#[test]
fn a_carriage_return_alone_ends_a_line_too() {
    let text = "# 第一\r# Alpha\r\rText alpha.\r\r## Beta\rText beta.\r";
    assert_eq!(paths(text), ["第一", "Alpha", "Alpha > Beta"]);
    assert_eq!(paths("Words\r=====\rtext\r\n## Two\r\nmore"), ["Words", "Words > Two"]);
}

#[test]
fn what_only_looks_like_a_heading() {
    let text = "#hashtag\n####### seven\n    # indented\n> # quoted\n";
    assert_eq!(paths(text), [""]);
}

#[test]
fn a_skipped_level_still_nests() {
    assert_eq!(paths("# A\n### C\n## B\n"), ["A", "A > C", "A > B"]);
}
