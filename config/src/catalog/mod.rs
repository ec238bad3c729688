//! Every setting that exists, in the order in which they are shown.
//!
//! To add one: declare it in its group here, and read it in the typed group of the same subject. A setting that is
//! declared but never read fails a test.

pub(crate) mod application;
pub(crate) mod limits;
pub(crate) mod models;
pub(crate) mod operations;
pub(crate) mod stores;

use crate::setting::Spec;

/// Settings that belong together.
pub(crate) struct Group {
    pub title: &'static str,
    pub settings: &'static [&'static Spec],
}

/// All groups.
pub(crate) fn groups() -> impl Iterator<Item = &'static Group> {
    [
        &application::GROUP,
        &application::http::GROUP,
        &limits::GROUP,
        &stores::database::GROUP,
        &stores::redis::GROUP,
        &stores::files::GROUP,
        &stores::index::GROUP,
        &models::GROUP,
        &models::retrieval::GROUP,
        &operations::worker::GROUP,
        &operations::log::GROUP,
        &operations::watching::GROUP,
    ]
    .into_iter()
}

/// All settings.
pub(crate) fn settings() -> impl Iterator<Item = &'static Spec> {
    groups().flat_map(|group| group.settings.iter().copied())
}

/// Whether this is the name of one.
pub(crate) fn is_setting(name: &str) -> bool {
    settings().any(|spec| spec.name == name)
}

/// Where a setting stands in the list.
pub(crate) fn position(name: &str) -> usize {
    settings().position(|spec| spec.name == name).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique() {
        let names: Vec<_> = settings().map(|spec| spec.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn every_setting_is_described() {
        for spec in settings() {
            assert!(spec.help.ends_with('.') && !spec.accepted.is_empty(), "{}", spec.name);
            assert!(!spec.accepted.ends_with('.'), "{}", spec.name);
        }
    }
}
