//! `.env.example` at the root of the repository.

use std::path::Path;

use chat_config::{Settings, Source, env_example};

#[test]
#[allow(clippy::disallowed_methods, reason = "asks for a rewrite, as the file itself explains")]
fn the_file_is_what_the_code_generates() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.env.example");
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(&path, env_example()).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(file, env_example(), "run `UPDATE=1 cargo test -p chat-config` and look at the difference");
}

#[test]
fn a_copy_changes_nothing() {
    let with_copy = Settings::load(&[Source::env_file(&env_example())]).unwrap();
    assert_eq!(with_copy.table(), Settings::load(&[]).unwrap().table());
}

#[test]
fn every_line_taken_in_changes_nothing_but_the_origin() {
    let file = Settings::load(&[Source::env_file(&settings_of_the_example().join("\n"))]).unwrap();
    let defaults = Settings::load(&[]).unwrap();
    for (in_file, default) in file.table().iter().zip(defaults.table()) {
        let models = ["LLM_MODEL", "EMBEDDING_MODEL"];
        assert!(in_file.value == default.value || models.contains(&in_file.name), "{in_file:?} {default:?}");
    }
    assert_eq!(format!("{:?}", file.llm), format!("{:?}", defaults.llm));
    assert_eq!(format!("{:?}", file.embedding), format!("{:?}", defaults.embedding));
}

/// The settings of the example with the `#` before them taken away.
fn settings_of_the_example() -> Vec<String> {
    let text = env_example();
    let commented_out = text.lines().filter_map(|line| line.strip_prefix('#'));
    let settings: Vec<_> = commented_out.filter(|line| line.starts_with(char::is_uppercase)).collect();
    assert!(settings.len() > 50, "{} settings", settings.len());
    settings.into_iter().map(str::to_owned).collect()
}
