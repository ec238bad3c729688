//! What people and programs read: text, tables, JSON, progress, errors.

mod numbers;
mod progress;
mod table;
mod text;

pub use numbers::{age, count, counted, megabytes_per_second, seconds, size};
pub use progress::Progress;
pub use table::{Align, Table};
pub use text::{failure, json, json_line, line, note, piece, warning};
