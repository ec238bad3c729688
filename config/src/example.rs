//! `.env.example`, written from the catalogue.

use std::fmt::Write;

use crate::catalog;
use crate::setting::Spec;

/// How wide a comment may be, in characters.
const WIDTH: usize = 110;

const INTRODUCTION: &str = "Settings of rag-chat. Copy this file to `.env` and take the `#` away from the lines that you \
change; every other setting keeps the default that stands here, or, where nothing stands, what its description says. \
The process environment overrides `.env`, the command line overrides both, and `chat config` shows what came out. This \
file is generated: `UPDATE=1 cargo test -p chat-config` writes it again.";

/// The text of `.env.example`: every setting with what it does, what it accepts and its default, commented out.
pub fn env_example() -> String {
    let mut text = comment(INTRODUCTION);
    for group in catalog::groups() {
        let _ = write!(text, "\n# ---- {} ----\n", group.title);
        for spec in group.settings {
            text.push('\n');
            text.push_str(&describe(spec));
        }
    }
    text
}

fn describe(spec: &Spec) -> String {
    let accepted = format!("Accepted: {}.", spec.accepted);
    format!("{}{}#{}={}\n", comment(spec.help), comment(&accepted), spec.name, spec.default)
}

/// Lines of `# ` and as many words as fit.
fn comment(text: &str) -> String {
    let mut lines = String::from("#");
    let mut column = 1;
    for word in text.split_whitespace() {
        let width = word.chars().count() + 1;
        if column + width > WIDTH {
            lines.push_str("\n#");
            column = 1;
        }
        lines.push(' ');
        lines.push_str(word);
        column += width;
    }
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_wrapped_between_words() {
        let text = comment(&"word ".repeat(50));
        assert!(text.lines().count() > 1);
        assert!(text.lines().all(|line| line.starts_with("# word") && line.chars().count() <= WIDTH));
        assert_eq!(text.matches("word").count(), 50);
    }
}
