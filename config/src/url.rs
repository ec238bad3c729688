//! Addresses of outside services: checked at start, and never printed with their password.

use std::fmt;

use crate::secret::{MASK, Secret};

/// Schemes that name something inside this process or on this disk: nothing in them is secret.
const LOCAL_SCHEMES: [&str; 6] = ["sqlite", "file", "memory", "embedded", "offline", "openai"];

/// A URL of the shape `scheme://[user[:password]@]host[:port][,host...][/path][?query]`.
///
/// `Debug` and `Display` mask the password; [`Url::expose`] gives the text that a client library needs.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    text: String,
    scheme: String,
    user: Option<String>,
    password: Option<Secret>,
    hosts: Vec<(String, Option<u16>)>,
    path: String,
    query: String,
}

impl Url {
    /// Checks `text` and takes it apart. The error says what is wrong and never repeats the text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("contains a space or a control character".into());
        }
        let (scheme, rest) = text.split_once("://").ok_or("is not a URL of the form scheme://host")?;
        let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = match before_query.find('/') {
            Some(at) => before_query.split_at(at),
            None => (before_query, ""),
        };
        let (userinfo, hosts) = match authority.rsplit_once('@') {
            Some((userinfo, hosts)) => (Some(userinfo), hosts),
            None => (None, authority),
        };
        let (user, password) = userinfo.map_or((None, None), split_userinfo);
        Ok(Self {
            text: text.to_owned(),
            scheme: scheme.to_ascii_lowercase(),
            user,
            password,
            hosts: split_hosts(hosts)?,
            path: path.to_owned(),
            query: query.to_owned(),
        })
    }

    /// The whole URL, password included: for a client library, never for a message.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The scheme, in lower case.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The user name before `@`, as written (percent-encoded).
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The password before `@`, as written (percent-encoded).
    pub fn password(&self) -> Option<&Secret> {
        self.password.as_ref()
    }

    /// The hosts with their ports: one, or the seed nodes of a cluster. Empty for a Unix socket.
    pub fn hosts(&self) -> &[(String, Option<u16>)] {
        &self.hosts
    }

    /// The path with its leading `/`, or nothing.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The text after `?`, or nothing.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// The same address under another scheme (`postgresql+asyncpg:` is a `postgresql:` to everybody else).
    pub(crate) fn with_scheme(mut self, scheme: &str) -> Self {
        let rest = self.text.split_once("://").map_or("", |(_, rest)| rest);
        self.text = format!("{scheme}://{rest}");
        scheme.clone_into(&mut self.scheme);
        self
    }

    /// The same address with another query.
    pub(crate) fn with_query(mut self, query: &str) -> Self {
        let base = self.text.split_once('?').map_or(self.text.as_str(), |(base, _)| base);
        self.text = if query.is_empty() { base.to_owned() } else { format!("{base}?{query}") };
        query.clone_into(&mut self.query);
        self
    }

    /// The same address without slashes at its end, so that paths can be appended to it.
    pub(crate) fn without_trailing_slash(mut self) -> Self {
        if self.query.is_empty() {
            self.text.truncate(self.text.trim_end_matches('/').len());
            self.path.truncate(self.path.trim_end_matches('/').len());
        }
        self
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", mask_url(&self.text))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask_url(&self.text))
    }
}

fn split_userinfo(userinfo: &str) -> (Option<String>, Option<Secret>) {
    let (user, password) = match userinfo.split_once(':') {
        Some((user, password)) => (user, Some(Secret::new(password))),
        None => (userinfo, None),
    };
    (Some(user.to_owned()).filter(|user| !user.is_empty()), password)
}

fn split_hosts(hosts: &str) -> Result<Vec<(String, Option<u16>)>, String> {
    if hosts.is_empty() {
        return Ok(Vec::new());
    }
    hosts.split(',').map(split_port).collect()
}

fn split_port(host: &str) -> Result<(String, Option<u16>), String> {
    // An IPv6 address has colons of its own, so it stands in brackets.
    let name_end = host.rfind(']').map_or(0, |at| at + 1);
    let (name, port) = match host[name_end..].rfind(':') {
        Some(colon) => (&host[..name_end + colon], Some(&host[name_end + colon + 1..])),
        None => (host, None),
    };
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || "-._[]:%".contains(c)) {
        return Err(
            "has no valid host name (special characters in a password must be percent-encoded)".into()
        );
    }
    let port = port.map(|digits| match digits.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err("has no valid port (special characters in a password must be percent-encoded)".to_owned()),
    });
    Ok((name.to_owned(), port.transpose()?))
}

/// `text` without its password and without secrets in its query, valid URL or not: when in doubt more is hidden.
pub(crate) fn mask_url(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        let scheme = text.split(':').next().unwrap_or_default();
        let known = text.contains(':') && LOCAL_SCHEMES.contains(&scheme) && !text.contains('@');
        return if known || text.is_empty() { text.to_owned() } else { MASK.to_owned() };
    };
    let (base, query) = rest.split_once('?').map_or((rest, None), |(base, query)| (base, Some(query)));
    let masked_base = match rest.rsplit_once('@') {
        // The `@` stands behind the `?`: a password with a question mark, or a query; hide all up to it.
        Some((_, host)) if !base.contains('@') => {
            return format!("{scheme}://{MASK}@{}", mask_query(host));
        }
        _ => mask_base(scheme, base),
    };
    match query {
        Some(query) => format!("{scheme}://{masked_base}?{}", mask_query(query)),
        None => format!("{scheme}://{masked_base}"),
    }
}

fn mask_base(scheme: &str, base: &str) -> String {
    let Some((userinfo, host)) = base.rsplit_once('@') else {
        return base.to_owned();
    };
    match userinfo.split_once(':') {
        Some((user, _)) => format!("{user}:{MASK}@{host}"),
        // In web addresses a lone name before the `@` is usually a token.
        None if scheme.contains("http") => format!("{MASK}@{host}"),
        None => base.to_owned(),
    }
}

fn mask_query(query: &str) -> String {
    let mask_pair = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if is_secret_parameter(name) => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    };
    query.split('&').map(mask_pair).collect::<Vec<_>>().join("&")
}

fn is_secret_parameter(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "passwd", "token", "secret", "key", "auth"].iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_url_apart() {
        let url = Url::parse("Redis://user:p%40ss@a.example:6379,[::1]:6380,c/0?protocol=resp3").unwrap();
        assert_eq!(url.scheme(), "redis");
        assert_eq!(url.user(), Some("user"));
        assert_eq!(url.password().unwrap().expose(), "p%40ss");
        let hosts = [("a.example".into(), Some(6379)), ("[::1]".into(), Some(6380)), ("c".into(), None)];
        assert_eq!(url.hosts(), hosts);
        assert_eq!((url.path(), url.query()), ("/0", "protocol=resp3"));
    }

    #[test]
    fn refuses_what_is_not_a_url() {
        for (text, reason) in [
            ("localhost:5432", "not a URL"),
            ("redis://host:99999", "port"),
            ("redis://host:", "port"),
            ("postgres://user:pa/ss@host/db", "percent-encoded"),
            ("redis://ho st", "space"),
            ("redis://a,,b", "host name"),
        ] {
            let error = Url::parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn masks_passwords_wherever_they_stand() {
        for (text, masked) in [
            ("postgres://me:hunter2@db:5432/rag", "postgres://me:********@db:5432/rag"),
            ("redis://:hunter2@r", "redis://:********@r"),
            ("postgres://me@db/rag", "postgres://me@db/rag"),
            ("https://hunter2@host/1", "https://********@host/1"),
            ("postgres://me:hun@ter2@db", "postgres://me:********@db"),
            ("postgres://me:hun/ter2@db/rag", "postgres://me:********@db/rag"),
            ("postgres://me:hun?ter2@db/rag", "postgres://********@db/rag"),
            (
                "postgres://db/rag?user=me&password=hunter2&a=b",
                "postgres://db/rag?user=me&password=********&a=b",
            ),
            ("https://h/?mail=a@b&token=hunter2", "https://********@b&token=********"),
            ("sqlite:some/where.db", "sqlite:some/where.db"),
            ("memory:", "memory:"),
            ("hunter2", "********"),
            ("hunter2:hunter2", "********"),
            ("", ""),
        ] {
            assert_eq!(mask_url(text), masked);
            assert!(!mask_url(text).contains("hunter2") && !mask_url(text).contains("ter2"), "{text}");
        }
    }

    #[test]
    fn printing_masks() {
        let url = Url::parse("redis://:hunter2@r").unwrap();
        assert!(!format!("{url} {url:?}").contains("hunter2"));
        assert_eq!(url.with_scheme("rediss").expose(), "rediss://:hunter2@r");
    }
}
