//! Reads a streamed answer: what arrives becomes text, usage and one end, or one error.

use crate::{
    budget::Budget,
    chunk::{Chunk, End},
    client::Client,
    errors::{self, Told},
    sse::{Event, LONGEST, SseParser},
    thought::Thought,
};
use chat_core::{
    PortError, PortResult, Usage,
    ports::{Completion, CompletionStream, Delta, FinishReason},
};
use futures::{StreamExt, stream};
use reqwest::{Response, header::CONTENT_TYPE};
use std::{collections::VecDeque, pin::Pin, sync::Arc, time::Duration};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long the count of tokens may come after the end: the answer is complete without it.
const AFTERMATH: Duration = Duration::from_secs(2);
const FAR: Duration = Duration::from_hours(720);

/// When a wait is over.
pub(crate) struct Waits {
    first_token: Duration,
    idle: Duration,
    /// None: a piece has just come, and the next wait begins when the reader asks again. A slow reader is no
    /// silent server.
    deadline: Option<Instant>,
    is_begun: bool,
}

impl Waits {
    /// Starts the wait for the first piece.
    pub(crate) fn begin(completion: &Completion) -> Self {
        let first_token = completion.first_token_timeout.min(FAR);
        let deadline = Some(Instant::now() + first_token);
        Self { first_token, idle: completion.idle_timeout.min(FAR), deadline, is_begun: false }
    }

    /// When the first piece is due.
    pub(crate) fn first(&self) -> Instant {
        self.deadline.unwrap_or_else(Instant::now)
    }

    fn current(&mut self) -> Instant {
        *self.deadline.get_or_insert_with(|| Instant::now() + self.idle)
    }

    fn piece_came(&mut self) {
        self.is_begun = true;
        self.deadline = None;
    }

    fn end_came(&mut self) {
        self.deadline = Some(Instant::now() + self.idle.min(AFTERMATH));
    }

    fn error(&self) -> PortError {
        if self.is_begun {
            errors::silent("further text", self.idle)
        } else {
            errors::silent("text", self.first_token)
        }
    }
}

/// The pieces of `response`. It is closed as soon as the answer ends, or when the stream is dropped.
pub(crate) fn read(
    mut response: Response,
    waits: Waits,
    max_tokens: u32,
    client: Arc<Client>,
) -> CompletionStream {
    let form = Form::of(&response);
    // They lie in the buffer that they were read into: 8 KiB for as long as the answer takes.
    response.headers_mut().clear();
    let reader = Reader {
        response: Some(response),
        form,
        sse: SseParser::default(),
        whole: Vec::new(),
        ready: VecDeque::new(),
        alarm: Box::pin(sleep_until(waits.first())),
        waits,
        budget: Budget::new(max_tokens),
        thought: Thought::default(),
        finish: None,
        usage: None,
        client,
    };
    stream::try_unfold(
        reader,
        |mut reader| async move { Ok(reader.next().await?.map(|delta| (delta, reader))) },
    )
    .boxed()
}

/// How the answer is written down.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Events,
    /// One object: the server ignored `stream`, or tells an error with status 200.
    Whole,
    Page,
}

impl Form {
    fn of(response: &Response) -> Self {
        let kind =
            response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/json" => Self::Whole,
            "text/html" => Self::Page,
            // Some servers send events as text/plain, or name no type.
            _ => Self::Events,
        }
    }
}

struct Reader {
    /// None: the answer is over.
    response: Option<Response>,
    form: Form,
    sse: SseParser,
    whole: Vec<u8>,
    ready: VecDeque<Delta>,
    waits: Waits,
    /// Goes off when a wait is over. To put it off costs next to nothing; a timer for each piece would be set, and taken
    /// back, each time.
    alarm: Pin<Box<Sleep>>,
    budget: Budget,
    thought: Thought,
    finish: Option<FinishReason>,
    /// The last count: some servers count along with every piece.
    usage: Option<Usage>,
    client: Arc<Client>,
}

impl Reader {
    async fn next(&mut self) -> PortResult<Option<Delta>> {
        loop {
            if let Some(delta) = self.ready.pop_front() {
                return Ok(Some(delta));
            }
            if self.response.is_none() {
                return Ok(None);
            }
            match self.sse.next()? {
                Some(event) => self.take(&event)?,
                None => self.receive().await?,
            }
        }
    }

    async fn receive(&mut self) -> PortResult<()> {
        let Some(response) = &mut self.response else {
            return Ok(());
        };
        let deadline = self.waits.current();
        if self.alarm.deadline() != deadline {
            self.alarm.as_mut().reset(deadline);
        }
        let received = tokio::select! {
            biased;
            received = response.chunk() => Some(received),
            () = &mut self.alarm => None,
        };
        match received {
            Some(Ok(Some(bytes))) => self.arrived(&bytes),
            Some(Ok(None)) => self.closed(),
            _ if self.finish.is_some() => self.conclude(),
            Some(Err(error)) => Err(errors::cut().with_source(error.without_url())),
            None => Err(self.waits.error()),
        }
    }

    fn arrived(&mut self, bytes: &[u8]) -> PortResult<()> {
        match self.form {
            Form::Events => self.sse.push(bytes),
            Form::Whole if self.whole.len() + bytes.len() <= LONGEST => self.whole.extend_from_slice(bytes),
            Form::Whole => {
                return Err(errors::protocol(format_args!("an answer of more than {LONGEST} bytes")));
            }
            Form::Page => return Err(errors::protocol("a web page (is the base URL right?)")),
        }
        Ok(())
    }

    /// The server closed the stream in order.
    fn closed(&mut self) -> PortResult<()> {
        if self.form == Form::Whole {
            let whole = String::from_utf8_lossy(&std::mem::take(&mut self.whole)).into_owned();
            self.take_data(&whole)?;
            self.finish.get_or_insert(FinishReason::Stop);
        } else if let Ok(Some(event)) = self.sse.finish() {
            // Half an event is a cut, not garbage.
            if event.data == "[DONE]" || serde_json::from_str::<Chunk>(&event.data).is_ok() {
                self.take(&event)?;
            }
        }
        if self.finish.is_none() {
            return Err(errors::cut());
        }
        self.conclude()
    }

    fn take(&mut self, event: &Event) -> PortResult<()> {
        match event.data.trim() {
            "" => Ok(()),
            "[DONE]" => {
                // Some servers never say why they stopped.
                self.finish.get_or_insert(FinishReason::Stop);
                self.conclude()
            }
            data if event.name == "error" => {
                Err(Told::from_body(data).into_stream_error(&self.client.secrets))
            }
            data => self.take_data(data),
        }
    }

    fn take_data(&mut self, data: &str) -> PortResult<()> {
        let chunk: Chunk = serde_json::from_str(data)
            .map_err(|error| errors::protocol("data that is no answer").with_source(error))?;
        if let Some(error) = chunk.error(data) {
            return Err(Told::from_value(&error).into_stream_error(&self.client.secrets));
        }
        self.usage = chunk.usage().or(self.usage);
        if self.take_text(&chunk) {
            return Ok(());
        }
        match chunk.end() {
            Some(End::Finished(reason)) if self.finish.is_none() => {
                self.finish = Some(reason);
                self.waits.end_came();
                Ok(())
            }
            Some(End::Failed(why)) => Err(PortError::unavailable(format!(
                "the model server gave up: {}",
                self.client.secrets.tidy(&why)
            ))),
            _ => Ok(()),
        }
    }

    /// Takes what was said and thought; answers whether that was too much and the answer is over.
    fn take_text(&mut self, chunk: &Chunk) -> bool {
        let (mut thought, said) = (chunk.reasoning(), chunk.text());
        if thought.is_empty() && said.is_empty() {
            return false;
        }
        if self.finish.is_none() {
            self.waits.piece_came();
        }
        let (aloud, text) = self.thought.part(said);
        thought.push_str(&aloud);
        self.take_parted(&thought, text)
    }

    fn take_parted(&mut self, thought: &str, mut text: String) -> bool {
        let thought_fits = thought.is_empty() || self.budget.take(thought) == thought.len();
        let fits = if text.is_empty() || !thought_fits { 0 } else { self.budget.take(&text) };
        let is_over = !thought_fits || fits < text.len();
        text.truncate(fits);
        if !text.is_empty() {
            self.ready.push_back(Delta::Text(text));
        }
        if is_over {
            self.finish = Some(FinishReason::Length);
            self.end();
        }
        is_over
    }

    #[expect(clippy::unnecessary_wraps, reason = "the last step of functions that can fail")]
    fn conclude(&mut self) -> PortResult<()> {
        let kept = self.thought.rest();
        if self.take_parted("", kept) {
            return Ok(());
        }
        self.end();
        Ok(())
    }

    /// Says the end and lets go of the connection: a reader may keep the stream for long.
    fn end(&mut self) {
        self.response = None;
        self.ready.extend(self.usage.take().map(Delta::Usage));
        self.ready.extend(self.finish.take().map(Delta::Finish));
    }
}
