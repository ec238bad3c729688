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
    /// Only what comes after this id, in the order asked for.
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
    let limit = query.number("limit").unwrap_or(20);
    if !(1..=100).contains(&limit) {
        query.refuse("limit", "must be from 1 to 100");
    }
    let order = |word: &str| match word {
        "asc" => Some(true),
        "desc" => Some(false),
        _ => None,
    };
    let (after, before) = (query.parse::<T>("after").map(T::raw), query.parse::<T>("before").map(T::raw));
    let ascending = query.word("order", "asc, desc", order).unwrap_or(ascending);
    let limit = limit as u32;
    let backwards = after.is_none() && before.is_some();
    let request = if backwards {
        PageRequest { limit, after: before, before: None, ascending: !ascending }
    } else {
        PageRequest { limit, after, before, ascending }
    };
    Part { request, backwards }
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
