//! Running text to sentences.

/// What ends with a full stop and no sentence.
const ABBREVIATIONS: &[&str] =
    &["e.g", "i.e", "etc", "vs", "cf", "Dr", "Mr", "Mrs", "Ms", "No", "Fig", "approx"];

/// The sentences of a text, trimmed.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut sentences = vec![];
    let mut begin = 0;
    let mut places = text.char_indices().peekable();
    while let Some((at, c)) = places.next() {
        if !ends_sentence(text, at, c) {
            continue;
        }
        while places.next_if(|(_, next)| is_closing(*next)).is_some() {}
        let end = places.peek().map_or(text.len(), |(next, _)| *next);
        sentences.push(text[begin..end].trim());
        begin = end;
    }
    sentences.push(text[begin..].trim());
    sentences.retain(|sentence| sentence.chars().any(char::is_alphanumeric));
    sentences
}

/// Marks that belong to the sentence which they follow.
fn is_closing(c: char) -> bool {
    matches!(
        c,
        '"' | '”'
            | '’'
            | '\''
            | ')'
            | '）'
            | '」'
            | '』'
            | '》'
            | '。'
            | '！'
            | '？'
            | '!'
            | '?'
            | '…'
            | '*'
    )
}

fn ends_sentence(text: &str, at: usize, c: char) -> bool {
    match c {
        '。' | '！' | '？' | '；' => true,
        '.' | '!' | '?' => {
            let after = text[at + 1..].trim_start_matches(is_closing);
            (after.is_empty() || after.starts_with(char::is_whitespace))
                && !(c == '.' && is_abbreviated(&text[..at]))
        }
        _ => false,
    }
}

fn is_abbreviated(before: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or("");
    ABBREVIATIONS.contains(&word)
}
