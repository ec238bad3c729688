//! `chat keys list`

use crate::{
    client::{ApiKey, Client},
    failure::{Exit, Outcome},
    output::{self, Align, Table},
};

/// Lists keys; their secrets are nowhere.
pub async fn run(client: &Client, json: bool) -> Outcome {
    let keys = client.keys().await?;
    if json {
        output::json(&keys);
        return Ok(Exit::Done);
    }
    if keys.is_empty() {
        output::note("no keys: `chat keys create NAME` makes one");
        return Ok(Exit::Done);
    }
    let columns = ["Id", "Name", "Tenant", "Scopes", "Made", "Ends"].map(|name| (name, Align::Left));
    let mut table = Table::new(columns).unbroken([0, 4, 5]).expendable([4, 2]);
    for key in &keys {
        table.row([
            key.id.clone(),
            key.name.clone(),
            key.tenant.clone(),
            key.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", "),
            key.created_at.to_string(),
            end(key),
        ]);
    }
    table.print();
    Ok(Exit::Done)
}

fn end(key: &ApiKey) -> String {
    match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) => at.to_string(),
        (None, None) => "never".to_owned(),
    }
}
