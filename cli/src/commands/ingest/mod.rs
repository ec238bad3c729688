//! `chat ingest`: files and folders become documents.

mod files;
mod report;
mod special;
mod upload;

pub use files::{Found, find};
pub use report::Report;

use crate::{
    args::Target,
    client::Collection,
    failure::{Exit, Failure, Outcome},
    link::Link,
    output::{self, Progress},
    run::Context,
    server::Crew,
};
use std::{fmt::Write, path::PathBuf, time::Instant};

/// Where documents go if nobody says where.
pub const COLLECTION: &str = "default";

/// Options of `chat ingest`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, and folders with all that is in them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The collection; made if it is missing
    #[arg(long, value_name = "NAME", default_value = COLLECTION)]
    collection: String,
    #[command(flatten)]
    target: Target,
}

/// Reads documents and waits until each can be found or has failed.
pub async fn run(args: Args, context: Context) -> Outcome {
    let found = find(&context.interrupt, &args.paths).await?;
    let link = Link::open(&context, &args.target, Crew::Once).await?;
    let report = read(&link, &context, &args.collection, found).await;
    link.close().await;
    let report = report?;
    if context.common.json {
        output::json(&report);
    } else {
        report.print();
    }
    Ok(if report.failed.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Reads what was found into a collection.
pub async fn read(link: &Link, context: &Context, collection: &str, found: Found) -> Outcome<Report> {
    let progress = Progress::new(found.files.len() as u64, found.bytes(), context.common.json);
    let total = found.files.len();
    let work = async {
        let collection = link.client.collection(collection).await?;
        Ok::<_, Failure>(read_into(link, collection, found, &progress).await)
    };
    let done = context.interrupt.unless(work).await;
    progress.clear();
    done.unwrap_or_else(|| Err(interrupted(link, &progress, total)))
}

/// What is left behind, and how to go on.
fn interrupted(link: &Link, progress: &Progress, total: usize) -> Failure {
    let done = progress.files_done();
    let mut what = format!("{done} of {total} files were done");
    let under_way = progress.files_uploaded().saturating_sub(done);
    if under_way > 0 {
        let more = output::counted(under_way, "more is", "more are");
        let when = if link.ports().is_some() {
            "will be read when a server is started, or by the next command that reads documents"
        } else {
            "being read in the background"
        };
        let _ = write!(what, "; {more} uploaded and {when}");
    }
    Failure::interrupted(what).hint("the same command again: files that are in already are not read twice")
}

async fn read_into(link: &Link, collection: Collection, found: Found, progress: &Progress) -> Report {
    let begun = Instant::now();
    let Found { files: sources, unsupported, special, unreadable } = found;
    let mut report = Report::new(collection, unsupported, special, unreadable);
    let mut ends = upload::read_all(&link.client, &report.collection.id, &sources, progress);
    let mut files = Vec::with_capacity(sources.len());
    while let Some(file) = futures::StreamExt::next(&mut ends).await {
        files.push(file);
    }
    drop(ends);
    report.add(files, begun.elapsed());
    report
}
