//! What the fake does with a request.

use std::time::Duration;

/// What can stand between `[[fake:` and `]]`, separated by semicolons.
pub const DIRECTIVES: &str = "\
answer     say=TEXT | tokens=N (N made-up words) | endless
pace       tps=N (tokens a second) | ttft=MS (to the first token)
shape      reasoning=N (pieces of thought first) | finish=REASON | no-role | no-usage | no-done | no-finish
           | bare (chunks without id, object, created, model) | crlf | comments (keep-alives) | whole (not streamed)
           | keep-open (no end of the body after the last chunk)
success    told=NAME:VALUE (a header)
refusals   status=N | message=TEXT | code=CODE | retry-after=VALUE | header=NAME:VALUE | html
           | refuses=PARAMETER (400 if the request has it)
breaks     hang-headers | hang=N | drip=N (keep-alive comments only) | cut=N | end=N | error=N | garbage=N
           | long-line=N (each after N tokens)
embeddings dims=N | base64 | zero | shuffle | ragged | short | most-texts=N (413 if there are more) | no-text=PART (400 if
           one has it)
";

/// What happens in the middle of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// Nothing more is sent; the connection stays open.
    Hang,
    /// Nothing but a keep-alive comment every 10 ms.
    Drip,
    /// The connection is broken off.
    Cut,
    /// The body ends in order, the answer does not.
    End,
    /// An error inside the stream; the body ends.
    Error,
    /// Bytes that are no events.
    Garbage,
    /// One line of 2 MiB.
    LongLine,
}

/// An answer that is no success.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status; 200 tells an error with a status of success.
    pub status: u16,
    /// What it says.
    pub message: String,
    /// `error.code`.
    pub code: Option<String>,
    /// Further headers, such as `retry-after`.
    pub headers: Vec<(String, String)>,
    /// A page in place of JSON.
    pub html: bool,
}

/// What the fake does. The default answers at once, with usage and all that belongs to a stream.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each a thing that some server does")]
pub struct Script {
    /// The answer; none: a sentence that repeats the question.
    pub say: Option<String>,
    /// Never stops, and ignores `max_tokens`.
    pub endless: bool,
    /// From the request to the first token.
    pub first_token: Duration,
    /// Between two tokens.
    pub per_token: Duration,
    /// Pieces of reasoning before the answer, at the pace of tokens.
    pub reasoning: usize,
    /// A first chunk with the role alone.
    pub role: bool,
    /// A last chunk with usage, if the request asks for it.
    pub usage: bool,
    /// `data: [DONE]` at the end.
    pub done: bool,
    /// The finish reason; none is sent if there is none.
    pub finish: Option<String>,
    /// Chunks with choices alone.
    pub bare: bool,
    /// Lines end with CRLF.
    pub crlf: bool,
    /// A comment before every chunk.
    pub comments: bool,
    /// Ignores `stream`.
    pub whole: bool,
    /// The body does not end after the last chunk.
    pub keep_open: bool,
    /// The key that requests must have, if any.
    pub key: Option<String>,
    /// Further headers of a success.
    pub told: Vec<(String, String)>,
    /// The answer is this refusal.
    pub refusal: Option<Refusal>,
    /// Parameters that are refused with 400.
    pub refuses: Vec<String>,
    /// No headers, ever.
    pub hang_headers: bool,
    /// What happens after how many tokens.
    pub breaks: Option<(usize, Break)>,
    /// The length of vectors, unless the request has `dimensions`.
    pub dims: usize,
    /// Vectors in base64.
    pub base64: bool,
    /// The last vector is zero.
    pub zero: bool,
    /// Vectors come in reverse, with their right `index`.
    pub shuffle: bool,
    /// The last vector is one number shorter.
    pub ragged: bool,
    /// The last vector is missing.
    pub short: bool,
    /// More texts at a time are refused with 413.
    pub most_texts: usize,
    /// A text with this part is refused with 400.
    pub no_text: Option<String>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            say: None,
            endless: false,
            first_token: Duration::ZERO,
            per_token: Duration::ZERO,
            reasoning: 0,
            role: true,
            usage: true,
            done: true,
            finish: Some("stop".to_owned()),
            bare: false,
            crlf: false,
            comments: false,
            whole: false,
            keep_open: false,
            key: None,
            told: Vec::new(),
            refusal: None,
            refuses: Vec::new(),
            hang_headers: false,
            breaks: None,
            dims: 64,
            base64: false,
            zero: false,
            shuffle: false,
            ragged: false,
            short: false,
            most_texts: usize::MAX,
            no_text: None,
        }
    }
}

impl Script {
    /// The default script with directives; an unknown one is the error.
    pub fn parse(directives: &str) -> Result<Self, String> {
        let mut script = Self::default();
        script.apply(directives)?;
        Ok(script)
    }

    /// Changes the script by all directives that stand in `text`, between `[[fake:` and `]]`.
    pub fn apply_markers(&mut self, text: &str) -> Result<(), String> {
        text.split("[[fake:")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once("]]")?.0))
            .try_for_each(|some| self.apply(some))
    }

    fn apply(&mut self, directives: &str) -> Result<(), String> {
        let words = directives.split(';').map(str::trim).filter(|word| !word.is_empty());
        words.into_iter().try_for_each(|word| {
            let (name, value) =
                word.split_once('=').map_or((word, ""), |(name, value)| (name.trim(), value.trim()));
            self.set(name, value)
                .ok_or_else(|| format!("unknown directive {word:?}; known are:\n{DIRECTIVES}"))
        })
    }

    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        self.set_answer(name, value)
            .or_else(|| self.set_refusal(name, value))
            .or_else(|| self.set_break(name, value))
    }

    fn set_answer(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "say" => self.say = Some(value.to_owned()),
            "tokens" => {
                let words: Vec<_> =
                    (1..=value.parse::<usize>().ok()?).map(|number| format!("w{number}")).collect();
                self.say = Some(words.join(" "));
            }
            "endless" => self.endless = true,
            "tps" => {
                let per_second = value.parse::<f64>().ok().filter(|tps| *tps > 0.001)?;
                self.per_token = Duration::from_secs_f64(1.0 / per_second);
            }
            "ttft" => self.first_token = Duration::from_millis(value.parse().ok()?),
            "reasoning" => self.reasoning = value.parse().ok()?,
            "finish" => self.finish = Some(value.to_owned()),
            "no-finish" => self.finish = None,
            "no-role" => self.role = false,
            "no-usage" => self.usage = false,
            "no-done" => self.done = false,
            "bare" => self.bare = true,
            "crlf" => self.crlf = true,
            "comments" => self.comments = true,
            "whole" => self.whole = true,
            "keep-open" => self.keep_open = true,
            "dims" => self.dims = value.parse().ok()?,
            "base64" => self.base64 = true,
            "zero" => self.zero = true,
            "shuffle" => self.shuffle = true,
            "ragged" => self.ragged = true,
            "short" => self.short = true,
            "most-texts" => self.most_texts = value.parse().ok()?,
            "no-text" => self.no_text = Some(value.to_owned()),
            _ => return None,
        }
        Some(())
    }

    fn set_refusal(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "refuses" => {
                self.refuses.push(value.to_owned());
                return Some(());
            }
            "told" => {
                let (name, value) = value.split_once(':')?;
                self.told.push((name.trim().to_owned(), value.trim().to_owned()));
                return Some(());
            }
            _ => {}
        }
        let mut refusal = self.refusal.clone().unwrap_or(Refusal { status: 200, ..Refusal::default() });
        match name {
            "status" => refusal.status = value.parse().ok().filter(|status| (200..600).contains(status))?,
            "message" => value.clone_into(&mut refusal.message),
            "code" => refusal.code = Some(value.to_owned()),
            "retry-after" => refusal.headers.push((name.to_owned(), value.to_owned())),
            "header" => {
                let (name, value) = value.split_once(':')?;
                refusal.headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            "html" => refusal.html = true,
            _ => return None,
        }
        self.refusal = Some(refusal);
        Some(())
    }

    fn set_break(&mut self, name: &str, value: &str) -> Option<()> {
        let kind = match name {
            "hang-headers" => {
                self.hang_headers = true;
                return Some(());
            }
            "hang" => Break::Hang,
            "drip" => Break::Drip,
            "cut" => Break::Cut,
            "end" => Break::End,
            "error" => Break::Error,
            "garbage" => Break::Garbage,
            "long-line" => Break::LongLine,
            _ => return None,
        };
        self.breaks = Some((value.parse().ok()?, kind));
        Some(())
    }
}
