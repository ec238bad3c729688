//! The format of `.env`: `NAME=value` lines.
//!
//! Comments (`#` at the start of a line, or after white space), an optional `export`, single quotes (literal), double
//! quotes (`\n \r \t \" \\ \$`). Nothing is executed and nothing is expanded: `${NAME}` is refused, as other tools would
//! expand it. Messages name the line and never repeat a value.

use std::collections::BTreeMap;

/// What a file says.
#[derive(Debug, Default)]
pub(crate) struct EnvFile {
    pub values: BTreeMap<String, String>,
    /// Line number (from 1) and what is wrong with it.
    pub errors: Vec<(usize, String)>,
    pub warnings: Vec<String>,
}

/// Reads the text of a file.
pub(crate) fn read(text: &str) -> EnvFile {
    let mut file = EnvFile::default();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        match read_line(line.trim()) {
            Ok(None) => {}
            Ok(Some((name, value))) => file.insert(index + 1, name, value),
            Err(what) => file.errors.push((index + 1, what)),
        }
    }
    file
}

impl EnvFile {
    fn insert(&mut self, line: usize, name: &str, value: String) {
        if self.values.insert(name.to_owned(), value).is_some() {
            self.warnings.push(format!(".env line {line}: {name} is set a second time; this one counts"));
        }
    }
}

fn read_line(line: &str) -> Result<Option<(&str, String)>, String> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let assignment = match line.strip_prefix("export") {
        Some(rest) if rest.starts_with(char::is_whitespace) => rest.trim_start(),
        _ => line,
    };
    let (name, value) = assignment.split_once('=').ok_or("is not of the form NAME=value")?;
    let name = name.trim_end();
    if !is_name(name) {
        return Err("has no valid name before the `=` (letters, digits and `_`)".into());
    }
    Ok(Some((name, read_value(value.trim_start()).map_err(|what| format!("{name} {what}"))?)))
}

fn is_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(word) && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

fn read_value(text: &str) -> Result<String, String> {
    if let Some(rest) = text.strip_prefix('\'') {
        let (value, tail) = rest.split_once('\'').ok_or("has no closing '")?;
        return ends(tail).map(|()| value.to_owned());
    }
    if let Some(rest) = text.strip_prefix('"') {
        let (value, tail) = read_double_quoted(rest)?;
        return ends(tail).map(|()| value);
    }
    let value = before_comment(text);
    if value.contains("${") {
        return Err(EXPANSION.into());
    }
    Ok(value.to_owned())
}

const EXPANSION: &str =
    "contains `${`, which is not expanded here: write the value, or put it in single quotes";

/// A `#` begins a comment only after white space: `https://host/#part` is a value.
fn before_comment(text: &str) -> &str {
    if text.starts_with('#') {
        return "";
    }
    let comment = text.char_indices().find(|&(at, c)| c == '#' && text[..at].ends_with(char::is_whitespace));
    comment.map_or(text, |(at, _)| &text[..at]).trim_end()
}

fn ends(tail: &str) -> Result<(), String> {
    let tail = tail.trim_start();
    if tail.is_empty() || tail.starts_with('#') {
        Ok(())
    } else {
        Err("goes on after its closing quote".into())
    }
}

fn read_double_quoted(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => value.push(escaped(chars.next().map(|(_, c)| c))?),
            '$' if text[at + 1..].starts_with('{') => return Err(EXPANSION.into()),
            c => value.push(c),
        }
    }
    Err("has no closing \"".into())
}

fn escaped(c: Option<char>) -> Result<char, String> {
    match c {
        Some('n') => Ok('\n'),
        Some('r') => Ok('\r'),
        Some('t') => Ok('\t'),
        Some(c @ ('"' | '\\' | '$')) => Ok(c),
        Some(_) => Err(r#"has an unknown escape (known: \n \r \t \" \\ \$; single quotes need none)"#.into()),
        None => Err("has no closing \"".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> String {
        let file = read(line);
        assert!(file.errors.is_empty(), "{line}: {:?}", file.errors);
        file.values.into_values().next().unwrap()
    }

    fn error(text: &str) -> (usize, String) {
        let errors = read(text).errors;
        assert_eq!(errors.len(), 1, "{text}");
        errors.into_iter().next().unwrap()
    }

    #[test]
    fn reads_plain_lines() {
        let file = read("\u{feff}# a comment\r\nA=1\r\n\r\n  export B = two words  \nexported=3\nC=\n");
        let expected = [("A", "1"), ("B", "two words"), ("C", ""), ("exported", "3")];
        assert_eq!(file.values, expected.map(|(n, v)| (n.to_owned(), v.to_owned())).into());
        assert!(file.errors.is_empty() && file.warnings.is_empty());
    }

    #[test]
    fn comments_begin_after_white_space() {
        assert_eq!(value("A=1 # one"), "1");
        assert_eq!(value("A=https://h/#part"), "https://h/#part");
        assert_eq!(value("A= # nothing"), "");
        assert_eq!(value("A=x=y"), "x=y");
        assert_eq!(value("A=中文 # 注释"), "中文");
    }

    #[test]
    fn quotes_keep_what_they_hold() {
        assert_eq!(value("A='a # \\n ${b}' # c"), "a # \\n ${b}");
        assert_eq!(value(r#"A="a # \"b\"\n\\ \$\t" # c"#), "a # \"b\"\n\\ $\t");
        assert_eq!(value("A=\"\""), "");
        assert_eq!(value("A=it's"), "it's");
    }

    #[test]
    fn errors_name_the_line_and_keep_the_value_to_themselves() {
        for (text, line, part) in [
            ("A=1\nhunter2", 2, "NAME=value"),
            ("9A=hunter2", 1, "valid name"),
            ("A B=hunter2", 1, "valid name"),
            ("=hunter2", 1, "valid name"),
            ("\n\nA='hunter2", 3, "A has no closing '"),
            ("A=\"hunter2", 1, "A has no closing \""),
            ("A=\"hunter2\\", 1, "A has no closing \""),
            ("A=\"hunter2\\x\"", 1, "unknown escape"),
            ("A='hunter2' hunter2", 1, "after its closing quote"),
            ("A=hunter2${B}", 1, "not expanded"),
            ("A=\"hunter2${B}\"", 1, "not expanded"),
        ] {
            let (at, what) = error(text);
            assert_eq!(at, line, "{text}");
            assert!(what.contains(part) && !what.contains("hunter2"), "{text}: {what}");
        }
    }

    #[test]
    fn the_last_of_two_counts_and_is_warned_of() {
        let file = read("A=1\nA=2");
        assert_eq!(file.values["A"], "2");
        assert_eq!(file.warnings, [".env line 2: A is set a second time; this one counts"]);
    }
}
