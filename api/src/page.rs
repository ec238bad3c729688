//! Lists in pages: `limit`, `after`, `before`, `order`.

use crate::{path::Named, query::Query};
use chat_core::{Page, PageRequest};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

/// Which part of a list is wanted.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; `request` reads them")]
pub struct PageParameters {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// Only what comes after this id (a name, where things have names), in the order asked for.
    after: Option<String>,
    /// Only what comes before this id, in the order asked for; without `after`, the page that ends there.
    before: Option<String>,
    /// `asc`: oldest first; `desc`: newest first.
    #[param(pattern = "^(asc|desc)$")]
    order: Option<String>,
}

/// The part of a list that a caller wants, and how it is read.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// What the store is asked for.
    pub request: PageRequest,
    /// It is read from its end, against the order asked for.
    backwards: bool,
}

impl Part {
    /// What the caller calls the id at which the reading starts.
    pub fn start(self) -> &'static str {
        if self.backwards { "before" } else { "after" }
    }

    /// What was found, as its view; `id` says what a row is called.
    pub fn list<R, T: Serialize>(
        self,
        mut page: Page<R>,
        id: impl Fn(&R) -> String,
        view: impl Fn(R) -> T,
    ) -> List<T> {
        if self.backwards {
            page.rows.reverse();
        }
        List::of(page, id, view)
    }
}

/// Reads the parameters; `T` is the sort of id that the list is of. `before` alone wants the page that ends there: what
/// follows that id in the other order, the other way round.
pub fn wanted<T: Named>(query: &mut Query, ascending: bool) -> Part {
    let limit = limit(query);
    let (after, before) = (query.parse::<T>("after").map(T::raw), query.parse::<T>("before").map(T::raw));
    let ascending = is_ascending(query).unwrap_or(ascending);
    let backwards = after.is_none() && before.is_some();
    let request = if backwards {
        PageRequest { limit, after: before, before: None, ascending: !ascending }
    } else {
        PageRequest { limit, after, before, ascending }
    };
    Part { request, backwards }
}

fn limit(query: &mut Query) -> u32 {
    let limit = query.number("limit").unwrap_or(20);
    if !(1..=100).contains(&limit) {
        query.refuse("limit", "must be from 1 to 100");
    }
    limit as u32
}

fn is_ascending(query: &mut Query) -> Option<bool> {
    query.word("order", "asc, desc", |word: &str| match word {
        "asc" => Some(true),
        "desc" => Some(false),
        _ => None,
    })
}

/// The part that is wanted of a list that is in memory, whole, because it is short: by its names.
#[derive(Debug)]
pub struct ShortPart {
    limit: usize,
    after: Option<String>,
    before: Option<String>,
    ascending: bool,
}

impl ShortPart {
    /// Reads the parameters.
    pub fn wanted(query: &mut Query) -> Self {
        Self {
            limit: limit(query) as usize,
            after: query.text("after"),
            before: query.text("before"),
            ascending: is_ascending(query).unwrap_or(true),
        }
    }

    /// That part of these rows, in the order of what `id` calls them, as their view.
    pub fn list<R, T: Serialize>(
        self,
        mut rows: Vec<R>,
        id: impl Fn(&R) -> String,
        view: impl Fn(R) -> T,
    ) -> List<T> {
        rows.sort_by_cached_key(&id);
        if !self.ascending {
            rows.reverse();
        }
        let follows = |one: &str, other: &str| if self.ascending { one > other } else { one < other };
        rows.retain(|row| {
            let id = id(row);
            self.after.as_ref().is_none_or(|after| follows(&id, after))
                && self.before.as_ref().is_none_or(|before| follows(before, &id))
        });
        let left_out = rows.len().saturating_sub(self.limit);
        if self.after.is_none() && self.before.is_some() {
            rows.drain(..left_out);
        } else {
            rows.truncate(self.limit);
        }
        List::of(Page { rows, has_more: left_out > 0 }, id, view)
    }
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// `list`.
    object: &'static str,
    /// The rows.
    data: Vec<T>,
    /// The id of the first row: `before` it comes the page before this one.
    first_id: Option<String>,
    /// The id of the last row: `after` it comes the next page.
    last_id: Option<String>,
    /// Whether there are more in the direction of reading.
    has_more: bool,
}

impl<T: Serialize> List<T> {
    /// A page as its view; `id` says what a row is called.
    pub fn of<R>(page: Page<R>, id: impl Fn(&R) -> String, view: impl Fn(R) -> T) -> Self {
        let (first_id, last_id) = (page.rows.first().map(&id), page.rows.last().map(&id));
        let data = page.rows.into_iter().map(view).collect();
        Self { object: "list", data, first_id, last_id, has_more: page.has_more }
    }

    /// A list that has no next page.
    pub fn whole(data: Vec<T>) -> Self {
        Self { object: "list", data, first_id: None, last_id: None, has_more: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(limit: usize, after: Option<&str>, before: Option<&str>, ascending: bool) -> (String, bool) {
        let own = |id: Option<&str>| id.map(str::to_owned);
        let part = ShortPart { limit, after: own(after), before: own(before), ascending };
        let list = part.list(vec!["c", "a", "d", "b"], |name| (*name).to_owned(), |name| name);
        let ends = list.data.first().zip(list.data.last()).map(|(a, b)| (a.to_string(), b.to_string()));
        assert_eq!(list.first_id.zip(list.last_id), ends);
        (list.data.concat(), list.has_more)
    }

    #[test]
    fn a_short_list_has_the_pages_of_a_long_one() {
        let is = |rows: &str, has_more| (rows.to_owned(), has_more);
        assert_eq!(page(20, None, None, true), is("abcd", false));
        assert_eq!(page(2, None, None, true), is("ab", true));
        assert_eq!(page(2, Some("b"), None, true), is("cd", false));
        assert_eq!(page(2, None, Some("d"), true), is("bc", true));
        assert_eq!(page(3, None, Some("d"), true), is("abc", false));
        assert_eq!(page(2, None, None, false), is("dc", true));
        assert_eq!(page(2, Some("c"), None, false), is("ba", false));
        assert_eq!(page(1, None, Some("b"), false), is("c", true));
        assert_eq!(page(9, Some("a"), Some("d"), true), is("bc", false));
        assert_eq!(page(9, Some("gone"), None, true), is("", false));
        assert_eq!(page(9, Some("bb"), None, true), is("cd", false), "a name that is gone keeps its place");
    }
}
