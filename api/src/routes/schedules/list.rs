use crate::{
    caller::Operator,
    page::{List, PageParameters, ShortPart},
    problem::{Problem, ProblemBody},
    query::Query,
    state::AppState,
};
use axum::{Json, extract::State};
use chat_core::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// A schedule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Schedule)]
pub struct ScheduleView {
    /// `schedule`.
    #[schema(example = "schedule")]
    object: &'static str,
    /// Its name.
    #[schema(example = "purge_streams")]
    name: &'static str,
    /// When, UTC: seconds, minutes, hours, day of month, month, day of week.
    #[schema(example = "0 25 * * * *")]
    cron: &'static str,
    /// The last tick that was enqueued.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_tick: Option<Timestamp>,
}

/// Every schedule.
#[utoipa::path(
    get, path = "/schedules", tag = "schedules", params(PageParameters),
    responses((status = 200, body = List<ScheduleView>), (status = 422, body = ProblemBody))
)]
pub async fn list_schedules(
    State(state): State<AppState>,
    _: Operator,
    mut query: Query,
) -> Result<Json<List<ScheduleView>>, Problem> {
    let part = ShortPart::wanted(&mut query);
    query.finish()?;
    let mut rows = Vec::new();
    for schedule in chat_jobs::schedules() {
        let last_tick = state.ports.store.last_tick(schedule.name).await?;
        rows.push(ScheduleView { object: "schedule", name: schedule.name, cron: schedule.cron, last_tick });
    }
    Ok(Json(part.list(rows, |schedule| schedule.name.to_owned(), |schedule| schedule)))
}
