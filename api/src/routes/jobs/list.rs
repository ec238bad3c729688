use super::{LANES, STATES};
use crate::{
    caller::Caller,
    page::{self, List, PageParameters},
    problem::{Problem, ProblemBody},
    query::Query,
    state::AppState,
    views::JobView,
};
use axum::{Json, extract::State};
use chat_core::{JobFilter, JobId, JobState, Lane, Scope, Tenant};

/// Jobs, newest first, without their results. Operators see everybody's.
#[utoipa::path(
    get, path = "/jobs", tag = "jobs",
    params(
        ("state" = Option<String>, Query, description = "Only in these states, separated by commas"),
        ("kind" = Option<String>, Query, description = "Only of this kind, for instance `answer_turn.v1`"),
        ("lane" = Option<String>, Query, description = "Only in this lane"),
        ("tenant" = Option<String>, Query, description = "Only of this tenant"),
        ("session" = Option<String>, Query, description = "Only about this conversation"),
        ("document" = Option<String>, Query, description = "Only about this document"),
        PageParameters
    ),
    responses((status = 200, body = List<JobView>), (status = 422, body = ProblemBody))
)]
pub async fn list_jobs(
    State(state): State<AppState>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<List<JobView>>, Problem> {
    let filter = JobFilter {
        tenant: tenant(&caller, &mut query),
        states: query.words("state", STATES, JobState::parse),
        kind: query.text("kind"),
        lane: query.word("lane", LANES, Lane::parse),
        session: query.parse("session"),
        document: query.parse("document"),
        ..JobFilter::default()
    };
    let page = page::wanted::<JobId>(&mut query, false);
    query.finish()?;
    let found = state.ports.store.jobs(&filter, page.request).await?;
    Ok(Json(page.list(found, |job| job.id.to_string(), JobView::listed)))
}

/// Whoever is no operator sees their own, whatever they ask for.
fn tenant(caller: &Caller, query: &mut Query) -> Option<Tenant> {
    let wanted = query.text("tenant").map(|name| Tenant::from(name.as_str()));
    if caller.scope < Scope::Operator { Some(caller.tenant.clone()) } else { wanted }
}
