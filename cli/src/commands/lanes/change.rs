//! `chat lanes pause`, `chat lanes resume`

use super::list::show;
use crate::{
    client::Client,
    failure::{Exit, Outcome},
};
use chat_core::Lane;

/// Pauses or resumes lanes, and shows them.
pub async fn run(client: &Client, lanes: &[Lane], paused: bool, json: bool) -> Outcome {
    let mut changed = Vec::with_capacity(lanes.len());
    for lane in lanes {
        changed.push(client.set_paused(lane.as_str(), paused).await?);
    }
    show(&changed, json);
    Ok(Exit::Done)
}
