//! The bytes of a stream.

use super::Script;
use serde_json::{Value, json};

/// Writes chunks as the script wants them to look.
pub(super) struct Wire {
    head: String,
    line_end: &'static str,
    comments: bool,
}

impl Wire {
    pub(super) fn new(script: &Script, id: u64, model: &str) -> Self {
        let model = Value::from(model);
        let head =
            format!(r#""id":"chatcmpl-{id}","object":"chat.completion.chunk","created":1,"model":{model},"#);
        Self {
            head: if script.bare { String::new() } else { head },
            line_end: if script.crlf { "\r\n" } else { "\n" },
            comments: script.comments,
        }
    }

    pub(super) fn event(&self, data: &str) -> String {
        let end = self.line_end;
        let comment = if self.comments { format!(": keep-alive{end}{end}") } else { String::new() };
        format!("{comment}data: {data}{end}{end}")
    }

    /// A chunk whose only choice is this; written by hand, as a thousand streams at once take their time.
    fn choice(&self, delta: &str, finish: &str) -> String {
        let head = &self.head;
        self.event(&format!(
            r#"{{{head}"choices":[{{"index":0,"delta":{delta},"finish_reason":{finish}}}]}}"#
        ))
    }

    pub(super) fn role(&self) -> String {
        self.choice(r#"{"role":"assistant","content":null}"#, "null")
    }

    pub(super) fn thought(&self, text: &str) -> String {
        self.choice(&format!(r#"{{"content":null,"reasoning_content":{}}}"#, Value::from(text)), "null")
    }

    pub(super) fn text(&self, text: &str) -> String {
        self.choice(&format!(r#"{{"content":{}}}"#, Value::from(text)), "null")
    }

    pub(super) fn finish(&self, reason: &str) -> String {
        self.choice("{}", &Value::from(reason).to_string())
    }

    pub(super) fn usage(&self, usage: &Value) -> String {
        self.event(&format!(r#"{{{}"choices":[],"usage":{usage}}}"#, self.head))
    }

    pub(super) fn error(&self) -> String {
        self.event(
            &json!({"error": {"message": "the fake broke", "type": "server_error", "code": null}})
                .to_string(),
        )
    }
}

/// The counts that belong to a request and its answer.
pub(super) fn usage(request: &Value, output: usize) -> Value {
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let read: usize =
        messages.iter().map(|message| pieces(message["content"].as_str().unwrap_or_default()).len()).sum();
    json!({"prompt_tokens": read, "completion_tokens": output, "total_tokens": read + output})
}

/// Words with the space before them, and single Han characters: about what tokens are.
pub(super) fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in text.chars() {
        let begins = pieces.is_empty()
            || is_wide(c)
            || is_wide(before)
            || (c.is_whitespace() && !before.is_whitespace());
        match pieces.last_mut().filter(|_| !begins) {
            Some(last) => last.push(c),
            None => pieces.push(c.to_string()),
        }
        before = c;
    }
    pieces
}

fn is_wide(c: char) -> bool {
    c >= '\u{2e80}'
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn pieces_are_words_and_han_characters() {
        assert_eq!(pieces("The sky  is 蓝色 [1]."), ["The", " sky", "  is", " ", "蓝", "色", " [1]."]);
        assert_eq!(pieces(""), Vec::<String>::new());
    }
}
