use crate::program::{Place, finish, signal, text, until};
use std::path::Path;

#[test]
fn a_broken_file_is_named_and_the_others_are_read() {
    let place = Place::new();
    place.write("docs/good.md", "# Good\n\nA document that can be read.\n");
    place.write("docs/deep/中文.txt", "这是一份可以阅读的文件。\n");
    place.write("docs/broken.txt", [0_u8; 64]);
    place.write("docs/picture.png", "no text");
    place.write("docs/.hidden.md", "hidden");
    let docs = place.path("docs");
    let ended = place.run(&["ingest", text(&docs)]).expect(1);
    assert!(ended.out.contains("broken.txt") && ended.out.contains("picture.png"), "{ended:?}");

    let again = place.run(&["ingest", text(&docs), "--json"]).expect(1).json();
    assert_eq!((&again["ready"], &again["duplicates"]), (&0.into(), &2.into()), "{again}");
    assert_eq!(again["failed"].as_array().unwrap().len(), 1, "{again}");
    assert_eq!(again["failed"][0]["path"], "broken.txt", "{again}");
    assert!(!again["failed"][0]["reason"].as_str().unwrap().is_empty(), "{again}");
    assert_eq!(again["unsupported"], serde_json::json!(["picture.png"]), "{again}");
}

#[test]
fn the_summary_counts_what_was_read() {
    let place = Place::new();
    for number in 0..40 {
        let text = format!("# Chapter {number}\n\nThe number of this chapter is {number}.\n");
        place.write(&format!("book/part{}/ch{number:02}.md", number % 4), text);
    }
    let book = place.path("book");
    let report = place.run(&["ingest", text(&book), "--collection", "book", "--json"]).expect(0).json();
    assert_eq!((&report["ready"], &report["duplicates"]), (&40.into(), &0.into()), "{report}");
    assert_eq!(report["collection"]["name"], "book", "{report}");
    assert!(
        report["chunks"].as_u64().unwrap() >= 40 && report["bytes"].as_u64().unwrap() > 1_000,
        "{report}"
    );
    assert!(
        report["seconds"].as_f64().unwrap() > 0.0 && report["mb_per_second"].as_f64().is_some(),
        "{report}"
    );
}

#[test]
fn a_server_takes_documents() {
    let place = Place::new();
    let docs = place.write("note.md", "# Note\n\nThe server reads this.\n");
    let mut server = place.up();
    server.line("Listens on");
    let ended = place.run(&["ingest", text(&docs)]).expect(0);
    assert!(ended.out.contains("New"), "{ended:?}");
    server.stop().expect(0);
    let ended = place.run(&["ask", "What does the server read?"]).expect(0);
    assert!(ended.out.contains("note.md"), "{ended:?}");
}

#[test]
fn ctrl_c_leaves_what_is_in() {
    let place = Place::new();
    for number in 0..1_500 {
        place.write(&format!("many/{number}.md"), format!("# {number}\n\nDocument number {number}.\n"));
    }
    let many = place.path("many");
    let child = place.command(&["ingest", text(&many)]).spawn().unwrap();
    // A few more than are on their way at a time: some are accepted then.
    until("the first uploads", || files_in(&place.data().join("files")) >= 30);
    signal(&child, "INT");
    let ended = finish(child).expect(130);
    assert!(ended.err.contains("of 1500 files"), "{ended:?}");
    let documents = place.run(&["jobs", "list", "--kind", "ingest_document.v1", "--json"]).expect(0).json();
    assert!(!documents.as_array().unwrap().is_empty(), "what was accepted is still there");
}

#[test]
fn an_empty_file_is_said_to_be_empty() {
    let place = Place::new();
    let empty = place.write("zero.md", "");
    let report = place.run(&["ingest", text(&empty), "--json"]).expect(1).json();
    assert_eq!(
        report["failed"][0],
        serde_json::json!({"path": "zero.md", "reason": "it is empty"}),
        "{report}"
    );
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_in() {
    let place = Place::new();
    place.write("docs/a.md", "# A\n\nText.\n");
    std::os::unix::fs::symlink("circle.md", place.path("docs/circle.md")).unwrap();
    let report = place.run(&["ingest", text(&place.path("docs")), "--json"]).expect(1).json();
    assert_eq!(report["ready"], 1, "{report}");
    assert_eq!(report["failed"][0]["path"], "circle.md", "{report}");
    assert!(report["failed"][0]["reason"].as_str().unwrap().starts_with("it cannot be read"), "{report}");
}

/// The server answers and hangs up while the file is still being sent.
#[test]
fn a_file_that_is_too_large_is_always_said_to_be() {
    let place = Place::new().with("MAX_UPLOAD_SIZE", "1MB");
    let large = place.write("large.md", "");
    std::fs::File::options().write(true).open(&large).unwrap().set_len(100_000_000).unwrap();
    let mut server = place.up();
    server.line("Listens on");
    for _ in 0..5 {
        let ended = place.run(&["ingest", text(&large)]).expect(1);
        assert!(ended.out.contains("it is too large (100.0 MB)"), "{ended:?}");
        assert!(ended.out.contains("1000000 bytes"), "{ended:?}");
    }
    server.stop().expect(0);
}

/// Opening a pipe waits for somebody who writes into it.
#[cfg(unix)]
#[test]
fn a_pipe_is_no_document() {
    let place = Place::new();
    place.write("docs/a.md", "# A\n\nText.\n");
    let pipe = place.path("docs/pipe.md");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for arguments in [&["ingest", text(&pipe)][..], &["ask", "Anything?", text(&pipe)]] {
        let ended = place.run(arguments).expect(2);
        assert!(ended.err.contains("pipe.md is a named pipe, not a file"), "{ended:?}");
    }
    let ended = place.run(&["ingest", text(&place.path("docs"))]).expect(0);
    assert!(ended.out.contains("Skipped 1 that is no file:\n  pipe.md (a named pipe)"), "{ended:?}");
}

/// The passages of the first answer to a question.
fn told(place: &Place, question: &str) -> String {
    place.run(&["ask", question, "--json"]).expect(0).json()["references"].to_string()
}

#[test]
fn a_file_that_changed_takes_its_own_place() {
    let place = Place::new();
    place.write("docs/kettle.md", "# Kettle\n\nThe kettle is descaled with vinegar.\n");
    place.write("docs/lamp.md", "# Lamp\n\nThe lamp takes a bulb of 40 watts.\n");
    let docs = place.path("docs");
    let ingest = || place.run(&["ingest", text(&docs), "--json"]).expect(0).json();
    let counts = |report: &serde_json::Value| {
        ["new", "changed", "unchanged"].map(|name| report[name].as_u64().unwrap())
    };
    assert_eq!(counts(&ingest()), [2, 0, 0]);
    assert!(told(&place, "How is the kettle descaled?").contains("vinegar"));
    place.write("docs/kettle.md", "# Kettle\n\nThe kettle is descaled with lemon juice.\n");
    let report = ingest();
    assert_eq!(counts(&report), [0, 1, 1], "{report}");
    assert_eq!((&report["ready"], &report["duplicates"]), (&1.into(), &1.into()), "{report}");
    let found = told(&place, "How is the kettle descaled?");
    assert!(found.contains("lemon juice") && !found.contains("vinegar"), "{found}");
    assert_eq!(counts(&ingest()), [0, 0, 2]);
    place.write("docs/lamp.md", "# Lamp\n\nThe lamp takes a bulb of 60 watts.\n");
    let asked = place.run(&["ask", "How many watts has the bulb of the lamp?", text(&docs)]).expect(0);
    assert!(asked.err.contains("1 took the place of its old text"), "{asked:?}");
    assert!(asked.out.contains("60 watts") && !asked.out.contains("40 watts"), "{asked:?}");
}

/// Yesterday's log has today's name of another file, as when logs are rotated.
#[test]
fn files_that_change_places_are_all_found() {
    let place = Place::new();
    place.write("logs/one.log", "The first day was about apples.\n");
    place.write("logs/two.log", "The day before was about pears.\n");
    let logs = place.path("logs");
    place.run(&["ingest", text(&logs)]).expect(0);
    place.write("logs/one.log", "The third day was about plums.\n");
    place.write("logs/two.log", "The first day was about apples.\n");
    let report = place.run(&["ingest", text(&logs), "--json"]).expect(0).json();
    assert_eq!(report["changed"], 2, "{report}");
    let found = told(&place, "What were the days about?");
    assert!(found.contains("apples") && found.contains("plums") && !found.contains("pears"), "{found}");
    // Two files with the same text are one document: when one of them changes, the other must not be lost.
    place.write("logs/two.log", "The third day was about plums.\n");
    place.run(&["ingest", text(&logs)]).expect(0);
    place.write("logs/one.log", "The fourth day was about cherries.\n");
    place.run(&["ingest", text(&logs)]).expect(0);
    let found = told(&place, "What were the days about?");
    assert!(found.contains("plums") && found.contains("cherries"), "{found}");
}

fn files_in(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { files_in(&entry.path()) } else { 1 }).sum()
}
