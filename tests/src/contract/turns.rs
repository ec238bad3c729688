//! Turns that are accepted at the same time: each wholly or not at all, whatever becomes of the others.

use super::rows::{message, session, write};
use chat_core::{
    Busy, Change, Committed, ErrorKind, Event, Farewell, JobFilter, JobState, KeptAnswer, Lane, NewJob,
    NewResponse, PageRequest, PortResult, ResponseId, Role, Session, Tenant, Timestamp, TurnOptions, Write,
    object, ports::Store,
};
use futures::future::join_all;
use std::collections::HashMap;

/// Runs every promise.
pub async fn exercise(store: &dyn Store) {
    only_one_finds_a_conversation_free(store).await;
    conversations_keep_their_order(store).await;
    what_is_refused_leaves_nothing(store).await;
    one_key_has_one_answer(store).await;
    what_is_deleted_leaves_an_end_to_its_readers(store).await;
}

/// A turn, and what accepts it.
struct Turn {
    response: ResponseId,
    job: NewJob,
    changes: Vec<Change>,
}

fn turn(session: &Session, content: &str, key: Option<&str>) -> Turn {
    let response = ResponseId::new();
    let question = message(session, Role::User, content, Some(response));
    let mut job = super::jobs::job();
    (job.lane, job.tenant, job.session) = (Lane::Chat, session.tenant.clone(), Some(session.id));
    job.concurrency_key = Some(session.id.to_string());
    let accepted = NewResponse {
        id: response,
        tenant: session.tenant.clone(),
        session: session.id,
        message: question.id,
        job: job.id,
        model: "m".into(),
        options: TurnOptions::default(),
        created_at: Timestamp(2_000),
    };
    let queued = Event::new("response.queued", 1, &[], object([("text", "排队".into())]));
    let mut changes = vec![
        Change::InsertMessage(Box::new(question)),
        Change::InsertResponse(Box::new(accepted)),
        Change::Enqueue(Box::new(job.clone())),
        Change::AppendEvents(response.into(), vec![queued]),
    ];
    changes.extend(key.map(|key| Change::KeepAnswer(Box::new(answer(session, key, response)))));
    Turn { response, job, changes }
}

fn answer(session: &Session, key: &str, response: ResponseId) -> KeptAnswer {
    KeptAnswer {
        tenant: session.tenant.clone(),
        key: key.into(),
        request: "hash".into(),
        status: 202,
        body: response.to_string(),
        stream: Some(response),
        location: None,
        created_at: Timestamp(i64::from(u32::MAX) * 1_000),
    }
}

async fn accept(store: &dyn Store, turns: &[Turn]) -> Vec<PortResult<Committed>> {
    join_all(turns.iter().map(|turn| store.commit(Write::of(turn.changes.clone())))).await
}

async fn sessions(store: &dyn Store, tenant: &str, count: usize) -> Vec<Session> {
    let sessions: Vec<_> = (0..count).map(|_| session(&Tenant::from(tenant))).collect();
    let changes = sessions.iter().map(|session| Change::InsertSession(Box::new(session.clone())));
    write(store, changes.collect()).await;
    sessions
}

async fn conversations_keep_their_order(store: &dyn Store) {
    let sessions = sessions(store, "many-turns", 8).await;
    let turns: Vec<_> =
        (0..40).map(|number| turn(&sessions[number % 8], "水泵的压力是多少？\0", None)).collect();
    for accepted in accept(store, &turns).await {
        assert_eq!(accepted.unwrap().jobs.len(), 1);
    }
    let mut free = HashMap::new();
    for turn in &turns {
        let job = store.job(None, turn.job.id).await.unwrap();
        if job.state == JobState::Available {
            assert!(free.insert(turn.job.session, turn.job.id).is_none(), "two turns of one conversation");
        } else {
            assert_eq!(job.state, JobState::Waiting);
        }
        let events = store.events_after(turn.response.into(), 0).await.unwrap();
        assert_eq!(events.iter().map(|event| &*event.name).collect::<Vec<_>>(), ["response.queued"]);
    }
    assert_eq!(free.len(), sessions.len(), "each conversation has one turn that can begin");
    for session in &sessions {
        let open = store.open_responses(&session.tenant, session.id).await.unwrap();
        assert_eq!(open.len(), 5);
        assert!(store.session(&session.tenant, session.id).await.unwrap().updated_at > Timestamp(2_000));
    }
}

/// Turns of one conversation, each of which clears the way for itself.
fn clearing(session: &Session, busy: Busy, count: usize) -> Vec<Turn> {
    let clear = |mut turn: Turn| {
        let key = turn.job.concurrency_key.clone().unwrap();
        turn.changes.insert(0, Change::ClearKey { tenant: session.tenant.clone(), key, busy });
        turn
    };
    (0..count).map(|_| clear(turn(session, "你好", None))).collect()
}

async fn only_one_finds_a_conversation_free(store: &dyn Store) {
    let session = sessions(store, "turns-clearing", 1).await.remove(0);
    let accepted = accept(store, &clearing(&session, Busy::Refuse, 12)).await;
    assert_eq!(accepted.iter().filter(|accepted| accepted.is_ok()).count(), 1);
    let refused: Vec<_> = accepted.into_iter().filter_map(Result::err).collect();
    assert!(refused.iter().all(|error| error.kind == ErrorKind::Conflict), "{refused:?}");

    for accepted in accept(store, &clearing(&session, Busy::Cancel, 12)).await {
        accepted.unwrap();
    }
    let filter = JobFilter { session: Some(session.id), ..JobFilter::default() };
    let jobs = store.jobs(&filter, PageRequest { limit: 100, ..PageRequest::default() }).await.unwrap().rows;
    assert_eq!(jobs.len(), 13);
    assert_eq!(jobs.iter().filter(|job| !job.cancel_requested).count(), 1, "only the last one goes on");

    let foreign = Session { tenant: Tenant::from("turns-foreign"), ..session };
    for accepted in accept(store, &clearing(&foreign, Busy::Refuse, 2)).await {
        assert_eq!(
            accepted.unwrap_err().kind,
            ErrorKind::NotFound,
            "whether it is busy is nobody's business"
        );
    }
}

async fn what_is_refused_leaves_nothing(store: &dyn Store) {
    let known = sessions(store, "turns-refused", 2).await;
    let foreign = Session { tenant: Tenant::from("somebody-else"), ..known[0].clone() };
    let missing = session(&Tenant::from("turns-refused"));
    let all = [&known[0], &foreign, &known[1], &missing];
    let turns: Vec<_> =
        (0..20).map(|number| turn(all[number % 4], "你好", Some(&format!("refused-{number}")))).collect();
    for (number, (turn, accepted)) in turns.iter().zip(accept(store, &turns).await).enumerate() {
        let session = all[number % 4];
        let kept = store.kept_answer(&session.tenant, &format!("refused-{number}")).await.unwrap();
        let job = store.job(None, turn.job.id).await;
        let response = store.response(&session.tenant, turn.response).await;
        if number % 2 == 0 {
            accepted.unwrap();
            assert_eq!(kept.unwrap().body, turn.response.to_string());
            assert_eq!((job.unwrap().id, response.unwrap().id), (turn.job.id, turn.response));
        } else {
            assert_eq!(accepted.unwrap_err().kind, ErrorKind::NotFound);
            assert!(kept.is_none() && job.is_err() && response.is_err(), "something was kept");
            assert!(store.events_after(turn.response.into(), 0).await.unwrap().is_empty());
        }
    }
}

async fn one_key_has_one_answer(store: &dyn Store) {
    let sessions = sessions(store, "turns-keyed", 4).await;
    let turns: Vec<_> = (0..24).map(|number| turn(&sessions[number % 4], "你好", Some("one-key"))).collect();
    let accepted = accept(store, &turns).await;
    let winners: Vec<_> = turns.iter().zip(&accepted).filter(|(_, accepted)| accepted.is_ok()).collect();
    assert_eq!(winners.len(), 1, "{accepted:?}");
    let kept = store.kept_answer(&sessions[0].tenant, "one-key").await.unwrap().unwrap();
    assert_eq!(kept.body, winners[0].0.response.to_string());
    for (turn, accepted) in turns.iter().zip(&accepted) {
        if let Err(error) = accepted {
            assert_eq!(error.kind, ErrorKind::Conflict);
            assert!(store.job(None, turn.job.id).await.is_err(), "a turn without its answer");
        }
    }
}

async fn what_is_deleted_leaves_an_end_to_its_readers(store: &dyn Store) {
    let session = sessions(store, "turns-deleted", 1).await.remove(0);
    let turns = [turn(&session, "一", None), turn(&session, "二", None)];
    for accepted in accept(store, &turns).await {
        accepted.unwrap();
    }
    let [first, second] = turns.map(|turn| turn.response);
    let begun = Event::new("response.in_progress", 2, &[], object([]));
    write(store, vec![Change::AppendEvents(second.into(), vec![begun])]).await;
    let end = |response, said| {
        let last = Event::new("response.cancelled", said + 1, &[], object([]));
        Farewell { response, said, events: vec![last] }
    };
    let delete =
        |farewells| Write::of(vec![Change::DeleteSession(session.tenant.clone(), session.id, farewells)]);
    for unaware in [vec![], vec![end(first, 1)], vec![end(first, 1), end(second, 1)]] {
        let refused = store.commit(delete(unaware)).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Conflict, "a turn went on, or had begun");
        assert_eq!(store.open_responses(&session.tenant, session.id).await.unwrap().len(), 2);
    }
    store.commit(delete(vec![end(second, 2), end(first, 1)])).await.unwrap();
    for (response, said) in [(first, 1), (second, 2)] {
        let log = store.events_after(response.into(), 0).await.unwrap();
        assert_eq!(log.iter().map(|event| event.seq).collect::<Vec<_>>(), [said + 1], "its end alone");
    }
}
