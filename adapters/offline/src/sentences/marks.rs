//! Markdown by the line: headings and running text, without marks.

use crate::language::is_han;
use std::borrow::Cow;

pub(super) enum Block {
    Heading(String),
    /// A paragraph or a row of a table, on one line.
    Text(String),
    /// An item of a list, on one line.
    Item(String),
    /// A fenced block, as it stands.
    Code(String),
}

/// What a line begins.
enum Line<'a> {
    Fence,
    Blank,
    Heading(&'a str),
    /// An item of a list: begins a block of its own.
    Item(&'a str),
    Row(&'a str),
    Text(&'a str),
}

pub(super) fn blocks(passage: &str) -> Vec<Block> {
    let passage = without_comments(passage);
    let (mut blocks, mut paragraph, mut code) = (vec![], String::new(), None);
    let mut in_list = false;
    for line in passage.lines() {
        let kind = read_line(line, in_list || paragraph.is_empty());
        if matches!(kind, Line::Fence) {
            code = match code.take() {
                None => Some(String::new()),
                Some(lines) => {
                    blocks.push(Block::Code(lines));
                    None
                }
            };
        } else if let Some(lines) = &mut code {
            lines.push_str(line);
            lines.push('\n');
            continue;
        }
        if !matches!(kind, Line::Text(_)) {
            blocks.extend(end(&mut paragraph, in_list));
        }
        in_list = matches!(kind, Line::Item(_)) || (in_list && matches!(kind, Line::Text(_)));
        match kind {
            Line::Heading(text) => blocks.push(Block::Heading(plain(text))),
            Line::Item(text) | Line::Text(text) => append(&mut paragraph, text),
            Line::Row(text) => append(&mut paragraph, &cells(text)),
            Line::Fence | Line::Blank => {}
        }
    }
    blocks.extend(end(&mut paragraph, in_list));
    blocks.extend(code.map(Block::Code));
    blocks
}

/// A text without the comments of HTML, which nobody sees.
fn without_comments(text: &str) -> Cow<'_, str> {
    if !text.contains("<!--") {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split("<!--");
    let mut seen = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        seen.push_str(part.split_once("-->").map_or("", |(_, after)| after));
    }
    Cow::Owned(seen)
}

/// The block that ends here, if it says anything.
fn end(paragraph: &mut String, is_item: bool) -> Option<Block> {
    let text = plain(paragraph);
    paragraph.clear();
    let block = if is_item { Block::Item } else { Block::Text };
    text.chars().any(char::is_alphanumeric).then(|| block(text))
}

/// Joins lines: Han text needs no space in between.
pub(super) fn append(paragraph: &mut String, line: &str) {
    let is_joined = |c| is_han(c) || is_wide(c);
    let joined_as_is =
        paragraph.ends_with(is_full_width) || paragraph.ends_with(is_joined) && line.starts_with(is_joined);
    if !paragraph.is_empty() && !joined_as_is {
        paragraph.push(' ');
    }
    paragraph.push_str(line);
}

fn is_wide(c: char) -> bool {
    is_full_width(c) || matches!(c, '“' | '”' | '‘' | '’')
}

/// Marks that bring their own space.
fn is_full_width(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffef}')
}

/// A number begins an item only where a list can be: a wrapped line may begin with one, too.
fn read_line(line: &str, may_be_numbered: bool) -> Line<'_> {
    // Within a quotation lines mean what they mean elsewhere.
    let text = line.trim_start_matches(['>', ' ', '\t']).trim_end();
    if text.starts_with("```") || text.starts_with("~~~") {
        Line::Fence
    } else if is_blank(text) {
        Line::Blank
    } else if let Some(heading) =
        text.strip_prefix('#').filter(|rest| rest.trim_start_matches('#').starts_with(' '))
    {
        Line::Heading(heading.trim_matches(['#', ' ']))
    } else if text.starts_with('|') {
        Line::Row(text)
    } else if let Some(item) = item(text).or_else(|| numbered(text).filter(|_| may_be_numbered)) {
        Line::Item(item)
    } else {
        Line::Text(text)
    }
}

/// Rules, tables' rules, link definitions, and lines that only steer a generator.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '-' | '*' | '_' | '=' | '|' | ':' | ' '))
        || text.starts_with("{{#")
        || (text.starts_with('[') && text.contains("]: "))
}

fn item(text: &str) -> Option<&str> {
    ["- ", "* ", "+ "].iter().find_map(|mark| text.strip_prefix(mark)).map(str::trim_start)
}

fn numbered(text: &str) -> Option<&str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text[digits..].strip_prefix(['.', ')'])?;
    ((1..=3).contains(&digits) && rest.starts_with(' ')).then(|| rest.trim_start())
}

fn cells(row: &str) -> String {
    let cells: Vec<&str> = row.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect();
    cells.join(", ")
}

/// A line without emphasis, links, pictures and tags. Code marks stay: they read well.
fn plain(line: &str) -> String {
    let (mut text, mut in_code) = (String::with_capacity(line.len()), false);
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        in_code ^= c == '`';
        rest = if let Some((shown, after)) = escaped(rest).filter(|_| !in_code) {
            text.push(shown);
            after
        } else if let Some((words, after)) = bracket(rest) {
            text.push_str(&words);
            after
        } else if let Some(after) = picture(rest).or_else(|| tag(rest)).or_else(|| emphasis(rest, &text))
            && !in_code
        {
            after
        } else {
            text.push(c);
            &rest[c.len_utf8()..]
        };
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A mark that is to be shown, and what follows it. Square brackets become round ones: nothing may look like a citation.
fn escaped(text: &str) -> Option<(char, &str)> {
    let after = text.strip_prefix('\\')?;
    let mark = after.chars().next().filter(char::is_ascii_punctuation)?;
    let shown = match mark {
        '[' => '(',
        ']' => ')',
        mark => mark,
    };
    Some((shown, &after[1..]))
}

/// A mark of emphasis after `before`, and what follows it. `2 * 3` and `snake_case` have none.
fn emphasis<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    if let Some(after) = text.strip_prefix("**").or_else(|| text.strip_prefix("__")) {
        return Some(after);
    }
    let after = text.strip_prefix(['*', '_'])?;
    let (behind, ahead) = (before.ends_with(is_inner), after.starts_with(is_inner));
    let is_mark = if text.starts_with('*') { behind || ahead } else { behind != ahead };
    is_mark.then_some(after)
}

fn is_inner(c: char) -> bool {
    !c.is_whitespace() && !is_wide(c) && !matches!(c, '(' | ')' | ',' | '.' | ';' | ':' | '!' | '?' | '"')
}

/// `![words](target)` and what follows it.
fn picture(text: &str) -> Option<&str> {
    let after = text.strip_prefix("![")?;
    let end = after.find("](")?;
    let target = &after[end + 2..];
    Some(&target[target.find(')')? + 1..])
}

/// A tag or comment of HTML, and what follows it.
fn tag(text: &str) -> Option<&str> {
    let after = text.strip_prefix('<')?;
    let named = after.starts_with(|c: char| c.is_ascii_lowercase() || c == '/' || c == '!')
        || after.starts_with("Listing");
    // `<T>`, `a < b` and `<stdio.h>` are text.
    let end = after.find('>').filter(|_| named)?;
    (!after[..end].contains(['.', '<']) || after[..end].contains('=')).then(|| &after[end + 1..])
}

/// Something in brackets and what follows it: of a link its words; a number alone in round brackets, so that nobody
/// takes it for a citation.
fn bracket(text: &str) -> Option<(String, &str)> {
    let (open, close) = if text.starts_with('[') { ('[', ']') } else { ('【', '】') };
    let after = text.strip_prefix(open)?;
    let end = after.find(close)?;
    let (words, after) = (&after[..end], &after[end + close.len_utf8()..]);
    if let Some(target) = after.strip_prefix('(').filter(|_| open == '[')
        && let Some(end) = target.find(')')
    {
        return Some((words.to_owned(), &target[end + 1..]));
    }
    if let Some(name) = after.strip_prefix('[').filter(|_| open == '[')
        && let Some(end) = name.find(']')
    {
        return Some((words.to_owned(), &name[end + 1..]));
    }
    let is_number = !words.is_empty() && words.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| (format!("({words})"), after))
}
