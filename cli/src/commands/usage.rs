//! `chat usage`: tokens and their cost.

use crate::{
    args::Target,
    client::UsageSum,
    failure::{Exit, Failure, Outcome},
    link::Link,
    output::{self, Align, Table},
    run::Context,
    server::Crew,
    values,
};

/// Options of `chat usage`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// By what to add up
    #[arg(long, value_name = "GROUP", default_value = "day", value_parser = ["day", "model", "session"])]
    by: String,
    /// The beginning: a time or a date (UTC) [default: 30 days before the end]
    #[arg(long, value_name = "TIME", value_parser = values::time_or_date)]
    from: Option<String>,
    /// The end: a time, or a date (UTC), which is included [default: now]
    #[arg(long, value_name = "TIME", value_parser = values::time_or_date)]
    to: Option<String>,
    #[command(flatten)]
    target: Target,
}

/// Shows what models took for the tenant of whoever asks.
pub async fn run(args: Args, context: Context) -> Outcome {
    let link = Link::open_existing(&context, &args.target, Crew::Nobody).await?;
    let asking = link.client.usage(&args.by, args.from.as_deref(), args.to.as_deref());
    let found = context.interrupt.unless(asking).await;
    link.close().await;
    let sums = found.ok_or_else(|| Failure::interrupted("nothing was changed"))??;
    if context.common.json {
        output::json(&sums);
    } else if sums.is_empty() {
        output::note("no tokens were used in this time");
    } else {
        show(&args.by, &sums);
    }
    Ok(Exit::Done)
}

fn show(by: &str, sums: &[UsageSum]) {
    let group = match by {
        "model" => "Model",
        "session" => "Conversation",
        _ => "Day",
    };
    let right = |name| (name, Align::Right);
    let mut table = Table::new([
        (group, Align::Left),
        right("Requests"),
        right("Input"),
        right("Output"),
        right("Tokens"),
        right("US dollars"),
    ]);
    for sum in sums {
        let name = sum.day.as_ref().or(sum.model.as_ref()).or(sum.session_id.as_ref());
        table.row([
            name.cloned().unwrap_or_else(|| "(none)".to_owned()),
            sum.requests.to_string(),
            sum.input_tokens.to_string(),
            sum.output_tokens.to_string(),
            sum.total_tokens.to_string(),
            sum.cost_usd.map_or_else(String::new, |cost| format!("{cost:.4}")),
        ]);
    }
    table.print();
}
