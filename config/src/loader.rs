//! Takes each setting from the first source that has it, and collects what is wrong on the way.

use std::collections::BTreeSet;

use crate::catalog;
use crate::near_miss;
use crate::problem::{Problem, shown};
use crate::setting::{Key, Spec};
use crate::source::{Origin, Source};

/// One effective setting, for people.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SettingRow {
    /// The environment variable.
    pub name: &'static str,
    /// The effective value; secrets are masked, passwords inside URLs too. Empty: not set.
    pub value: String,
    /// Where the value comes from.
    pub origin: Origin,
    /// What the setting does.
    pub help: &'static str,
}

/// The state of one load.
pub(crate) struct Loader<'a> {
    sources: Vec<&'a Source>,
    pub problems: Vec<Problem>,
    pub warnings: Vec<String>,
    pub rows: Vec<SettingRow>,
    refused: BTreeSet<&'static str>,
}

impl<'a> Loader<'a> {
    /// Ranks the sources by their origin, whatever order they come in.
    pub fn new(sources: &'a [Source]) -> Self {
        let mut sources: Vec<&Source> = sources.iter().collect();
        sources.sort_by_key(|source| std::cmp::Reverse(source.origin));
        let mut loader = Self {
            problems: sources.iter().flat_map(|source| source.problems.clone()).collect(),
            warnings: sources.iter().flat_map(|source| source.warnings.clone()).collect(),
            rows: Vec::new(),
            refused: BTreeSet::new(),
            sources,
        };
        loader.check_names();
        loader
    }

    /// On the command line nothing is meant for others: there an unknown name is an error.
    fn check_names(&mut self) {
        for source in &self.sources {
            if source.origin == Origin::CommandLine {
                let unknown = source.values.keys().filter(|name| !catalog::is_setting(name));
                self.problems.extend(unknown.map(|name| unknown_name(name)));
            } else {
                self.warnings.extend(near_miss::warnings(source));
            }
        }
    }

    /// The effective value. A wrong one is noted and its default stands in, so that the load finds every error in
    /// one go; the result is thrown away at the end.
    pub fn get<T>(&mut self, key: &Key<T>) -> T {
        let (text, origin) = self.text(&key.spec);
        let spec = &key.spec;
        self.rows.push(SettingRow { name: spec.name, value: shown(spec, text), origin, help: spec.help });
        let what = match (key.parse)(text) {
            Ok(value) => return value,
            Err(what) => what,
        };
        self.problems.push(Problem::value(spec, text, origin, what));
        self.refused.insert(spec.name);
        (key.parse)(spec.default).expect("every default is accepted: a test reads them all")
    }

    /// The text of the first source that has one. An empty value means "not set", as compose files pass it on.
    fn text(&self, spec: &Spec) -> (&'a str, Origin) {
        let set = self.sources.iter().find_map(|&source| {
            let text = source.values.get(spec.name)?.trim();
            (!text.is_empty()).then_some((text, source.origin))
        });
        set.unwrap_or((spec.default, Origin::Default))
    }

    /// Whether somebody set it.
    pub fn is_set<T>(&self, key: &Key<T>) -> bool {
        self.text(&key.spec).1 != Origin::Default
    }

    /// The text as it was given, for checks that look at a secret itself.
    pub fn given<T>(&self, key: &Key<T>) -> &'a str {
        self.text(&key.spec).0
    }

    /// Shows what an unset setting amounts to.
    pub fn show_derived<T>(&mut self, key: &Key<T>, value: impl Into<String>) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.name == key.spec.name)
            && row.origin == Origin::Default
        {
            row.value = value.into();
        }
    }

    /// A value that is fine by itself cannot be used together with others. Said only if none of `names` was refused:
    /// a stand-in must not cause errors of its own.
    pub fn conflict(&mut self, names: &[&str], what: impl Into<String>) {
        if names.iter().any(|name| self.refused.contains(name)) {
            return;
        }
        self.problems.push(Problem::of(names[0], what));
    }

    /// Something that does not stop the start but is probably not meant.
    pub fn warn(&mut self, what: impl Into<String>) {
        self.warnings.push(what.into());
    }
}

fn unknown_name(name: &str) -> Problem {
    match near_miss::nearest(name) {
        Some(meant) => Problem::of(name, format!("is not a setting (command line); did you mean {meant}?")),
        None => Problem::of(name, "is not a setting (command line)"),
    }
}
