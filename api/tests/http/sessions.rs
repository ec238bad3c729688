use crate::app::App;
use serde_json::json;

#[tokio::test]
async fn a_session_lives() {
    let app = App::start().await;
    let wanted = json!({"title": "假期", "instructions": "Be brief.", "metadata": {"a": [1, null]}});
    let made = app.post("/api/v1/sessions", wanted).await.is(201);
    let path = made.header("location");
    let session = made.json();
    assert_eq!(session["object"], "session");
    assert!(session["id"].as_str().unwrap().starts_with("ses_"));
    assert_eq!(path, format!("/api/v1/sessions/{}", session["id"].as_str().unwrap()));
    assert_eq!(app.get(&path).await.is(200).json(), session);

    let changed = app.patch(&path, json!({"title": null, "metadata": {}})).await.is(200).json();
    assert_eq!((&changed["title"], &changed["instructions"]), (&json!(null), &json!("Be brief.")));
    assert_eq!(changed["metadata"], json!({}));

    app.delete(&path).await.is(204);
    app.get(&path).await.problem(404, "not_found");
    app.delete(&path).await.problem(404, "not_found");
}

#[tokio::test]
async fn sessions_come_in_pages() {
    let app = App::start().await;
    for _ in 0..5 {
        app.session().await;
    }
    let first = app.get("/api/v1/sessions?limit=2").await.is(200).json();
    assert_eq!((&first["object"], &first["has_more"]), (&json!("list"), &json!(true)));
    assert_eq!(first["data"].as_array().unwrap().len(), 2);
    assert_eq!((&first["first_id"], &first["last_id"]), (&first["data"][0]["id"], &first["data"][1]["id"]));
    let mut seen = Vec::new();
    let mut path = "/api/v1/sessions?limit=2".to_owned();
    loop {
        let page = app.get(&path).await.is(200).json();
        seen.extend(
            page["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()),
        );
        if page["has_more"] == false {
            break;
        }
        path = format!("/api/v1/sessions?limit=2&after={}", page["last_id"].as_str().unwrap());
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|a, b| a > b), "newest first");
    let oldest = app.get("/api/v1/sessions?order=asc&limit=1").await.json();
    assert_eq!(oldest["data"][0]["id"], json!(seen[4]));
}

#[tokio::test]
async fn pages_are_turned_back_to_the_first() {
    let app = App::start().await;
    let mut made = Vec::new();
    for at in 0..13 {
        let path = app.collection(&format!("第{at}册")).await;
        made.push(path.rsplit('/').next().unwrap().to_owned());
    }
    let page = async |query: String| {
        let page = app.get(&format!("/api/v1/collections?{query}")).await.is(200).json();
        let ids = page["data"].as_array().unwrap().iter();
        let at = ids.map(|row| made.iter().position(|id| row["id"] == *id).unwrap()).collect::<Vec<_>>();
        assert_eq!(
            (&page["first_id"], &page["last_id"]),
            (&json!(made[at[0]]), &json!(made[at[at.len() - 1]]))
        );
        (at, page["has_more"].as_bool().unwrap())
    };
    let before = |at: usize| format!("before={}", made[at]);
    assert_eq!(page(format!("order=asc&limit=2&{}", before(10))).await, (vec![8, 9], true));
    assert_eq!(page(format!("order=asc&limit=4&{}", before(4))).await, (vec![0, 1, 2, 3], false));
    assert_eq!(page(format!("limit=2&{}", before(2))).await, (vec![4, 3], true), "newest first");
    assert_eq!(page(format!("limit=20&{}", before(10))).await, (vec![12, 11], false));
    let between = format!("order=asc&limit=2&after={}&{}", made[3], before(7));
    assert_eq!(page(between).await, (vec![4, 5], true), "from its beginning");
}

#[tokio::test]
async fn bad_pages_are_named() {
    let app = App::start().await;
    let path = "/api/v1/sessions?limit=0&order=up&after=doc_1&colour=red";
    assert_eq!(app.get(path).await.problem(422, "invalid_request"), ["limit", "after", "order", "colour"]);
    for limit in ["101", "-1", "x", "1.5"] {
        let reply = app.get(&format!("/api/v1/sessions?limit={limit}")).await;
        assert_eq!(reply.problem(422, "invalid_request"), ["limit"], "{limit}");
    }
    let twice = app.get("/api/v1/sessions?limit=1&limit=2").await;
    assert_eq!(twice.problem(422, "invalid_request"), ["limit"]);
}

#[tokio::test]
async fn unknown_parameters_are_named_everywhere() {
    let app = App::start().await;
    let session = app.session().await;
    let collection = app.collection("c").await;
    let stats =
        ["sessions", "collections", "documents", "jobs", "keys", "lanes", "schedules", "workers", "usage"];
    let lists = stats.iter().map(|noun| format!("/api/v1/{noun}"));
    for path in lists.chain([session.clone(), collection, format!("{session}/messages")]) {
        let named = app.get(&format!("{path}?colour=red&b")).await.problem(422, "invalid_request");
        assert_eq!(named, ["b", "colour"], "{path}");
    }
    for path in
        ["/api/v1/sessions", "/api/v1/lanes/chat/pause", "/api/v1/keys", &format!("{session}/messages")]
    {
        let reply = app.post(&format!("{path}?stream=true"), json!({"content": "x"})).await;
        assert_eq!(reply.problem(422, "invalid_request"), ["stream"], "{path}");
    }
    let listed = app.get(&format!("{session}/messages")).await.json();
    assert_eq!(listed["data"], json!([]), "nothing was done");
    // An empty query string names nothing.
    app.get(&format!("{session}?")).await.is(200);
    // What carries no version is asked by machines that add what they like.
    app.get("/health?probe=1").await.is(200);
}

#[tokio::test]
async fn an_empty_parameter_is_not_an_absent_one() {
    let app = App::start().await;
    for (path, named) in [
        ("sessions?limit=&after=&before=&order=", vec!["limit", "after", "before", "order"]),
        ("documents?status=&collection=", vec!["collection", "status"]),
        ("jobs?state=", vec!["state"]),
        ("lanes?limit=&order=", vec!["limit", "order"]),
    ] {
        let mut refused = app.get(&format!("/api/v1/{path}")).await.problem(422, "invalid_request");
        refused.sort();
        let mut named = named;
        named.sort_unstable();
        assert_eq!(refused, named, "{path}");
    }
}
