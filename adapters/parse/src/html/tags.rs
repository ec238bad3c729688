//! Text and tags of an HTML file, as the HTML standard divides them.

/// A piece of an HTML file. Comments, declarations and unfinished tags are passed over, as a browser does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Text with its character references as they stand.
    Text(&'a str),
    /// A start tag; its name and its attributes' names in lower case, values as they stand.
    Open {
        name: String,
        attributes: Vec<(String, &'a str)>,
        /// Whether it ends in `/>`.
        is_empty: bool,
    },
    /// An end tag.
    Close { name: String },
}

/// The tokens of a file. Whoever reads them says with [`Tokens::text_to_close`] which elements
/// hold no tags.
pub(super) struct Tokens<'a> {
    html: &'a str,
    at: usize,
    /// Elements that have no end tag any more: asked once, not for each of a million start tags.
    never_closed: Vec<String>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { html, at: 0, never_closed: Vec::new() }
    }

    /// What stands before an element's end tag, which is passed over; `None` if it has no end tag.
    pub(super) fn text_to_close(&mut self, name: &str) -> Option<&'a str> {
        if self.never_closed.iter().any(|never| never == name) {
            return None;
        }
        let Some(length) = find_close(&self.html[self.at..], name) else {
            self.never_closed.push(name.to_owned());
            return None;
        };
        let text = &self.html[self.at..self.at + length];
        self.at += length;
        self.next();
        Some(text)
    }

    fn tag(&mut self) -> Option<Token<'a>> {
        let rest = &self.html[self.at..];
        let closing = rest.starts_with("</");
        let name_start = 1 + usize::from(closing);
        let length = rest[name_start..].find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>');
        let name_end = name_start + length.unwrap_or(rest.len() - name_start);
        let name = rest[name_start..name_end].to_ascii_lowercase();
        let mut reader = Attributes { text: rest, at: name_end };
        let attributes = reader.read();
        self.at += reader.at;
        let attributes = attributes?;
        let is_empty = rest[..reader.at].ends_with("/>");
        Some(if closing { Token::Close { name } } else { Token::Open { name, attributes, is_empty } })
    }

    /// Passes over a comment or declaration; an unfinished one takes the rest of the file.
    fn pass_over(&mut self) {
        let rest = &self.html[self.at..];
        let end = match rest.strip_prefix("<!--") {
            Some(comment) if comment.starts_with('>') => Some(5),
            Some(comment) if comment.starts_with("->") => Some(6),
            Some(comment) => {
                let ends = [("-->", 3), ("--!>", 4)]
                    .map(|(end, length)| comment.find(end).map(|at| at + 4 + length));
                ends.into_iter().flatten().min()
            }
            None => rest.find('>').map(|at| at + 1),
        };
        self.at += end.unwrap_or(rest.len());
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = &self.html[self.at..];
            let mut after = rest.chars();
            let (first, second) = (after.next()?, after.next().unwrap_or_default());
            let closes = second == '/' && after.next().is_some_and(|c| c.is_ascii_alphabetic());
            if first == '<' && (second.is_ascii_alphabetic() || closes) {
                // An unfinished tag has taken the rest.
                return self.tag();
            }
            if first == '<' && matches!(second, '!' | '?' | '/') {
                self.pass_over();
                continue;
            }
            let start = first.len_utf8();
            let end = rest[start..].find('<').map_or(rest.len(), |at| start + at);
            self.at += end;
            return Some(Token::Text(&rest[..end]));
        }
    }
}

/// Where `</name` stands, in upper or lower case.
fn find_close(text: &str, name: &str) -> Option<usize> {
    text.match_indices("</").map(|(at, _)| at).find(|at| {
        let rest = &text.as_bytes()[at + 2..];
        let named = rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
        named
            && rest
                .get(name.len())
                .is_none_or(|next| next.is_ascii_whitespace() || matches!(next, b'/' | b'>'))
    })
}

struct Attributes<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Attributes<'a> {
    /// Reads up to and over the tag's end; `None` if it has none.
    fn read(&mut self) -> Option<Vec<(String, &'a str)>> {
        let mut attributes = Vec::new();
        loop {
            self.take_while(|c| c.is_ascii_whitespace() || c == '/');
            if self.peek()? == '>' {
                self.at += 1;
                return Some(attributes);
            }
            // An equals sign that comes first belongs to the name.
            let start = self.at;
            self.at += self.peek()?.len_utf8();
            self.take_while(|c| !c.is_ascii_whitespace() && !matches!(c, '/' | '>' | '='));
            let name = self.text[start..self.at].to_ascii_lowercase();
            self.take_while(|c| c.is_ascii_whitespace());
            let value = if self.peek()? == '=' { self.value()? } else { "" };
            attributes.push((name, value));
        }
    }

    fn value(&mut self) -> Option<&'a str> {
        self.at += 1;
        self.take_while(|c| c.is_ascii_whitespace());
        match self.peek()? {
            quote @ ('"' | '\'') => {
                self.at += 1;
                let value = self.take_while(|c| c != quote);
                self.peek()?;
                self.at += 1;
                Some(value)
            }
            _ => Some(self.take_while(|c| !c.is_ascii_whitespace() && c != '>')),
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }
}
