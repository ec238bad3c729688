//! What dashboards see of the work. The engine measures jobs; here is what only a handler knows.

use chat_core::{Response, Usage};
use metrics::{counter, histogram};

/// A turn has ended.
pub(crate) fn turn(response: &Response) {
    counter!("chat_messages_processed_total", "status" => response.status.as_str()).increment(1);
    let Some(Usage { input_tokens, output_tokens, cost_usd, .. }) = response.usage else {
        return;
    };
    let model = || response.model.clone();
    counter!("llm_tokens_total", "model" => model(), "direction" => "input").increment(input_tokens);
    counter!("llm_tokens_total", "model" => model(), "direction" => "output").increment(output_tokens);
    if let Some(cost) = cost_usd {
        // Counters are whole numbers: a millionth of a dollar is the unit.
        counter!("llm_cost_microdollars_total", "model" => model()).increment((cost * 1e6).round() as u64);
    }
}

/// The first piece of an answer came, milliseconds after the turn was accepted.
pub(crate) fn first_token(model: &str, milliseconds: Option<u64>) {
    if let Some(milliseconds) = milliseconds {
        histogram!("llm_time_to_first_token_seconds", "model" => model.to_owned())
            .record(milliseconds as f64 / 1e3);
    }
}
