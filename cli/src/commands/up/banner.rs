//! What `chat up` says when it is ready.

use crate::{output, server::Server, settings::data_option};
use chat_config::{ModelProvider, Settings};
use console::style;
use std::{fmt::Display, time::Duration};

/// What answers when no model is configured.
const QUOTES: &str = "quoted from the documents; set OPENAI_BASE_URL or OPENAI_API_KEY for a language model";

/// Says where it listens, where the data are, which models it uses, and what to try next.
pub fn print(settings: &Settings, server: &Server, ready: Duration) {
    let url = server.url().unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    output::line(format!("{} {version}, ready in {} ms\n", style("rag-chat").bold(), ready.as_millis()));
    row("Listens on", style(&url).cyan().underlined());
    row("API docs", format!("{url}/docs"));
    if let Some(metrics) = server.metrics_url() {
        row("Metrics", metrics);
    }
    row("Data", folder(settings));
    row("Answers", model(&settings.llm.provider, &settings.llm.model, QUOTES));
    row("Embeddings", model(&settings.embedding.provider, &settings.embedding.model, "built in"));
    output::line(format!("\n{}", style("Try").bold()));
    let data = data_option(settings);
    output::line(format!("  chat ask \"How do I descale the coffee machine?\" docs/samples{data}"));
    output::line(format!(
        "  curl {url}/api/v1/search -H 'content-type: application/json' -d '{{\"query\": \"差旅报销\"}}'"
    ));
    output::line("\nCtrl-C stops it.");
}

fn row(name: &str, value: impl Display) {
    // Padded before it is styled: escapes have no width.
    output::line(format!("  {} {value}", style(format!("{name:<11}")).dim()));
}

fn folder(settings: &Settings) -> String {
    let folder = &settings.data_dir;
    folder.canonicalize().unwrap_or_else(|_| folder.clone()).display().to_string()
}

fn model(provider: &ModelProvider, model: &str, built_in: &str) -> String {
    match provider {
        ModelProvider::Offline => built_in.to_owned(),
        ModelProvider::OpenAi { base_url, .. } => format!("{model} at {base_url}"),
    }
}
