//! The OpenAI adapter against a fake server: what real servers do, and what they should not.
#![allow(clippy::unwrap_used)]

mod cancel;
mod completions;
mod embeddings;
mod failures;
mod pauses;

use chat_core::{
    PortError, Role, Usage,
    ports::{Completion, Delta, FinishReason, Llm, PromptMessage, Purpose},
};
use chat_openai::{OpenAiLlm, OpenAiServer};
use chat_tests::fake_openai::FakeOpenAi;
use futures::StreamExt;
use std::time::Duration;
use tokio::sync::Mutex;

/// Held by tests that measure time, or that take all of the machine: they run one after the other.
static CLOCK: Mutex<()> = Mutex::const_new(());

const SHORT: Duration = Duration::from_millis(150);
const LONG: Duration = Duration::from_secs(20);

fn llm(fake: &FakeOpenAi) -> OpenAiLlm {
    OpenAiLlm::new(&OpenAiServer::new(fake.url()), "fake-model").unwrap()
}

fn ask(question: &str) -> Completion {
    let say = |role, content: &str| PromptMessage { role, content: content.to_owned() };
    Completion {
        model: String::new(),
        purpose: Purpose::Answer,
        messages: vec![say(Role::System, "Be brief."), say(Role::User, question)],
        question: question.to_owned(),
        passages: Vec::new(),
        temperature: 0.7,
        max_tokens: 100,
        trace: None,
        first_token_timeout: LONG,
        idle_timeout: LONG,
    }
}

/// All that came, and how it ended.
#[derive(Debug)]
struct Answer {
    pieces: Vec<String>,
    usage: Option<Usage>,
    end: Result<FinishReason, PortError>,
}

impl Answer {
    fn text(&self) -> String {
        self.pieces.concat()
    }

    fn error(self) -> PortError {
        self.end.unwrap_err()
    }
}

async fn answer(llm: &OpenAiLlm, completion: Completion) -> Answer {
    let mut answer = Answer { pieces: Vec::new(), usage: None, end: Err(PortError::internal("no end")) };
    let mut stream = match llm.complete(completion).await {
        Ok(stream) => stream,
        Err(error) => {
            return Answer { end: Err(error), ..answer };
        }
    };
    while let Some(delta) = stream.next().await {
        assert!(answer.end.is_err(), "nothing comes after the end");
        match delta {
            Ok(Delta::Text(text)) => {
                assert!(!text.is_empty());
                answer.pieces.push(text);
            }
            Ok(Delta::Usage(usage)) => assert!(answer.usage.replace(usage).is_none(), "one usage"),
            Ok(Delta::Finish(reason)) => answer.end = Ok(reason),
            Err(error) => {
                answer.end = Err(error);
                assert!(stream.next().await.is_none(), "an error is the end");
                break;
            }
        }
    }
    answer
}
