#![allow(clippy::unwrap_used)]

use super::HtmlParser;
use crate::{File, FormatParser, ParseError, Parsed};
use std::time::{Duration, Instant};

fn parse(html: &str) -> Parsed {
    HtmlParser.parse(&File { bytes: html.as_bytes(), charset: None }).unwrap()
}

fn markdown(html: &str) -> String {
    parse(html).text
}

#[test]
fn a_page_becomes_markdown_without_its_machinery() {
    let page = "<!DOCTYPE html><html><head><meta charset=utf-8><title>The\n Page &amp; more</title><style>p{color:red}</style>\
        <script>if (a < b) document.write('<h1>no</h1>')</script></head><body><nav><ul><li><a href=/>Home</a></ul></nav>\
        <header><h1>Ownership</h1></header><main><div><p>Rust is <strong>safe</strong> and <em>fast</em>.</p><p>See \
        <a href=\"ch04.html\">chapter 4</a>, <a href='#top'>here</a> or <a href=' JavaScript:x()'>there</a>.</p></div>\
        <ul><li>one<li>two<ul><li>deep</ul></ul><ol><li>first</li><li>second</li></ol><hr>\
        <blockquote><p>quoted</p></blockquote><!-- <p>hidden</p> --><svg><text>drawn</text></svg>\
        <p>x < y &amp;&amp; snake_case</p></main><noscript>turn it on</noscript></body></html>";
    let parsed = parse(page);
    assert_eq!(parsed.title.as_deref(), Some("The Page & more"));
    assert_eq!(
        parsed.text,
        "# Ownership\n\nRust is **safe** and *fast*.\n\nSee [chapter 4](ch04.html), here or there.\n\n- one\n- two\n  \
         - deep\n\n1. first\n2. second\n\n- - -\n\n> quoted\n\nx < y && snake\\_case"
    );
}

#[test]
fn code_keeps_its_lines_and_its_language() {
    let html = "<pre><code class=\"language-rust\">fn main() {\n    <span>run</span>();\n}\n</code></pre><p>Use <code>Vec&lt;T&gt;</code></p>";
    assert_eq!(markdown(html), "```rust\nfn main() {\n    run();\n}\n```\n\nUse `Vec<T>`");
    let bare = "<pre>\nline 1\n  line 2<br>line 3<div>line 4</div></pre>after";
    assert_eq!(markdown(bare), "```\nline 1\n  line 2\nline 3\nline 4\n```\n\nafter");
    assert_eq!(markdown("<textarea><b>raw</b></textarea>"), "```\n<b>raw</b>\n```");
}

#[test]
fn tables_keep_every_cell() {
    let html = "<table><caption>Sizes</caption><thead><tr><th>Type<th>Bytes</thead><tbody><tr><th>u8</th><td>1|2</td></tr>\
        <tr><td>u64</td><td><b>8</b></td></tr></tbody></table>";
    assert_eq!(markdown(html), "Sizes\n\n| Type | Bytes |\n| --- | --- |\n| u8 | 1\\|2 |\n| u64 | **8** |");
    let layout = "<table><tr><td><h1>Left</h1><p>text</p></td><td>right</td></tr></table>";
    assert_eq!(markdown(layout), "# Left\n\ntext\n\nright");
    let sloppy = "<table>stray<tr><td><ul><li>in a list<td>next</table>after";
    let text = markdown(sloppy);
    for word in ["stray", "in a list", "next", "after"] {
        assert!(text.contains(word), "{word} is missing in {text:?}");
    }
    let long =
        format!("<table><tr><th>a<th>b{}</table>", format!("<tr><td>{}<td>y", "x".repeat(10_000)).repeat(10));
    assert!(markdown(&long).len() < 110_000, "cells are not padded");
}

#[test]
fn headings_survive_sloppy_markup() {
    assert_eq!(
        markdown("<h1>One<h2>Two</h2>text<h3><div>Three</div></h3>"),
        "# One\n\n## Two\n\ntext\n\n### Three"
    );
    assert_eq!(markdown("<div><span>a</div><div>b</span></div>"), "a\n\nb");
    assert_eq!(markdown("<p>中文<b>粗体</b>文字。<p>第二段"), "中文**粗体**文字。\n\n第二段");
    assert_eq!(parse("<h1>From the heading</h1>").title.as_deref(), Some("From the heading"));
}

#[test]
fn the_title_stands_above_a_page_without_a_first_heading() {
    let page = "<title>Pumps &amp; *valves* of &lt;b&gt;</title><h2>Pressure</h2><p>6 bar</p>";
    let parsed = parse(page);
    assert_eq!(parsed.text, "# Pumps & \\*valves\\* of \\<b>\n\n## Pressure\n\n6 bar");
    assert_eq!(parsed.title.as_deref(), Some("Pumps & *valves* of <b>"));
    assert_eq!(markdown("<title>Site</title><h1>Pumps</h1><p>6 bar</p>"), "# Pumps\n\n6 bar");
    assert_eq!(markdown("<title>Nothing else</title><p> </p>"), "");
}

#[test]
fn images_keep_their_words() {
    let html = "<p><img src=a.png alt='A crab'> <img alt=inline src='data:image/png;base64,AAAA'></p>";
    assert_eq!(markdown(html), "![A crab](a.png) inline");
}

#[test]
fn a_script_that_never_ends_and_other_loose_ends() {
    assert_eq!(markdown("<p>text<script>alert(1)"), "text");
    assert_eq!(markdown("<p>text<svg><path>more"), "textmore");
    assert_eq!(markdown("<p>text<!-- open <p>comment"), "text");
    assert_eq!(markdown("<p>text<a href=\"open"), "text");
    assert_eq!(markdown("a<b 3 < 4 </> <!x> <?php ?>"), "a");
    assert_eq!(markdown("<p title='a>b' x==\">\">é < ü"), "\">é < ü");
    assert_eq!(markdown("<script src=x /><p>kept"), "kept");
    let words = "words ".repeat(30);
    assert_eq!(markdown(&format!("{words}plain\u{1e}and\u{1f}marks")), format!("{words}plainandmarks"));
}

#[test]
fn the_page_names_its_charset() {
    for head in [
        "<meta charset=gbk>",
        "<META CHARSET='GBK'>",
        "<meta http-equiv=Content-Type content=\"text/html; charset=gb2312\">",
    ] {
        let html = format!("<html><head>{head}<title>短</title></head><body><p>所有权</p>");
        let (bytes, _, _) = encoding_rs::GBK.encode(&html);
        let parsed = HtmlParser.parse(&File { bytes: &bytes, charset: None }).unwrap();
        assert_eq!((parsed.text.as_str(), parsed.title.as_deref()), ("# 短\n\n所有权", Some("短")), "{head}");
        assert_eq!(parsed.charset, "GBK");
    }
    let utf8_after_all = "<meta charset=gbk><p>所有权系统</p>";
    assert_eq!(markdown(utf8_after_all), "所有权系统");
}

/// Deep or wide, and as large as it takes to overflow a stack or to spend a square of the time.
#[test]
fn hostile_pages_cost_no_more_than_their_size() {
    let deep = 100_000;
    let wide = 20_000;
    for (name, html) in [
        ("divs", "<div>".repeat(deep) + "x"),
        ("lists", "<ul><li>".repeat(wide) + "x" + &"</ul>".repeat(wide)),
        ("quotes", "<blockquote>".repeat(deep) + "x"),
        ("tables", "<table><tr><td>".repeat(wide) + "x"),
        ("spans", "<span>".repeat(deep) + "x"),
        ("bold", "<b><i><a href=x>".repeat(deep) + "x"),
        ("bold in blocks", "<b><div></b>".repeat(deep) + "x"),
        ("left open", "<b>y<p>".repeat(wide) + "x"),
        ("neighbours", "<b>y</b>".repeat(deep) + "x"),
        ("turns", "<b>y</b><i>z</i>".repeat(wide) + "x"),
        ("stray cells", "<table>".to_owned() + &"<b>y</b> text ".repeat(wide) + "x"),
        ("svgs", "<svg>".repeat(deep) + "x"),
        ("titles", "<title>".repeat(deep) + "x"),
        ("comments", "<!--".repeat(deep) + "x"),
        ("crossed", "<ul>".repeat(deep) + &"</ol>".repeat(deep) + "x"),
        ("attributes", format!("<p {}>x", "a=b ".repeat(deep))),
        ("brackets", "<".repeat(deep) + "x"),
        ("headings", "<h1>".repeat(wide) + "x"),
        ("preformatted", "<pre>".repeat(deep) + "x"),
    ] {
        let begun = Instant::now();
        let text = HtmlParser.parse(&File { bytes: html.as_bytes(), charset: None });
        assert!(text.is_ok() || matches!(text, Err(ParseError::NoText)), "{name}: {text:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{name}: {:?}", begun.elapsed());
    }
}

#[test]
fn too_many_elements_are_refused_in_words() {
    let error =
        HtmlParser.parse(&File { bytes: "<p>x".repeat(400_000).as_bytes(), charset: None }).unwrap_err();
    assert_eq!(error.to_string(), "The HTML has more than 300000 elements: divide it into smaller files");
}
