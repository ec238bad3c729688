use crate::{
    model::{SilentModel, is_closed},
    program::{Place, finish, get, signal, text, until},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
};

/// A place with a document and a model server that never answers.
fn waiting_place() -> (Place, SilentModel) {
    let model = SilentModel::new();
    let place = Place::new().with("OPENAI_BASE_URL", &model.url()).with("EMBEDDING_MODEL", "offline");
    let document = place.write("tea.md", "# Tea\n\nGreen tea is brewed at 80 degrees.\n");
    place.run(&["ingest", text(&document)]).expect(0);
    (place, model)
}

#[test]
fn ctrl_c_stops_an_answer_and_the_models_work() {
    let (place, model) = waiting_place();
    let ask = place.command(&["ask", "How hot is green tea brewed?"]).spawn().unwrap();
    let question = model.asked();
    signal(&ask, "INT");
    let ended = finish(ask).expect(130);
    assert!(ended.err.contains("interrupted") && ended.err.contains("stopped"), "{ended:?}");
    assert!(is_closed(question));
}

/// A load balancer sends nobody there any more; who is there is served.
#[test]
fn a_server_that_was_asked_to_stop_is_not_ready_and_serves_on() {
    let (place, model) = waiting_place();
    let mut server = place.up();
    let url = server.address("Listens on");
    let metrics = server.address("Metrics").replace("/metrics", "");
    let mut ask = place.command(&["ask", "How hot is green tea brewed?"]).spawn().unwrap();
    let _question = model.asked();
    assert_eq!(get(&format!("{url}/ready")).0, 200);
    server.signal("TERM");
    server.note("1 running job");
    for base in [&url, &metrics] {
        until("not ready any more", || get(&format!("{base}/ready")).0 == 503);
        let (_, body) = get(&format!("{base}/ready"));
        assert!(body.contains("\"status\":\"draining\""), "{body}");
    }
    assert_eq!(get(&format!("{url}/health")).0, 200);
    assert!(ask.try_wait().unwrap().is_none(), "its stream is still served");
    server.signal("TERM");
    assert_eq!(server.ended(), Some(130));
    finish(ask);
}

/// It takes no connection any more, and a request is still under way.
#[test]
fn a_server_that_closes_says_so_at_its_metrics_port() {
    let place = Place::new();
    let mut server = place.up();
    let url = server.address("Listens on");
    let metrics = server.address("Metrics").replace("/metrics", "");
    let host = url.strip_prefix("http://").unwrap();
    let mut request = TcpStream::connect(host).unwrap();
    let head = "Content-Type: application/json\r\nContent-Length: 1000\r\nExpect: 100-continue";
    write!(request, "POST /api/v1/sessions HTTP/1.1\r\nHost: {host}\r\n{head}\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    request.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100", "the body is awaited");
    server.signal("TERM");
    until("no connection is taken", || TcpStream::connect(host).is_err());
    let (status, body) = get(&format!("{metrics}/ready"));
    assert_eq!((status, body.contains("\"status\":\"draining\"")), (503, true), "{body}");
    drop(request);
    assert_eq!(server.ended(), Some(0));
}

#[test]
fn an_answer_outlives_its_server() {
    let (place, model) = waiting_place();
    let mut server = place.up();
    server.line("Listens on");
    let ask = place.command(&["ask", "How hot is green tea brewed?"]).spawn().unwrap();
    let _question = model.asked();
    server.signal("KILL");
    let ended = finish(ask).expect(1);
    assert!(ended.err.contains("the connection to the server at http://127.0.0.1:"), "{ended:?}");
    let id = ended.err.split("/api/v1/responses/").nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(id.starts_with("resp_") && ended.err.contains("goes on in the background"), "{ended:?}");
}

#[test]
fn the_second_ctrl_c_does_not_wait() {
    let (place, model) = waiting_place();
    let mut server = place.up();
    server.line("Listens on");
    let ask = place.command(&["ask", "How hot is green tea brewed?"]).spawn().unwrap();
    let _question = model.asked();
    server.signal("INT");
    server.note("1 running job");
    server.signal("INT");
    assert_eq!(server.ended(), Some(130));
    assert_ne!(finish(ask).code, Some(0), "its server is gone");
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_is_heard_while_nobody_types_a_question() {
    let place = Place::new();
    let mut ask = place.command(&["ask", "-"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let typing = ask.stdin.take();
    until("a process that hears the signal", || hears_interrupt(&ask));
    signal(&ask, "INT");
    let ended = finish(ask).expect(130);
    assert!(ended.err.contains("nothing was asked"), "{ended:?}");
    drop(typing);
}

/// Whether a process has a handler of SIGINT, which is number 2.
#[cfg(target_os = "linux")]
fn hears_interrupt(child: &std::process::Child) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
    u64::from_str_radix(caught.trim(), 16).is_ok_and(|signals| signals & 0b10 != 0)
}
