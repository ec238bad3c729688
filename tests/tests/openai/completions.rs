use super::{Answer, LONG, answer, ask, llm};
use chat_core::ports::{Completion, FinishReason, Llm};
use chat_openai::{OpenAiLlm, OpenAiServer};
use chat_tests::fake_openai::FakeOpenAi;
use futures::StreamExt;
use std::time::{Duration, Instant};

const SAY: &str = "say=The sky is 蓝色 [1].";

async fn told(fake: &FakeOpenAi, directives: &str) -> Answer {
    fake.directives(directives);
    answer(&llm(fake), ask("Why?")).await
}

#[tokio::test]
async fn an_answer_comes_in_pieces_with_usage_and_an_end() {
    let fake = FakeOpenAi::start().await;
    let answer = told(&fake, SAY).await;
    assert_eq!(answer.pieces, ["The", " sky", " is", " ", "蓝", "色", " [1]."]);
    let usage = answer.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_tokens), (3, 7, 10));
    assert_eq!(answer.end.unwrap(), FinishReason::Stop);
    let streams = fake.journal().streams();
    assert_eq!((streams.len(), streams[0].tokens), (1, 7));
}

#[tokio::test]
async fn what_servers_leave_out_or_add_does_not_change_the_answer() {
    let fake = FakeOpenAi::start().await;
    let odd = "no-role no-done no-finish bare crlf comments reasoning=3 whole no-usage";
    let everything = "no-role;no-done;bare;crlf;comments;reasoning=3";
    for directive in odd.split(' ').chain([everything]) {
        let answer = told(&fake, &format!("{SAY};{directive}")).await;
        assert_eq!(answer.text(), "The sky is 蓝色 [1].", "{directive}");
        assert_eq!(answer.end.unwrap(), FinishReason::Stop, "{directive}");
        assert_eq!(answer.usage.is_some(), directive != "no-usage", "{directive}");
    }
}

#[tokio::test]
async fn what_a_model_thinks_aloud_is_no_answer() {
    let fake = FakeOpenAi::start().await;
    for (said, text) in [
        ("<think>They ask about 天空. Say <think> or not?</think>  The sky is 蓝色.", "The sky is 蓝色."),
        (
            "The tag <think> opens a thought, </think> ends it.",
            "The tag <think> opens a thought, </think> ends it.",
        ),
        ("<think>never done", ""),
        ("<thin", "<thin"),
    ] {
        for directive in ["", "whole", "no-finish"] {
            let answer = told(&fake, &format!("say={said};{directive}")).await;
            assert_eq!(answer.text(), text, "{said} {directive}");
            assert_eq!(answer.end.unwrap(), FinishReason::Stop, "{said} {directive}");
        }
    }
}

#[tokio::test]
async fn the_reason_to_stop_is_passed_on() {
    let fake = FakeOpenAi::start().await;
    for (finish, reason) in [
        ("length", FinishReason::Length),
        ("content_filter", FinishReason::ContentFilter),
        ("stop", FinishReason::Stop),
        ("something_new", FinishReason::Stop),
    ] {
        assert_eq!(told(&fake, &format!("finish={finish}")).await.end.unwrap(), reason, "{finish}");
    }
    let short = Completion { max_tokens: 3, ..ask("Why?") };
    fake.directives(SAY);
    let answer = answer(&llm(&fake), short).await;
    assert_eq!((answer.pieces.len(), answer.end.unwrap()), (3, FinishReason::Length));
}

#[tokio::test]
async fn an_answer_is_over_when_it_says_so_even_if_the_connection_stays() {
    let fake = FakeOpenAi::start().await;
    for directives in ["keep-open", "keep-open;no-done", "keep-open;no-finish"] {
        let begun = Instant::now();
        let answer = told(&fake, directives).await;
        assert_eq!(answer.end.unwrap(), FinishReason::Stop, "{directives}");
        assert!(answer.usage.is_some() && begun.elapsed() < Duration::from_secs(4), "{directives}");
        fake.until(LONG, |journal| journal.open() == 0).await;
    }
}

#[tokio::test]
async fn what_a_server_refuses_is_said_differently_and_remembered() {
    let fake = FakeOpenAi::start().await;
    for (refuses, is_counted) in [
        ("refuses=stream_options", false),
        ("refuses=max_tokens", true),
        ("refuses=temperature", true),
        ("refuses=max_tokens;refuses=temperature;refuses=stream_options", false),
    ] {
        fake.directives(refuses);
        let llm = llm(&fake);
        for turn in 0..2 {
            let before = fake.journal().count();
            let answer = answer(&llm, ask("Why?")).await;
            assert_eq!(answer.usage.is_some(), is_counted, "{refuses}");
            assert_eq!(answer.end.unwrap(), FinishReason::Stop, "{refuses}");
            let asked = fake.journal().count() - before;
            let refused = refuses.split(';').count() as u64;
            assert_eq!(asked, if turn == 0 { refused + 1 } else { 1 }, "{refuses}");
        }
        let body = fake.journal().calls().pop().unwrap().body;
        let limit = if refuses.contains("max_tokens") { "max_completion_tokens" } else { "max_tokens" };
        assert_eq!(body[limit], 100, "{refuses}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_stopped() {
    let fake = FakeOpenAi::start().await;
    for directives in ["endless;say=word word", "endless;reasoning=1000000000"] {
        fake.directives(directives);
        let llm = llm(&fake);
        let mut stream = llm.complete(Completion { max_tokens: 50, ..ask("Why?") }).await.unwrap();
        let mut deltas = Vec::new();
        while let Some(delta) = stream.next().await {
            deltas.push(format!("{:?}", delta.unwrap()));
        }
        assert_eq!(deltas.last().unwrap(), "Finish(Length)", "{directives}");
        // 50 tokens: 1824 bytes, 656 pieces.
        assert!(deltas.len() <= 658, "{} {directives}", deltas.len());
        // Closed already, though the stream is still held.
        fake.until(LONG, |journal| journal.open() == 0).await;
        drop(stream);
    }
}

#[tokio::test]
async fn key_model_and_headers_are_sent() {
    let fake = FakeOpenAi::start().await;
    let server = OpenAiServer::new(fake.url() + "/").with_api_key("sk-right").with_header("X-Team", "blue");
    let llm = OpenAiLlm::new(&server, "configured").unwrap();
    answer(&llm, ask("Why?")).await.end.unwrap();
    answer(&llm, Completion { model: "other".to_owned(), ..ask("Why?") }).await.end.unwrap();
    let calls = fake.journal().calls();
    assert_eq!(calls[0].headers["authorization"], "Bearer sk-right");
    assert_eq!(calls[0].headers["x-team"], "blue");
    assert_eq!((&calls[0].body["model"], &calls[1].body["model"]), (&"configured".into(), &"other".into()));
    answer(&super::llm(&fake), ask("Why?")).await.end.unwrap();
    assert!(!fake.journal().calls()[2].headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_finished_stream_leaves_its_connection_for_the_next() {
    let fake = FakeOpenAi::start().await;
    let llm = llm(&fake);
    for _ in 0..20 {
        answer(&llm, ask("Why?")).await.end.unwrap();
    }
    // A connection is lost if the end of its body is still on the way; that must be the exception.
    assert!(fake.connections() <= 10, "{} connections", fake.connections());
}
