//! Language models and retrieval, as types.

use std::time::Duration;

use crate::catalog::models as keys;
use crate::catalog::models::retrieval as retrieval_keys;
use crate::loader::Loader;
use crate::parse::{self, Parsed};
use crate::secret::Secret;
use crate::url::Url;

/// Where `openai:`, or a key alone, leads.
const OPENAI: &str = "https://api.openai.com/v1";
/// The name of the built-in models.
const OFFLINE: &str = "offline";

/// Who runs a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelProvider {
    /// Nobody: the built-in stand-in.
    Offline,
    /// A server with OpenAI's interface.
    OpenAi {
        /// The address that paths like `/chat/completions` are appended to; no slash at the end.
        base_url: Url,
        /// The key, if the server wants one.
        api_key: Option<Secret>,
    },
}

/// Prices of a chat model, in US dollars per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// Of what the model reads.
    pub input: f64,
    /// Of what it writes.
    pub output: f64,
}

/// The model that answers.
#[derive(Clone, Debug)]
pub struct Llm {
    /// Who runs it.
    pub provider: ModelProvider,
    /// Its name; `offline` without a provider.
    pub model: String,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
    /// 0 to 2.
    pub temperature: f64,
    /// The longest that a whole turn may take.
    pub timeout: Duration,
    /// The longest wait for the first token.
    pub first_token_timeout: Duration,
    /// The longest silence inside an answer.
    pub idle_timeout: Duration,
    /// How much of the conversation so far a turn takes along, in tokens.
    pub history_tokens: u32,
    /// What tokens cost, if somebody said so.
    pub prices: Option<Prices>,
}

impl Llm {
    pub(crate) fn read(loader: &mut Loader) -> Self {
        let provider = read_provider(loader);
        let model = read_model(loader, &provider);
        let max_tokens = loader.get(&keys::LLM_MAX_TOKENS);
        let temperature = loader.get(&keys::LLM_TEMPERATURE);
        let timeout = loader.get(&keys::LLM_TIMEOUT);
        let first_token_timeout = read_inner_timeout(loader, &keys::LLM_FIRST_TOKEN_TIMEOUT, timeout);
        let idle_timeout = read_inner_timeout(loader, &keys::LLM_IDLE_TIMEOUT, timeout);
        let history_tokens = loader.get(&keys::HISTORY_TOKENS);
        let prices = read_prices(loader);
        Self {
            provider,
            model,
            max_tokens,
            temperature,
            timeout,
            first_token_timeout,
            idle_timeout,
            history_tokens,
            prices,
        }
    }
}

fn read_provider(loader: &mut Loader) -> ModelProvider {
    let api_key = loader.get(&keys::OPENAI_API_KEY);
    let chosen = loader.get(&keys::OPENAI_BASE_URL);
    if matches!(chosen, Some(OpenAiUrl::OpenAi)) && api_key.is_none() {
        loader.conflict(&["OPENAI_API_KEY", "OPENAI_BASE_URL"], "is needed, as OPENAI_BASE_URL is `openai:`");
    }
    let base_url = match (chosen, &api_key) {
        (Some(OpenAiUrl::Server(url)), _) => url,
        (Some(OpenAiUrl::OpenAi), _) | (None, Some(_)) => Url::parse(OPENAI).expect("a constant"),
        (Some(OpenAiUrl::Offline), _) | (None, None) => {
            loader.show_derived(&keys::OPENAI_BASE_URL, "offline:");
            return ModelProvider::Offline;
        }
    };
    loader.show_derived(&keys::OPENAI_BASE_URL, OPENAI);
    ModelProvider::OpenAi { base_url, api_key }
}

fn read_model(loader: &mut Loader, provider: &ModelProvider) -> String {
    let model = loader.get(&keys::LLM_MODEL);
    if *provider != ModelProvider::Offline {
        return model;
    }
    if loader.is_set(&keys::LLM_MODEL) && model != OFFLINE {
        loader.warn(
            "LLM_MODEL has no effect: neither OPENAI_BASE_URL nor OPENAI_API_KEY names a server, so the built-in \
             offline answerer quotes passages",
        );
    }
    loader.show_derived(&keys::LLM_MODEL, OFFLINE);
    OFFLINE.into()
}

/// A default that is longer than a chosen whole is cut to it; a chosen one is an error.
fn read_inner_timeout(loader: &mut Loader, key: &crate::setting::Key<Duration>, whole: Duration) -> Duration {
    let inner = loader.get(key);
    if inner > whole && loader.is_set(key) {
        loader.conflict(
            &[key.spec.name, "LLM_TIMEOUT"],
            "is longer than LLM_TIMEOUT, the limit of the whole turn",
        );
    } else if inner > whole {
        loader.show_derived(key, format!("{}ms", whole.as_millis()));
    }
    inner.min(whole)
}

fn read_prices(loader: &mut Loader) -> Option<Prices> {
    let input = loader.get(&keys::LLM_INPUT_PRICE);
    let output = loader.get(&keys::LLM_OUTPUT_PRICE);
    match (input, output) {
        (Some(input), Some(output)) => return Some(Prices { input, output }),
        (None, Some(_)) => {
            loader
                .conflict(&["LLM_INPUT_PRICE", "LLM_OUTPUT_PRICE"], "is needed, as LLM_OUTPUT_PRICE is set");
        }
        (Some(_), None) => {
            loader.conflict(&["LLM_OUTPUT_PRICE", "LLM_INPUT_PRICE"], "is needed, as LLM_INPUT_PRICE is set");
        }
        (None, None) => {}
    }
    None
}

/// The model that turns text into vectors.
#[derive(Clone, Debug)]
pub struct Embedding {
    /// Who runs it.
    pub provider: ModelProvider,
    /// Its name; `offline` without a provider.
    pub model: String,
    /// The length of a vector; `None`: what the model gives by itself.
    pub dimensions: Option<u32>,
    /// US dollars per million tokens, if somebody said so.
    pub price: Option<f64>,
}

impl Embedding {
    /// Embeds with the server that answers, unless the built-in model is asked for.
    pub(crate) fn read(loader: &mut Loader, llm: &ModelProvider) -> Self {
        let model = loader.get(&keys::EMBEDDING_MODEL);
        let dimensions = loader.get(&keys::EMBEDDING_DIMENSIONS);
        let price = loader.get(&keys::EMBEDDING_PRICE);
        let offline = model == OFFLINE || *llm == ModelProvider::Offline;
        if !offline {
            return Self { provider: llm.clone(), model, dimensions, price };
        }
        if loader.is_set(&keys::EMBEDDING_MODEL) && model != OFFLINE {
            loader.warn("EMBEDDING_MODEL has no effect: no server is named, so the built-in model embeds");
        }
        loader.show_derived(&keys::EMBEDDING_MODEL, OFFLINE);
        Self { provider: ModelProvider::Offline, model: OFFLINE.into(), dimensions, price }
    }
}

/// What a turn is answered from.
#[derive(Clone, Debug)]
pub struct Retrieval {
    /// How many passages.
    pub top_k: u32,
    /// The longest chunk, in tokens.
    pub chunk_tokens: u32,
    /// What neighbouring chunks share, in tokens; less than `chunk_tokens`.
    pub chunk_overlap: u32,
}

impl Retrieval {
    pub(crate) fn read(loader: &mut Loader) -> Self {
        let top_k = loader.get(&retrieval_keys::RETRIEVAL_TOP_K);
        let chunk_tokens = loader.get(&retrieval_keys::CHUNK_TOKENS);
        let mut chunk_overlap = loader.get(&retrieval_keys::CHUNK_OVERLAP);
        if loader.is_set(&retrieval_keys::CHUNK_OVERLAP) {
            if chunk_overlap >= chunk_tokens {
                loader.conflict(&["CHUNK_OVERLAP", "CHUNK_TOKENS"], "is not less than CHUNK_TOKENS");
            }
        } else if chunk_overlap > chunk_tokens / 8 {
            // Small chunks keep the proportion of the defaults.
            chunk_overlap = chunk_tokens / 8;
            loader.show_derived(&retrieval_keys::CHUNK_OVERLAP, chunk_overlap.to_string());
        }
        Self { top_k, chunk_tokens, chunk_overlap }
    }
}

/// What `OPENAI_BASE_URL` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum OpenAiUrl {
    Offline,
    OpenAi,
    Server(Url),
}

/// Reads `OPENAI_BASE_URL`.
pub(crate) fn openai_url(text: &str) -> Parsed<OpenAiUrl> {
    match text.to_ascii_lowercase().trim_end_matches("//") {
        "offline:" => Ok(OpenAiUrl::Offline),
        "openai:" => Ok(OpenAiUrl::OpenAi),
        _ => parse::web_url(text).map(OpenAiUrl::Server),
    }
}

/// Reads a vector's length.
pub(crate) fn dimensions(text: &str) -> Parsed<u32> {
    parse::within(text, 8, 8192)
}

/// Reads a price.
pub(crate) fn price(text: &str) -> Parsed<f64> {
    parse::within(text, 0.0, 1_000_000.0)
}
