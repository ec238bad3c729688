//! Rate limits and quotas: requests are counted when their caller is known, before any work; tokens are looked at when
//! something that takes some is submitted, and counted when it has ended.

mod headers;

pub use headers::ALL as HEADERS;

use crate::{
    caller::Caller,
    problem::{Code, Problem},
    state::AppState,
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chat_core::{Holder, Standing};
use std::time::Duration;

/// Refused requests, by reason and by whose limit it was.
const REFUSED: &str = "requests_refused_total";

/// Middleware behind the authentication: counts the request, and says how much is left.
pub async fn limit(State(state): State<AppState>, caller: Caller, request: Request, next: Next) -> Response {
    match admit(&state, &caller).await {
        Ok(headers) => {
            let mut response = next.run(request).await;
            response.headers_mut().extend(headers);
            response
        }
        Err(problem) => problem.into_response(),
    }
}

/// Counts one request of a caller; 429 if there were too many. Returns the headers that say how much is left.
pub async fn admit(state: &AppState, caller: &Caller) -> Result<HeaderMap, Problem> {
    let limits = state.work.limits.requests(caller.key());
    if limits.is_empty() {
        return Ok(HeaderMap::new());
    }
    let taken = state.ports.limiter.take(&caller.tenant, &limits).await;
    let Some(tightest) = tightest(&taken.standings) else { return Ok(HeaderMap::new()) };
    if taken.admitted {
        return Ok(headers::of(tightest));
    }
    Err(refuse(tightest, Code::RateLimited))
}

/// 429 if the caller's tokens are used up. What was submitted before may still take more than is left.
pub async fn check_quota(state: &AppState, caller: &Caller) -> Result<(), Problem> {
    let limits = state.work.limits.tokens(caller.key());
    if limits.is_empty() {
        return Ok(());
    }
    let standings = state.ports.limiter.look(&caller.tenant, &limits).await;
    match tightest(&standings) {
        Some(tightest) if tightest.wait > Duration::ZERO => Err(refuse(tightest, Code::QuotaExceeded)),
        _ => Ok(()),
    }
}

/// The limit that there is the longest wait for or, if there is none, the least left of.
fn tightest(standings: &[Standing]) -> Option<&Standing> {
    standings.iter().max_by_key(|standing| (standing.wait, std::cmp::Reverse(standing.left())))
}

fn refuse(standing: &Standing, code: Code) -> Problem {
    let holder = standing.limit.holder;
    metrics::counter!(REFUSED, "reason" => code.as_str(), "limit" => holder.as_str()).increment(1);
    let (whose, most) =
        (if holder == Holder::Tenant { "This tenant" } else { "This key" }, standing.limit.most);
    let seconds = headers::seconds(standing.wait);
    let detail = match code {
        Code::QuotaExceeded => {
            format!("{whose} has used its {most} tokens of today (UTC). There are more in {seconds} s.")
        }
        _ => format!("{whose} may make {most} requests within a minute. Try again in {seconds} s."),
    };
    Problem::new(StatusCode::TOO_MANY_REQUESTS, code, detail)
        .after(seconds)
        .with_headers(headers::of(standing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_core::{KeyId, Limits};

    #[test]
    fn the_limit_that_is_told_is_the_one_that_matters() {
        let limits = Limits { key_requests: 10, tenant_requests: 100, ..Limits::default() };
        let limits = limits.requests(Some(KeyId::new()));
        let standing = |at: usize, used, wait| Standing {
            limit: limits[at],
            used,
            wait: Duration::from_secs(wait),
            reset: Duration::from_secs(wait),
        };
        let both = [standing(0, 3, 0), standing(1, 95, 0)];
        assert_eq!(tightest(&both), Some(&both[1]), "5 are left of it");
        let refused = [standing(0, 10, 7), standing(1, 95, 0)];
        assert_eq!(tightest(&refused), Some(&refused[0]));
        let refused = [standing(0, 10, 7), standing(1, 100, 30)];
        assert_eq!(tightest(&refused), Some(&refused[1]), "there is no use in trying sooner");
        assert_eq!(tightest(&[]), None);
    }
}
