//! Aligned tables; the width of Chinese, Japanese and Korean text is counted right. On a narrow terminal the columns that
//! matter least give way: no word is broken as long as there is another way.

use super::{line, note};
use comfy_table::{
    Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, Width, presets::NOTHING,
};
use console::{Term, colors_enabled, measure_text_width, truncate_str, user_attended};

/// Between two columns.
const GAP: usize = 2;
/// The least width of a column whose text may be wrapped, unless it has a longer word.
const WRAPPED: usize = 16;
/// Longer words are broken, if need be.
const WORD: usize = 32;

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

#[derive(Debug, Clone)]
struct Column {
    /// Empty in a table without header.
    name: String,
    align: Align,
    unbroken: bool,
}

/// A table without lines around it, so that its columns can be cut and copied.
pub struct Table {
    columns: Vec<Column>,
    has_header: bool,
    rows: Vec<Vec<String>>,
    expendable: Vec<usize>,
    below: Option<usize>,
}

/// Which columns are shown, and how.
struct Layout {
    shown: Vec<usize>,
    below: Option<usize>,
    hidden: Vec<usize>,
}

impl Table {
    /// A table with these columns.
    pub fn new<const N: usize>(columns: [(&str, Align); N]) -> Self {
        let mut table = Self::without_header(columns.map(|(_, align)| align));
        for (column, (name, _)) in table.columns.iter_mut().zip(columns) {
            name.clone_into(&mut column.name);
        }
        table.has_header = true;
        table
    }

    /// Names and values.
    pub fn without_header<const N: usize>(columns: [Align; N]) -> Self {
        let column = |align| Column { name: String::new(), align, unbroken: align == Align::Right };
        let (rows, expendable) = (Vec::new(), Vec::new());
        Self { columns: columns.map(column).to_vec(), has_header: false, rows, expendable, below: None }
    }

    /// Adds a row; what is missing at its end stays empty.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        // A terminal would obey control characters in names of files.
        let plain = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
        self.rows.push(cells.into_iter().map(|text| text.chars().map(plain).collect()).collect());
    }

    /// Never breaks these columns, however narrow the terminal is: they are copied.
    #[must_use]
    pub fn unbroken<const N: usize>(mut self, columns: [usize; N]) -> Self {
        for at in columns {
            self.columns[at].unbroken = true;
        }
        self
    }

    /// Leaves these columns out of a terminal that is too narrow, the first one first.
    #[must_use]
    pub fn expendable<const N: usize>(mut self, columns: [usize; N]) -> Self {
        self.expendable = columns.to_vec();
        self
    }

    /// Puts this column on a line of its own under its row where the terminal is too narrow. All others are unbroken.
    #[must_use]
    pub fn below(mut self, at: usize) -> Self {
        self.below = Some(at);
        for (_, column) in self.columns.iter_mut().enumerate().filter(|(other, _)| *other != at) {
            column.unbroken = true;
        }
        self
    }

    /// As text, without spaces at the ends of lines. `width`: that of the terminal, if it is for one.
    fn render(&self, width: Option<usize>) -> (String, Vec<usize>) {
        let layout = self.layout(width);
        let table = self.arrange(&layout.shown, width);
        let text = table.trim_fmt();
        let (Some(below), Some(width)) = (layout.below, width) else { return (text, layout.hidden) };
        let mut lines = Vec::new();
        // Nothing is wrapped here: a line is a row, after the header.
        let first = usize::from(self.has_header);
        for (at, row) in text.lines().enumerate() {
            lines.push(row.to_owned());
            let cell = at.checked_sub(first).and_then(|at| self.rows[at].get(below));
            if let Some(cell) = cell.filter(|cell| !cell.is_empty()) {
                lines.push(truncate_str(&format!("  {cell}"), width, "…").into_owned());
            }
        }
        (lines.join("\n"), layout.hidden)
    }

    fn layout(&self, width: Option<usize>) -> Layout {
        let shown: Vec<usize> = (0..self.columns.len()).collect();
        let mut layout = Layout { shown, below: None, hidden: Vec::new() };
        let Some(width) = width else { return layout };
        let too_wide = |shown: &[usize]| self.least(shown) > width;
        if let Some(below) = self.below.filter(|_| too_wide(&layout.shown)) {
            layout.below = Some(below);
            layout.shown.retain(|at| *at != below);
        }
        for at in &self.expendable {
            if !too_wide(&layout.shown) {
                break;
            }
            layout.shown.retain(|shown| shown != at);
            layout.hidden.push(*at);
        }
        layout.hidden.sort_unstable();
        layout
    }

    /// The width that these columns need at least.
    fn least(&self, shown: &[usize]) -> usize {
        let gaps = shown.len().saturating_sub(1) * GAP;
        shown.iter().map(|at| self.least_of(*at)).sum::<usize>() + gaps
    }

    fn least_of(&self, at: usize) -> usize {
        let whole = self.widest(at, &|text| text.lines().map(measure_text_width).max().unwrap_or(0));
        if self.columns[at].unbroken {
            return whole;
        }
        let words = |text: &str| text.split_whitespace().map(measure_text_width).max().unwrap_or(0);
        let word = Some(self.widest(at, &words)).filter(|word| *word <= WORD).unwrap_or(0);
        whole.min(WRAPPED.max(word))
    }

    fn widest(&self, at: usize, measure: &dyn Fn(&str) -> usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(at));
        let texts = cells.map(String::as_str).chain([self.columns[at].name.as_str()]);
        texts.map(measure).max().unwrap_or(0)
    }

    fn arrange(&self, shown: &[usize], width: Option<usize>) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING);
        // In a pipe a line stays a line, however long; so it does on a terminal that does not know its width.
        match width.and_then(|width| u16::try_from(width).ok()) {
            Some(width) => table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        if self.has_header {
            table.set_header(shown.iter().map(|at| self.header_cell(*at)).collect::<Vec<_>>());
        }
        for row in &self.rows {
            let text = |at: &usize| row.get(*at).cloned().unwrap_or_default();
            let cells = shown.iter().map(|at| Cell::new_owned(text(at)).set_alignment(self.alignment(*at)));
            table.add_row(cells.collect::<Vec<_>>());
        }
        for (place, at) in shown.iter().enumerate() {
            let Some(column) = table.column_mut(place) else { continue };
            let gap = if place + 1 < shown.len() { GAP as u16 } else { 0 };
            column.set_padding((0, gap));
            column.set_constraint(if self.columns[*at].unbroken {
                ColumnConstraint::ContentWidth
            } else {
                let least = u16::try_from(self.least_of(*at)).unwrap_or(u16::MAX);
                ColumnConstraint::LowerBoundary(Width::Fixed(least.saturating_add(gap)))
            });
        }
        table
    }

    fn header_cell(&self, at: usize) -> Cell {
        let cell = Cell::new(&self.columns[at].name).set_alignment(self.alignment(at));
        if colors_enabled() { cell.add_attribute(Attribute::Bold) } else { cell }
    }

    fn alignment(&self, at: usize) -> CellAlignment {
        match self.columns[at].align {
            Align::Left => CellAlignment::Left,
            Align::Right => CellAlignment::Right,
        }
    }

    /// Prints it.
    pub fn print(self) {
        let width = usize::from(Term::stdout().size().1);
        let (text, hidden) = self.render(Some(width).filter(|width| user_attended() && *width > 0));
        line(text);
        if !hidden.is_empty() {
            let names: Vec<_> = hidden.iter().map(|at| self.columns[*at].name.as_str()).collect();
            note(&format!("left out, for the terminal is narrow: {} (--json has all)", names.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests;
