//! `chat init`: makes what is missing.

use crate::{
    failure::{Exit, Failure, Outcome},
    output::{self, Align, Table},
    run::Context,
    server,
};
use chat_adapters::DataLock;
use chat_config::{DatabaseUrl, Index, Settings, Storage};
use chat_core::{ErrorKind, JobId};
use chat_jobs::{Chosen, choose_model};
use serde::Serialize;

#[derive(Serialize)]
struct Entry {
    part: &'static str,
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
}

/// Makes the data folder, the schema, the vector index and the file store. Safe to repeat.
pub async fn run(context: &Context) -> Outcome {
    server::prepare(&context.settings).await?;
    let model = model(&context.settings).await?;
    let parts = parts(&context.settings, &model);
    if context.common.json {
        output::json(&parts);
        return Ok(Exit::Done);
    }
    let mut table = Table::new([("Part", Align::Left), ("Place", Align::Left)]);
    for part in parts {
        table.row([part.part.to_owned(), part.place]);
    }
    table.print();
    say(&model);
    output::line(
        "Everything is there. Next: `chat ingest FOLDER`, then `chat ask \"a question\"`, or `chat up`.",
    );
    Ok(Exit::Done)
}

/// Who looks after the embedding model.
enum Model {
    /// This command has.
    Chosen(Chosen),
    /// The configured one cannot take over yet.
    NotYet(String),
    /// The server that has the data folder did, with its own settings.
    OfServer(u32),
}

/// Opens what is kept in files, which makes what is missing there, and has the configured embedding model take over.
async fn model(settings: &Settings) -> Outcome<Model> {
    if let Some(holder) = DataLock::holder(&settings.data_dir).filter(|holder| holder.url.is_some()) {
        return Ok(Model::OfServer(holder.pid));
    }
    let opened = server::open(settings).await?;
    let chosen = choose_model(&opened.ports).await;
    opened.close().await;
    match chosen {
        Ok(chosen) => Ok(Model::Chosen(chosen)),
        Err(error) if error.kind == ErrorKind::Conflict => Ok(Model::NotYet(error.message)),
        Err(error) => Err(Failure::new(format!("the embedding model cannot be recorded: {error}"))),
    }
}

fn say(model: &Model) {
    match model {
        Model::OfServer(pid) => output::line(format!(
            "The embedding model is that of the server that runs (process {pid}); it takes another up when it starts."
        )),
        Model::NotYet(why) => output::line(format!("The embedding model stays as it is: {why}.")),
        Model::Chosen(Chosen { live, building, dropping }) => {
            if let Some((next, job)) = building {
                output::line(format!(
                    "Searches use the embedding model {live} until every document has vectors of {next}, which job \
                     {job} makes: `chat jobs list --kind build_vectors.v1` shows how far it is."
                ));
            }
            for (name, job) in dropping {
                output::line(format!("Vectors of {name} are no longer needed: job {job} removes them."));
            }
        }
    }
}

fn models(model: &Model) -> Vec<Entry> {
    let Model::Chosen(Chosen { live, building, dropping }) = model else { return Vec::new() };
    let part = |part, place: &String, job: Option<&JobId>| Entry {
        part,
        place: place.clone(),
        job: job.map(ToString::to_string),
    };
    let mut parts = vec![part("embedding model", live, None)];
    parts.extend(building.iter().map(|(name, job)| part("next embedding model", name, Some(job))));
    parts.extend(dropping.iter().map(|(name, job)| part("former embedding model", name, Some(job))));
    parts
}

fn parts(settings: &Settings, model: &Model) -> Vec<Entry> {
    let place = |part, place: String| Entry { part, place, job: None };
    let folder = settings.data_dir.display();
    let mut parts = vec![
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
    ];
    parts.extend(models(model));
    parts
}
