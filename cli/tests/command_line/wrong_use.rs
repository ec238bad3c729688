use crate::program::Place;

#[test]
fn wrong_use_is_exit_code_2() {
    let place = Place::new();
    let wrong: [(&[&str], &str); 19] = [
        (&["sing"], "sing"),
        (&["ask"], "QUESTION"),
        (&["ask", ""], "the question"),
        (&["ask", "x", "--collection", ""], "--collection"),
        (&["ingest"], "PATHS"),
        (&["ingest", "no-such-folder"], "no-such-folder"),
        (&["ingest", ".", "--collection", "a\nb"], "--collection"),
        (&["jobs", "show", "42"], "<ID>"),
        (&["jobs", "list", "--state", "sleeping"], "--state"),
        (&["jobs", "list", "--limit", "0"], "--limit"),
        (&["jobs", "list", "--kind", ""], "--kind"),
        (&["usage", "--from", "yesterday"], "--from"),
        (&["usage", "--to", "2026-02-30"], "--to"),
        (&["keys", "create", ""], "<NAME>"),
        (&["keys", "create", "x", "--expires-at", "soon"], "--expires-at"),
        (&["bench", "turns", "--concurrency", "0"], "--concurrency"),
        (&["up", "--port", "many"], "--port"),
        (&["jobs", "list", "--api-key", "a b"], "--api-key"),
        (&["ask", "x", "--server", "localhost"], "localhost"),
    ];
    for (arguments, named) in wrong {
        let ended = place.run(arguments).expect(2);
        assert!(ended.err.contains(named) && ended.out.is_empty(), "{arguments:?}: {ended:?}");
    }
}

/// What only a server knows is told in the words of the command line, too.
#[test]
fn what_a_server_refuses_is_named_as_it_was_given() {
    let place = Place::begun();
    let ended = place.run(&["usage", "--from", "2026-05-02", "--to", "2026-05-01"]).expect(2);
    assert!(ended.err.contains("--from must be before"), "{ended:?}");
    let ended = place.run(&["keys", "create", "x", "--expires-at", "2020-01-01T00:00:00Z"]).expect(2);
    assert!(ended.err.contains("--expires-at must"), "{ended:?}");
}

#[test]
fn a_database_that_is_not_there_is_named() {
    let place = Place::new().with("DATABASE_URL", "postgresql://chat:hidden@127.0.0.1:1/rag");
    let ended = place.run(&["jobs", "list"]).expect(1);
    assert!(
        ended.err.contains("PostgreSQL does not answer at") && ended.err.contains("127.0.0.1:1"),
        "{ended:?}"
    );
    assert!(ended.err.contains("DATABASE_URL") && !ended.err.contains("hidden"), "{ended:?}");
}

#[test]
fn every_wrong_setting_is_named_at_once() {
    let place = Place::new().with("LLM_TEMPERATURE", "hot").with("REDIS_URL", "ftp://x");
    let ended = place.run(&["up"]).expect(2);
    assert!(ended.err.contains("LLM_TEMPERATURE") && ended.err.contains("REDIS_URL"), "{ended:?}");
}

#[test]
fn a_server_without_an_identity_is_not_opened_to_others() {
    let place = Place::new().with("HOST", "0.0.0.0");
    let ended = place.run(&["up", "--port", "0"]).expect(2);
    assert!(ended.err.contains("SECRET_KEY") && ended.err.contains("127.0.0.1"), "{ended:?}");
    assert!(!place.data().join("chat.db").exists(), "nothing was made before");
}

#[test]
fn a_server_that_is_not_there_is_a_failure() {
    let ended = Place::new().run(&["jobs", "list", "--server", "http://127.0.0.1:1"]).expect(1);
    assert!(ended.err.contains("127.0.0.1:1") && ended.err.contains("try:"), "{ended:?}");
}

#[test]
fn help_and_version_are_no_failure() {
    let place = Place::new();
    let help = place.run(&["--help"]).expect(0);
    for command in ["up", "ask", "ingest", "jobs", "maintain", "migrate", "init", "config"] {
        assert!(help.out.contains(&format!("  {command} ")), "{help:?}");
    }
    place.run(&["--version"]).expect(0);
}

/// More likely a typing error than a wish.
#[test]
fn who_looks_into_a_folder_without_data_makes_none() {
    let looking: [&[&str]; 9] = [
        &["jobs", "list"],
        &["jobs", "stats"],
        &["jobs", "retry", "job_00000000-0000-7000-8000-000000000000"],
        &["lanes", "list"],
        &["lanes", "pause", "ingest"],
        &["workers"],
        &["usage"],
        &["keys", "list"],
        &["maintain", "analyze"],
    ];
    for arguments in looking {
        let place = Place::new();
        let ended = place.run(arguments).expect(2);
        assert!(
            ended.err.contains("there is no data in") && ended.out.is_empty(),
            "{arguments:?}: {ended:?}"
        );
        assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 0, "{arguments:?} made something");
    }
}
