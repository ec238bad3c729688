//! Character references, in titles and in attribute values.

/// Text with its usual character references resolved; others stay as they stand.
pub(super) fn resolved(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let reference = rest[1..].split_once(';').filter(|(name, _)| name.len() <= 8);
        if let Some((c, after)) = reference.and_then(|(name, after)| Some((character(name)?, after))) {
            out.push(c);
            rest = after;
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| !c.is_control());
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "copy" => '©',
        "reg" => '®',
        "middot" => '·',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "laquo" => '«',
        "raquo" => '»',
        "bull" => '•',
        "times" => '×',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::resolved;

    #[test]
    fn references_become_characters() {
        for (text, expected) in [
            ("A &amp; B &lt;T&gt;", "A & B <T>"),
            ("&#26435;&#x6743; &#0; &#x110000;", "权权 &#0; &#x110000;"),
            ("&unknown; & && &amp", "&unknown; & && &amp"),
            ("&amp;lt;", "&lt;"),
            ("", ""),
        ] {
            assert_eq!(resolved(text), expected, "{text:?}");
        }
    }
}
