use chat_core::{SessionId, UsageOf, UsageSum};
use serde::Serialize;
use utoipa::ToSchema;

/// What models took, added up over a day, a model or a conversation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageSum)]
pub struct UsageView {
    /// `usage`.
    #[schema(example = "usage")]
    object: &'static str,
    /// The day (UTC), if it was added up by day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-01")]
    day: Option<String>,
    /// The model, if it was added up by model.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// The conversation, if it was added up by conversation; absent in the sum of what belongs to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    session_id: Option<SessionId>,
    /// How many jobs took tokens.
    requests: u64,
    /// Tokens that models read.
    input_tokens: u64,
    /// Tokens that models wrote.
    output_tokens: u64,
    /// Both.
    total_tokens: u64,
    /// US dollars, of what has a price.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<f64>,
}

impl UsageView {
    /// What a sum is called in a list.
    pub fn name(sum: &UsageSum) -> String {
        match &sum.of {
            UsageOf::Day(day) => day.to_datetime().format("%Y-%m-%d").to_string(),
            UsageOf::Model(model) => model.clone(),
            UsageOf::Session(session) => session.map(|id| id.to_string()).unwrap_or_default(),
        }
    }
}

impl From<UsageSum> for UsageView {
    fn from(sum: UsageSum) -> Self {
        let name = Self::name(&sum);
        let (day, model, session_id) = match sum.of {
            UsageOf::Day(_) => (Some(name), None, None),
            UsageOf::Model(model) => (None, Some(model), None),
            UsageOf::Session(session) => (None, None, session),
        };
        Self {
            object: "usage",
            day,
            model,
            session_id,
            requests: sum.requests,
            input_tokens: sum.usage.input_tokens,
            output_tokens: sum.usage.output_tokens,
            total_tokens: sum.usage.total_tokens,
            cost_usd: sum.usage.cost_usd,
        }
    }
}
