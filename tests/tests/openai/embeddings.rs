use chat_core::{ErrorKind, PortResult, ports::Embedder};
use chat_openai::{OpenAiEmbedder, OpenAiServer};
use chat_tests::fake_openai::FakeOpenAi;

fn embedder(fake: &FakeOpenAi) -> OpenAiEmbedder {
    OpenAiEmbedder::new(&OpenAiServer::new(fake.url()), "fake-embedder").unwrap()
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("text {number} 文")).collect()
}

async fn embed(embedder: &OpenAiEmbedder, count: usize) -> PortResult<Vec<Vec<f32>>> {
    Ok(embedder.embed(&texts(count)).await?.vectors)
}

#[tokio::test]
async fn vectors_are_of_unit_length_and_in_order_however_they_come() {
    let fake = FakeOpenAi::start().await;
    let plain = embed(&embedder(&fake), 5).await.unwrap();
    for vector in &plain {
        assert_eq!(vector.len(), 64);
        let norm = vector.iter().map(|number| number * number).sum::<f32>();
        assert!((norm - 1.0).abs() < 1e-5, "{norm}");
    }
    assert!(plain[0] != plain[1]);
    for directives in ["shuffle", "base64", "no-usage", "shuffle;base64"] {
        fake.directives(directives);
        let embeddings = embedder(&fake).embed(&texts(5)).await.unwrap();
        assert_eq!(embeddings.vectors, plain, "{directives}");
        assert_eq!(embeddings.tokens > 0, directives != "no-usage", "{directives}");
    }
}

#[tokio::test]
async fn many_texts_become_several_requests() {
    let fake = FakeOpenAi::start().await;
    let embedder = embedder(&fake);
    assert_eq!(embedder.max_batch(), 128);
    let all = embedder.embed(&texts(300)).await.unwrap();
    assert_eq!(sizes(&fake), [128, 128, 44]);
    // A text, its number and one Han character are three tokens each, with the space before the last a fourth.
    assert_eq!((all.vectors.len(), all.tokens), (300, 1200));
    assert_eq!(all.vectors[299], embedder.embed(&texts(300)[299..]).await.unwrap().vectors[0]);
    assert!(embedder.embed(&[]).await.unwrap().vectors.is_empty());
}

/// How many texts each request had.
fn sizes(fake: &FakeOpenAi) -> Vec<usize> {
    fake.journal().calls().iter().map(|call| call.body["input"].as_array().unwrap().len()).collect()
}

#[tokio::test]
async fn a_server_that_takes_few_texts_at_a_time_is_asked_for_few() {
    let fake = FakeOpenAi::start().await;
    let expected = embed(&embedder(&fake), 40).await.unwrap();
    let (embedder, before) = (embedder(&fake), sizes(&fake).len());
    fake.directives("most-texts=10");
    assert_eq!(embed(&embedder, 40).await.unwrap(), expected);
    assert_eq!(sizes(&fake)[before..], [40, 20, 10, 10, 10, 10]);
    // It is remembered.
    embed(&embedder, 15).await.unwrap();
    assert_eq!(sizes(&fake)[before + 6..], [10, 5]);
}

#[tokio::test]
async fn a_text_that_is_refused_says_nothing_about_others() {
    let fake = FakeOpenAi::start().await;
    let embedder = embedder(&fake);
    fake.directives("no-text=text 6 ");
    let error = embed(&embedder, 8).await.unwrap_err();
    assert!(error.kind == ErrorKind::Invalid && error.message.contains("a text is too long"), "{error}");
    assert_eq!(sizes(&fake), [8, 4, 4, 2, 2, 1]);
    fake.directives("");
    embed(&embedder, 8).await.unwrap();
    assert_eq!(sizes(&fake)[6..], [8]);
}

#[tokio::test]
async fn the_length_can_be_asked_for_and_must_stay() {
    let fake = FakeOpenAi::start().await;
    let short = embedder(&fake).with_dimensions(16);
    assert_eq!(embed(&short, 1).await.unwrap()[0].len(), 16);
    let plain = embedder(&fake);
    assert_eq!(embed(&plain, 1).await.unwrap()[0].len(), 64);
    fake.directives("dims=32");
    assert_eq!(embed(&plain, 1).await.unwrap_err().kind, ErrorKind::Protocol);
    assert!((plain.alpha() - 0.5).abs() < f32::EPSILON);
}

#[tokio::test]
async fn what_cannot_be_used_is_an_error() {
    let fake = FakeOpenAi::start().await;
    for (directives, kind) in [
        ("zero", ErrorKind::Protocol),
        ("ragged", ErrorKind::Protocol),
        ("short", ErrorKind::Protocol),
        ("status=200;html", ErrorKind::Protocol),
        ("status=200;message=x", ErrorKind::Protocol),
        ("status=401", ErrorKind::Unauthorized),
        ("status=404;message=no model", ErrorKind::Invalid),
        ("status=429;retry-after=3", ErrorKind::RateLimited),
        ("status=500;html", ErrorKind::Unavailable),
    ] {
        fake.directives(directives);
        let error = embed(&embedder(&fake), 3).await.unwrap_err();
        assert_eq!(error.kind, kind, "{directives}: {error}");
    }
    fake.directives("");
    let error = embedder(&fake).embed(&["a".to_owned(), String::new()]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    fake.stop_listening().await;
    assert_eq!(embed(&embedder(&fake), 1).await.unwrap_err().kind, ErrorKind::Unavailable);
}
