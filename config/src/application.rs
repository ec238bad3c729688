//! The application itself and its HTTP side, as types.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::catalog::application as keys;
use crate::catalog::application::http as http_keys;
use crate::loader::Loader;
use crate::origins::{AllowedHosts, CorsOrigins};
use crate::parse::Parsed;
use crate::secret::Secret;

/// Signs tokens where nobody chose a key. Long enough to work with, and known to everybody.
pub(crate) const DEVELOPMENT_KEY: &str = "development-only-secret-key-that-everybody-knows";

/// Where this runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// On somebody's own machine.
    Development,
    /// In automatic tests.
    Test,
    /// The rehearsal for production: the same rules.
    Staging,
    /// For real users.
    Production,
}

impl Environment {
    /// Whether unsafe settings are refused: in production, and in its rehearsal.
    pub fn is_strict(self) -> bool {
        matches!(self, Self::Staging | Self::Production)
    }

    /// The name, as `APP_ENV` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Test => "test",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

/// Reads `APP_ENV`.
pub(crate) fn environment(text: &str) -> Parsed<Environment> {
    match text.to_ascii_lowercase().as_str() {
        "development" | "dev" | "local" => Ok(Environment::Development),
        "test" | "testing" => Ok(Environment::Test),
        "staging" => Ok(Environment::Staging),
        "production" | "prod" => Ok(Environment::Production),
        _ => Err("is not an environment".into()),
    }
}

/// The application.
#[derive(Clone, Debug)]
pub struct App {
    /// Where it runs.
    pub env: Environment,
    /// Whether it logs more than usual.
    pub debug: bool,
    /// Signs access tokens.
    pub secret_key: Secret,
    /// What commands send to a server.
    pub api_key: Option<Secret>,
}

impl App {
    pub(crate) fn read(loader: &mut Loader) -> Self {
        let env = loader.get(&keys::APP_ENV);
        let debug = loader.get(&keys::DEBUG);
        let secret_key = loader.get(&keys::SECRET_KEY).unwrap_or_else(|| Secret::new(DEVELOPMENT_KEY));
        let api_key = loader.get(&keys::CHAT_API_KEY);
        Self { env, debug, secret_key, api_key }
    }
}

/// The folder for everything that is kept in files.
pub(crate) fn read_data_dir(loader: &mut Loader) -> PathBuf {
    loader.get(&keys::DATA_DIR)
}

/// The HTTP side.
#[derive(Clone, Debug)]
pub struct Http {
    /// The address to listen on, for the API and for metrics.
    pub host: IpAddr,
    /// The port of the API; 0: any free one.
    pub port: u16,
    /// Web origins whose pages may call.
    pub cors_origins: CorsOrigins,
    /// Host names that requests may be addressed to.
    pub allowed_hosts: AllowedHosts,
    /// The largest file that can be uploaded, in bytes.
    pub max_upload_bytes: u64,
    /// How long a stopping process waits for what is running.
    pub grace_period: Duration,
}

impl Http {
    pub(crate) fn read(loader: &mut Loader) -> Self {
        let host = loader.get(&http_keys::HOST);
        let port = loader.get(&http_keys::PORT);
        let cors_origins = loader.get(&http_keys::CORS_ORIGINS);
        let chosen_hosts = loader.get(&http_keys::ALLOWED_HOSTS);
        let allowed_hosts = chosen_hosts.unwrap_or_else(|| default_hosts(host));
        loader.show_derived(&http_keys::ALLOWED_HOSTS, allowed_hosts.to_setting());
        let max_upload_bytes = loader.get(&http_keys::MAX_UPLOAD_SIZE);
        let grace_period = loader.get(&http_keys::GRACE_PERIOD);
        Self { host, port, cors_origins, allowed_hosts, max_upload_bytes, grace_period }
    }
}

/// A server on loopback asks nobody for a key, so it must not answer to names that other sites point at it.
fn default_hosts(host: IpAddr) -> AllowedHosts {
    if host.is_loopback() { AllowedHosts::loopback() } else { AllowedHosts::Any }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_have_usual_short_names() {
        for env in
            [Environment::Development, Environment::Test, Environment::Staging, Environment::Production]
        {
            assert_eq!(environment(env.as_str()), Ok(env));
        }
        assert_eq!(environment("Prod"), Ok(Environment::Production));
        assert!(environment("live").is_err());
        assert!(Environment::Staging.is_strict() && !Environment::Test.is_strict());
    }
}
