//! Does to a response what a worker would.

use crate::app::App;
use chat_core::{
    Change, Event, Fence, ResponseEnd, ResponseId, ResponseStatus, StreamId, Timings, ports::Ports,
};
use serde_json::{Map, Value, json};

pub struct Speaker {
    ports: Ports,
    id: ResponseId,
    fence: Fence,
    seq: u64,
}

impl Speaker {
    /// Takes a queued response over.
    pub async fn of(app: &App, response: &Value) -> Self {
        let id: ResponseId = response["id"].as_str().unwrap().parse().unwrap();
        let fence = Fence::new();
        app.state.ports.bus.seize(id.into(), fence).await;
        Self { ports: app.state.ports.clone(), id, fence, seq: 1 }
    }

    fn event(&mut self, name: &str, body: &Value) -> Event {
        self.seq += 1;
        let body = body.as_object().cloned().unwrap_or_else(Map::new);
        Event::new(
            name,
            self.seq,
            &[("response_id", self.id.to_string().into()), ("attempt", 1.into())],
            body,
        )
    }

    /// As if events were lost.
    pub fn jump(&mut self, by: u64) {
        self.seq += by;
    }

    /// Live only: the log comes later, or never.
    pub async fn whisper(&mut self, name: &str, body: Value) -> Event {
        let event = self.event(name, &body);
        self.ports.bus.publish(self.id.into(), Some(self.fence), std::slice::from_ref(&event)).await;
        event
    }

    pub async fn write_down(&self, events: Vec<Event>) {
        let last = events.last().unwrap().seq;
        self.ports.dispatcher().record(vec![Change::AppendEvents(self.id.into(), events)]).await.unwrap();
        self.ports.bus.persisted(self.id.into(), last);
    }

    pub async fn say(&mut self, name: &str, body: Value) {
        let event = self.whisper(name, body).await;
        self.write_down(vec![event]).await;
    }

    pub async fn end(mut self, text: &str) {
        let now = self.ports.clock.now();
        let end = ResponseEnd {
            status: ResponseStatus::Completed,
            attempt: 1,
            model: "m".into(),
            output_text: text.into(),
            references: Vec::new(),
            usage: None,
            timings: Timings::default(),
            error: None,
            completed_at: now,
        };
        let event = self.event("response.completed", &json!({"response": {}}));
        let stream = StreamId::from(self.id);
        let changes = vec![
            Change::EndResponse(self.id, Box::new(end)),
            Change::AppendEvents(stream, vec![event.clone()]),
        ];
        self.ports.dispatcher().record(changes).await.unwrap();
        self.ports.bus.publish(stream, Some(self.fence), &[event]).await;
    }
}
