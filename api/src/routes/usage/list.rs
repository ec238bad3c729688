use crate::{
    caller::Caller,
    page::List,
    problem::{Problem, ProblemBody},
    query::Query,
    state::AppState,
    views::UsageView,
};
use axum::{Json, extract::State};
use chat_core::{DAY_MS, Timestamp, UsageGroup, UsageQuery};
use chrono::{DateTime, NaiveDate};

/// What is shown unless the caller says otherwise, in days.
const USUAL_DAYS: i64 = 30;
/// The longest time that is added up, in days; usage is kept as long.
const MOST_DAYS: i64 = 400;
/// The most groups of one answer: as many as there are days.
const MOST_GROUPS: u64 = 400;

/// Tokens and cost of the caller's tenant, added up by day, model or conversation. Days come oldest first, models and
/// conversations by their tokens, most first. What was used stays counted when the conversation is deleted.
#[utoipa::path(
    get, path = "/usage", tag = "usage",
    params(
        ("from" = Option<String>, Query, description = "The beginning: a time, or a date (UTC). Unset: 30 days before `to`"),
        ("to" = Option<String>, Query, description = "The end, not included: a time; or a date (UTC), which is included. Unset: now"),
        ("group_by" = Option<String>, Query, description = "`day` (the default), `model` or `session`"),
        ("limit" = Option<u32>, Query, description = "How many groups at most, 1 to 400; 100 unless said otherwise")
    ),
    responses((status = 200, body = List<UsageView>), (status = 422, body = ProblemBody))
)]
pub async fn list_usage(
    State(state): State<AppState>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<List<UsageView>>, Problem> {
    let wanted = read(&mut query, state.ports.clock.now());
    query.finish()?;
    let page = state.ports.store.usage(&caller.tenant, &wanted).await?;
    Ok(Json(List::of(page, UsageView::name, UsageView::from)))
}

fn read(query: &mut Query, now: Timestamp) -> UsageQuery {
    let group = query.word("group_by", "day, model, session", UsageGroup::parse).unwrap_or(UsageGroup::Day);
    let limit = query.number("limit").unwrap_or(100);
    if !(1..=MOST_GROUPS).contains(&limit) {
        query.refuse("limit", format!("must be from 1 to {MOST_GROUPS}"));
    }
    let to = time(query, "to", DAY_MS).unwrap_or(now);
    let usual = Timestamp((to.0 - USUAL_DAYS * DAY_MS).div_euclid(DAY_MS) * DAY_MS);
    let from = time(query, "from", 0).unwrap_or(usual);
    if from >= to {
        query.refuse("from", "must be before `to`");
    } else if to.0 - from.0 > MOST_DAYS * DAY_MS {
        query.refuse("from", format!("must be at most {MOST_DAYS} days before `to`"));
    }
    UsageQuery { from, to, group, limit: limit as u32 }
}

/// A time, or a date: its beginning and so much more.
fn time(query: &mut Query, name: &str, more: i64) -> Option<Timestamp> {
    let text = query.text(name)?;
    let date = || Some(text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc());
    let read = match date() {
        Some(midnight) => Some(Timestamp(midnight.timestamp_millis() + more)),
        None => DateTime::parse_from_rfc3339(&text).ok().map(|at| Timestamp(at.timestamp_millis())),
    };
    if read.is_none() {
        query.refuse(name, "must be a time such as 2026-03-01T08:00:00Z, or a date such as 2026-03-01");
    }
    read
}
