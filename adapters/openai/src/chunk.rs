//! One piece of a streamed answer, or a whole one, as servers really send them: every field may be missing or null.

use chat_core::{Usage, ports::FinishReason};
use serde::Deserialize;
use serde_json::Value;

/// `chat.completion.chunk`, `chat.completion`, or an error in their place.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Chunk {
    choices: Option<Vec<Choice>>,
    usage: Option<Value>,
    error: Option<Value>,
    object: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Choice {
    index: Option<Value>,
    delta: Option<Said>,
    /// Instead of `delta` in an answer that is not streamed.
    message: Option<Said>,
    finish_reason: Option<Value>,
    usage: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Said {
    content: Option<Value>,
    refusal: Option<Value>,
    reasoning_content: Option<Value>,
    reasoning: Option<Value>,
    thinking: Option<Value>,
}

/// How the server says that it is done.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    Finished(FinishReason),
    /// It stopped for a fault of its own.
    Failed(String),
}

impl Chunk {
    /// The error that stands in the chunk's place or beside it; `data` is the chunk's text.
    pub(crate) fn error(&self, data: &str) -> Option<Value> {
        let is_error = self.object.as_ref().and_then(Value::as_str) == Some("error");
        match &self.error {
            Some(error) if !error.is_null() => Some(error.clone()),
            _ if is_error => serde_json::from_str(data).ok(),
            _ => None,
        }
    }

    /// The only choice that was asked for.
    fn choice(&self) -> Option<&Choice> {
        let choices = self.choices.as_deref().unwrap_or_default();
        choices.iter().find(|choice| choice.index.as_ref().and_then(Value::as_u64).unwrap_or(0) == 0)
    }

    fn said(&self) -> Option<&Said> {
        self.choice().and_then(|choice| choice.delta.as_ref().or(choice.message.as_ref()))
    }

    /// The text of the answer; empty if there is none. A refusal is what the model says too.
    pub(crate) fn text(&self) -> String {
        let Some(said) = self.said() else {
            return String::new();
        };
        let content = text_of(said.content.as_ref());
        if content.is_empty() { text_of(said.refusal.as_ref()) } else { content }
    }

    /// What the model thinks before it speaks: a sign of life, no answer.
    pub(crate) fn reasoning(&self) -> String {
        let Some(said) = self.said() else {
            return String::new();
        };
        let fields = [&said.reasoning_content, &said.reasoning, &said.thinking];
        let thought = fields.iter().map(|field| text_of(field.as_ref())).find(|text| !text.is_empty());
        thought.unwrap_or_else(|| thought_parts(said.content.as_ref()))
    }

    /// The end, if this chunk says so. Some servers send an empty reason where others send null.
    pub(crate) fn end(&self) -> Option<End> {
        let reason = self.choice()?.finish_reason.as_ref()?.as_str().filter(|reason| !reason.is_empty())?;
        Some(match reason {
            "length" | "max_tokens" => End::Finished(FinishReason::Length),
            "content_filter" | "sensitive" => End::Finished(FinishReason::ContentFilter),
            "error" | "insufficient_system_resource" | "abort" => End::Failed(reason.to_owned()),
            _ => End::Finished(FinishReason::Stop),
        })
    }

    /// The tokens so far, if the chunk counts them.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let usage = self.usage.as_ref().or_else(|| self.choice()?.usage.as_ref())?;
        let counted = usage.is_object().then(|| {
            let input_tokens = count(usage, "prompt_tokens");
            let output_tokens = count(usage, "completion_tokens");
            let total_tokens = count(usage, "total_tokens").max(input_tokens + output_tokens);
            Usage { input_tokens, output_tokens, total_tokens, cost_usd: None }
        });
        counted.filter(|usage| usage.total_tokens > 0)
    }
}

/// More tokens than any request has: who says so cannot count, and sums would overflow.
const MOST_TOKENS: u64 = 1_000_000_000;

/// A number of tokens; 0 if it is missing, no number, or one that cannot be.
pub(crate) fn count(usage: &Value, name: &str) -> u64 {
    let Some(value) = usage.get(name) else { return 0 };
    let number = value.as_u64().or_else(|| value.as_f64().map(|number| number.max(0.0) as u64));
    number.filter(|tokens| *tokens <= MOST_TOKENS).unwrap_or(0)
}

/// A string, or the texts of a list of parts.
fn text_of(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().filter_map(|part| part.get("text")?.as_str()).collect(),
        _ => String::new(),
    }
}

/// Parts of another kind than text, such as `{"type":"thinking","thinking":[…]}`.
fn thought_parts(content: Option<&Value>) -> String {
    let parts = content.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    parts.iter().map(|part| text_of(part.get("thinking"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(json: &str) -> Chunk {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn text_is_found_and_reasoning_is_not_text() {
        for (json, text, reasoning) in [
            (r#"{"choices":[{"delta":{"content":"a"}}]}"#, "a", ""),
            (r#"{"choices":[{"index":null,"delta":{"role":"assistant","content":null}}]}"#, "", ""),
            (r#"{"choices":[{"delta":{"content":"","reasoning_content":"r"}}]}"#, "", "r"),
            (r#"{"choices":[{"delta":{"reasoning":"r"}}]}"#, "", "r"),
            (r#"{"choices":[{"delta":{"content":[{"type":"text","text":"a"}]}}]}"#, "a", ""),
            (
                r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"r"}]}]}}]}"#,
                "",
                "r",
            ),
            (r#"{"choices":[{"delta":{"content":null,"refusal":"I cannot"}}]}"#, "I cannot", ""),
            (r#"{"choices":[{"index":1,"delta":{"content":"other"}}]}"#, "", ""),
            (r#"{"choices":[{"message":{"content":"whole"}}]}"#, "whole", ""),
            (r#"{"choices":[]}"#, "", ""),
            (r#"{"choices":null,"x":1}"#, "", ""),
            ("{}", "", ""),
        ] {
            assert_eq!(
                (chunk(json).text().as_str(), chunk(json).reasoning().as_str()),
                (text, reasoning),
                "{json}"
            );
        }
    }

    #[test]
    fn the_end_is_known_by_many_names() {
        for (reason, end) in [
            (r#""stop""#, Some(End::Finished(FinishReason::Stop))),
            (r#""eos""#, Some(End::Finished(FinishReason::Stop))),
            (r#""length""#, Some(End::Finished(FinishReason::Length))),
            (r#""content_filter""#, Some(End::Finished(FinishReason::ContentFilter))),
            (r#""error""#, Some(End::Failed("error".into()))),
            (r#""""#, None),
            ("null", None),
        ] {
            assert_eq!(
                chunk(&format!(r#"{{"choices":[{{"finish_reason":{reason}}}]}}"#)).end(),
                end,
                "{reason}"
            );
        }
    }

    #[test]
    fn usage_is_found_wherever_it_stands() {
        let usage =
            chunk(r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4.0}}"#).usage().unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_tokens), (3, 4, 7));
        let inside =
            chunk(r#"{"choices":[{"usage":{"prompt_tokens":3,"total_tokens":9}}]}"#).usage().unwrap();
        assert_eq!((inside.input_tokens, inside.total_tokens), (3, 9));
        assert_eq!(chunk(r#"{"usage":null}"#).usage(), None);
        assert_eq!(chunk(r#"{"usage":{"prompt_tokens":9223372036854775808}}"#).usage(), None);
    }

    #[test]
    fn errors_stand_in_several_places() {
        let beside = r#"{"choices":[{"finish_reason":"error"}],"error":{"message":"x"}}"#;
        assert_eq!(chunk(beside).error(beside).unwrap()["message"], "x");
        let flat = r#"{"object":"error","message":"y","code":500}"#;
        assert_eq!(chunk(flat).error(flat).unwrap()["message"], "y");
        assert_eq!(chunk(r#"{"error":null}"#).error(r#"{"error":null}"#), None);
    }
}
