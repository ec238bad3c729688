use crate::program::Place;

const KEY: &str = "sk-nobody-may-see-this";

#[test]
fn secrets_are_masked() {
    let place = Place::new()
        .with("OPENAI_API_KEY", KEY)
        .with("REDIS_URL", "redis://:hidden-password@localhost:6379/0")
        .with("LLM_TEMPERATURE", "0.2");
    for arguments in [&["config"][..], &["config", "--json"]] {
        let ended = place.run(arguments).expect(0);
        assert!(!ended.out.contains(KEY) && !ended.out.contains("hidden-password"), "{ended:?}");
    }
    let rows = place.run(&["config", "--json"]).expect(0).json();
    let row = |name: &str| rows.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    assert_eq!(
        (&row("LLM_TEMPERATURE")["value"], &row("LLM_TEMPERATURE")["origin"]),
        (&"0.2".into(), &"env".into())
    );
    assert_eq!(row("DATA_DIR")["origin"], "command line");
    assert_eq!(row("PORT")["origin"], "default");
    assert!(!place.data().exists(), "looking changes nothing");
}

#[test]
fn only_what_was_changed() {
    let ended = Place::new().with("LLM_TEMPERATURE", "0.2").run(&["config", "--changed"]).expect(0);
    assert!(ended.out.contains("LLM_TEMPERATURE") && !ended.out.contains("LLM_TIMEOUT"), "{ended:?}");
}
