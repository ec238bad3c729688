//! A text in the small pieces that a model would send it in.

use crate::language::is_han;

/// How many Han characters make a piece.
const HAN_PIECE: usize = 2;

/// Cuts a text into words with the space after them, and into groups of Han characters. Put together, the pieces
/// are the text.
pub(crate) fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = vec![];
    let mut han = 0;
    for c in text.chars() {
        let begins = match pieces.last() {
            None => true,
            Some(last) if is_han(c) => han == 0 || han == HAN_PIECE || !last.ends_with(is_han),
            Some(last) => {
                !c.is_whitespace()
                    && last.ends_with(|end: char| end.is_whitespace() || is_han(end) && c.is_alphanumeric())
            }
        };
        if begins {
            pieces.push(String::new());
            han = 0;
        }
        han += usize::from(is_han(c));
        if let Some(last) = pieces.last_mut() {
            last.push(c);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_small_and_lose_nothing() {
        for text in ["Hello, big  world.\n\n- “one” [1]", "所有权是 Rust 的规则，对吗？「是」 [2]", "", " "]
        {
            let pieces = pieces(text);
            assert_eq!(pieces.concat(), text);
            assert!(pieces.iter().all(|piece| !piece.is_empty()));
        }
        assert_eq!(pieces("Hello, big world"), ["Hello, ", "big ", "world"]);
        assert_eq!(pieces("所有权规则。"), ["所有", "权规", "则。"]);
    }
}
