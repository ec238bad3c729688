//! HTML without anything that Markdown cannot say, and without anything that a tree builder is slow or deep at.

use super::{
    entities::resolved,
    output::Output,
    role::Role,
    tags::{Token, Tokens},
};
use crate::ParseError;

/// Elements that a page may have: some 200 MB as a tree.
const MOST_ELEMENTS: usize = 300_000;

/// A page, simplified.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Simplified {
    /// A fragment of `<body>`.
    pub(super) html: String,
    /// The words of `<title>`.
    pub(super) title: Option<String>,
}

/// Keeps headings, paragraphs, lists, tables, quotes, code, links, emphasis and images. Other blocks become paragraphs,
/// other tags go and their text stays; scripts, styles, forms' choices and drawings go with their text.
pub(super) fn simplify(html: &str) -> Result<Simplified, ParseError> {
    let mut out = Output::with_capacity(html.len() / 2);
    let mut title = None;
    let mut tokens = Tokens::new(html);
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(text) => out.text(text),
            Token::Open { name, attributes, is_empty } => match Role::of(&name) {
                Role::Nothing | Role::Title | Role::RawText if is_empty => {}
                Role::Nothing => {
                    let skipped = tokens.text_to_close(&name);
                    // As in a browser, a script that does not end is all the rest.
                    if skipped.is_none() && matches!(name.as_str(), "script" | "style") {
                        break;
                    }
                }
                Role::Title => title = title.or(tokens.text_to_close(&name).and_then(title_words)),
                Role::RawText => out.preformatted(tokens.text_to_close(&name).unwrap_or_default()),
                role => out.open(role, &name, &attributes),
            },
            Token::Close { name } => out.close(Role::of(&name), &name),
        }
        if out.elements() > MOST_ELEMENTS {
            return Err(ParseError::TooManyElements(MOST_ELEMENTS));
        }
    }
    Ok(Simplified { html: out.finish(), title })
}

fn title_words(markup: &str) -> Option<String> {
    let words = resolved(markup).split_whitespace().collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then_some(words)
}
