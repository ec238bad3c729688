//! Which source wins, and that the table says so.

use chat_config::{Origin, Settings, Source};

#[test]
fn command_line_over_environment_over_file_over_default() {
    let sources = [
        // The order in which they are given does not matter.
        Source::env_file("PORT=1\nLLM_MODEL=file\nRETRIEVAL_TOP_K=3\nLOG_LEVEL=error"),
        Source::new(Origin::CommandLine, [("PORT", "3")]),
        Source::new(Origin::Environment, [("PORT", "2"), ("RETRIEVAL_TOP_K", "4"), ("LOG_LEVEL", "")]),
    ];
    let settings = Settings::load(&sources).unwrap();
    let row = |name| settings.table().into_iter().find(|row| row.name == name).unwrap();
    let shown = |name| (row(name).value, row(name).origin.to_string());
    assert_eq!((settings.http.port, shown("PORT")), (3, ("3".into(), "command line".into())));
    assert_eq!((settings.retrieval.top_k, shown("RETRIEVAL_TOP_K")), (4, ("4".into(), "env".into())));
    // An empty variable hides nothing.
    assert_eq!(shown("LOG_LEVEL"), ("error".into(), ".env".into()));
    assert_eq!(shown("CHUNK_TOKENS"), ("512".into(), "default".into()));
}

#[test]
fn a_wrong_value_that_is_overridden_does_no_harm() {
    let sources = [Source::env_file("PORT=x"), Source::new(Origin::Environment, [("PORT", "2")])];
    assert_eq!(Settings::load(&sources).unwrap().http.port, 2);
}
