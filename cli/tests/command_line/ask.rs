use crate::program::{Place, text};
use std::path::Path;

const MANUAL: &str = "# Kettle manual\n\n## Cleaning\n\nClean the kettle with lemon juice every second week.\n\n\
                      ## Guarantee\n\nThe guarantee ends after 36 months.\n";
const RULES: &str = "# 员工手册\n\n## 年假\n\n正式员工每年有十二天年假，试用期员工没有年假。\n\n## 加班\n\n加班须事先申请。\n";

fn with_documents() -> Place {
    let place = Place::new();
    place.write("docs/kettle.md", MANUAL);
    place.write("docs/员工手册.md", RULES);
    place
}

#[test]
fn a_question_over_a_folder_needs_no_server() {
    let place = with_documents();
    let docs = place.path("docs");
    let ended = place.run(&["ask", "When does the guarantee of the kettle end?", text(&docs)]).expect(0);
    assert!(ended.out.contains("36 months"), "{ended:?}");
    let sources = ended.out.split_once("Sources").unwrap().1;
    assert!(sources.contains("kettle.md"), "{ended:?}");
    assert!(ended.err.contains("2 documents"), "{ended:?}");
    assert!(
        !ended.out.contains('\u{1b}') && !ended.err.contains('\u{1b}'),
        "no colours in a pipe: {ended:?}"
    );
}

#[test]
fn a_chinese_question_as_json() {
    let place = with_documents();
    place.run(&["ingest", text(&place.path("docs"))]).expect(0);
    let answer = place.run(&["ask", "正式员工有多少天年假？", "--json"]).expect(0).json();
    assert_eq!(answer["status"], "completed", "{answer}");
    assert!(answer["answer"].as_str().unwrap().contains("十二天"), "{answer}");
    assert!(answer["response_id"].as_str().unwrap().starts_with("resp_"), "{answer}");
    assert!(answer["timings"]["total_ms"].is_u64() && answer["usage"]["total_tokens"].is_u64(), "{answer}");
    let first = &answer["references"][0];
    assert_eq!(first["index"], 1, "{answer}");
    assert!(first["title"].as_str().unwrap().starts_with("员工手册.md"), "{answer}");
    assert!(first["score"].is_number() && first["text"].as_str().unwrap().contains("年假"), "{answer}");
}

#[test]
fn a_running_server_is_used() {
    let place = with_documents();
    let mut server = place.up();
    let url = server.address("Listens on");
    let docs = place.path("docs");
    let ended = place.run(&["ask", "How is the kettle cleaned?", text(&docs)]).expect(0);
    assert!(ended.out.contains("lemon juice"), "{ended:?}");
    let elsewhere = Place::new();
    let ended = elsewhere.run(&["ask", "How is the kettle cleaned?", "--server", &url]).expect(0);
    assert!(ended.out.contains("lemon juice"), "{ended:?}");
    assert!(!elsewhere.data().exists(), "it needs no data folder of its own");
    server.stop().expect(0);
}

#[test]
fn a_question_from_the_standard_input() {
    let place = with_documents();
    let docs = place.path("docs");
    let ended = place.run_with_input(&["ask", "-", text(&docs)], "How is the kettle cleaned?\n").expect(0);
    assert!(ended.out.contains("lemon juice"), "{ended:?}");
    place.run_with_input(&["ask", "-"], " \n").expect(2);
}

#[test]
fn without_documents_it_says_how_to_add_some() {
    let ended = Place::new().run(&["ask", "Anything?"]).expect(1);
    assert!(ended.err.contains("no documents") && ended.err.contains("chat ingest"), "{ended:?}");
    assert_eq!(ended.out, "");
}

#[test]
fn a_collection_limits_where_it_looks() {
    let place = with_documents();
    let kettle = place.path("docs/kettle.md");
    let rules = place.path("docs/员工手册.md");
    place.run(&["ingest", text(&kettle), "--collection", "kettle"]).expect(0);
    place.run(&["ingest", text(&rules), "--collection", "规章"]).expect(0);
    let ask = |name: &str| place.run(&["ask", "guarantee 年假", "--collection", name, "--json"]);
    let found = ask("规章").expect(0).json();
    let references = found["references"].as_array().unwrap();
    assert!(!references.is_empty(), "{found}");
    let foreign =
        references.iter().filter(|reference| !reference["title"].as_str().unwrap().contains("员工手册"));
    assert_eq!(foreign.count(), 0, "{found}");
    let unknown = ask("ketle").expect(1);
    assert!(unknown.err.contains("kettle") && unknown.err.contains("规章"), "{unknown:?}");
}

#[test]
fn the_samples_answer_the_first_question() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/samples");
    let place = Place::new();
    let ended = place.run(&["ask", "How do I descale the coffee machine?", text(&samples)]).expect(0);
    assert!(ended.out.contains("coffee-machine-manual.md"), "{ended:?}");
    let ended = place.run(&["ask", "住宿费上限是多少？"]).expect(0);
    assert!(ended.out.contains("六百元") && ended.out.contains("travel-expenses.zh.md"), "{ended:?}");
}
