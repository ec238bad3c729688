//! What became of the files.

use super::upload::FileEnd;
use crate::{
    client::Collection,
    output::{self, Align, Table, megabytes_per_second},
};
use chat_core::DocumentStatus;
use serde::Serialize;
use std::time::Duration;

/// How many unsupported files are listed by name.
const LISTED: usize = 10;

/// What became of the files.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where they went.
    pub collection: Collection,
    /// How many texts can be found now that could not before: the new ones and the changed ones.
    pub ready: u64,
    /// How many files were not there before.
    pub new: u64,
    /// How many took the place of their own old text.
    pub changed: u64,
    /// How many were there already, as they are.
    pub unchanged: u64,
    /// The same: its name of old.
    pub duplicates: u64,
    /// Which could not be read, and why.
    pub failed: Vec<Failed>,
    /// Which were not tried.
    pub unsupported: Vec<String>,
    /// Which are no files.
    pub special: Vec<Special>,
    /// Passages of the new documents.
    pub chunks: u64,
    /// Bytes of the new documents.
    pub bytes: u64,
    /// From the first upload to the last end.
    pub seconds: f64,
    /// Megabytes (10^6 bytes) of new documents a second.
    pub mb_per_second: f64,
}

/// A file that could not be read.
#[derive(Debug, Serialize)]
pub struct Failed {
    /// The file.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Something in a folder that is no file.
#[derive(Debug, Serialize)]
pub struct Special {
    /// Where it is.
    pub path: String,
    /// What it is.
    pub what: &'static str,
}

impl Report {
    /// Nothing yet.
    pub fn new(
        collection: Collection,
        unsupported: Vec<String>,
        special: Vec<(String, &'static str)>,
        unreadable: Vec<(String, String)>,
    ) -> Self {
        let failed = unreadable
            .into_iter()
            .map(|(path, why)| Failed { path, reason: format!("it cannot be read: {why}") });
        let special = special.into_iter().map(|(path, what)| Special { path, what }).collect();
        Self {
            collection,
            ready: 0,
            new: 0,
            changed: 0,
            unchanged: 0,
            duplicates: 0,
            failed: failed.collect(),
            unsupported,
            special,
            chunks: 0,
            bytes: 0,
            seconds: 0.0,
            mb_per_second: 0.0,
        }
    }

    /// Adds how the files ended.
    pub fn add(&mut self, ends: Vec<FileEnd>, time: Duration) {
        for end in ends {
            self.add_file(end);
        }
        self.failed.sort_by(|a, b| a.path.cmp(&b.path));
        self.seconds = (time.as_secs_f64() * 1e3).round() / 1e3;
        self.mb_per_second = (megabytes_per_second(self.bytes, time) * 1e3).round() / 1e3;
    }

    fn add_file(&mut self, end: FileEnd) {
        let reason = match end.document {
            Err(error) => error.to_string(),
            Ok(document) => match (document.status, document.error) {
                (DocumentStatus::Ready, _) if document.duplicate_of.is_some() => {
                    self.unchanged += 1;
                    self.duplicates += 1;
                    return;
                }
                (DocumentStatus::Ready, _) => {
                    self.ready += 1;
                    *if end.replaces.is_some() { &mut self.changed } else { &mut self.new } += 1;
                    self.chunks += document.chunk_count;
                    self.bytes += end.file.bytes;
                    return;
                }
                (_, Some(error)) => error.message,
                (status, None) => format!("it was {}", status.as_str()),
            },
        };
        self.failed.push(Failed { path: end.file.shown, reason });
    }

    /// Prints tables for people.
    pub fn print(&self) {
        let mut table = Table::new([
            ("Collection", Align::Left),
            ("New", Align::Right),
            ("Changed", Align::Right),
            ("Unchanged", Align::Right),
            ("Failed", Align::Right),
            ("Chunks", Align::Right),
            ("Size", Align::Right),
            ("Time", Align::Right),
            ("MB/s", Align::Right),
        ]);
        table.row([
            self.collection.name.clone(),
            output::count(self.new),
            output::count(self.changed),
            output::count(self.unchanged),
            output::count(self.failed.len() as u64),
            output::count(self.chunks),
            output::size(self.bytes),
            output::seconds(Duration::from_secs_f64(self.seconds)),
            format!("{:.2}", self.mb_per_second),
        ]);
        table.print();
        self.print_failed();
        self.print_unsupported();
        self.print_special();
    }

    fn print_failed(&self) {
        if self.failed.is_empty() {
            return;
        }
        output::line("");
        let mut table = Table::new([("Failed", Align::Left), ("Reason", Align::Left)]);
        for failed in &self.failed {
            table.row([failed.path.clone(), failed.reason.clone()]);
        }
        table.print();
    }

    fn print_unsupported(&self) {
        let kinds =
            output::counted(self.unsupported.len() as u64, "file of another kind", "files of other kinds");
        print_skipped(&kinds, self.unsupported.iter().cloned());
    }

    fn print_special(&self) {
        let what = output::counted(self.special.len() as u64, "that is no file", "that are no files");
        print_skipped(&what, self.special.iter().map(|one| format!("{} ({})", one.path, one.what)));
    }

    /// One line, for a command that does more than this.
    pub fn note(&self) {
        let time = output::seconds(Duration::from_secs_f64(self.seconds));
        let mut parts = vec![format!(
            "read {} ({}) in {time}",
            output::counted(self.ready, "document", "documents"),
            output::counted(self.chunks, "passage", "passages")
        )];
        let others = [
            (self.changed, "took the place of its old text", "took the place of their old texts"),
            (self.unchanged, "was there already", "were there already"),
            (
                self.unsupported.len() as u64,
                "file of another kind was skipped",
                "files of other kinds were skipped",
            ),
            (self.special.len() as u64, "that is no file was skipped", "that are no files were skipped"),
        ];
        let others = others.iter().filter(|(number, ..)| *number > 0);
        parts.extend(others.map(|(number, one, more)| output::counted(*number, one, more)));
        output::note(&parts.join("; "));
        for failed in &self.failed {
            output::warning(&format!("{}: {}", failed.path, failed.reason));
        }
    }
}

/// The first of what was skipped, and how many there are.
fn print_skipped(what: &str, paths: impl ExactSizeIterator<Item = String>) {
    let more = paths.len().saturating_sub(LISTED);
    for (at, path) in paths.take(LISTED).enumerate() {
        if at == 0 {
            output::line(format!("\nSkipped {what}:"));
        }
        output::line(format!("  {path}"));
    }
    if more > 0 {
        output::line(format!("  and {more} more (--json lists them all)"));
    }
}
