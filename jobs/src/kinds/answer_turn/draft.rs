//! The answer as far as it is made.

use super::citations::Mark;
use crate::{Found, Options};
use chat_core::{Reference, Timings, Usage, text::count_tokens};

/// Tokens of one completion or several.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    pub input: u64,
    pub output: u64,
    /// What the provider says it costs.
    pub cost: Option<f64>,
}

impl Spent {
    /// The provider's count, or our own.
    pub(super) fn of(counted: Option<Usage>, read: usize, written: &str) -> Self {
        match counted {
            Some(usage) => {
                Self { input: usage.input_tokens, output: usage.output_tokens, cost: usage.cost_usd }
            }
            None => Self { input: read as u64, output: count_tokens(written) as u64, cost: None },
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.input += other.input;
        self.output += other.output;
        self.cost = match (self.cost, other.cost) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0.0) + b.unwrap_or(0.0)),
        };
    }

    /// As the owner sees it, with the configured price if the provider names none.
    pub(super) fn usage(self, options: &Options) -> Usage {
        let price = |tokens: u64, price: Option<f64>| price.map(|price| tokens as f64 * price / 1e6);
        let configured =
            match (price(self.input, options.input_price), price(self.output, options.output_price)) {
                (None, None) => None,
                (input, output) => Some(input.unwrap_or(0.0) + output.unwrap_or(0.0)),
            };
        Usage {
            input_tokens: self.input,
            output_tokens: self.output,
            total_tokens: self.input + self.output,
            cost_usd: self.cost.or(configured),
        }
    }
}

/// What there is of an answer: also what is kept if it is stopped.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// What was said.
    pub text: String,
    /// The passages that the model was given; place `n` is cited as `n + 1`.
    pub passages: Vec<Reference>,
    /// The numbers that were cited.
    pub cited: Vec<u32>,
    /// What the completions before the answer took.
    pub before: Spent,
    /// How many tokens the prompt of the answer has, by our own count; 0 until it was sent.
    pub prompt_tokens: usize,
    /// What the provider counted.
    pub counted: Option<Usage>,
    /// Where the time went.
    pub timings: Timings,
}

impl Draft {
    /// The passage that a marker cites.
    pub(super) fn cite(&mut self, mark: &Mark) -> Option<&Reference> {
        let passage = self.passages.get((mark.index as usize).checked_sub(1)?)?;
        if !self.cited.contains(&mark.index) {
            self.cited.push(mark.index);
        }
        Some(passage)
    }

    /// The passages that the answer cites, in the order of their numbers.
    pub(super) fn references(&self) -> Vec<Reference> {
        self.passages.iter().filter(|passage| self.cited.contains(&passage.index)).cloned().collect()
    }

    /// What all completions of the turn took.
    pub(super) fn spent(&self) -> Spent {
        let mut spent = self.before;
        spent.add(Spent::of(self.counted, self.prompt_tokens, &self.text));
        spent
    }
}

/// A passage as contexts and citations keep it.
pub(super) fn reference(index: u32, found: &Found) -> Reference {
    let chunk = &found.passage.chunk;
    Reference {
        index,
        document_id: found.passage.document,
        chunk_id: chunk.id,
        title: found.passage.title(),
        text: chunk.text.clone(),
        score: found.score,
        start: chunk.start,
        end: chunk.end,
    }
}
