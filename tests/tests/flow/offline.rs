//! What a newcomer has: no model at all.

use chat_tests::deployment::{Deployment, Profile};
use serde_json::json;

in_every_deployment!(answers_quote_passages_and_say_that_no_model_is_configured);

async fn answers_quote_passages_and_say_that_no_model_is_configured(profile: Profile) {
    let server = Deployment::start(profile, &[]).await;
    let client = server.client();
    let collection = client.collection("rules").await;
    let text = "# Opening hours\n\nThe reading room opens at nine and closes at eight in the evening.\n\n# Lending\n\nA \
                reader may borrow five books for four weeks.\n";
    let (_, uploaded) = client.upload(&collection, "rules.md", text).await.unwrap();
    client.document_end(uploaded["documents"][0]["id"].as_str().unwrap()).await;
    let session = client.session(&json!({ "collections": [collection] })).await;
    let (_, turn) = client.ask(&session, "How many books may a reader borrow?").await.unwrap();
    let end = client.response_end(turn["response"]["id"].as_str().unwrap()).await;
    assert_eq!(end["status"], "completed", "{end}");
    let answer = end["output_text"].as_str().unwrap();
    assert!(answer.contains("five books"), "{answer}");
    assert!(answer.contains('[') && answer.to_lowercase().contains("model"), "{answer}");
    assert_eq!(end["references"][0]["document_id"], uploaded["documents"][0]["id"], "{end}");
}
