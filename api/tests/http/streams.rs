use crate::{
    app::{App, Frame, Frames, json_request},
    speaker::Speaker,
};
use axum::{body::Body, http::Request};
use chat_api::ApiOptions;
use chat_core::{
    ResponseId, WorkerId,
    ports::{EventStore, JobStore},
};
use serde_json::{Value, json};
use std::time::Duration;

async fn turn(app: &App) -> Value {
    let session = app.session().await;
    app.post(&format!("{session}/messages"), json!({"content": "你好"})).await.is(202).json()["response"]
        .clone()
}

fn events_path(response: &Value) -> String {
    format!("/api/v1/responses/{}/events", response["id"].as_str().unwrap())
}

async fn read(app: &App, response: &Value, after: u64) -> Frames {
    let path = format!("{}?starting_after={after}", events_path(response));
    Frames::of(app.open(Request::get(path).body(Body::empty()).unwrap()).await)
}

fn numbers(frames: &[Frame]) -> Vec<u64> {
    frames.iter().map(|frame| frame.id).collect()
}

async fn whole_turn(app: &App) -> Value {
    let response = turn(app).await;
    let mut speaker = Speaker::of(app, &response).await;
    speaker.say("response.in_progress", json!({})).await;
    for delta in ["你", "好", "!"] {
        speaker.say("response.output_text.delta", json!({"delta": delta})).await;
    }
    speaker.end("你好!").await;
    response
}

#[tokio::test]
async fn a_reader_hears_what_was_and_what_comes() {
    let app = App::start().await;
    let response = turn(&app).await;
    let mut early = read(&app, &response, 0).await;
    let queued = early.next().await.unwrap();
    assert_eq!((queued.id, queued.event.as_str()), (1, "response.queued"));
    assert_eq!((&queued.data["response_id"], &queued.data["attempt"]), (&response["id"], &json!(1)));
    let mut speaker = Speaker::of(&app, &response).await;
    speaker.say("response.in_progress", json!({})).await;
    speaker.whisper("response.output_text.delta", json!({"delta": "a"})).await;
    assert_eq!(early.next().await.unwrap().id, 2);
    assert_eq!(early.next().await.unwrap().data["delta"], "a");
    let late = read(&app, &response, 0).await;
    speaker.end("a").await;
    let rest = early.rest().await;
    assert_eq!(numbers(&rest), [4]);
    assert_eq!(rest[0].event, "response.completed");
    assert_eq!(numbers(&late.rest().await), [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_stream_cut_anywhere_resumes_without_gap_or_repeat() {
    let app = App::start().await;
    let response = whole_turn(&app).await;
    let uncut = read(&app, &response, 0).await.rest().await;
    assert_eq!(numbers(&uncut), [1, 2, 3, 4, 5, 6]);
    for cut in 0..=6 {
        let resumed = read(&app, &response, cut as u64).await.rest().await;
        assert_eq!(resumed, uncut[cut..], "cut after {cut}");
        let request = Request::get(events_path(&response)).header("last-event-id", cut.to_string());
        let resumed = Frames::of(app.open(request.body(Body::empty()).unwrap()).await).rest().await;
        assert_eq!(resumed, uncut[cut..], "cut after {cut}");
        // A browser comes back to where it began, and says how far it has come.
        let began = format!("{}?starting_after=2", events_path(&response));
        let request = Request::get(began).header("last-event-id", cut.to_string());
        let resumed = Frames::of(app.open(request.body(Body::empty()).unwrap()).await).rest().await;
        assert_eq!(resumed, uncut[cut.max(2)..], "cut after {cut}");
    }
    for past in [7, 1_000] {
        assert_eq!(read(&app, &response, past).await.rest().await, uncut[5..], "only the end");
    }
    let response = turn(&app).await;
    let past = read(&app, &response, 1_000).await;
    Speaker::of(&app, &response).await.end("").await;
    assert_eq!(numbers(&past.rest().await), [2], "only the end, once it has come");
}

#[tokio::test]
async fn a_finished_stream_replays_after_a_restart() {
    let app = App::start().await;
    let response = whole_turn(&app).await;
    let before = read(&app, &response, 0).await.rest().await;
    let app = app.restart().await;
    assert_eq!(read(&app, &response, 0).await.rest().await, before);
    let shown = app.get(&events_path(&response).replace("/events", "")).await.json();
    assert_eq!((&shown["status"], &shown["output_text"]), (&json!("completed"), &json!("你好!")));
}

#[tokio::test]
async fn an_unfinished_stream_goes_on_after_a_restart() {
    let app = App::start().await;
    let response = turn(&app).await;
    let mut speaker = Speaker::of(&app, &response).await;
    speaker.say("response.in_progress", json!({})).await;
    // The last one was seen by a reader, and lost with the process.
    speaker.whisper("response.output_text.delta", json!({"delta": "lost"})).await;
    let app = app.restart().await;
    let mut reader = read(&app, &response, 3).await;
    let mut speaker = Speaker::of(&app, &response).await;
    speaker.jump(1_024);
    speaker.say("response.restarted", json!({"reason": "worker_lost"})).await;
    let restarted = reader.next().await.unwrap();
    assert_eq!((restarted.id, restarted.event.as_str()), (1_026, "response.restarted"));
    speaker.say("response.output_text.delta", json!({"delta": "again"})).await;
    speaker.end("again").await;
    assert_eq!(numbers(&reader.rest().await), [1_027, 1_028]);
}

#[tokio::test]
async fn what_the_bus_lost_comes_from_the_log() {
    let app = App::start().await;
    let response = turn(&app).await;
    let mut reader = read(&app, &response, 0).await;
    assert_eq!(reader.next().await.unwrap().id, 1);
    let mut speaker = Speaker::of(&app, &response).await;
    let ports = &app.state.ports;
    // Events 2 and 3 are only in the log: the bus goes on with 4.
    let silent: Vec<_> = ["a", "b"].map(|text| json!({"delta": text})).into_iter().collect();
    let mut lost = Vec::new();
    for (at, body) in silent.iter().enumerate() {
        let body = body.as_object().unwrap().clone();
        lost.push(chat_core::Event::new("response.output_text.delta", 2 + at as u64, &[], body));
    }
    let id: chat_core::ResponseId = response["id"].as_str().unwrap().parse().unwrap();
    ports.dispatcher().record(vec![chat_core::Change::AppendEvents(id.into(), lost)]).await.unwrap();
    speaker.jump(2);
    speaker.say("response.output_text.delta", json!({"delta": "c"})).await;
    speaker.end("abc").await;
    assert_eq!(numbers(&reader.rest().await), [2, 3, 4, 5]);
}

#[tokio::test]
async fn a_turn_can_be_streamed_where_it_was_asked_for() {
    let app = App::start().await;
    let session = app.session().await;
    let path = format!("{session}/messages");
    let by_body = json_request("POST", &path, &json!({"content": "x", "stream": true}));
    let mut by_header = json_request("POST", &path, &json!({"content": "x"}));
    by_header.headers_mut().insert("accept", "text/event-stream".parse().unwrap());
    for request in [by_body, by_header] {
        let mut frames = Frames::of(app.open(request).await);
        let queued = frames.next().await.unwrap();
        assert_eq!(queued.event, "response.queued");
        let speaker = Speaker::of(&app, &json!({"id": queued.data["response_id"]})).await;
        speaker.end("done").await;
        assert_eq!(frames.rest().await.len(), 1);
    }
}

#[tokio::test]
async fn whoever_refuses_events_gets_json() {
    let app = App::start().await;
    let path = format!("{}/messages", app.session().await);
    for (accept, status) in [
        ("text/event-stream;q=0", 202),
        ("application/json, text/event-stream; q=0.0", 202),
        ("text/event-stream;q=0.5", 200),
        ("application/json;q=0, Text/Event-Stream", 200),
    ] {
        let mut request = json_request("POST", &path, &json!({"content": "x"}));
        request.headers_mut().insert("accept", accept.parse().unwrap());
        assert_eq!(app.open(request).await.status(), status, "{accept}");
    }
}

#[tokio::test]
async fn an_idle_stream_says_that_it_lives_and_ends_with_the_process() {
    let app = App::with(ApiOptions { keep_alive: Duration::from_millis(20), ..ApiOptions::default() }).await;
    let response = turn(&app).await;
    let mut reader = read(&app, &response, 1).await;
    for _ in 0..3 {
        assert_eq!(reader.piece().await.unwrap(), ": keep-alive");
    }
    app.state.draining.cancel();
    assert!(reader.rest().await.is_empty(), "no terminal event: the client resumes elsewhere");
}

async fn forget(app: &App, response: &Value) {
    app.delete(&format!("/api/v1/sessions/{}", response["session_id"].as_str().unwrap())).await.is(204);
}

#[tokio::test]
async fn a_waiting_turn_of_a_deleted_session_ends_at_once() {
    let app = App::start().await;
    let response = turn(&app).await;
    let reader = read(&app, &response, 0).await;
    forget(&app, &response).await;
    let heard = reader.rest().await;
    assert_eq!(numbers(&heard), [1, 2]);
    let last = &heard[1];
    assert_eq!((last.event.as_str(), &last.data["response_id"]), ("response.cancelled", &response["id"]));
    let shown = &last.data["response"];
    assert_eq!((&shown["id"], &shown["status"]), (&response["id"], &json!("cancelled")));
}

/// Whoever was to say it may be gone by then: the log has it as soon as the session is deleted.
#[tokio::test]
async fn the_end_of_a_running_turn_is_kept_with_its_deletion() {
    let app = App::start().await;
    let response = turn(&app).await;
    let id: ResponseId = response["id"].as_str().unwrap().parse().unwrap();
    let job = response["job_id"].as_str().unwrap().parse().unwrap();
    let worker = WorkerId::new();
    app.store.heartbeat(worker, &[]).await.unwrap();
    assert_eq!(app.store.claim(worker, vec![job]).await.unwrap().len(), 1);
    let mut reader = read(&app, &response, 0).await;
    assert_eq!(reader.next().await.unwrap().id, 1);
    forget(&app, &response).await;
    let log = app.store.events_after(id.into(), 0).await.unwrap();
    let names: Vec<_> = log.iter().map(|event| &*event.name).collect();
    assert_eq!(names, ["response.restarted", "response.cancelled"]);
    // A live worker would end it in its own words; here the bus brings what the next one finds.
    app.state.ports.bus.publish(id.into(), None, &log).await;
    assert_eq!(reader.rest().await.last().unwrap().event, "response.cancelled");
}

#[tokio::test]
async fn what_a_broken_attempt_of_a_deleted_session_said_is_taken_back() {
    let app = App::start().await;
    let response = turn(&app).await;
    let mut reader = read(&app, &response, 0).await;
    let mut speaker = Speaker::of(&app, &response).await;
    speaker.say("response.in_progress", json!({})).await;
    speaker.whisper("response.output_text.delta", json!({"delta": "a"})).await;
    for number in 1..=3 {
        assert_eq!(reader.next().await.unwrap().id, number);
    }
    forget(&app, &response).await;
    let heard = reader.rest().await;
    let names: Vec<_> = heard.iter().map(|frame| frame.event.as_str()).collect();
    assert_eq!(names, ["response.restarted", "response.cancelled"]);
    assert_eq!((&heard[0].data["reason"], heard[1].id), (&json!("worker_lost"), heard[0].id + 1));
}

#[tokio::test]
async fn bad_places_to_resume_are_named() {
    let app = App::start().await;
    let path = events_path(&turn(&app).await);
    let reply = app.get(&format!("{path}?starting_after=x&from=1")).await;
    assert_eq!(reply.problem(422, "invalid_request"), ["starting_after", "from"]);
    let request = Request::get(&path).header("last-event-id", "abc").body(Body::empty()).unwrap();
    assert_eq!(app.send(request).await.problem(422, "invalid_request"), ["Last-Event-ID"]);
    let unknown = "/api/v1/responses/resp_019aa0c8-6f30-7aa0-b5a0-0a4f4a1b2c3d/events";
    app.get(unknown).await.problem(404, "not_found");
}

/// What looks after the callers of open streams is there once, however many come and go.
#[tokio::test]
async fn streams_that_come_and_go_leave_nothing_running() {
    let app = App::start().await;
    let response = turn(&app).await;
    for _ in 0..50 {
        let mut frames = read(&app, &response, 0).await;
        assert_eq!(frames.next().await.unwrap().event, "response.queued");
    }
    assert!(app.state.tasks.len() <= 1, "{} tasks run", app.state.tasks.len());
    tokio::time::timeout(Duration::from_secs(5), async {
        while !app.state.tasks.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("it looks although there is no stream");
}
