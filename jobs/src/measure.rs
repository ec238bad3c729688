//! What dashboards see of the work. The engine measures jobs; here is what only a handler knows.

use chat_core::{Response, Usage};
use metrics::{counter, histogram};

/// A turn has ended.
pub(crate) fn turn(response: &Response) {
    counter!("chat_messages_processed_total", "status" => response.status.as_str()).increment(1);
    let Some(Usage { input_tokens, output_tokens, cost_usd, .. }) = response.usage else {
        return;
    };
    tokens(&response.model, "input", input_tokens);
    tokens(&response.model, "output", output_tokens);
    cost(&response.model, cost_usd);
}

/// A model has read (`input`) or written (`output`) tokens.
pub(crate) fn tokens(model: &str, direction: &'static str, tokens: u64) {
    counter!("llm_tokens_total", "model" => model.to_owned(), "direction" => direction).increment(tokens);
}

/// What they cost, in US dollars, if that is known.
pub(crate) fn cost(model: &str, dollars: Option<f64>) {
    if let Some(dollars) = dollars {
        // Counters are whole numbers: a millionth of a dollar is the unit.
        counter!("llm_cost_microdollars_total", "model" => model.to_owned())
            .increment((dollars * 1e6).round() as u64);
    }
}

/// The first piece of an answer came, milliseconds after the turn was accepted.
pub(crate) fn first_token(model: &str, milliseconds: Option<u64>) {
    if let Some(milliseconds) = milliseconds {
        histogram!("llm_time_to_first_token_seconds", "model" => model.to_owned())
            .record(milliseconds as f64 / 1e3);
    }
}
