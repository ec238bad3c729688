//! Access tokens: JWT, signed with `SECRET_KEY` (HS256), made by whoever has that key.

use chat_core::{Scope, Tenant, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a token says. `scopes` may also be one text, `scope`, with spaces, as OAuth has it.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    /// Who it is about: for logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    /// Whose data it opens; none: the default tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    /// What it allows; none: the tenant's own things.
    #[serde(default)]
    scopes: Vec<Scope>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// When it ends, in seconds since 1970.
    exp: i64,
    /// When it begins to be good; none: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
}

/// How far the clock of whoever signs may be ahead of ours.
const LEEWAY: Duration = Duration::from_secs(30);

/// A token that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Whose data it opens.
    pub tenant: Tenant,
    /// What it allows.
    pub scope: Scope,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A token for this tenant and scope that ends after `ttl`.
pub fn sign(
    secret_key: &str,
    tenant: &Tenant,
    scope: Scope,
    now: Timestamp,
    ttl: Duration,
) -> Option<String> {
    let claims = Claims {
        sub: None,
        tenant: Some(tenant.as_str().to_owned()),
        scopes: vec![scope],
        scope: None,
        exp: now.plus(ttl).0 / 1_000 + 1,
        nbf: None,
    };
    let key = EncodingKey::from_secret(secret_key.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).ok()
}

/// What a token says, if `SECRET_KEY` signed it, it has begun and has not ended, and its tenant can be one.
pub fn verify(token: &str, secret_key: &str, now: Timestamp) -> Option<Verified> {
    let mut rules = Validation::new(Algorithm::HS256);
    rules.validate_exp = false; // by our clock, below
    rules.validate_aud = false;
    let key = DecodingKey::from_secret(secret_key.as_bytes());
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &rules).ok()?.claims;
    let expires_at = Timestamp(claims.exp.checked_mul(1_000)?);
    let begins_at = claims.nbf.map_or(Some(now.0), |seconds| seconds.checked_mul(1_000))?;
    if expires_at <= now || Timestamp(begins_at) > now.plus(LEEWAY) {
        return None;
    }
    let tenant = claims.tenant.as_deref().map_or(Some(Tenant::default()), super::tenant)?;
    let scope = scope(&claims)?;
    Some(Verified { tenant, scope, expires_at })
}

/// The highest scope; a name that is not known makes the token worthless.
fn scope(claims: &Claims) -> Option<Scope> {
    let mut scopes = claims.scopes.clone();
    for name in claims.scope.iter().flat_map(|text| text.split_whitespace()) {
        scopes.push(serde_json::from_value(name.into()).ok()?);
    }
    Some(scopes.into_iter().max().unwrap_or(Scope::User))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000_000);
    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn a_token_says_what_was_signed_until_it_ends() {
        let tenant = Tenant::from("租户");
        let token = sign("k", &tenant, Scope::Operator, NOW, MINUTE).unwrap();
        let found = verify(&token, "k", NOW).unwrap();
        assert_eq!((found.tenant, found.scope), (tenant, Scope::Operator));
        assert_eq!(verify(&token, "k", NOW.plus(MINUTE * 2)), None);
        assert_eq!(verify(&token, "other", NOW), None);
        assert_eq!(verify(&format!("{token}x"), "k", NOW), None);
    }

    #[test]
    fn other_algorithms_unknown_scopes_and_odd_tenants_are_refused() {
        let key = EncodingKey::from_secret(b"k");
        let encode = |algorithm, claims: serde_json::Value| {
            jsonwebtoken::encode(&Header::new(algorithm), &claims, &key).unwrap()
        };
        let exp = NOW.0 / 1_000 + 60;
        let plain = serde_json::json!({ "exp": exp });
        assert_eq!(verify(&encode(Algorithm::HS256, plain.clone()), "k", NOW).unwrap().scope, Scope::User);
        assert_eq!(verify(&encode(Algorithm::HS512, plain), "k", NOW), None);
        let oauth = serde_json::json!({ "exp": exp, "scope": "user admin" });
        assert_eq!(verify(&encode(Algorithm::HS256, oauth), "k", NOW).unwrap().scope, Scope::Admin);
        let unknown = serde_json::json!({ "exp": exp, "scope": "root" });
        assert_eq!(verify(&encode(Algorithm::HS256, unknown), "k", NOW), None);
        for tenant in ["", " ", "a\u{0}b", "a\nb", &"t".repeat(201)] {
            let odd = serde_json::json!({ "exp": exp, "tenant": tenant });
            assert_eq!(verify(&encode(Algorithm::HS256, odd), "k", NOW), None, "{tenant:?}");
        }
        let endless = serde_json::json!({ "scopes": ["admin"] });
        assert_eq!(verify(&encode(Algorithm::HS256, endless), "k", NOW), None);
    }

    #[test]
    fn a_token_is_not_good_before_its_time() {
        let key = EncodingKey::from_secret(b"k");
        let begun = |ahead: i64| {
            let claims = serde_json::json!({ "exp": NOW.0 / 1_000 + 7_200, "nbf": NOW.0 / 1_000 + ahead, "tenant": "t" });
            let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap();
            verify(&token, "k", NOW).is_some()
        };
        assert!(begun(-60) && begun(0) && begun(20), "clocks differ a little");
        assert!(!begun(60) && !begun(3_600) && !begun(i64::MAX - NOW.0));
    }
}
