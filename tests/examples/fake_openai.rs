//! A fake OpenAI server to try things against.
//!
//! `cargo run -p chat-tests --example fake_openai -- --port 9099 --tokens-per-second 20 --directives "reasoning=3"`

use chat_tests::fake_openai::{DIRECTIVES, FakeOpenAi};

const USAGE: &str = "options: --port N (0: any) | --tokens-per-second N | --directives \"a=1; b\"";

#[tokio::main]
async fn main() -> Result<(), String> {
    let (mut port, mut directives) = (0, String::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match name.as_str() {
            "--port" => port = value.parse().map_err(|_| USAGE)?,
            "--tokens-per-second" => directives.extend(["tps=", &value, ";"]),
            "--directives" => directives += &value,
            _ => return Err(USAGE.to_owned()),
        }
    }
    let script = chat_tests::fake_openai::Script::parse(&directives)?;
    let fake = FakeOpenAi::start_on(port).await;
    fake.script(script);
    println!("OPENAI_BASE_URL={}\n", fake.url());
    println!(
        "Directives, in a message, a model's name or the API key, as in [[fake: tps=20; cut=5]]:\n{DIRECTIVES}"
    );
    println!("Ctrl-C stops it.");
    tokio::signal::ctrl_c().await.map_err(|error| error.to_string())
}
