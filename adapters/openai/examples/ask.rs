//! Asks a server one question, and for the question's embedding, to see whether the two get along.
//!
//! `cargo run -p chat-openai --example ask -- http://127.0.0.1:11434/v1 llama3.2 nomic-embed-text "Why is the sky blue?"`
//!
//! The key, if the server wants one, is read from `OPENAI_API_KEY`.

use chat_core::{
    PortError, Role,
    ports::{Completion, Delta, Embedder, Llm, PromptMessage, Purpose},
};
use chat_openai::{OpenAiEmbedder, OpenAiLlm, OpenAiServer};
use futures::StreamExt;
use std::{
    io::Write,
    process::ExitCode,
    time::{Duration, Instant},
};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, model, embedder, question] = arguments.as_slice() else {
        eprintln!("usage: ask BASE_URL MODEL EMBEDDING_MODEL QUESTION");
        return ExitCode::from(2);
    };
    #[expect(clippy::disallowed_methods, reason = "an example has no settings; a key is no argument")]
    let key = std::env::var("OPENAI_API_KEY").unwrap_or_default();
    let server = OpenAiServer::new(url).with_api_key(key);
    let mut code = ExitCode::SUCCESS;
    for result in [answer(&server, model, question).await, embed(&server, embedder, question).await] {
        if let Err(error) = result {
            println!("\n{} (retryable: {}): {error}", error.kind.as_str(), error.kind.is_retryable());
            if let Some(wait) = error.retry_after {
                println!("to be tried again in {wait:?}");
            }
            code = ExitCode::FAILURE;
        }
    }
    code
}

async fn answer(server: &OpenAiServer, model: &str, question: &str) -> Result<(), PortError> {
    let begun = Instant::now();
    let llm = OpenAiLlm::new(server, model)?;
    let mut stream = llm.complete(completion(question)).await?;
    let mut first = None;
    while let Some(delta) = stream.next().await {
        match delta? {
            Delta::Text(text) => {
                first.get_or_insert_with(|| begun.elapsed());
                print!("{text}");
                // A pipe that is closed is no reason to stop reading the answer.
                let _ = std::io::stdout().flush();
            }
            Delta::Usage(usage) => {
                print!("\n{} tokens read, {} written", usage.input_tokens, usage.output_tokens);
            }
            Delta::Finish(reason) => {
                println!("\n{reason:?} after {:?}, first text after {first:?}", begun.elapsed());
            }
        }
    }
    Ok(())
}

fn completion(question: &str) -> Completion {
    Completion {
        model: String::new(),
        purpose: Purpose::Answer,
        messages: vec![PromptMessage { role: Role::User, content: question.to_owned() }],
        question: question.to_owned(),
        passages: Vec::new(),
        temperature: 0.7,
        max_tokens: 500,
        trace: None,
        first_token_timeout: Duration::from_secs(30),
        idle_timeout: Duration::from_secs(15),
    }
}

async fn embed(server: &OpenAiServer, model: &str, text: &str) -> Result<(), PortError> {
    let embedder = OpenAiEmbedder::new(server, model)?;
    let embeddings = embedder.embed(&[text.to_owned(), "something else".to_owned()]).await?;
    let [one, other] = embeddings.vectors.as_slice() else { return Ok(()) };
    let likeness: f32 = one.iter().zip(other).map(|(a, b)| a * b).sum();
    println!("{} numbers, {} tokens, likeness to something else {likeness:.3}", one.len(), embeddings.tokens);
    Ok(())
}
