use crate::program::{Place, get};
use std::net::TcpListener;

/// A counter is there before it counts.
const DEAD_TURNS: &str = "jobs_dead_total{kind=\"answer_turn.v1\",lane=\"chat\"} 0";

#[test]
fn it_says_where_it_listens_and_stops_when_asked() {
    let place = Place::new();
    let mut server = place.up();
    let url = server.address("Listens on");
    assert_eq!(get(&format!("{url}/health")).0, 200);
    assert_eq!(get(&format!("{url}/ready")).0, 200);
    let (status, metrics) = get(&server.address("Metrics"));
    assert_eq!(status, 200);
    for name in
        ["http_requests_total", "jobs_oldest_waiting_seconds{lane=\"chat\"} 0", "chat_build_info", DEAD_TURNS]
    {
        assert!(metrics.contains(name), "no {name} in {metrics}");
    }
    let folder = server.line("Data");
    assert!(folder.contains("data"), "{folder}");
    server.line("chat ask");
    let ended = server.stop().expect(0);
    assert!(ended.err.contains("Stopping"), "{ended:?}");
    assert!(place.data().join("logs/app.log").is_file());
}

#[test]
fn a_program_gets_one_line_when_it_is_ready() {
    for format in ["pretty", "json"] {
        let place = Place::new().with("LOG_FORMAT", format);
        let mut server = place.up_with(&["--json"]);
        let line: serde_json::Value = serde_json::from_str(&server.line("\"url\"")).unwrap();
        assert_eq!(get(&format!("{}/health", line["url"].as_str().unwrap())).0, 200, "{line}");
        assert_eq!(get(line["metrics"].as_str().unwrap()).0, 200, "{line}");
        for name in ["data", "model", "version"] {
            assert!(line[name].as_str().is_some_and(|text| !text.is_empty()), "{name} in {line}");
        }
        assert!(line["pid"].as_u64().is_some_and(|pid| pid > 0), "{line}");
        let ended = server.stop().expect(0);
        assert_eq!(ended.out.lines().count(), 1, "{ended:?}");
    }
}

#[test]
fn a_data_folder_that_cannot_be_made_is_named() {
    let place = Place::new();
    place.write("data", "a file");
    let ended = place.run(&["up", "--port", "0"]).expect(1);
    assert!(ended.err.contains("the data folder") && ended.err.contains("--data"), "{ended:?}");
    assert!(!ended.err.contains("LOG_FILE"), "{ended:?}");
}

#[test]
fn two_servers_do_not_share_a_folder() {
    let place = Place::new();
    let mut first = place.up();
    first.line("Listens on");
    let second = place.run(&["up", "--port", "0"]).expect(1);
    assert!(second.err.contains("in use") && second.err.contains("--data"), "{second:?}");
}

#[test]
fn a_taken_port_names_the_option() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let place = Place::new();
    let ended = place.run(&["up", "--port", &port]).expect(1);
    assert!(ended.err.contains(&port) && ended.err.contains("--port"), "{ended:?}");
    assert!(!place.data().join("chat.db").exists(), "nothing was made before");
    let ended = Place::new().with("PROMETHEUS_PORT", &port).run(&["up", "--port", "0"]).expect(1);
    assert!(ended.err.contains(&port) && ended.err.contains("PROMETHEUS_PORT"), "{ended:?}");
}

#[test]
fn a_metrics_port_that_nobody_chose_gives_way() {
    // Whoever has the default port, this test or another program: it is taken.
    let _taken = TcpListener::bind("127.0.0.1:8001");
    let place = Place::new().with("PROMETHEUS_PORT", "");
    let mut server = place.up();
    let metrics = server.address("Metrics");
    assert!(!metrics.contains(":8001/"), "{metrics}");
    assert_eq!(get(&metrics).0, 200);
}
