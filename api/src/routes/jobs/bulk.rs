use super::{LANE_CHOICES, STATES, rerun};
use crate::{
    answer::Answer,
    caller::Caller,
    fields::{Fields, Input},
    json::JsonBody,
    problem::{Problem, ProblemBody},
    state::AppState,
};
use axum::{extract::State, http::StatusCode, response::Response};
use chat_core::{Change, JobFilter, JobState, Scope, Tenant};
use serde::Serialize;
use utoipa::ToSchema;

/// What to do with all jobs that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Cancel,
    Retry,
    Delete,
}

const ACTIONS: [(&str, Action); 3] =
    [("cancel", Action::Cancel), ("retry", Action::Retry), ("delete", Action::Delete)];

/// What to do with which jobs.
#[derive(Debug)]
pub struct ChangeJobs {
    action: Option<Action>,
    filter: JobFilter,
}

/// What to do with which jobs.
#[derive(Debug, ToSchema)]
#[schema(as = ChangeJobs)]
#[expect(dead_code, reason = "describes what `ChangeJobs` reads")]
struct ChangeJobsBody {
    /// `cancel`, `retry`, or `delete` (only what has ended).
    #[schema(pattern = "^(cancel|retry|delete)$")]
    action: String,
    /// Which jobs: all that match every member. At least one member is needed.
    filter: JobFilterBody,
}

/// Which jobs are meant.
#[derive(Debug, ToSchema)]
#[schema(as = JobFilter)]
#[expect(dead_code, reason = "describes what `read_filter` reads")]
struct JobFilterBody {
    /// In this state, or in one of several separated by commas.
    state: Option<String>,
    /// Of this kind.
    kind: Option<String>,
    /// In this lane.
    lane: Option<String>,
    /// Of this tenant.
    tenant: Option<String>,
    /// About this conversation.
    session: Option<String>,
    /// About this document.
    document: Option<String>,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
struct BulkView {
    /// `job.bulk`.
    object: &'static str,
    /// How many jobs it was done to.
    affected: u64,
}

impl Input for ChangeJobs {
    fn read(fields: &mut Fields) -> Self {
        fields.require("action");
        fields.require("filter");
        Self {
            action: fields.choice("action", &ACTIONS),
            filter: fields.object("filter", read_filter).unwrap_or_default(),
        }
    }
}

/// An empty filter would mean every job there is: more likely a mistake than a wish.
fn read_filter(fields: &mut Fields) -> JobFilter {
    let filter = JobFilter {
        tenant: fields.text("tenant", 1..=200).map(|name| Tenant::from(name.as_str())),
        states: read_states(fields),
        kind: fields.text("kind", 1..=200),
        lane: fields.choice("lane", &LANE_CHOICES),
        session: fields.id("session"),
        document: fields.id("document"),
        ..JobFilter::default()
    };
    if filter == JobFilter::default() && fields.is_sound() {
        fields.refuse("state", "or another member is needed");
    }
    filter
}

fn read_states(fields: &mut Fields) -> Vec<JobState> {
    let Some(text) = fields.text("state", 1..=200) else {
        return Vec::new();
    };
    let states: Option<Vec<_>> = text.split(',').map(|word| JobState::parse(word.trim())).collect();
    states.unwrap_or_else(|| {
        fields.refuse("state", format!("must be one or more of {STATES}"));
        Vec::new()
    })
}

/// Cancels, retries or deletes all jobs that match.
#[utoipa::path(
    post, path = "/jobs/bulk", tag = "jobs", request_body = ChangeJobsBody,
    responses((status = 200, body = BulkView), (status = 422, body = ProblemBody))
)]
pub async fn change_jobs(
    State(state): State<AppState>,
    caller: Caller,
    body: JsonBody<ChangeJobs>,
) -> Result<Response, Problem> {
    let ChangeJobs { action, mut filter } = body.value;
    if caller.scope < Scope::Operator {
        filter.tenant = Some(caller.tenant.clone());
    }
    let change = match action {
        Some(Action::Retry) => {
            filter.not_kinds = rerun::ENDED_FOR_GOOD.into();
            Change::RetryJobs(filter, Vec::new())
        }
        Some(Action::Delete) => Change::DeleteJobs(filter, Vec::new()),
        _ => Change::CancelJobs(filter, Vec::new()),
    };
    let affected = state.commit(vec![change], Vec::new()).await?.affected;
    // How many is known only now; done twice, the second time finds nothing left to do.
    let answer = Answer::new(StatusCode::OK, &BulkView { object: "job.bulk", affected });
    body.idempotency.answer(&state, &caller, Vec::new(), Vec::new(), answer).await
}
