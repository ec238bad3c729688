//! `chat keys create`

use crate::{
    client::Client,
    failure::{Exit, Outcome},
    output, values,
};
use chat_core::Scope;
use clap::ValueEnum;

/// What a key allows; each includes the ones before it.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScopeName {
    /// The tenant's own things
    User,
    /// Jobs of everybody
    Operator,
    /// Keys
    Admin,
}

/// Options of `chat keys create`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to call it
    #[arg(value_parser = values::name)]
    name: String,
    /// What it allows, separated by commas; each includes the ones before it
    #[arg(long, value_delimiter = ',', default_value = "user", value_enum)]
    scopes: Vec<ScopeName>,
    /// Whose data it opens [default: default]
    #[arg(long, value_parser = values::name)]
    tenant: Option<String>,
    /// When it stops working, for instance 2027-01-31T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    expires_at: Option<String>,
}

/// Makes a key. As JSON: `{id, secret, ...}`.
pub async fn run(client: &Client, args: &Args, json: bool) -> Outcome {
    let scopes: Vec<_> = args
        .scopes
        .iter()
        .map(|scope| match scope {
            ScopeName::User => Scope::User,
            ScopeName::Operator => Scope::Operator,
            ScopeName::Admin => Scope::Admin,
        })
        .collect();
    let key =
        client.create_key(&args.name, &scopes, args.tenant.as_deref(), args.expires_at.as_deref()).await?;
    if json {
        output::json(&key);
    } else {
        output::line(key.secret.as_deref().unwrap_or_default());
        output::note(&format!(
            "{} of tenant {}: keep this secret, it is not shown again",
            key.id, key.tenant
        ));
    }
    Ok(Exit::Done)
}
