//! Follows an answer and shows it as it is said. A stream that breaks off is resumed where it broke.

use crate::{
    client::{Ask, Client, ClientError, Event, Events, Response},
    commands::paused,
    failure::{Failure, Outcome},
    link::Link,
    output,
    run::Context,
};
use chat_core::is_terminal;
use console::{style, user_attended_stderr};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use std::{
    slice,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// How often a broken stream is resumed without hearing anything new, and the pauses before: a server that is started
/// again is back by then.
const PAUSES: [u64; 6] = [200, 500, 1_000, 2_000, 3_000, 3_000];
/// How long a stop may take after Ctrl-C.
const STOP: Duration = Duration::from_secs(3);

/// Asks, shows the answer's text as it comes, and returns it whole.
pub async fn stream(link: &Link, context: &Context, ask: &Ask) -> Outcome<Response> {
    let mut screen = Screen::new(context.common.json);
    let heard = AtomicU64::new(0);
    let spinner = screen.waiting.clone();
    let (steps, say) = (|| heard.load(Relaxed), |text: &str| beside(spinner.as_ref(), text));
    let mut answer = Answer { client: &link.client, id: None, last: 0, heard: &heard };
    let work = paused::tell_during(link, &["chat"], steps, say, Box::pin(answer.follow(ask, &mut screen)));
    let done = context.interrupt.unless(work).await;
    screen.end();
    match done {
        Some(Ok(response)) => return Ok(response),
        Some(Err(Broken::Failed(error))) => return Err(error.into()),
        Some(Err(Broken::Lost)) => return Err(answer.lost()),
        None => {}
    }
    answer.stop().await;
    Err(Failure::interrupted("the answer was stopped"))
}

/// Why there is no answer.
enum Broken {
    /// The server says why, or was never reached.
    Failed(ClientError),
    /// The server took the question and was not reached any more.
    Lost,
}

impl From<ClientError> for Broken {
    fn from(error: ClientError) -> Self {
        Self::Failed(error)
    }
}

struct Answer<'a> {
    client: &'a Client,
    /// The response, once its first event named it.
    id: Option<String>,
    /// The number of the last event.
    last: u64,
    /// The same, for who watches.
    heard: &'a AtomicU64,
}

/// What the events hold, as far as a screen needs it.
#[derive(Deserialize)]
struct Data {
    response_id: String,
    #[serde(default)]
    delta: String,
    /// Why the answer begins again.
    #[serde(default)]
    reason: String,
    response: Option<Response>,
}

impl Answer<'_> {
    async fn follow(&mut self, ask: &Ask, screen: &mut Screen) -> Result<Response, Broken> {
        let session = self.client.begin(ask).await?;
        let mut events = self.client.ask(&session, &ask.question).await?;
        let mut pauses = PAUSES.iter();
        loop {
            while let Ok(Some(event)) = events.next().await {
                pauses = PAUSES.iter();
                if let Some(response) = self.event(&event, screen)? {
                    return Ok(response);
                }
            }
            events = self.resume(&mut pauses, screen).await?;
        }
    }

    /// The rest of a stream that broke off; a server may be starting again, or have handed the stream to another.
    async fn resume(&self, pauses: &mut slice::Iter<'_, u64>, screen: &Screen) -> Result<Events, Broken> {
        for pause in pauses {
            sleep(Duration::from_millis(*pause)).await;
            let Some(id) = &self.id else { break };
            match self.client.events_after(id, self.last).await {
                Ok(events) => return Ok(events),
                Err(ClientError::Unreachable { .. }) => screen.say("the connection was lost; trying again"),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Broken::Lost)
    }

    /// What was accepted is not lost with the connection.
    fn lost(&self) -> Failure {
        let base = self.client.base();
        let lost = format!("the connection to the server at {base} was lost");
        let Some(id) = &self.id else {
            return Failure::new(lost).hint("ask again: whether the question was accepted is not known");
        };
        Failure::new(format!("{lost}; the answer goes on in the background when the server is back"))
            .hint(format!("curl {base}/api/v1/responses/{id}    shows it then"))
            .hint("start the server again: `chat up`")
    }

    /// Shows an event; the last one holds the answer.
    fn event(&mut self, event: &Event, screen: &mut Screen) -> Result<Option<Response>, ClientError> {
        let data: Data =
            serde_json::from_str(&event.data).map_err(|error| ClientError::Unexpected(error.to_string()))?;
        self.last = event.id.unwrap_or(self.last);
        self.heard.store(self.last, Relaxed);
        self.id = Some(data.response_id);
        match event.name.as_str() {
            "response.file_search_call.searching" => screen.say("searching"),
            "response.file_search_call.completed" => screen.say("thinking"),
            "response.output_text.delta" => screen.text(&data.delta),
            "response.restarted" => screen.restart(&data.reason),
            name if is_terminal(name) => {
                return data
                    .response
                    .map(Some)
                    .ok_or_else(|| ClientError::Unexpected(format!("{name} has no response")));
            }
            _ => {}
        }
        Ok(None)
    }

    /// The server should not go on for nobody.
    async fn stop(&self) {
        if let Some(id) = &self.id
            && timeout(STOP, self.client.cancel_response(id)).await.is_err()
        {
            output::warning("the server did not confirm that it stopped");
        }
    }
}

/// Where the answer appears: the standard output, unless it is for a program.
struct Screen {
    silent: bool,
    waiting: Option<ProgressBar>,
    in_line: bool,
    /// Why the answer began again, if it has said nothing since.
    restarted: Option<String>,
}

impl Screen {
    fn new(silent: bool) -> Self {
        Self { silent, waiting: spinner(silent), in_line: false, restarted: None }
    }

    fn say(&self, what: &'static str) {
        if let Some(spinner) = &self.waiting {
            spinner.set_message(what);
        }
    }

    fn text(&mut self, text: &str) {
        self.clear();
        if !self.silent && !text.is_empty() {
            self.restarted = None;
            output::piece(text);
            self.in_line = !text.ends_with('\n');
        }
    }

    /// What was said does not count any more. A model server may ask to wait many times: once is enough to know.
    fn restart(&mut self, reason: &str) {
        self.end();
        let known = self.restarted.replace(reason.to_owned()).is_some_and(|before| before == reason);
        if !self.silent && !known {
            output::note(&style(restarted(reason)).dim().for_stderr().to_string());
        }
        self.waiting = spinner(self.silent);
    }

    fn end(&mut self) {
        self.clear();
        if std::mem::take(&mut self.in_line) {
            output::line("");
        }
    }

    fn clear(&mut self) {
        if let Some(spinner) = self.waiting.take() {
            spinner.finish_and_clear();
        }
    }
}

/// What a reader is told when the answer begins again, by the event's `reason`.
fn restarted(reason: &str) -> String {
    match reason {
        "worker_lost" => "the worker was lost; the answer begins again".to_owned(),
        "rate_limited" => "the model server asked to wait; it is asked again".to_owned(),
        "" => "the answer begins again".to_owned(),
        code => format!("the attempt failed ({code}); the answer begins again"),
    }
}

/// A note that leaves the spinner whole.
fn beside(spinner: Option<&ProgressBar>, text: &str) {
    match spinner.filter(|spinner| !spinner.is_finished()) {
        Some(spinner) => spinner.suspend(|| output::note(text)),
        None => output::note(text),
    }
}

/// None where nobody looks.
fn spinner(silent: bool) -> Option<ProgressBar> {
    if silent || !user_attended_stderr() {
        return None;
    }
    let spinner = ProgressBar::new_spinner().with_message("asking");
    if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {msg:.dim}") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(100));
    Some(spinner)
}

#[cfg(test)]
mod tests {
    use super::restarted;

    #[test]
    fn a_reader_is_told_why_the_answer_begins_again() {
        assert!(restarted("worker_lost").starts_with("the worker was lost;"));
        assert!(restarted("rate_limited").starts_with("the model server asked to wait"));
        assert!(restarted("provider_error").contains("(provider_error)"));
        assert!(restarted("").starts_with("the answer begins again"), "an event without a reason");
    }
}
