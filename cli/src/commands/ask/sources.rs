//! The list under an answer.

use crate::{
    client::{Reference, Response},
    output::{self, Align, Table},
};
use console::style;

/// Between a document's name and its headings.
const SEPARATOR: &str = " › ";

/// Prints what the answer rests on.
pub fn print(response: &Response) {
    if response.references.is_empty() {
        output::line("\nNo passage of the documents was cited.");
        return;
    }
    output::line(format!("\n{}", style("Sources").bold()));
    let columns =
        [("#", Align::Right), ("Document", Align::Left), ("Heading", Align::Left), ("Score", Align::Right)];
    let mut table = Table::new(columns);
    for reference in &response.references {
        let (document, heading) = split(reference);
        table.row([
            reference.index.to_string(),
            document.to_owned(),
            heading.to_owned(),
            format!("{:.2}", reference.score),
        ]);
    }
    table.print();
}

fn split(reference: &Reference) -> (&str, &str) {
    reference.title.split_once(SEPARATOR).unwrap_or((&reference.title, ""))
}
