//! `chat keys`: who may call.

mod create;
mod list;

use crate::{
    args::Target,
    failure::{Exit, Failure, Outcome},
    link::Link,
    output,
    run::Context,
    server::Crew,
};
use chat_core::KeyId;
use serde_json::json;

/// Options of `chat keys`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a key; its secret is printed once and kept nowhere
    Create(create::Args),
    /// List keys, newest first
    List,
    /// Revoke a key: within a second nobody takes it any more
    Revoke {
        /// Its id
        id: KeyId,
    },
}

/// Does what was asked for. Who has `SECRET_KEY` may; no key is needed for it.
pub async fn run(args: Args, context: Context) -> Outcome {
    let link = match args.action {
        Action::Create(_) => Link::open(&context, &args.target, Crew::Nobody).await?,
        _ => Link::open_existing(&context, &args.target, Crew::Nobody).await?,
    };
    let json = context.common.json;
    let work = async {
        match args.action {
            Action::Create(args) => create::run(&link.client, &args, json).await,
            Action::List => list::run(&link.client, json).await,
            Action::Revoke { id } => {
                link.client.revoke_key(&id.to_string()).await?;
                if json {
                    output::json(&json!({ "id": id.to_string(), "revoked": true }));
                } else {
                    output::line(format!("{id} is revoked."));
                }
                Ok(Exit::Done)
            }
        }
    };
    let done = context.interrupt.unless(work).await;
    link.close().await;
    done.unwrap_or_else(|| Err(Failure::interrupted("nothing more was done")))
}
