use crate::program::Place;
use serde_json::Value;

#[test]
fn machines_get_an_object_a_line() {
    let place = Place::new().with("LOG_FORMAT", "json");
    let mut server = place.up();
    let line = server.line("\"ready\"");
    let line: Value = serde_json::from_str(&line).unwrap();
    for name in ["timestamp", "level", "module", "message", "filename", "line", "url"] {
        assert!(line.get(name).is_some(), "no {name} in {line}");
    }
    let ended = server.stop().expect(0);
    for line in ended.out.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(line["level"], "INFO", "{line}");
    }
    let file = std::fs::read_to_string(place.data().join("logs/app.log")).unwrap();
    assert!(file.lines().any(|line| line.contains("\"message\":\"stopped\"")), "{file}");
    let errors = std::fs::read_to_string(place.data().join("logs/error.log")).unwrap();
    assert_eq!(errors, "", "only errors go there");
}

#[test]
fn an_error_names_the_job_that_it_belongs_to() {
    let away = [("OPENAI_BASE_URL", "http://127.0.0.1:1/v1"), ("EMBEDDING_MODEL", "offline")];
    let place = away.into_iter().fold(Place::new(), |place, (name, value)| place.with(name, value));
    let place = place.with("LOG_FORMAT", "json");
    place.write("notes.txt", "Nobody is there.");
    place.run(&["ask", "Is anybody there?", "notes.txt"]).expect(1);
    let errors = std::fs::read_to_string(place.data().join("logs/error.log")).unwrap();
    let line = errors.lines().find(|line| line.contains("failed for good")).expect("no error");
    let line: Value = serde_json::from_str(line).unwrap();
    assert!(line["job.id"].as_str().is_some_and(|id| id.starts_with("job_")), "{line}");
    assert_eq!(line["job.kind"], "answer_turn.v1");
}

#[test]
fn a_log_that_cannot_be_written_stops_the_start() {
    let place = Place::new();
    place.write("file", "");
    let place = place.with("LOG_FILE", "file/app.log");
    let ended = place.run(&["up", "--port", "0"]).expect(1);
    assert!(ended.err.contains("LOG_FILE"), "{ended:?}");
}
