//! Language models, and what they are given to read.

use std::time::Duration;

use crate::models::{OpenAiUrl, dimensions, openai_url, price};
use crate::secret::Secret;
use crate::{parse, quantity};

settings! { "Language models";
    OPENAI_API_KEY: Option<Secret> [Secret] = "", |text| parse::optional(text, parse::secret), "a key",
        "The key of the model server. Setting it, or OPENAI_BASE_URL, turns from the offline answerer to real models.";
    OPENAI_BASE_URL: Option<OpenAiUrl> [Url] = "", |text| parse::optional(text, openai_url),
        "`http://host:port/v1` or `https://...` of any OpenAI-compatible server, `openai:` for OpenAI itself, `offline:` for no model",
        "The model server (Ollama, vLLM, llama.cpp, OpenAI...). Unset: OpenAI if OPENAI_API_KEY is set, else offline.";
    LLM_MODEL: String = "gpt-4o-mini", parse::text, "the name of a model that the server has",
        "The model that answers.";
    LLM_MAX_TOKENS: u32 = "2000", |text| parse::within(text, 1, 1_000_000), "a number from 1 to 1000000",
        "The longest answer, in tokens.";
    LLM_TEMPERATURE: f64 = "0.7", |text| parse::within(text, 0.0, 2.0), "a number from 0 to 2",
        "How freely the model chooses its words; 0: hardly.";
    LLM_TIMEOUT: Duration = "300s", quantity::duration, "seconds, or a number with ms, s, m or h, up to a day",
        "The longest that a whole turn may take, retrieval included.";
    LLM_FIRST_TOKEN_TIMEOUT: Duration = "60s", quantity::duration,
        "seconds, or a number with ms, s, m or h, up to LLM_TIMEOUT",
        "The longest wait for the first token of an answer.";
    LLM_IDLE_TIMEOUT: Duration = "30s", quantity::duration,
        "seconds, or a number with ms, s, m or h, up to LLM_TIMEOUT",
        "The longest silence inside an answer.";
    HISTORY_TOKENS: u32 = "3000", |text| parse::within(text, 0, 1_000_000), "a number from 0 to 1000000",
        "How much of the conversation so far a turn takes along, in tokens.";
    LLM_INPUT_PRICE: Option<f64> = "", |text| parse::optional(text, price), "a number of US dollars",
        "What a million input tokens cost; with LLM_OUTPUT_PRICE the usage shows costs.";
    LLM_OUTPUT_PRICE: Option<f64> = "", |text| parse::optional(text, price), "a number of US dollars",
        "What a million output tokens cost.";
    EMBEDDING_MODEL: String = "text-embedding-3-small", parse::text,
        "the name of an embedding model that the server has, or `offline`",
        "The model that turns text into vectors. After a change `chat init` or `chat up` makes the new vectors while searches use the old ones. `offline`: the built-in one, for servers that have none.";
    EMBEDDING_DIMENSIONS: Option<u32> = "", |text| parse::optional(text, dimensions), "a number from 8 to 8192",
        "The length of a vector. Unset: what the model gives by itself.";
    EMBEDDING_PRICE: Option<f64> = "", |text| parse::optional(text, price), "a number of US dollars",
        "What a million embedded tokens cost; usage shows it.";
}

/// Chunks and search.
pub(crate) mod retrieval {
    use crate::parse;

    settings! { "Retrieval";
        RETRIEVAL_TOP_K: u32 = "6", |text| parse::within(text, 1, 100), "a number from 1 to 100",
            "How many passages a turn is answered from.";
        CHUNK_TOKENS: u32 = "512", |text| parse::within(text, 16, 8192), "a number from 16 to 8192",
            "The longest chunk of a document, in tokens. A change takes effect on documents when they are indexed again.";
        CHUNK_OVERLAP: u32 = "64", |text| parse::within(text, 0, 4096), "a number from 0 to 4096, less than CHUNK_TOKENS",
            "How much neighbouring chunks share, in tokens.";
    }
}
