//! The application itself and its HTTP side.

use std::path::PathBuf;

use crate::application::{Environment, environment};
use crate::parse;
use crate::secret::Secret;

settings! { "Application";
    APP_ENV: Environment = "development", environment, "development, test, staging or production",
        "Where this runs. Production (and staging, its rehearsal) refuses to start on unsafe settings.";
    DEBUG: bool = "false", parse::switch, "true or false",
        "Logs at level debug, unless LOG_LEVEL says otherwise. Refused in production.";
    SECRET_KEY: Option<Secret> [Secret] = "", |text| parse::optional(text, parse::secret),
        "any text; in production 32 characters or more that nobody else knows, such as `openssl rand -hex 32` prints",
        "Signs access tokens. Unset: a key that everybody knows, for development only.";
    CHAT_API_KEY: Option<Secret> [Secret] = "", |text| parse::optional(text, parse::secret),
        "what `chat keys create` prints",
        "What commands send to a server that wants to know who calls; --api-key counts more. Servers do not read it.";
    DATA_DIR: PathBuf = "./rag-chat-data", parse::path, "a folder; it is created if it is missing",
        "Where everything that is kept in files lives: SQLite database, uploaded files, logs.";
}

/// The HTTP side.
pub(crate) mod http {
    use std::net::IpAddr;
    use std::time::Duration;

    use crate::origins::{AllowedHosts, CorsOrigins, allowed_hosts, cors_origins};
    use crate::{parse, quantity};

    settings! { "HTTP";
        HOST: IpAddr = "127.0.0.1", parse::listen_address, "an IP address or `localhost`; 0.0.0.0 for every interface",
            "The address to listen on, for the API and for metrics.";
        PORT: u16 = "8000", |text| parse::within(text, 0, u16::MAX), "a port, 0 to 65535; 0 takes any free one",
            "The port of the API.";
        CORS_ORIGINS: CorsOrigins = "", cors_origins,
            "origins like `https://chat.example:8443`, separated by commas or as a JSON list; `*` for all",
            "Web origins whose pages may call the API from a browser. Unset: only pages that the API serves itself.";
        ALLOWED_HOSTS: Option<AllowedHosts> = "", |text| parse::optional(text, allowed_hosts),
            "host names, separated by commas or as a JSON list; `*.example.com` for all names below it, `*` for all",
            "Host names that requests may be addressed to. Unset: the names of this machine if HOST is a loopback address, else all.";
        MAX_UPLOAD_SIZE: u64 = "100MB", quantity::bytes, "bytes, or a number with kB, MB, GB, KiB, MiB or GiB",
            "The largest file that can be uploaded; enforced while the upload is read.";
        GRACE_PERIOD: Duration = "25s", quantity::duration, "seconds, or a number with ms, s, m or h, up to a day",
            "How long a stopping process waits for running requests and jobs before it hands jobs back. Keep it below the orchestrator's own limit (Kubernetes: 30 s).";
    }
}
