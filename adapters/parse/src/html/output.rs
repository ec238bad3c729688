//! The simplified HTML while it is written: what is open, and how deep.

use super::role::Role;
use std::{collections::HashMap, fmt::Write};

/// Lists, tables and quotes within one another; what is deeper becomes paragraphs.
const DEEPEST_NESTING: usize = 24;

/// Links, emphasis and code within one another. A tree builder opens those that are left open again in each paragraph.
const DEEPEST_FORMATTING: usize = 4;

/// An element that can hold others, while it is open.
struct Nested {
    name: String,
    /// Of a table: whether one of its cells is open.
    in_cell: bool,
}

#[derive(Default)]
pub(super) struct Output {
    html: String,
    elements: usize,
    nested: Vec<Nested>,
    formatting: Vec<&'static str>,
    /// How many start tags of a name were dropped for their depth: as many end tags go, too.
    dropped: HashMap<String, usize>,
}

impl Output {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { html: String::with_capacity(bytes), ..Self::default() }
    }

    /// How many elements the tree will have.
    pub(super) fn elements(&self) -> usize {
        self.elements
    }

    pub(super) fn finish(self) -> String {
        self.html
    }

    /// Text, without the control characters that the converter uses as marks.
    pub(super) fn text(&mut self, text: &str) {
        let mut text = text;
        if !text.trim().is_empty() {
            self.ensure_cell();
            if self.is_in("pre") && !self.formatting.contains(&"code") {
                text = text.strip_prefix('\n').unwrap_or(text);
                self.format("code", &[]);
            }
        }
        let kept = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
        for piece in text.split(|c| !kept(c)) {
            self.html.push_str(&piece.replace('<', "&lt;"));
        }
    }

    /// Text of an element that holds no tags.
    pub(super) fn preformatted(&mut self, text: &str) {
        self.open(Role::Nested, "pre", &[]);
        self.text(text);
        self.close(Role::Nested, "pre");
    }

    pub(super) fn open(&mut self, role: Role, name: &str, attributes: &[(String, &str)]) {
        match role {
            Role::Nested => self.nest(name, attributes),
            Role::Heading => {
                self.end_heading();
                self.nest(name, attributes);
            }
            Role::Row | Role::Cell if self.return_to_table() => {
                self.set_cell(role == Role::Cell);
                self.tag(name, &[]);
            }
            Role::Formatting(name) => self.format(name, attributes),
            Role::Single if self.is_in("pre") => self.html.push('\n'),
            Role::Item | Role::Single => {
                self.ensure_cell();
                self.tag(name, attributes);
            }
            Role::Row | Role::Cell | Role::Paragraph => self.paragraph(),
            Role::Nothing | Role::Title | Role::RawText | Role::Transparent => {}
        }
    }

    pub(super) fn close(&mut self, role: Role, name: &str) {
        match role {
            Role::Nested | Role::Heading => self.close_nested(name),
            Role::Row | Role::Cell if self.return_to_table() => {
                self.set_cell(false);
                self.end(name);
            }
            Role::Item => self.end(name),
            Role::Formatting(name) => self.end_formatting(name),
            Role::Paragraph if !self.is_between_cells() => self.paragraph(),
            _ => {}
        }
    }

    /// The start of a text of its own. A paragraph holds no other, so any number of blocks within one another stays
    /// flat.
    fn paragraph(&mut self) {
        if self.is_in("pre") {
            if !self.html.ends_with(['\n', '>']) {
                self.html.push('\n');
            }
        } else if self.is_in_heading() {
            self.html.push(' ');
        } else if !self.html.trim_end().ends_with("<p>") {
            self.ensure_cell();
            self.tag("p", &[]);
        }
    }

    fn nest(&mut self, name: &str, attributes: &[(String, &str)]) {
        if self.nested.len() >= DEEPEST_NESTING || self.is_in("pre") {
            *self.dropped.entry(name.to_owned()).or_default() += 1;
            return self.paragraph();
        }
        self.ensure_cell();
        self.nested.push(Nested { name: name.to_owned(), in_cell: false });
        self.tag(name, attributes);
    }

    /// As a browser does: closes all that is open inside; what is not open is not closed.
    fn close_nested(&mut self, name: &str) {
        if let Some(count) = self.dropped.get_mut(name).filter(|count| **count > 0) {
            *count -= 1;
            self.paragraph();
        } else if let Some(at) = self.nested.iter().rposition(|open| open.name == name) {
            self.close_down_to(at);
        }
    }

    fn close_down_to(&mut self, depth: usize) {
        while self.nested.len() > depth {
            if self.is_in("pre") {
                self.end_formatting("code");
            }
            let open = self.nested.pop().map(|open| open.name);
            self.end(&open.unwrap_or_default());
        }
    }

    fn end_heading(&mut self) {
        if self.is_in_heading() {
            self.close_down_to(self.nested.len() - 1);
        }
    }

    fn format(&mut self, name: &'static str, attributes: &[(String, &str)]) {
        if self.formatting.len() >= DEEPEST_FORMATTING || (self.is_in("pre") && name != "code") {
            return;
        }
        self.ensure_cell();
        // `<b>x</b><b>y</b>` is one: the converter joins such neighbours one by one, copying all before.
        let close = format!("</{name}>");
        if name == "a" && !attributes.iter().any(|(name, address)| name == "href" && is_address(address)) {
            return;
        } else if name != "a" && self.html.ends_with(&close) {
            self.html.truncate(self.html.len() - close.len());
        } else {
            self.tag(name, attributes);
        }
        self.formatting.push(name);
    }

    fn end_formatting(&mut self, name: &str) {
        if let Some(at) = self.formatting.iter().rposition(|open| *open == name) {
            self.formatting.remove(at);
            self.end(name);
        }
    }

    fn end(&mut self, name: &str) {
        let _ = write!(self.html, "</{name}>");
    }

    /// A start tag with those attributes that the converter looks at.
    fn tag(&mut self, name: &str, attributes: &[(String, &str)]) {
        let kept: &[&str] = match name {
            "a" => &["href"],
            "img" => &["src", "alt"],
            "ol" => &["start"],
            "code" | "pre" => &["class"],
            _ => &[],
        };
        self.elements += 1;
        let _ = write!(self.html, "<{name}");
        for (attribute, value) in
            attributes.iter().filter(|(attribute, _)| kept.contains(&attribute.as_str()))
        {
            let _ = write!(self.html, " {attribute}=\"{}\"", value.replace('"', "&quot;"));
        }
        self.html.push('>');
    }

    fn is_in(&self, name: &str) -> bool {
        self.nested.last().is_some_and(|open| open.name == name)
    }

    fn is_in_heading(&self) -> bool {
        self.nested.last().is_some_and(|open| Role::of(&open.name) == Role::Heading)
    }

    fn is_between_cells(&self) -> bool {
        self.nested.last().is_some_and(|open| open.name == "table" && !open.in_cell)
    }

    /// Ends what a row or a cell ends; `false` if there is no table.
    fn return_to_table(&mut self) -> bool {
        let table = self.nested.iter().rposition(|open| open.name == "table");
        if let Some(table) = table {
            self.close_down_to(table + 1);
        }
        table.is_some()
    }

    fn set_cell(&mut self, is_open: bool) {
        if let Some(table) = self.nested.last_mut() {
            table.in_cell = is_open;
        }
    }

    /// Gives what stands between a table's cells a cell: a tree builder would move it before the table, piece by piece.
    fn ensure_cell(&mut self) {
        if self.is_between_cells() {
            self.set_cell(true);
            self.tag("td", &[]);
        }
    }
}

/// Whether a link leads somewhere: not to a place on the same page, nor to a script or a file that is the address.
fn is_address(href: &str) -> bool {
    let href = href.trim_start().get(..11).unwrap_or(href.trim_start()).to_ascii_lowercase();
    !href.is_empty() && !["#", "javascript:", "data:"].iter().any(|other| href.starts_with(other))
}
