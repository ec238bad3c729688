//! Simplified HTML to Markdown, with htmd and a table of our own.
//!
//! htmd's tables lose the header cells of rows and pad every cell to its column's longest, which turns one long cell
//! into gigabytes. Here a cell is as wide as its text, and a table that lays out a page becomes paragraphs.

use htmd::{
    Element, HtmlToMarkdown,
    element_handler::{HandlerResult, Handlers},
    options::{BulletListMarker, HrStyle, Options},
};
use std::fmt::Write;

/// Begins a row and a cell between the handlers. `simplify` lets no control character through.
const ROW: char = '\u{1e}';
const CELL: char = '\u{1f}';

/// A page's Markdown.
pub(super) fn to_markdown(html: &str) -> String {
    let options = Options {
        bullet_list_marker: BulletListMarker::Dash,
        ul_bullet_spacing: 1,
        ol_number_spacing: 1,
        hr_style: HrStyle::Dashes,
        ..Options::default()
    };
    let converter = HtmlToMarkdown::builder()
        .options(options)
        .skip_tags(vec!["nav"])
        .add_handler(vec!["thead", "tbody", "tfoot"], |handlers: &dyn Handlers, element: Element| {
            Some(handlers.walk_children(element.node))
        })
        .add_handler(vec!["td", "th"], |handlers: &dyn Handlers, element: Element| {
            Some(marked(CELL, handlers.walk_children(element.node).content.trim()))
        })
        .add_handler(vec!["tr"], |handlers: &dyn Handlers, element: Element| {
            Some(marked(ROW, &handlers.walk_children(element.node).content))
        })
        .add_handler(vec!["table"], |handlers: &dyn Handlers, element: Element| {
            Some(table(&handlers.walk_children(element.node).content).into())
        })
        .add_handler(vec!["img"], image)
        .build();
    let mut text = converter.convert(html).unwrap_or_default();
    // Cells outside of any table.
    text.retain(|c| c != ROW && c != CELL);
    text
}

fn marked(mark: char, content: &str) -> HandlerResult {
    let mut out = String::with_capacity(content.len() + 1);
    out.push(mark);
    out.push_str(content);
    out.into()
}

/// An image's words; a picture that is written into the page itself has no address worth keeping.
fn image(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    let value =
        |name: &str| element.attrs.iter().find(|a| &*a.name.local == name).map(|a| a.value.trim().to_owned());
    let words = value("alt").unwrap_or_default();
    if value("src").is_none_or(|address| address.starts_with("data:")) {
        return Some(words.into());
    }
    handlers.fallback(element)
}

fn table(content: &str) -> String {
    let mut rows = content.split(ROW);
    let caption = rows.next().unwrap_or_default().trim();
    let rows = rows.map(|row| row.split(CELL).skip(1).map(str::trim).collect::<Vec<_>>());
    let rows = rows.filter(|row| row.iter().any(|cell| !cell.is_empty())).collect::<Vec<_>>();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let lays_out = columns < 2 || rows.iter().flatten().any(|cell| holds_blocks(cell));
    let body = if lays_out { rows.concat().join("\n\n") } else { grid(&rows, columns) };
    format!("\n\n{caption}\n\n{body}\n\n")
}

/// Whether a cell's text cannot stand on one line: paragraphs, code, another table.
fn holds_blocks(cell: &str) -> bool {
    cell.contains("\n\n") || cell.contains("```") || (cell.starts_with('|') && cell.contains('\n'))
}

fn grid(rows: &[Vec<&str>], columns: usize) -> String {
    let mut out = String::new();
    for (place, row) in rows.iter().enumerate() {
        for cell in row {
            let words = cell.split_whitespace().collect::<Vec<_>>().join(" ");
            let _ = write!(out, "| {} ", words.replace('|', "\\|"));
        }
        // A short row needs no filling up; the first one says how many columns there are.
        let missing = if place == 0 { columns - row.len() } else { 0 };
        out.push_str(&"| ".repeat(missing));
        out.push_str("|\n");
        if place == 0 {
            out.push_str(&"| --- ".repeat(columns));
            out.push_str("|\n");
        }
    }
    out
}
