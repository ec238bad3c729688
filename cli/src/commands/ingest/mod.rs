//! `chat ingest`: files and folders become documents.

mod earlier;
mod files;
mod report;
mod special;
mod upload;

pub use files::{Found, find};
pub use report::Report;

use super::paused;
use crate::{
    args::Target,
    client::{Client, ClientError, Collection},
    failure::{Exit, Failure, Outcome},
    link::Link,
    output::{self, Progress},
    run::Context,
    server::Crew,
    values,
};
use earlier::Work;
use futures::StreamExt;
use std::{fmt::Write, path::PathBuf, time::Instant};
use upload::read_all;

/// Where documents go if nobody says where.
pub const COLLECTION: &str = "default";

/// Options of `chat ingest`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, and folders with all that is in them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The collection; made if it is missing
    #[arg(long, value_name = "NAME", default_value = COLLECTION, value_parser = values::name)]
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
        let (collection, was_there) = link.client.collection(collection).await?;
        Ok::<_, Failure>(read_into(&link.client, collection, was_there, found, &progress).await?)
    };
    let (steps, say) = (|| progress.steps(), |text: &str| progress.note(text));
    let work = paused::tell_during(link, &["ingest", "embed"], steps, say, Box::pin(work));
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
        let when = if link.is_private() {
            "will be read when a server is started, or by the next command that reads documents"
        } else {
            "being read in the background"
        };
        let _ = write!(what, "; {more} uploaded and {when}");
    }
    Failure::interrupted(what).hint("the same command again: files that are in already are not read twice")
}

async fn read_into(
    client: &Client,
    collection: Collection,
    was_there: bool,
    found: Found,
    progress: &Progress,
) -> Result<Report, ClientError> {
    let begun = Instant::now();
    let Found { files, unsupported, special, unreadable } = found;
    let work = if was_there {
        earlier::compare(client, &collection.id, files).await?
    } else {
        files.into_iter().map(|file| Work { file, replaces: None }).collect()
    };
    let mut report = Report::new(collection, unsupported, special, unreadable);
    // What changed comes first, to its end: until then the old text is there, and a file that has the same would be
    // taken for a duplicate of what is about to go.
    let (changed, mut others): (Vec<_>, Vec<_>) = work.into_iter().partition(|work| work.replaces.is_some());
    let mut ends = Vec::new();
    for end in read_all(client, &report.collection.id, changed, false, progress).collect::<Vec<_>>().await {
        if end.may_fit_later() {
            others.push(Work { file: end.file, replaces: end.replaces });
        } else {
            ends.push(end);
        }
    }
    ends.extend(read_all(client, &report.collection.id, others, true, progress).collect::<Vec<_>>().await);
    report.add(ends, begun.elapsed());
    Ok(report)
}
