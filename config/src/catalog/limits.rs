//! How much callers may ask for.

use crate::parse;

settings! { "Limits";
    RATE_LIMIT_KEY_REQUESTS: u64 = "0", |text| parse::within(text, 0, 1_000_000_000), "a number from 0 to 1000000000; 0: no limit",
        "Requests that one API key may make within a minute.";
    RATE_LIMIT_TENANT_REQUESTS: u64 = "0", |text| parse::within(text, 0, 1_000_000_000), "a number from 0 to 1000000000; 0: no limit",
        "Requests that one tenant may make within a minute, whatever keys and tokens it uses.";
    RATE_LIMIT_KEY_TOKENS: u64 = "0", |text| parse::within(text, 0, 1_000_000_000_000), "a number from 0 to 1000000000000; 0: no limit",
        "Tokens of models that one API key may use in a day (UTC).";
    RATE_LIMIT_TENANT_TOKENS: u64 = "0", |text| parse::within(text, 0, 1_000_000_000_000), "a number from 0 to 1000000000000; 0: no limit",
        "Tokens of models that one tenant may use in a day (UTC), documents included where the provider counts them.";
}
