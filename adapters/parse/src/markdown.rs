//! Markdown: the text as it stands, and its title.

use crate::{File, FormatParser, ParseError, Parsed, decode};
use chat_core::ports::TextFormat;

/// Reads Markdown.
#[derive(Debug, Clone, Copy)]
pub struct MarkdownParser;

const EXTENSIONS: &[(&str, &str)] = &[
    ("md", "text/markdown"),
    ("markdown", "text/markdown"),
    ("mdown", "text/markdown"),
    ("mkd", "text/markdown"),
    ("mdx", "text/markdown"),
    ("qmd", "text/markdown"),
];

/// A title further down is a section's.
const TITLE_WITHIN_LINES: usize = 50;

impl FormatParser for MarkdownParser {
    fn description(&self) -> &'static str {
        "Markdown (.md)"
    }

    fn extensions(&self) -> &'static [(&'static str, &'static str)] {
        EXTENSIONS
    }

    fn reads(&self, media_type: &str) -> bool {
        matches!(media_type, "text/markdown" | "text/x-markdown")
    }

    fn parse(&self, file: &File<'_>) -> Result<Parsed, ParseError> {
        let decoded = decode(file.bytes, file.charset, None)?;
        let title = title(&decoded.text);
        Ok(Parsed { text: decoded.text, format: TextFormat::Markdown, charset: decoded.charset, title })
    }
}

/// The title in a YAML block at the start, else the first heading of the first level.
pub(crate) fn title(text: &str) -> Option<String> {
    let mut lines = text.lines().take(TITLE_WITHIN_LINES).peekable();
    if lines.next_if(|line| line.trim_end() == "---").is_some() {
        let block = lines.by_ref().take_while(|line| !matches!(line.trim_end(), "---" | "..."));
        let titles = block.filter_map(|line| line.strip_prefix("title:")).map(unquoted).collect::<Vec<_>>();
        if let Some(title) = titles.into_iter().find(|title| !title.is_empty()) {
            return Some(title);
        }
    }
    first_heading(lines)
}

fn first_heading<'a>(lines: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut above = "";
    let mut in_fence = false;
    for line in lines {
        let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        in_fence ^= fence;
        if in_fence || fence {
            above = "";
            continue;
        }
        let underlined = !line.is_empty() && line.trim_end().bytes().all(|b| b == b'=');
        let words = if underlined { above } else { line.strip_prefix("# ").unwrap_or_default() };
        let words = words.trim().trim_end_matches('#').replace(['`', '*', '\\'], "");
        if !words.trim().is_empty() {
            return Some(words.trim().to_owned());
        }
        above = line;
    }
    None
}

fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inner = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.unwrap_or(value).to_owned()
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn a_title_is_the_yaml_blocks_or_the_first_heading() {
        for (text, expected) in [
            ("# One\n# Two", Some("One")),
            ("\n<!-- x -->\r\n# `Vec<T>` *really* #\r\n", Some("Vec<T> really")),
            ("---\ntitle: \"From YAML\"\n---\n# Heading", Some("From YAML")),
            ("---\nauthor: x\n---\n# Heading", Some("Heading")),
            ("第一章\n======\n", Some("第一章")),
            ("```\n# code\n```\ntext", None),
            ("## Only a section", None),
            ("====\ntext", None),
            ("", None),
        ] {
            assert_eq!(title(text).as_deref(), expected, "{text:?}");
        }
    }
}
