//! `chat init`: makes what is missing.

use super::migrate::open_and_close;
use crate::{
    failure::{Exit, Outcome},
    output::{self, Align, Table},
    run::Context,
    server,
};
use chat_config::{DatabaseUrl, Index, Settings, Storage};
use serde::Serialize;

#[derive(Serialize)]
struct Part {
    part: &'static str,
    place: String,
}

/// Makes the data folder, the schema, the vector index and the file store. Safe to repeat.
pub async fn run(context: &Context) -> Outcome {
    server::prepare(&context.settings).await?;
    open_and_close(&context.settings).await?;
    let parts = parts(&context.settings);
    if context.common.json {
        output::json(&parts);
        return Ok(Exit::Done);
    }
    let mut table = Table::new([("Part", Align::Left), ("Place", Align::Left)]);
    for part in parts {
        table.row([part.part.to_owned(), part.place]);
    }
    table.print();
    output::line(
        "Everything is there. Next: `chat ingest FOLDER`, then `chat ask \"a question\"`, or `chat up`.",
    );
    Ok(Exit::Done)
}

fn parts(settings: &Settings) -> Vec<Part> {
    let place = |part, place: String| Part { part, place };
    let folder = settings.data_dir.display();
    vec![
        place("data folder", folder.to_string()),
        place(
            "database",
            match &settings.database.url {
                DatabaseUrl::Sqlite { path } => path.display().to_string(),
                DatabaseUrl::Postgres(url) => url.to_string(),
            },
        ),
        place(
            "vector index",
            match &settings.index {
                Index::Embedded => "in the data folder".to_owned(),
                Index::Weaviate(weaviate) => weaviate.url.to_string(),
            },
        ),
        place(
            "file store",
            match &settings.storage {
                Storage::File { path } => path.display().to_string(),
                Storage::S3(s3) => format!("{}/{}", s3.endpoint, s3.bucket),
            },
        ),
    ]
}
