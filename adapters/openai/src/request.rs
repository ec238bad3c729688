//! The request, in the dialect that the server understands.

use crate::refusal::Refusal;
use async_openai::types::chat::{
    ChatCompletionRequestAssistantMessage, ChatCompletionRequestMessage, ChatCompletionRequestSystemMessage,
    ChatCompletionRequestUserMessage, ChatCompletionStreamOptions, CreateChatCompletionRequest,
};
use chat_core::{
    Role,
    ports::{Completion, PromptMessage},
};

/// What a server refused so far: it is left out, or said differently.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// No `stream_options`: such servers count no tokens.
    no_stream_options: bool,
    /// `max_completion_tokens` instead of `max_tokens`.
    completion_tokens: bool,
    /// No `temperature`: models that only know their own.
    no_temperature: bool,
}

impl Dialect {
    /// The dialect to try next, if the refusal names something that can be said differently.
    pub(crate) fn adapt(self, refusal: &Refusal) -> Option<Self> {
        if !refusal.is_about_parameters() {
            return None;
        }
        let said = &refusal.said;
        // A temperature out of range is the caller's mistake and stays an error.
        let is_fixed =
            ["unsupported", "not support", "only the default"].iter().any(|hint| said.contains(hint));
        let next = Self {
            no_stream_options: self.no_stream_options || said.contains("stream_options"),
            completion_tokens: self.completion_tokens || said.contains("max_completion_tokens"),
            no_temperature: self.no_temperature || (said.contains("temperature") && is_fixed),
        };
        (next != self).then_some(next)
    }

    /// The body of the request.
    pub(crate) fn request(self, model: &str, completion: &Completion) -> CreateChatCompletionRequest {
        let limit = Some(completion.max_tokens.max(1));
        let options = ChatCompletionStreamOptions { include_usage: Some(true), include_obfuscation: None };
        #[expect(deprecated, reason = "most servers know only `max_tokens`")]
        CreateChatCompletionRequest {
            model: model.to_owned(),
            messages: completion.messages.iter().map(message).collect(),
            temperature: (!self.no_temperature).then_some(completion.temperature),
            max_tokens: limit.filter(|_| !self.completion_tokens),
            max_completion_tokens: limit.filter(|_| self.completion_tokens),
            stream: Some(true),
            stream_options: (!self.no_stream_options).then_some(options),
            ..CreateChatCompletionRequest::default()
        }
    }
}

fn message(message: &PromptMessage) -> ChatCompletionRequestMessage {
    let content = message.content.clone();
    match message.role {
        Role::System => {
            ChatCompletionRequestSystemMessage { content: content.into(), ..Default::default() }.into()
        }
        Role::User => {
            ChatCompletionRequestUserMessage { content: content.into(), ..Default::default() }.into()
        }
        Role::Assistant => {
            ChatCompletionRequestAssistantMessage { content: Some(content.into()), ..Default::default() }
                .into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_core::{ErrorKind, PortError, ports::Purpose};
    use reqwest::StatusCode;
    use serde_json::{Value, json};
    use std::time::Duration;

    fn body(dialect: Dialect) -> Value {
        let say = |role, content: &str| PromptMessage { role, content: content.into() };
        let completion = Completion {
            model: String::new(),
            purpose: Purpose::Answer,
            messages: vec![say(Role::System, "s"), say(Role::User, "问"), say(Role::Assistant, "a")],
            question: String::new(),
            passages: Vec::new(),
            temperature: 0.7,
            max_tokens: 9,
            trace: None,
            first_token_timeout: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(1),
        };
        serde_json::to_value(dialect.request("m", &completion)).unwrap()
    }

    fn refusal(status: StatusCode, said: &str) -> Refusal {
        Refusal { status: Some(status), said: said.into(), error: PortError::new(ErrorKind::Invalid, "") }
    }

    #[test]
    fn the_whole_request_is_as_servers_expect_it() {
        let mut sent = body(Dialect::default());
        let temperature = sent["temperature"].take().as_f64().unwrap();
        assert!((temperature - 0.7).abs() < 1e-6);
        assert_eq!(
            sent,
            json!({
                "model": "m", "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 9,
                "temperature": null,
                "messages": [
                    {"role": "system", "content": "s"},
                    {"role": "user", "content": "问"},
                    {"role": "assistant", "content": "a"},
                ],
            })
        );
    }

    #[test]
    fn what_is_refused_is_said_differently() {
        let refused = "unsupported: stream_options; 'max_tokens' … use 'max_completion_tokens'; temperature";
        let next = Dialect::default().adapt(&refusal(StatusCode::BAD_REQUEST, refused)).unwrap();
        let sent = body(next);
        assert_eq!(sent["max_completion_tokens"], 9);
        for gone in ["stream_options", "max_tokens", "temperature"] {
            assert_eq!(sent.get(gone), None, "{gone}");
        }
        assert_eq!(next.adapt(&refusal(StatusCode::BAD_REQUEST, refused)), None);
    }

    #[test]
    fn other_complaints_are_not_answered_by_another_try() {
        let wrong = [
            refusal(StatusCode::BAD_REQUEST, "temperature must be between 0 and 2"),
            refusal(StatusCode::BAD_REQUEST, "context length exceeded"),
            refusal(StatusCode::TOO_MANY_REQUESTS, "stream_options"),
            PortError::unavailable("stream_options").into(),
        ];
        for refusal in wrong {
            assert_eq!(Dialect::default().adapt(&refusal), None, "{refusal:?}");
        }
    }
}
