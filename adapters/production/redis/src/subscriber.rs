//! The one connection on which this process is told things, however many streams it follows.

use crate::hub::Hub;
use futures::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout},
};

/// The first pause before the connection is opened again.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A connection that says nothing for so long is asked whether it is still there.
const QUIET: Duration = Duration::from_secs(1);
/// How long it may take to answer that, or to confirm a subscription.
const ANSWER: Duration = Duration::from_secs(2);
/// The most channels of one command.
const GROUP: usize = 512;

enum Command {
    /// Told whether the channel is heard from now on.
    Add(String, oneshot::Sender<bool>),
    Remove(String),
}

/// Listens to channels. Ends when it is dropped.
pub(crate) struct Subscriber {
    commands: mpsc::UnboundedSender<Command>,
}

impl Subscriber {
    /// Listens to these channels, and to those that are added.
    pub(crate) fn start(hub: Arc<Hub>, channels: impl IntoIterator<Item = String>) -> Self {
        let (commands, queue) = mpsc::unbounded_channel();
        let task = Task { hub, queue, wanted: channels.into_iter().collect() };
        #[allow(clippy::disallowed_methods)] // ends when the sender of its commands is dropped
        tokio::spawn(task.run());
        Self { commands }
    }

    /// Asks for a channel; the answer says when it is heard, or that it cannot be for now. Then it is heard as soon as
    /// the server is back.
    pub(crate) fn add(&self, channel: String) -> oneshot::Receiver<bool> {
        let (reply, heard) = oneshot::channel();
        self.commands.send(Command::Add(channel, reply)).ok();
        heard
    }

    pub(crate) fn remove(&self, channel: String) {
        self.commands.send(Command::Remove(channel)).ok();
    }
}

struct Task {
    hub: Arc<Hub>,
    queue: mpsc::UnboundedReceiver<Command>,
    wanted: HashSet<String>,
}

/// Why a connection is not used any more.
enum End {
    Lost(String),
    Dropped,
}

impl Task {
    async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.hub.source().subscribe().await {
                Ok(connection) => {
                    let (mut sink, mut stream) = connection.split();
                    let begun = Instant::now();
                    match self.listen(&mut sink, &mut stream).await {
                        End::Dropped => return,
                        End::Lost(why) => tracing::warn!(why, "the connection that hears messages was lost"),
                    }
                    self.hub.deaf();
                    if begun.elapsed() > LONGEST_PAUSE {
                        pause = FIRST_PAUSE;
                    }
                }
                Err(error) => tracing::debug!(%error, "messages cannot be heard"),
            }
            if !self.wait(pause).await {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Remembers what is asked meanwhile. `false`: nobody will ask any more.
    async fn wait(&mut self, pause: Duration) -> bool {
        let over = sleep(pause);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return true,
                command = self.queue.recv() => match command {
                    None => return false,
                    Some(Command::Add(channel, reply)) => {
                        self.wanted.insert(channel);
                        reply.send(false).ok();
                    }
                    Some(Command::Remove(channel)) => {
                        self.wanted.remove(&channel);
                    }
                },
            }
        }
    }

    async fn listen(&mut self, sink: &mut PubSubSink, stream: &mut PubSubStream) -> End {
        let wanted: Vec<_> = self.wanted.iter().cloned().collect();
        for group in wanted.chunks(GROUP) {
            if let Err(end) = confirmed(sink.subscribe(group)).await {
                return end;
            }
        }
        self.hub.clone().hears();
        let mut commands = Vec::with_capacity(GROUP);
        loop {
            tokio::select! {
                number = self.queue.recv_many(&mut commands, GROUP) => {
                    if number == 0 {
                        return End::Dropped;
                    }
                    if let Err(end) = self.obey(sink, &mut commands).await {
                        return end;
                    }
                }
                message = timeout(QUIET, stream.next()) => match message {
                    Ok(Some(message)) => self.hub.heard(message.get_channel_name(), message.get_payload_bytes()).await,
                    Ok(None) => return End::Lost("it was closed".into()),
                    Err(_) => if let Err(end) = confirmed(sink.ping::<redis::Value>()).await {
                        return end;
                    },
                },
            }
        }
    }

    /// Does a group of commands, in their order as far as it matters.
    async fn obey(&mut self, sink: &mut PubSubSink, commands: &mut Vec<Command>) -> Result<(), End> {
        let (mut added, mut removed, mut replies) = (Vec::new(), HashSet::new(), Vec::new());
        for command in commands.drain(..) {
            match command {
                Command::Add(channel, reply) => {
                    removed.remove(&channel);
                    if self.wanted.insert(channel.clone()) {
                        added.push(channel);
                    }
                    replies.push(reply);
                }
                Command::Remove(channel) => {
                    self.wanted.remove(&channel);
                    removed.insert(channel);
                }
            }
        }
        added.retain(|channel| self.wanted.contains(channel));
        if !removed.is_empty() {
            confirmed(sink.unsubscribe(removed.into_iter().collect::<Vec<_>>())).await?;
        }
        if !added.is_empty() {
            confirmed(sink.subscribe(added)).await?;
        }
        for reply in replies {
            reply.send(true).ok();
        }
        Ok(())
    }
}

async fn confirmed<T>(command: impl Future<Output = redis::RedisResult<T>>) -> Result<(), End> {
    match timeout(ANSWER, command).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(End::Lost(error.to_string())),
        Err(_) => Err(End::Lost("it does not answer".into())),
    }
}
