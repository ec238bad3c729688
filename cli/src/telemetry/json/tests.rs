use super::*;
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};
use tracing_subscriber::layer::SubscriberExt;

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines that `work` logs.
fn logged(work: impl FnOnce()) -> Vec<Map<String, Value>> {
    let buffer = Buffer::default();
    let writer = buffer.clone();
    let layer = tracing_subscriber::fmt::layer()
        .fmt_fields(JsonFields::new())
        .event_format(JsonLines)
        .with_writer(move || writer.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    let bytes = buffer.0.lock().unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_line_has_what_operators_look_for() {
    let lines = logged(|| tracing::warn!(port = 8001, "端口 \"8001\" is taken\nsecond line"));
    assert_eq!(lines.len(), 1, "a message with a line break stays one line");
    let line = &lines[0];
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["message"], "端口 \"8001\" is taken\nsecond line");
    assert_eq!(line["module"], module_path!());
    assert!(line["filename"].as_str().unwrap().ends_with("json/tests.rs"), "{line:?}");
    assert!(line["line"].is_u64() && line["port"] == 8001, "{line:?}");
    chrono::DateTime::parse_from_rfc3339(line["timestamp"].as_str().unwrap()).unwrap();
}

#[test]
fn spans_are_on_every_line_and_the_inner_one_wins() {
    let lines = logged(|| {
        let outer =
            tracing::info_span!("request", request.id = "r-1", stage = "outer", late = tracing::field::Empty);
        let _outer = outer.enter();
        tracing::info_span!("job", job.id = "job_7", stage = "inner").in_scope(|| tracing::info!("first"));
        outer.record("late", 5);
        tracing::info!(stage = "event", level = "shout", "second");
    });
    let (first, second) = (&lines[0], &lines[1]);
    assert_eq!(
        (&first["request.id"], &first["job.id"], &first["stage"]),
        (&"r-1".into(), &"job_7".into(), &"inner".into())
    );
    assert_eq!(
        (&second["late"], &second["stage"], &second["level"]),
        (&5.into(), &"event".into(), &"INFO".into())
    );
    assert!(!second.contains_key("job.id"), "its span has ended: {second:?}");
}

#[test]
fn paths_of_the_building_machine_do_not_show() {
    assert_eq!(short("/home/somebody/.cargo/registry/src/x-1.0/src/lib.rs"), "lib.rs");
    assert_eq!(short("worker/src/attempt.rs"), "worker/src/attempt.rs");
}
