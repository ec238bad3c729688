use crate::{
    answer::Answer,
    caller::Caller,
    feed::{Feed, Subject},
    fields::{Fields, Input},
    idempotency::Recorded,
    json::JsonBody,
    limits::check_quota,
    path::PathId,
    problem::{Problem, ProblemBody},
    sse,
    state::AppState,
    turn::{Turn, check_collections, read_options},
    views::TurnView,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use chat_core::{Busy, Change, CollectionId, Message, MessageId, ResponseId, Role, SessionId, TurnOptions};
use futures::{future::OptionFuture, join};
use utoipa::ToSchema;

/// The longest message, in characters.
const CONTENT_CHARS: usize = 100_000;

/// What happens when the conversation is still being answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum OnBusy {
    /// The new turn waits.
    #[default]
    Queue,
    /// The open turns are stopped.
    Supersede,
    /// The new turn is refused.
    Reject,
}

impl OnBusy {
    /// Decided together with the new turn: of two callers at once only one finds the conversation free.
    fn change(self, caller: &Caller, turn: &Turn) -> Option<Change> {
        let busy = match self {
            Self::Queue => return None,
            Self::Supersede => Busy::Cancel,
            Self::Reject => Busy::Refuse,
        };
        Some(Change::ClearKey { tenant: caller.tenant.clone(), key: turn.key(), busy })
    }
}

/// One turn, with what the caller chooses for it.
#[derive(Debug, Default)]
pub struct CreateMessage {
    content: String,
    options: TurnOptions,
    stream: bool,
    on_busy: OnBusy,
}

/// One turn.
#[derive(Debug, ToSchema)]
#[schema(as = CreateMessage)]
#[expect(dead_code, reason = "describes what `CreateMessage` reads")]
struct CreateMessageBody {
    /// What is said.
    #[schema(min_length = 1, max_length = 100_000, example = "年假有多少天？")]
    content: String,
    /// Where to look instead of the session's collections.
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    collections: Option<Vec<CollectionId>>,
    /// Answer with the events of the response instead of 202.
    #[schema(default = false)]
    stream: Option<bool>,
    /// What happens when the conversation is still being answered: the new turn waits, replaces the open ones, or is
    /// refused with 409.
    #[schema(pattern = "^(queue|supersede|reject)$", default = "queue")]
    on_busy: Option<String>,
    /// Which model to ask.
    model: Option<String>,
    /// Sampling temperature.
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f32>,
    /// The longest answer, in tokens.
    #[schema(minimum = 1, maximum = 100_000)]
    max_output_tokens: Option<u32>,
    /// How many passages to give to the model.
    #[schema(minimum = 1, maximum = 50)]
    top_k: Option<u32>,
}

impl Input for CreateMessage {
    fn read(fields: &mut Fields) -> Self {
        let choices =
            [("queue", OnBusy::Queue), ("supersede", OnBusy::Supersede), ("reject", OnBusy::Reject)];
        Self {
            content: fields.required_text("content", 1..=CONTENT_CHARS),
            options: read_options(fields),
            stream: fields.flag("stream").unwrap_or_default(),
            on_busy: fields.choice("on_busy", &choices).unwrap_or_default(),
        }
    }
}

/// Says something: one turn. The answer is made in the background.
#[utoipa::path(
    post, path = "/sessions/{id}/messages", tag = "messages", params(("id" = String, Path)),
    request_body = CreateMessageBody,
    responses(
        (status = 202, description = "Accepted; `Location` names the response", body = TurnView),
        (status = 200, description = "The response's events", body = String, content_type = "text/event-stream"),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 429, description = "Too many requests, or the tokens of the day are used up", body = ProblemBody)
    )
)]
pub async fn create_message(
    State(state): State<AppState>,
    caller: Caller,
    PathId(session): PathId<SessionId>,
    headers: HeaderMap,
    body: JsonBody<CreateMessage>,
) -> Result<Response, Problem> {
    check_quota(&state, &caller).await?;
    let wanted = body.value;
    // A session that is not there is refused by the commit: what costs every turn a read is not asked twice.
    check_collections(&state, &caller, wanted.options.collections.as_deref().unwrap_or_default()).await?;

    let streamed = wanted.stream || sse::wants_events(&headers);
    let (message, turn) = compose(&state, &caller, session, wanted.content, wanted.options);
    let mut changes: Vec<_> = wanted.on_busy.change(&caller, &turn).into_iter().collect();
    changes.push(Change::InsertMessage(Box::new(message.clone())));
    changes.extend(turn.changes());
    let mut answer =
        Answer::new(StatusCode::ACCEPTED, &TurnView::of(&message, &turn.response)).at(turn.location());
    answer.stream = streamed.then_some(turn.response.id);

    // Whoever streams begins to listen meanwhile: what is said before is in the log.
    let subject = Subject::Response(caller.tenant.clone(), turn.response.id);
    let feed = OptionFuture::from(streamed.then(|| Feed::open(&state.ports, subject, 0)));
    let recorded = body.idempotency.commit(&state, &caller, changes, turn.published(), &answer);
    let (feed, recorded) = join!(feed, recorded);
    match recorded? {
        Recorded::Replayed(response) => Ok(response),
        Recorded::Fresh => {
            Ok(feed.map_or_else(|| answer.into_response(), |feed| sse::respond(&state, &caller, feed)))
        }
    }
}

fn compose(
    state: &AppState,
    caller: &Caller,
    session: SessionId,
    content: String,
    options: TurnOptions,
) -> (Message, Turn) {
    let now = state.ports.clock.now();
    let response = ResponseId::new();
    let message = Message {
        id: MessageId::new(),
        session,
        tenant: caller.tenant.clone(),
        role: Role::User,
        content,
        response: Some(response),
        references: Vec::new(),
        created_at: now,
    };
    let turn = Turn::named(response, state, caller, &message, options);
    (message, turn)
}
