use async_trait::async_trait;
use chat_core::{
    ErrorKind, PortError, PortResult, Usage,
    ports::{Clock, Completion, CompletionStream, Delta, Embedder, Embeddings, FinishReason, Llm},
};
use futures::{StreamExt, stream};
use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// One thing that a scripted model does.
#[derive(Debug, Clone)]
pub enum Step {
    /// Says something.
    Say(&'static str),
    /// Says it over and over.
    SayForEver(&'static str),
    /// Lets time pass.
    Wait(Duration),
    /// Counts tokens.
    Count(u64, u64),
    /// Ends.
    Finish(FinishReason),
    /// Fails.
    Fail(ErrorKind),
    /// Refuses with a wait.
    SlowDown(Duration),
    /// Never does anything again.
    Hang,
}

/// A script that says these pieces and stops.
pub fn say(pieces: &[&'static str]) -> Vec<Step> {
    pieces.iter().map(|piece| Step::Say(piece)).chain([Step::Finish(FinishReason::Stop)]).collect()
}

/// A model that follows scripts, one for each completion.
pub struct FakeLlm {
    clock: Arc<dyn Clock>,
    scripts: Mutex<VecDeque<Vec<Step>>>,
    /// What it was asked.
    pub asked: Mutex<Vec<Completion>>,
    /// How many of its streams were dropped.
    pub closed: Arc<AtomicUsize>,
    /// How long it is not to be asked.
    pub pause: Mutex<Option<Duration>>,
}

impl FakeLlm {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            scripts: Mutex::default(),
            asked: Mutex::default(),
            closed: Arc::default(),
            pause: Mutex::default(),
        }
    }

    /// What to do at the next completion.
    pub fn script(&self, steps: Vec<Step>) {
        self.scripts.lock().unwrap().push_back(steps);
    }

    /// The prompts so far.
    pub fn asked(&self) -> Vec<Completion> {
        self.asked.lock().unwrap().clone()
    }
}

struct Closing(Arc<AtomicUsize>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Llm for FakeLlm {
    fn model(&self) -> &'static str {
        "fake"
    }

    async fn pause(&self) -> Option<Duration> {
        *self.pause.lock().unwrap()
    }

    async fn complete(&self, completion: Completion) -> PortResult<CompletionStream> {
        self.asked.lock().unwrap().push(completion);
        let steps = self.scripts.lock().unwrap().pop_front().expect("a completion without a script");
        match steps.first() {
            Some(Step::Fail(kind)) => {
                return Err(PortError::new(*kind, "refused, with an inner detail sk-123"));
            }
            Some(Step::SlowDown(wait)) => {
                return Err(PortError::new(ErrorKind::RateLimited, "slow down").with_retry_after(Some(*wait)));
            }
            _ => {}
        }
        let state = (VecDeque::from(steps), self.clock.clone(), Closing(self.closed.clone()));
        Ok(stream::unfold(state, |mut state| async move {
            next(&mut state.0, &*state.1).await.map(|it| (it, state))
        })
        .boxed())
    }
}

async fn next(steps: &mut VecDeque<Step>, clock: &dyn Clock) -> Option<PortResult<Delta>> {
    loop {
        return Some(match steps.pop_front()? {
            Step::Say(piece) => Ok(Delta::Text(piece.into())),
            Step::SayForEver(piece) => {
                steps.push_front(Step::SayForEver(piece));
                tokio::task::yield_now().await;
                Ok(Delta::Text(piece.into()))
            }
            Step::Wait(time) => {
                clock.sleep(time).await;
                continue;
            }
            Step::Count(input, output) => Ok(Delta::Usage(Usage {
                input_tokens: input,
                output_tokens: output,
                total_tokens: input + output,
                cost_usd: None,
            })),
            Step::Finish(reason) => Ok(Delta::Finish(reason)),
            Step::Fail(kind) => {
                Err(PortError::new(kind, "failed in the middle, with an inner detail sk-123"))
            }
            Step::SlowDown(_) | Step::Hang => std::future::pending().await,
        });
    }
}

/// Words hashed into sixteen numbers.
#[derive(Default)]
pub struct FakeEmbedder {
    /// Whether it is away.
    pub away: AtomicBool,
    /// Whether it finds everything invalid.
    pub picky: AtomicBool,
    /// How many texts it was given.
    pub texts: AtomicUsize,
    /// Its name, if it is not `fake-embedder`.
    pub name: Option<&'static str>,
    /// The model that was configured before, if it can still be called.
    pub before: Option<Arc<FakeEmbedder>>,
}

#[async_trait]
impl Embedder for FakeEmbedder {
    fn model(&self) -> &'static str {
        self.name.unwrap_or("fake-embedder")
    }

    fn named(&self, model: &str, _dimensions: Option<u32>) -> Option<Arc<dyn Embedder>> {
        self.before.clone().filter(|before| before.model() == model).map(|before| before as _)
    }

    fn max_batch(&self) -> usize {
        10
    }

    async fn embed(&self, texts: &[String]) -> PortResult<Embeddings> {
        assert!(texts.len() <= self.max_batch());
        if self.away.load(Ordering::SeqCst) {
            return Err(PortError::unavailable("the embedder is away"));
        }
        if self.picky.load(Ordering::SeqCst) {
            return Err(PortError::invalid("400 from http://10.0.0.7: the input is too long"));
        }
        self.texts.fetch_add(texts.len(), Ordering::SeqCst);
        Ok(Embeddings { vectors: texts.iter().map(|text| vector(text)).collect(), tokens: 0 })
    }
}

fn vector(text: &str) -> Vec<f32> {
    let mut vector = [0.0_f32; 16];
    for word in chat_core::text::keywords(text) {
        let mut hasher = DefaultHasher::new();
        word.hash(&mut hasher);
        vector[(hasher.finish() % 16) as usize] += 1.0;
    }
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    vector.iter().map(|x| x / length).collect()
}
