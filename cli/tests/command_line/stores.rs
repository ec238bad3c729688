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
fn every_clean_up_runs() {
    let place = Place::new();
    let document = place.write("a.md", "# A\n\nText.\n");
    place.run(&["ask", "What text is there?", text(&document)]).expect(0);
    let all = place.run(&["maintain", "--json"]).expect(0).json();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 8, "{all:?}");
    assert!(all.iter().all(|task| task["state"] == "succeeded" && task["rows"].is_u64()), "{all:?}");
    let one = place.run(&["maintain", "analyze"]).expect(0);
    assert!(
        one.out.contains("analyze") && one.out.contains("succeeded") && !one.out.contains("vacuum"),
        "{one:?}"
    );
    place.run(&["maintain", "everything"]).expect(2);
}
