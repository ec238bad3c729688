//! Documents come, change and go.

use super::with_fake;
use chat_tests::{
    deployment::{Deployment, Profile},
    engines::Engines,
    sse::SseReader,
};
use serde_json::{Value, json};
use std::time::Duration;

in_every_deployment!(
    a_document_is_found_replaced_and_forgotten,
    a_file_that_cannot_be_read_says_why,
    a_replacement_that_cannot_be_read_changes_nothing,
    who_follows_what_is_deleted_is_told_at_once,
    a_stopped_document_is_read_again_when_its_job_is_retried,
    a_download_may_come_from_the_file_store,
);

async fn search(client: &chat_tests::chat::ChatClient, query: &str) -> Vec<Value> {
    let (status, found) = client.post("/search", &json!({ "query": query })).await.unwrap();
    assert_eq!(status, 200, "{found}");
    found["data"].as_array().unwrap().clone()
}

async fn a_document_is_found_replaced_and_forgotten(profile: Profile) {
    let (_fake, server) = with_fake(profile, "").await;
    let client = server.client();
    let collection = client.collection("手册").await;
    let (status, uploaded) =
        client.upload(&collection, "水泵.md", "# 水泵\n\n离心泵每周检查一次密封圈。\n").await.unwrap();
    assert_eq!(status, 202, "{uploaded}");
    let id = uploaded["documents"][0]["id"].as_str().unwrap().to_owned();
    let ready = client.document_end(&id).await;
    assert_eq!(
        (ready["status"].as_str(), ready["chunk_count"].as_u64()),
        (Some("ready"), Some(1)),
        "{ready}"
    );
    let found = search(&client, "密封圈多久检查？").await;
    assert_eq!(found[0]["document_id"], id.as_str());
    let text: Vec<char> = "# 水泵\n\n离心泵每周检查一次密封圈。\n".chars().collect();
    let (start, end) =
        (found[0]["start"].as_u64().unwrap() as usize, found[0]["end"].as_u64().unwrap() as usize);
    assert_eq!(text[start..end].iter().collect::<String>(), found[0]["text"].as_str().unwrap());

    let (status, again) =
        client.upload(&collection, "copy.md", "# 水泵\n\n离心泵每周检查一次密封圈。\n").await.unwrap();
    assert_eq!((status.as_u16(), &again["documents"][0]["duplicate_of"]), (202, &json!(id)), "{again}");

    let put = client.http.put(client.at(&format!("/documents/{id}/content")));
    let form = reqwest::multipart::Part::text("# 水泵\n\n轴承每月加注润滑脂。\n").file_name("水泵.md");
    let answer = put.multipart(reqwest::multipart::Form::new().part("file", form)).send().await.unwrap();
    assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
    chat_tests::chat::eventually("the new version answers", async || {
        search(&client, "润滑脂")
            .await
            .first()
            .filter(|hit| hit["text"].as_str().unwrap().contains("润滑脂"))
            .map(drop)
    })
    .await;
    assert!(
        search(&client, "密封圈").await.iter().all(|hit| !hit["text"].as_str().unwrap().contains("密封圈"))
    );

    assert_eq!(client.delete(&format!("/documents/{id}")).await.unwrap(), 204);
    assert!(search(&client, "润滑脂").await.is_empty(), "a deleted document was found");
    assert_eq!(client.get(&format!("/documents/{id}")).await.unwrap().0, 404);
    let done = chat_tests::chat::eventually("the clean-up ends", async || {
        let (_, jobs) = client.get(&format!("/jobs?document={id}&limit=100")).await.ok()?;
        let open = |job: &&Value| !matches!(job["state"].as_str(), Some("succeeded" | "dead" | "cancelled"));
        let jobs = jobs["data"].as_array()?.clone();
        (!jobs.iter().any(|job| open(&job))).then_some(jobs)
    })
    .await;
    assert!(done.iter().all(|job| job["state"] != "dead"), "{done:?}");
}

async fn a_file_that_cannot_be_read_says_why(profile: Profile) {
    let (_fake, server) = with_fake(profile, "").await;
    let client = server.client();
    let collection = client.collection("bad").await;
    for (name, bytes) in
        [("zero.txt", vec![0_u8; 4096]), ("picture.txt", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR".to_vec())]
    {
        let part = reqwest::multipart::Part::bytes(bytes).file_name(name);
        let post = client.http.post(client.at(&format!("/collections/{collection}/documents")));
        let answer = post.multipart(reqwest::multipart::Form::new().part("file", part)).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        let body: Value = answer.json().await.unwrap();
        let end = client.document_end(body["documents"][0]["id"].as_str().unwrap()).await;
        assert_eq!(end["status"], "failed", "{end}");
        assert!(!end["error"]["message"].as_str().unwrap().is_empty(), "{end}");
    }
}

async fn a_replacement_that_cannot_be_read_changes_nothing(profile: Profile) {
    let (_fake, server) = with_fake(profile, "").await;
    let client = server.client();
    let collection = client.collection("手册").await;
    let text = "# 水泵\n\n离心泵每周检查一次密封圈。\n";
    let (_, uploaded) = client.upload(&collection, "旧.md", text).await.unwrap();
    let id = uploaded["documents"][0]["id"].as_str().unwrap().to_owned();
    let before = client.document_end(&id).await;
    let put = client.http.put(client.at(&format!("/documents/{id}/content?filename=new.png")));
    let put = put.body(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR".to_vec()).send().await.unwrap();
    assert_eq!(put.status(), 202);
    let after = client.document_end(&id).await;
    assert_eq!((&after["status"], &after["searchable"]), (&json!("failed"), &json!(true)), "{after}");
    for member in ["filename", "media_type", "bytes", "sha256", "charset", "chunk_count"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    let content = client.http.get(client.at(&format!("/documents/{id}/content"))).send().await.unwrap();
    assert_eq!(content.text().await.unwrap(), text);
    let (_, again) = client.upload(&collection, "again.md", text).await.unwrap();
    assert_eq!(again["documents"][0]["duplicate_of"], json!(id), "{again}");
    let (_, listed) = client.get(&format!("/documents?collection={collection}")).await.unwrap();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(search(&client, "密封圈").await.len(), 1);
}

/// Whoever reads this stream hears this last, soon.
async fn ends_with(mut reader: SseReader, last: &str) {
    let rest = tokio::time::timeout(Duration::from_secs(10), async {
        let mut names = Vec::new();
        while let Some(event) = reader.next().await {
            names.push(event.unwrap().name);
        }
        names
    });
    let names = rest.await.unwrap_or_else(|_| panic!("nobody said {last}"));
    assert_eq!(names.last().map(String::as_str), Some(last), "{names:?}");
}

async fn who_follows_what_is_deleted_is_told_at_once(profile: Profile) {
    let (_fake, server) = with_fake(profile, "").await;
    let client = server.client();
    for lane in ["chat", "ingest"] {
        assert_eq!(client.post(&format!("/lanes/{lane}/pause"), &json!({})).await.unwrap().0, 200);
    }
    let collection = client.collection("c").await;
    let mut documents = Vec::new();
    for text in ["一", "二"] {
        let (_, uploaded) = client.upload(&collection, "a.md", text).await.unwrap();
        let path = format!("/documents/{}", uploaded["documents"][0]["id"].as_str().unwrap());
        let events = client.http.get(client.at(&format!("{path}/events"))).send().await.unwrap();
        documents.push((path, SseReader::new(events)));
    }
    let (_, second) = documents.pop().unwrap();
    let (path, first) = documents.pop().unwrap();
    assert_eq!(client.delete(&path).await.unwrap(), 204);
    ends_with(first, "document.cancelled").await;
    assert_eq!(client.delete(&format!("/collections/{collection}")).await.unwrap(), 204);
    ends_with(second, "document.cancelled").await;
    let session = client.session(&json!({})).await;
    let (_, turn) = client.ask(&session, "不用回答了").await.unwrap();
    let events = client.events(turn["response"]["id"].as_str().unwrap(), 0).await.unwrap();
    assert_eq!(client.delete(&format!("/sessions/{session}")).await.unwrap(), 204);
    ends_with(SseReader::new(events), "response.cancelled").await;
}

/// Its readers were told the end of the first version: what follows is told of another one.
async fn a_stopped_document_is_read_again_when_its_job_is_retried(profile: Profile) {
    let (_fake, server) = with_fake(profile, "").await;
    let client = server.client();
    let collection = client.collection("手册").await;
    for (number, in_bulk) in [("1", false), ("2", true)] {
        client.post("/lanes/ingest/pause", &json!({})).await.unwrap();
        let text = format!("# 水泵\n\n离心泵每周检查 {number} 次密封圈。\n");
        let (_, uploaded) = client.upload(&collection, "水泵.md", &text).await.unwrap();
        let (id, job) = (&uploaded["documents"][0]["id"], &uploaded["documents"][0]["job_id"]);
        let path = format!("/documents/{}", id.as_str().unwrap());
        let events = client.http.get(client.at(&format!("{path}/events"))).send().await.unwrap();
        client.post(&format!("{path}/cancel"), &json!({})).await.unwrap();
        ends_with(SseReader::new(events), "document.cancelled").await;
        client.post("/lanes/ingest/resume", &json!({})).await.unwrap();
        let job = format!("/jobs/{}", job.as_str().unwrap());
        if in_bulk {
            let filter = json!({"kind": "ingest_document.v1", "state": "cancelled"});
            let bulk = json!({"action": "retry", "filter": filter});
            assert_eq!(client.post("/jobs/bulk", &bulk).await.unwrap().1["affected"], 1);
        } else {
            let (status, retried) = client.post(&format!("{job}/retry"), &json!({})).await.unwrap();
            assert_eq!(status, 202, "{retried}");
        }
        let begun = chat_tests::chat::eventually("another version begins", async || {
            let (_, job) = client.get(&job).await.ok()?;
            (job["state"] == "succeeded").then(|| job["result"].clone())
        })
        .await;
        let ready = client.document_end(id.as_str().unwrap()).await;
        assert_eq!((&ready["status"], &ready["version"]), (&json!("ready"), &json!(2)), "{ready}");
        assert_eq!((&ready["id"], &ready["job_id"]), (&begun["document_id"], &begun["job_id"]), "{begun}");
        let told = client.http.get(client.at(&format!("{path}/events"))).send().await.unwrap();
        let mut reader = SseReader::new(told);
        let mut names = Vec::new();
        while let Some(event) = reader.next().await {
            names.push(event.unwrap().name);
        }
        let ends = names.iter().filter(|name| *name != "document.stage").count();
        assert_eq!((ends, names.last().unwrap().as_str()), (1, "document.completed"), "{names:?}");
    }
}

async fn a_download_may_come_from_the_file_store(profile: Profile) {
    let server = Deployment::start(profile, &[("S3_PRESIGNED_DOWNLOADS", "1m".into())]).await;
    let client = server.client();
    let collection = client.collection("手册").await;
    let text = "# 水泵\n\n离心泵每周检查一次密封圈。\n";
    let (_, uploaded) = client.upload(&collection, "水泵.md", text).await.unwrap();
    let path = format!("/documents/{}/content", uploaded["documents"][0]["id"].as_str().unwrap());
    let answer = client.http.get(client.at(&path)).send().await.unwrap();
    let from_store = profile != Profile::Embedded;
    if from_store {
        let store = Engines::named().setting("MINIO_ENDPOINT").to_owned();
        let store = store.trim_start_matches("http://");
        let came_from = answer.url().clone();
        assert!(came_from.as_str().contains(store), "{came_from} is not {store}");
    }
    assert_eq!(answer.status(), 200);
    let named = "attachment; filename=\"__.md\"; filename*=UTF-8''%E6%B0%B4%E6%B3%B5.md";
    assert_eq!(answer.headers()["content-disposition"], named);
    let media_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(media_type.starts_with("text/markdown"), "{media_type}");
    assert_eq!(answer.text().await.unwrap(), text);
    let part = client.http.get(client.at(&path)).header("range", "bytes=2-7").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.text().await.unwrap().as_str()), (206, "水泵"));
}
