use crate::program::{Lines, Place, signal, text};

fn with_jobs() -> Place {
    let place = Place::new();
    let broken = place.write("broken.txt", [0_u8; 64]);
    let good = place.write("good.md", "# Good\n\nText.\n");
    place.run(&["ingest", text(&good), text(&broken)]).expect(1);
    place
}

#[test]
fn jobs_are_listed_and_shown() {
    let place = with_jobs();
    let jobs = place.run(&["jobs", "list", "--kind", "ingest_document.v1", "--json"]).expect(0).json();
    let jobs = jobs.as_array().unwrap();
    assert_eq!(jobs.len(), 2, "{jobs:?}");
    assert!(
        jobs.iter().all(|job| job["kind"] == "ingest_document.v1" && job["lane"] == "ingest"),
        "{jobs:?}"
    );
    let id = jobs[0]["id"].as_str().unwrap();
    let shown = place.run(&["jobs", "show", id]).expect(0);
    assert!(shown.out.contains(id) && shown.out.contains("ingest_document.v1"), "{shown:?}");
    let table = place.run(&["jobs", "list", "--state", "succeeded,dead", "--limit", "2"]).expect(0);
    assert_eq!(table.out.lines().count(), 3, "a header and two rows: {table:?}");
}

#[test]
fn what_cannot_be_done_is_said_of_each_job() {
    let place = with_jobs();
    let jobs = place.run(&["jobs", "list", "--state", "succeeded", "--json"]).expect(0).json();
    let done = jobs[0]["id"].as_str().unwrap();
    let unknown = "job_00000000-0000-7000-8000-000000000000";
    let ended = place.run(&["jobs", "cancel", done, unknown, "--json"]).expect(1);
    let results = ended.json();
    assert_eq!((&results[0]["ok"], &results[1]["ok"]), (&false.into(), &false.into()), "{results}");
    assert!(results[0]["error"].as_str().unwrap().contains("succeeded"), "{results}");
    place.run(&["jobs", "show", unknown]).expect(1);
}

#[test]
fn lanes_are_counted() {
    let stats = with_jobs().run(&["jobs", "stats", "--json"]).expect(0).json();
    let names: Vec<_> = stats.as_array().unwrap().iter().map(|lane| lane["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["chat", "default", "embed", "ingest", "maintenance"]);
    assert!(stats.as_array().unwrap().iter().all(|lane| lane["running"] == 0), "{stats}");
}

#[test]
fn a_paused_lane_stays_paused() {
    let place = Place::begun();
    let paused = place.run(&["lanes", "pause", "ingest", "embed", "--json"]).expect(0).json();
    assert_eq!((&paused[0]["name"], &paused[0]["paused"]), (&"ingest".into(), &true.into()), "{paused}");
    let listed = place.run(&["lanes", "list"]).expect(0);
    assert_eq!(listed.out.matches("paused since").count(), 2, "{listed:?}");
    assert_eq!(listed.out.matches("open").count(), 3, "{listed:?}");
    let resumed = place.run(&["lanes", "resume", "ingest", "embed", "--json"]).expect(0).json();
    assert!(resumed.as_array().unwrap().iter().all(|lane| lane["paused"] == false), "{resumed}");
    place.run(&["lanes", "pause", "fast"]).expect(2);
}

/// Whoever waits for a paused lane would wait for ever.
#[test]
fn who_waits_for_a_paused_lane_is_told() {
    let place = Place::begun();
    let document = place.write("tea.md", "# Tea\n\nGreen tea is brewed at 80 degrees.\n");
    place.run(&["lanes", "pause", "ingest"]).expect(0);
    let mut server = place.up();
    server.line("Listens on");
    let mut ingest = place.command(&["ingest", text(&document)]).spawn().unwrap();
    let mut said = Lines::of(ingest.stderr.take().unwrap());
    assert!(said.find("the lane ingest is paused").contains("`chat lanes resume ingest --data "));
    signal(&ingest, "INT");
    let rest = said.find("0 of 1 files");
    assert!(rest.contains("1 more is uploaded and being read in the background"), "{rest}");
    assert_eq!(ingest.wait().unwrap().code(), Some(130));

    place.run(&["lanes", "resume", "ingest"]).expect(0);
    place.run(&["ingest", text(&document)]).expect(0);
    place.run(&["lanes", "pause", "chat"]).expect(0);
    let mut ask = place.command(&["ask", "How hot is green tea brewed?"]).spawn().unwrap();
    Lines::of(ask.stderr.take().unwrap()).find("the lane chat is paused");
    place.run(&["lanes", "resume", "chat"]).expect(0);
    assert_eq!(ask.wait().unwrap().code(), Some(0));
    server.stop().expect(0);
}

#[test]
fn nobody_works_when_nothing_runs() {
    let place = Place::begun();
    assert_eq!(place.run(&["workers", "--json"]).expect(0).json(), serde_json::json!([]));
    assert!(place.run(&["workers"]).expect(0).err.contains("chat worker"));
}
