use crate::program::Place;

const SECRET: &str = "a secret key of this test, long enough";

/// Who has no `SECRET_KEY` needs a key, and is told so.
#[test]
fn a_server_that_wants_a_key_gets_one() {
    let place = Place::new().with("SECRET_KEY", SECRET);
    let mut server = place.up();
    let url = server.address("Listens on");
    let made = |name: &str, scopes: &str| {
        let key = place.run(&["keys", "create", name, "--scopes", scopes, "--json"]).expect(0).json();
        key["secret"].as_str().unwrap().to_owned()
    };
    let (operator, user) = (made("operator", "operator"), made("user", "user"));

    let elsewhere = Place::new();
    let without = elsewhere.run(&["jobs", "list", "--server", &url]).expect(1);
    assert!(without.err.contains("this server wants an API key"), "{without:?}");
    assert!(without.err.contains("--api-key") && without.err.contains("CHAT_API_KEY"), "{without:?}");
    assert!(!without.err.contains("Bearer"), "{without:?}");
    elsewhere.run(&["jobs", "list", "--server", &url, "--api-key", &operator]).expect(0);
    let wrong = elsewhere.run(&["jobs", "list", "--server", &url, "--api-key", "ragc_wrong"]).expect(1);
    assert!(wrong.err.contains("does not take the key"), "{wrong:?}");
    let small = elsewhere.run(&["workers", "--server", &url, "--api-key", &user]).expect(1);
    assert!(small.err.contains("does not allow that") && small.err.contains("--scopes"), "{small:?}");

    let set = Place::new().with("CHAT_API_KEY", &operator);
    set.run(&["jobs", "list", "--server", &url]).expect(0);
    let shown = set.run(&["config"]).expect(0);
    assert!(shown.out.contains("CHAT_API_KEY") && !shown.out.contains(&operator), "{shown:?}");
    // Who has the SECRET_KEY is not stopped by the key of another server.
    let both = place.with("CHAT_API_KEY", "ragc_of_another_server");
    both.run(&["jobs", "list"]).expect(0);
    server.stop().expect(0);
}
