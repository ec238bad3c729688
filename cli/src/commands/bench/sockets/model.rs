//! A model inside the measuring process. Its tokens are the times at which they were sent, so that a client knows how
//! long each was on its way.

use crate::failure::{Failure, Outcome};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use futures::{Stream, stream};
use serde_json::{Value, json};
use std::{convert::Infallible, sync::LazyLock, time::Duration};
use tokio::{
    net::TcpListener,
    task::AbortHandle,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// What token times are counted from.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Microseconds since this process began to measure.
pub(super) fn now() -> u64 {
    EPOCH.elapsed().as_micros() as u64
}

/// A model server on loopback; ends when it is dropped.
pub(super) struct Model {
    url: String,
    serving: AbortHandle,
}

#[derive(Clone, Copy)]
struct Pace {
    tokens: usize,
    every: Duration,
}

impl Model {
    /// Answers of so many tokens, at this speed.
    pub(super) async fn start(tokens: usize, per_second: f64) -> Outcome<Self> {
        let failed = |error: std::io::Error| Failure::new(format!("the model cannot listen: {error}"));
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let url = format!("http://{}/v1", listener.local_addr().map_err(failed)?);
        let pace = Pace { tokens, every: Duration::from_secs_f64(1.0 / per_second) };
        LazyLock::force(&EPOCH);
        let router = Router::new().route("/v1/chat/completions", post(complete)).with_state(pace);
        #[expect(clippy::disallowed_methods, reason = "is aborted when the measurement ends")]
        let serving =
            tokio::spawn(chat_api::serve_router(listener, router, usize::MAX, CancellationToken::new()))
                .abort_handle();
        Ok(Self { url, serving })
    }

    /// What `OPENAI_BASE_URL` is to be.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn complete(State(pace): State<Pace>, Json(request): Json<Value>) -> Response {
    if request["stream"] == true {
        let headers = [("content-type", "text/event-stream")];
        return (headers, Body::from_stream(tokens(pace))).into_response();
    }
    let choice =
        json!({"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"});
    Json(json!({"id": "c", "object": "chat.completion", "created": 1, "model": "bench", "choices": [choice]}))
        .into_response()
}

/// Due times are counted from the beginning: delays do not add up.
fn tokens(pace: Pace) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let begun = Instant::now();
    stream::unfold(0_usize, move |said| async move {
        if said > pace.tokens {
            return None;
        }
        sleep_until(begun + pace.every * said as u32).await;
        let chunk = if said < pace.tokens { token() } else { end(pace.tokens) };
        Some((Ok(Bytes::from(chunk)), said + 1))
    })
}

const HEAD: &str =
    r#"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"bench","choices":[{"index":0,"#;

fn token() -> String {
    format!("{HEAD}\"delta\":{{\"content\":\"{} \"}},\"finish_reason\":null}}]}}\n\n", now())
}

fn end(tokens: usize) -> String {
    format!(
        "{HEAD}\"delta\":{{}},\"finish_reason\":\"stop\"}}],\"usage\":{{\"prompt_tokens\":1,\"completion_tokens\":{tokens},\
         \"total_tokens\":{}}}}}\n\ndata: [DONE]\n\n",
        tokens + 1
    )
}
