//! `chat ask`: a question, an answer as it is said, and what it rests on.

mod answer;
mod sources;

use crate::{
    args::Target,
    client::Ask,
    commands::ingest,
    failure::{Exit, Failure, Outcome},
    link::Link,
    output,
    run::Context,
    server::Crew,
    values,
};
use chat_core::ResponseStatus;
use serde_json::json;
use std::{
    io::{IsTerminal, Read},
    path::PathBuf,
};

/// Options of `chat ask`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The question; `-` reads it from the standard input
    question: String,
    /// Documents to read first: files, and folders with all that is in them
    paths: Vec<PathBuf>,
    /// Look in this collection only; documents are read into it [default: look in all, read into `default`]
    #[arg(long, value_name = "NAME", value_parser = values::name)]
    collection: Option<String>,
    #[command(flatten)]
    target: Target,
}

/// Answers a question.
pub async fn run(args: Args, context: Context) -> Outcome {
    let question = question(&args.question, &context).await?;
    let found = match args.paths.as_slice() {
        [] => None,
        paths => Some(ingest::find(&context.interrupt, paths).await?),
    };
    let link = Link::open(&context, &args.target, Crew::Once).await?;
    let outcome = answer(&link, &context, &args, question, found).await;
    link.close().await;
    outcome
}

async fn question(given: &str, context: &Context) -> Outcome<String> {
    let question = if given == "-" { typed(context).await? } else { given.to_owned() };
    let question = question.trim().to_owned();
    if question.is_empty() {
        return Err(Failure::wrong_use("the question is empty").hint("chat ask \"What is ...?\""));
    }
    Ok(question)
}

/// The standard input, whole. Beside the runtime: Ctrl-C is heard while nothing comes.
async fn typed(context: &Context) -> Outcome<String> {
    let reading = tokio::task::spawn_blocking(|| {
        let mut input = std::io::stdin();
        if input.is_terminal() {
            output::note("Type the question, then press Ctrl-D.");
        }
        let mut question = String::new();
        input.read_to_string(&mut question).map(|_| question)
    });
    let unreadable = |error: String| Failure::new(format!("the question cannot be read: {error}"));
    match context.interrupt.unless(reading).await {
        Some(Ok(read)) => read.map_err(|error| unreadable(error.to_string())),
        Some(Err(error)) => Err(unreadable(error.to_string())),
        None => Err(Failure::interrupted("nothing was asked")),
    }
}

async fn answer(
    link: &Link,
    context: &Context,
    args: &Args,
    question: String,
    found: Option<ingest::Found>,
) -> Outcome {
    let as_json = context.common.json;
    if let Some(found) = found {
        let collection = args.collection.as_deref().unwrap_or(ingest::COLLECTION);
        let report = ingest::read(link, context, collection, found).await?;
        report.note();
        if report.ready + report.duplicates == 0 {
            return Err(Failure::new("none of the documents could be read"));
        }
    }
    let collections = places(link, args.collection.as_deref()).await?;
    let response = answer::stream(link, context, &Ask { question, collections }).await?;
    if as_json {
        output::json(&json!({
            "answer": response.output_text,
            "references": response.references,
            "response_id": response.id,
            "session_id": response.session_id,
            "status": response.status,
            "model": response.model,
            "usage": response.usage,
            "timings": response.timings,
            "error": response.error,
        }));
    } else if !response.output_text.is_empty() {
        sources::print(&response);
    }
    match (response.status, &response.error) {
        (ResponseStatus::Completed, _) => Ok(Exit::Done),
        (ResponseStatus::Incomplete, _) => {
            output::warning("the answer was cut short: it reached its longest length");
            Ok(Exit::Done)
        }
        (_, Some(error)) => {
            Err(Failure::new(format!("the question could not be answered: {}", error.message)))
        }
        (status, None) => Err(Failure::new(format!("the answer ended as {}", status.as_str()))),
    }
}

/// Where to look, and whether there is anything to be found.
async fn places(link: &Link, name: Option<&str>) -> Outcome<Vec<String>> {
    let mut places = Vec::new();
    if let Some(name) = name {
        let all = link.client.collections().await?;
        let Some(found) = all.iter().find(|collection| collection.name == name) else {
            let names: Vec<_> = all.iter().map(|collection| collection.name.as_str()).collect();
            let failure = Failure::new(format!("there is no collection {name}"));
            return Err(failure.hint(if names.is_empty() {
                format!("chat ingest FOLDER --collection {name}")
            } else {
                format!("one of these: {}", names.join(", "))
            }));
        };
        places.push(found.id.clone());
    }
    if !link.client.has_documents(places.first().map(String::as_str)).await? {
        return Err(Failure::new("there are no documents to answer from")
            .hint("chat ask \"...\" FILE_OR_FOLDER    reads documents first")
            .hint("chat ingest FILE_OR_FOLDER      reads them once for all questions"));
    }
    Ok(places)
}
