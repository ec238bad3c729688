//! From upload to answer, through the real program.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod cancel;
mod documents;
mod offline;
mod resume;
mod turns;

use chat_tests::{chat::Chat, fake_openai::FakeOpenAi};

/// A server over a fresh folder that asks a fake model.
async fn with_fake(directives: &str) -> (tempfile::TempDir, FakeOpenAi, Chat) {
    let folder = tempfile::tempdir().unwrap();
    let fake = FakeOpenAi::start().await;
    fake.directives(directives);
    let settings = [("OPENAI_BASE_URL", fake.url()), ("EMBEDDING_MODEL", "offline".into())];
    let server = Chat::up(folder.path(), &settings).await;
    (folder, fake, server)
}
