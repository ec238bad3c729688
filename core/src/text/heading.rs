//! The words of a Markdown heading, without its markup.

/// What a reader sees of a heading: `` ## The `Vec<T>` [type](vec.md) {#vec} ## `` is "The Vec<T> type".
pub(super) fn heading_words(markup: &str) -> String {
    let mut out = String::with_capacity(markup.len());
    let mut rest = without_attributes(without_closing_hashes(markup.trim()));
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '`' => code(rest, &mut out),
            '<' => tag(rest, &mut out),
            '[' => link(rest, &mut out),
            '!' if rest.starts_with("![") => &rest[1..],
            '*' => &rest[1..],
            '\\' => escaped(rest, &mut out),
            _ => {
                out.push(c);
                &rest[c.len_utf8()..]
            }
        };
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn without_closing_hashes(text: &str) -> &str {
    let open = text.trim_end_matches('#');
    if open.is_empty() || open.ends_with([' ', '\t']) { open.trim_end() } else { text }
}

fn without_attributes(text: &str) -> &str {
    match text.rfind("{#") {
        Some(at) if text.ends_with('}') => text[..at].trim_end(),
        _ => text,
    }
}

fn code<'a>(text: &'a str, out: &mut String) -> &'a str {
    let inner = text.trim_start_matches('`');
    let ticks = &text[..text.len() - inner.len()];
    match inner.split_once(ticks) {
        Some((code, rest)) => {
            out.push_str(code);
            rest
        }
        None => inner,
    }
}

fn tag<'a>(text: &'a str, out: &mut String) -> &'a str {
    let named = text[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
    match text.find('>') {
        Some(end) if named => &text[end + 1..],
        _ => {
            out.push('<');
            &text[1..]
        }
    }
}

/// Keeps a link's words and drops its address.
fn link<'a>(text: &'a str, out: &mut String) -> &'a str {
    let Some((label, rest)) = text[1..].split_once(']') else {
        out.push('[');
        return &text[1..];
    };
    let address_end = match rest.chars().next() {
        Some('(') => rest.find(')'),
        Some('[') => rest.find(']'),
        _ => None,
    };
    out.push_str(&label.replace(['`', '*'], ""));
    address_end.map_or(rest, |end| &rest[end + 1..])
}

fn escaped<'a>(text: &'a str, out: &mut String) -> &'a str {
    match text[1..].chars().next() {
        Some(c) if c.is_ascii_punctuation() => {
            out.push(c);
            &text[2..]
        }
        _ => {
            out.push('\\');
            &text[1..]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::heading_words;

    #[test]
    fn only_the_words_stay() {
        for (markup, words) in [
            (" Storing Keys in `HashMap<K, V>` ", "Storing Keys in HashMap<K, V>"),
            ("The [`match`](ch06.md) *control* **flow**", "The match control flow"),
            ("<a id=\"x\"></a>所有权 {#ownership}", "所有权"),
            ("Closed ##", "Closed"),
            ("C#", "C#"),
            ("snake_case \\*and\\* 3 < 4", "snake_case *and* 3 < 4"),
            ("``a`b`` and ` open", "a`b and open"),
            ("[open", "[open"),
            ("trailing \\", "trailing \\"),
            ("![logo](x.png) Name", "logo Name"),
            ("", ""),
            ("###", ""),
        ] {
            assert_eq!(heading_words(markup), words, "{markup:?}");
        }
    }
}
