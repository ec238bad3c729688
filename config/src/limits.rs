//! `RATE_LIMIT_*`.

use chat_core::Limits;

use crate::catalog::limits as keys;
use crate::loader::Loader;

pub(crate) fn read(loader: &mut Loader) -> Limits {
    let limits = Limits {
        key_requests: loader.get(&keys::RATE_LIMIT_KEY_REQUESTS),
        tenant_requests: loader.get(&keys::RATE_LIMIT_TENANT_REQUESTS),
        key_tokens: loader.get(&keys::RATE_LIMIT_KEY_TOKENS),
        tenant_tokens: loader.get(&keys::RATE_LIMIT_TENANT_TOKENS),
    };
    let above = |key, tenant| tenant > 0 && key > tenant;
    for (above, measure) in [
        (above(limits.key_requests, limits.tenant_requests), "REQUESTS"),
        (above(limits.key_tokens, limits.tenant_tokens), "TOKENS"),
    ] {
        if above {
            loader.warn(format!(
                "RATE_LIMIT_KEY_{measure} is more than RATE_LIMIT_TENANT_{measure}: no key can get that far"
            ));
        }
    }
    limits
}
