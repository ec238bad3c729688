use crate::program::{Place, text};

#[test]
fn stores_are_made_and_made_again() {
    let place = Place::new();
    for _ in 0..2 {
        place.run(&["init"]).expect(0);
        let migrated = place.run(&["migrate", "--json"]).expect(0).json();
        assert_eq!(migrated["status"], "up to date", "{migrated}");
    }
    assert!(place.data().is_dir());
    let mut server = place.up();
    server.line("Listens on");
    let ended = place.run(&["migrate"]).expect(0);
    assert!(ended.out.contains("server"), "{ended:?}");
    place.run(&["init"]).expect(0);
    server.stop().expect(0);
}

#[test]
fn an_index_that_was_lost_is_made_again() {
    let place = Place::new();
    let document = place.write("a.md", "# 绿茶\n\n绿茶要用八十度的水。\n");
    let ask = |more: &[&str]| place.run(&[&["ask", "绿茶用什么水？"], more].concat()).expect(0);
    let differences = || place.run(&["maintain", "reconcile", "--json"]).expect(0).json()[0]["rows"].clone();
    ask(&[text(&document)]);
    assert_eq!(differences(), 0);
    for file in ["index.db", "index.db-wal", "index.db-shm"] {
        std::fs::remove_file(place.data().join(file)).ok();
    }
    let repair = place.run(&["maintain", "reconcile", "--json"]).expect(0);
    assert_eq!(repair.json()[0]["rows"], 1, "{repair:?}");
    assert!(repair.err.contains("for a worker: `chat up --data "), "{repair:?}");
    // The vectors are made by whoever works next.
    let repaired = (0..20).any(|_| {
        ask(&[]);
        differences() == 0
    });
    assert!(repaired, "the passages are not in the index again");
    assert!(ask(&[]).out.contains("a.md"));
}

#[test]
fn every_clean_up_runs() {
    let place = Place::new();
    let document = place.write("a.md", "# A\n\nText.\n");
    place.run(&["ask", "What text is there?", text(&document)]).expect(0);
    let all = place.run(&["maintain", "--json"]).expect(0).json();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 9, "{all:?}");
    assert!(all.iter().all(|task| task["state"] == "succeeded" && task["rows"].is_u64()), "{all:?}");
    let one = place.run(&["maintain", "analyze"]).expect(0);
    assert!(
        one.out.contains("analyze") && one.out.contains("succeeded") && !one.out.contains("vacuum"),
        "{one:?}"
    );
    place.run(&["maintain", "everything"]).expect(2);
}
