//! Who may call: browser origins and host names.

use crate::parse::{self, Parsed};

/// Which web origins a browser may call from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsOrigins {
    /// Every origin.
    Any,
    /// These, each as `scheme://host[:port]`; none: only pages that the API serves itself.
    Only(Vec<String>),
}

/// Which host names a request may be addressed to. Stops pages of other sites that point their own name at this
/// machine (DNS rebinding).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedHosts {
    /// Every name.
    Any,
    /// These, in lower case; `*.example.com` stands for every name below `example.com`.
    Only(Vec<String>),
}

impl AllowedHosts {
    /// The names of this machine, for a server that listens on loopback.
    pub(crate) fn loopback() -> Self {
        Self::Only(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec())
    }

    /// Whether a request with this `Host` header (with or without a port) is for us.
    pub fn allows(&self, host: &str) -> bool {
        let Self::Only(names) = self else { return true };
        let host = without_port(host).to_ascii_lowercase();
        names.iter().any(|name| match name.strip_prefix('*') {
            Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
            None => host == *name,
        })
    }

    /// As it would be written in the setting.
    pub(crate) fn to_setting(&self) -> String {
        match self {
            Self::Any => "*".into(),
            Self::Only(names) => names.join(","),
        }
    }
}

fn without_port(host: &str) -> &str {
    let name_end = host.rfind(']').map_or(0, |at| at + 1);
    host[name_end..].find(':').map_or(host, |colon| &host[..name_end + colon])
}

/// Reads `CORS_ORIGINS`.
pub(crate) fn cors_origins(text: &str) -> Parsed<CorsOrigins> {
    let origins = parse::list(text)?;
    if origins.iter().any(|origin| origin == "*") {
        return Ok(CorsOrigins::Any);
    }
    origins.iter().map(|origin| web_origin(origin)).collect::<Parsed<_>>().map(CorsOrigins::Only)
}

/// Browsers send an origin without a path and in lower case: a form that they never send would match nothing.
fn web_origin(origin: &str) -> Parsed<String> {
    let url = parse::web_url(origin)?;
    if !url.path().is_empty() || !url.query().is_empty() || url.user().is_some() {
        return Err("names more than scheme, host and port".into());
    }
    Ok(url.expose().to_ascii_lowercase())
}

/// Reads `ALLOWED_HOSTS`.
pub(crate) fn allowed_hosts(text: &str) -> Parsed<AllowedHosts> {
    let names = parse::list(text)?;
    if names.iter().any(|name| name == "*") {
        return Ok(AllowedHosts::Any);
    }
    names.iter().map(|name| host_name(name)).collect::<Parsed<_>>().map(AllowedHosts::Only)
}

fn host_name(name: &str) -> Parsed<String> {
    let bare = name.strip_prefix("*.").unwrap_or(name);
    let bracketed = bare.starts_with('[') && bare.ends_with(']');
    if bare.is_empty() || bare.contains(['/', '*', '@']) || (bare.contains(':') && !bracketed) {
        return Err("names more than hosts (no scheme, port or path)".into());
    }
    Ok(name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_scheme_host_and_port() {
        let only = |origin: &str| CorsOrigins::Only(vec![origin.into()]);
        assert_eq!(cors_origins("https://A.example:8443/"), Ok(only("https://a.example:8443")));
        assert_eq!(cors_origins("https://a.example, *"), Ok(CorsOrigins::Any));
        assert_eq!(cors_origins(""), Ok(CorsOrigins::Only(vec![])));
        for bad in ["https://a.example/app", "a.example", "ftp://a.example", "https://u@a.example"] {
            assert!(cors_origins(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hosts_match_by_name_without_port() {
        let hosts = allowed_hosts("Chat.example, *.chat.example").unwrap();
        for good in ["chat.example", "CHAT.example:8000", "a.chat.example", "a.b.chat.example:1"] {
            assert!(hosts.allows(good), "{good}");
        }
        for bad in ["evil.example", "evilchat.example", ".chat.example", "chat.example.evil", ""] {
            assert!(!hosts.allows(bad), "{bad}");
        }
        assert!(AllowedHosts::loopback().allows("[::1]:8000"));
        assert!(!AllowedHosts::loopback().allows("rebound.example:8000"));
        assert!(allowed_hosts("*").unwrap().allows("anything"));
    }

    #[test]
    fn hosts_have_no_port_and_no_scheme() {
        for bad in ["https://a.example", "a.example:80", "*", "a*b"] {
            assert!(host_name(bad).is_err(), "{bad}");
        }
    }
}
