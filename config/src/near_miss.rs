//! Names that look like a misspelt setting.
//!
//! An environment is full of other people's variables, so an unknown name is never an error; but one that begins like
//! ours and is a letter or two away was meant for us, and silence would cost somebody an afternoon.

use crate::catalog;
use crate::source::{Origin, Source};

/// How many edits apart a name with the prefix of one of our groups may be.
const SAME_PREFIX: usize = 2;
/// Without such a prefix: one edit, in names long enough that this is no chance.
const OTHER_PREFIX: usize = 1;
const OTHER_PREFIX_LENGTH: usize = 8;

/// A warning for each such name.
pub(crate) fn warnings(source: &Source) -> Vec<String> {
    let unknown = source.values.keys().filter(|name| !catalog::is_setting(name));
    unknown.filter_map(|name| nearest(name).map(|meant| warning(name, meant, source.origin))).collect()
}

fn warning(name: &str, meant: &str, origin: Origin) -> String {
    format!("{name} ({origin}) is not a setting and is ignored; did you mean {meant}?")
}

/// The setting that `name` was probably meant to be.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    let candidates = catalog::settings().map(|spec| (distance(&upper, spec.name), spec.name));
    candidates.filter(|&(edits, known)| edits <= tolerance(&upper, known)).min().map(|(_, known)| known)
}

fn tolerance(name: &str, known: &str) -> usize {
    match (name.split_once('_'), known.split_once('_')) {
        (Some((prefix, _)), Some((known_prefix, _))) if prefix == known_prefix => SAME_PREFIX,
        _ if known.len() >= OTHER_PREFIX_LENGTH => OTHER_PREFIX,
        _ => 0,
    }
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        for (a, b, edits) in
            [("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("", "abc", 3), ("kit", "sitt", 2)]
        {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }

    #[test]
    fn finds_what_was_meant() {
        for (name, meant) in [
            ("LLM_TEMPRATURE", "LLM_TEMPERATURE"),
            ("LLM_TEMPERATRUE", "LLM_TEMPERATURE"),
            ("OPENAI_APIKEY", "OPENAI_API_KEY"),
            ("DATABASE_URI", "DATABASE_URL"),
            ("DATABSE_URL", "DATABASE_URL"),
            ("LOG_FILES", "LOG_FILE"),
            ("llm_model", "LLM_MODEL"),
        ] {
            assert_eq!(nearest(name), Some(meant), "{name}");
        }
    }

    #[test]
    fn leaves_other_peoples_variables_alone() {
        for name in [
            "PATH",
            "HOME",
            "HOSTNAME",
            "POST",
            "SORT",
            "RUST_LOG",
            "POSTGRES_PASSWORD",
            "REDIS_PORT",
            "WEAVIATE_PORT",
            "PROMETHEUS_SERVICE_HOST",
            "WORKER_IMAGE",
            "LLM_TEAM",
            "OPENAI_ORG_ID",
            "CARGO_HOME",
            "LANG",
            "DEBUGGER",
        ] {
            assert_eq!(nearest(name), None, "{name}");
        }
    }
}
