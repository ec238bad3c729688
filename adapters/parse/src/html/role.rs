//! What each HTML element is to Markdown.

/// What an element is to Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Goes, with all that is in it.
    Nothing,
    /// The page's title.
    Title,
    /// Preformatted; its content has no tags.
    RawText,
    /// Keeps its name and can hold others of its kind.
    Nested,
    /// One line; the next heading ends it.
    Heading,
    /// A list's item; the next one ends it.
    Item,
    /// A row, or a group of rows.
    Row,
    /// What holds a table's text.
    Cell,
    /// Links, emphasis and code, by the name that is left of them.
    Formatting(&'static str),
    /// Has no content.
    Single,
    /// Text of its own.
    Paragraph,
    /// Goes; its text stays.
    Transparent,
}

impl Role {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "script" | "style" | "noscript" | "template" | "svg" | "math" | "iframe" | "noembed"
            | "noframes" | "select" | "canvas" | "audio" | "video" => Self::Nothing,
            "title" => Self::Title,
            "xmp" | "listing" | "textarea" => Self::RawText,
            "ul" | "ol" | "table" | "blockquote" | "pre" | "nav" => Self::Nested,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Self::Heading,
            "li" => Self::Item,
            "tr" | "thead" | "tbody" | "tfoot" => Self::Row,
            "td" | "th" | "caption" => Self::Cell,
            "a" => Self::Formatting("a"),
            "b" | "strong" => Self::Formatting("b"),
            "i" | "em" | "cite" | "dfn" => Self::Formatting("i"),
            "code" | "kbd" | "samp" | "tt" => Self::Formatting("code"),
            "br" | "hr" | "img" => Self::Single,
            "p" | "div" | "section" | "article" | "main" | "header" | "footer" | "aside" | "figure"
            | "figcaption" | "details" | "summary" | "dl" | "dt" | "dd" | "address" | "center"
            | "fieldset" | "legend" | "form" | "hgroup" | "dialog" | "body" | "menu" | "dir" | "search" => {
                Self::Paragraph
            }
            _ => Self::Transparent,
        }
    }
}
