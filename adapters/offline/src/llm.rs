//! An answerer without a model.

use crate::{answer::answer, pieces::pieces, rewrite::rewrite, summarise::summarise};
use async_trait::async_trait;
use chat_core::{
    PortResult,
    ports::{Completion, CompletionStream, Delta, FinishReason, Llm, Purpose},
};
use futures::{StreamExt, stream};

const MODEL: &str = "offline-extractive";

/// Answers with quotations from the passages and says that no model is configured. The same question over the same
/// passages always has the same answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct OfflineLlm;

impl OfflineLlm {
    /// The answerer. It has no state.
    pub fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Llm for OfflineLlm {
    fn model(&self) -> &str {
        MODEL
    }

    fn is_model(&self) -> bool {
        false
    }

    async fn complete(&self, completion: Completion) -> PortResult<CompletionStream> {
        let text = match completion.purpose {
            Purpose::Answer => answer(&completion),
            Purpose::Rewrite => rewrite(&completion),
            Purpose::Summarise => summarise(&completion),
        };
        Ok(stream::iter(deltas(&text, completion.max_tokens as usize).into_iter().map(Ok)).boxed())
    }
}

/// The text in pieces, each of which counts as a token, and how it ended.
fn deltas(text: &str, max_tokens: usize) -> Vec<Delta> {
    let pieces = pieces(text);
    let finish = if pieces.len() > max_tokens { FinishReason::Length } else { FinishReason::Stop };
    pieces.into_iter().take(max_tokens).map(Delta::Text).chain([Delta::Finish(finish)]).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use chat_core::{
        Role,
        ports::{PromptMessage, PromptPassage},
    };
    use futures::TryStreamExt;
    use std::time::Duration;

    pub(crate) fn completion(purpose: Purpose, question: &str, passages: &[(&str, &str)]) -> Completion {
        let passages = passages.iter().zip(1..).map(|((title, text), index)| PromptPassage {
            index,
            title: (*title).to_owned(),
            text: (*text).to_owned(),
            score: 1.0 / index as f32,
        });
        Completion {
            model: String::new(),
            purpose,
            messages: vec![],
            question: question.to_owned(),
            passages: passages.collect(),
            temperature: 0.0,
            max_tokens: 2_000,
            trace: None,
            first_token_timeout: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(1),
        }
    }

    pub(crate) fn said(messages: &[(Role, &str)]) -> Vec<PromptMessage> {
        messages
            .iter()
            .map(|(role, content)| PromptMessage { role: *role, content: (*content).to_owned() })
            .collect()
    }

    async fn run(completion: Completion) -> (String, Vec<Delta>) {
        let deltas: Vec<Delta> = OfflineLlm.complete(completion).await.unwrap().try_collect().await.unwrap();
        let text = deltas
            .iter()
            .filter_map(|delta| if let Delta::Text(text) = delta { Some(text.as_str()) } else { None });
        (text.collect(), deltas)
    }

    #[tokio::test]
    async fn streams_in_small_pieces_and_finishes() {
        let asked =
            completion(Purpose::Answer, "What is ownership?", &[("a.md", "Ownership is a set of rules.")]);
        let (text, deltas) = run(asked.clone()).await;
        assert!(text.contains("“Ownership is a set of rules.” [1]"), "{text}");
        assert!(deltas.len() > 10);
        assert_eq!(deltas.last(), Some(&Delta::Finish(FinishReason::Stop)));
        assert_eq!(run(asked).await.0, text, "the same again");
        assert!(!OfflineLlm.is_model());
    }

    #[tokio::test]
    async fn the_token_limit_cuts_and_says_so() {
        let asked =
            completion(Purpose::Answer, "What is ownership?", &[("a.md", "Ownership is a set of rules.")]);
        let (text, deltas) = run(Completion { max_tokens: 3, ..asked }).await;
        assert_eq!(text, "No language model ");
        assert_eq!(deltas.last(), Some(&Delta::Finish(FinishReason::Length)));
    }

    #[tokio::test]
    async fn each_purpose_has_its_own_way() {
        let mut asked = completion(Purpose::Rewrite, "And why?", &[]);
        asked.messages = said(&[(Role::User, "How does ownership work?"), (Role::User, "And why?")]);
        assert_eq!(run(asked.clone()).await.0, "And why? ownership work");
        asked.purpose = Purpose::Summarise;
        assert_eq!(run(asked).await.0, "Asked so far: How does ownership work? · And why?");
    }
}
