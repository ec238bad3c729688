//! Aligned tables; the width of Chinese, Japanese and Korean text is counted right.

use super::line;
use comfy_table::{Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, presets::NOTHING};
use console::{Term, colors_enabled, user_attended};

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A table without lines around it, so that its columns can be cut and copied.
pub struct Table {
    inner: comfy_table::Table,
    columns: Vec<Align>,
}

impl Table {
    /// A table with these columns.
    pub fn new<const N: usize>(columns: [(&str, Align); N]) -> Self {
        let mut table = Self::without_header(columns.map(|(_, align)| align));
        let header = columns.map(|(name, align)| {
            let cell = Cell::new(name).set_alignment(alignment(align));
            if colors_enabled() { cell.add_attribute(Attribute::Bold) } else { cell }
        });
        table.inner.set_header(header.to_vec());
        table
    }

    /// Names and values.
    pub fn without_header<const N: usize>(columns: [Align; N]) -> Self {
        let mut inner = comfy_table::Table::new();
        inner.load_style(NOTHING);
        // In a pipe a line stays a line, however long; so it does on a terminal that does not know its width.
        inner.set_content_arrangement(if user_attended() && Term::stdout().size().1 > 0 {
            ContentArrangement::Dynamic
        } else {
            ContentArrangement::Disabled
        });
        Self { inner, columns: columns.to_vec() }
    }

    /// Adds a row; what is missing at its end stays empty.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        let cells = cells.into_iter().zip(&self.columns).map(|(text, align)| {
            // A terminal would obey control characters in names of files.
            let text: String =
                text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
            Cell::new_owned(text).set_alignment(alignment(*align))
        });
        self.inner.add_row(cells.collect::<Vec<_>>());
    }

    /// Never breaks these columns, however narrow the terminal is: they are copied.
    #[must_use]
    pub fn unbroken<const N: usize>(mut self, columns: [usize; N]) -> Self {
        for at in columns {
            if let Some(column) = self.inner.column_mut(at) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        self
    }

    /// As text, without spaces at the ends of lines.
    pub fn render(&mut self) -> String {
        for column in self.inner.column_iter_mut() {
            column.set_padding((0, 2));
        }
        self.inner.trim_fmt()
    }

    /// Prints it.
    pub fn print(mut self) {
        line(self.render());
    }
}

fn alignment(align: Align) -> CellAlignment {
    match align {
        Align::Left => CellAlignment::Left,
        Align::Right => CellAlignment::Right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_takes_two_columns_a_character() {
        let mut table = Table::new([("File", Align::Left), ("Size", Align::Right)]);
        table.row(["差旅报销制度.md".into(), "9 kB".into()]);
        table.row(["hours.md".into(), "12 kB".into()]);
        let text = table.render();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert_eq!(console::measure_text_width(lines[1]), console::measure_text_width(lines[2]), "{text}");
        assert!(lines[1].ends_with(" 9 kB") && lines[2].ends_with("12 kB"), "{text}");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let mut table = Table::without_header([Align::Left]);
        table.row(["a\u{1b}[31mb".into()]);
        assert_eq!(table.render(), "a [31mb");
    }
}
