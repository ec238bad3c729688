//! What a passage is called, when it joins small sections.

use std::sync::Arc;

/// Between a heading and the one below it.
pub(super) const BELOW: &str = " > ";
/// Between headings that stand beside each other.
const BESIDE: &str = " · ";
/// How many headings beside each other are named.
const MOST: usize = 8;

/// The headings of joined sections: those above all of them, and those that stand beside each other under these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Title {
    above: Vec<String>,
    /// None: the passage is of one section and of what is below it.
    beside: Vec<String>,
}

impl Title {
    /// The headings of one section.
    pub(super) fn of(path: &Arc<str>) -> Self {
        Self { above: path.split(BELOW).map(str::to_owned).collect(), beside: Vec::new() }
    }

    /// Takes in the section that comes next. One that is below the last heading is called by that already.
    pub(super) fn join(&mut self, next: &Self) {
        let shared = self.above.iter().zip(&next.above).take_while(|(mine, its)| mine == its).count();
        if shared < self.above.len() {
            // A section that is above all of this one still needs a name.
            let shared = shared.min(next.above.len().saturating_sub(1));
            self.beside = vec![self.above[shared].clone()];
            self.above.truncate(shared);
        }
        let Some(name) = next.above.get(self.above.len()) else { return };
        if !self.beside.is_empty() && self.beside.last() != Some(name) {
            self.beside.push(name.clone());
        }
    }

    /// "Chapter > Section", "Chapter > One · Two".
    pub(super) fn text(&self) -> String {
        let mut beside = self.beside.iter().take(MOST).map(String::as_str).collect::<Vec<_>>();
        if self.beside.len() > MOST {
            beside.push("…");
        }
        let last = (!beside.is_empty()).then(|| beside.join(BESIDE));
        let parts = self.above.iter().map(String::as_str).chain(last.as_deref());
        parts.collect::<Vec<_>>().join(BELOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(paths: &[&str]) -> String {
        let mut titles = paths.iter().map(|path| Title::of(&Arc::from(*path)));
        let mut first = titles.next().unwrap();
        titles.for_each(|next| first.join(&next));
        first.text()
    }

    #[test]
    fn a_title_names_every_section_that_it_is_of() {
        for (paths, title) in [
            (&["Book > One"][..], "Book > One"),
            (&["Book", "Book > One", "Book > Two"], "Book"),
            (&["Book > One", "Book > Two", "Book > Three"], "Book > One · Two · Three"),
            (&["Parking", "Refunds", "Heating"], "Parking · Refunds · Heating"),
            (&["停车", "停车 > 白天", "退款 > 期限", "退款 > 方式"], "停车 · 退款"),
            (&["A > B > C", "A > D"], "A > B · D"),
            (&["A > B > C", "A > B"], "A > B"),
            (&["A > B", "A"], "A"),
            (&["One", "Two > One", "One"], "One · Two · One"),
        ] {
            assert_eq!(joined(paths), title, "{paths:?}");
        }
        let many: Vec<String> = (0..20).map(|n| format!("H{n}")).collect();
        let many = joined(&many.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(many, "H0 · H1 · H2 · H3 · H4 · H5 · H6 · H7 · …");
    }
}
