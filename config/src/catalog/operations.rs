//! Running it: workers, logs, metrics.

/// Workers.
pub(crate) mod worker {
    use std::time::Duration;

    use crate::operations::{Concurrency, concurrency};
    use crate::{parse, quantity};

    settings! { "Workers";
        WORKER_CONCURRENCY: Concurrency = "chat=1024,ingest=2,embed=4,maintenance=1,default=256", concurrency,
            "a number from 1 to 10000 for every lane, lanes by name (chat, ingest, embed, maintenance, default: `chat=256,ingest=4`), or both (`8,chat=256`)",
            "How many jobs of a lane one process runs at a time. Lanes that are not named keep their default.";
        WORKER_PROCESSES: u32 = "0", |text| parse::within(text, 0, 1024), "a number from 0 to 1024",
            "Threads that one process works with (one process does the work of several here). 0: one for each core.";
        WORKER_CONNECTIONS: u32 = "10000", |text| parse::within(text, 1, 1_000_000), "a number from 1 to 1000000",
            "The most connections that the API serves at a time; further ones wait.";
        WORKER_TIMEOUT: Duration = "30s", quantity::duration, "seconds, or a number with ms, s, m or h, up to a day",
            "The longest that a plain request to the API may take until its answer begins; then it is 503. Streams, sockets, uploads and `/embeddings` have their own limits, and so have jobs.";
    }
}

/// Logs.
pub(crate) mod log {
    use crate::logs::{LogFile, LogFormat, LogLevel, log_file, log_filter, log_format, log_level};
    use crate::parse;

    settings! { "Logs";
        LOG_LEVEL: Option<LogLevel> = "", |text| parse::optional(text, log_level),
            "trace, debug, info, warning or error",
            "The least level that is logged. Unset: info, or debug if DEBUG is set. Other people's libraries are capped at warning.";
        LOG_FILTER: Vec<(String, LogLevel)> = "", log_filter,
            "`module=level`, separated by commas (`chat_worker=debug,sqlx=info`)",
            "Levels of single modules, on top of LOG_LEVEL.";
        LOG_FORMAT: Option<LogFormat> = "", |text| parse::optional(text, log_format), "json or pretty",
            "How lines look. Unset: json in production and staging, else pretty.";
        LOG_FILE: Option<LogFile> = "", |text| parse::optional(text, log_file), "a file, or `off`",
            "Where lines go besides the standard output; errors also go to `error.log` beside it. Rotated daily. Unset: `logs/app.log` in DATA_DIR.";
        LOG_KEEP_DAYS: u32 = "30", |text| parse::within(text, 1, 3650), "a number from 1 to 3650",
            "How many daily files are kept.";
    }
}

/// What looks at it from outside.
pub(crate) mod watching {
    use crate::parse;
    use crate::url::Url;

    settings! { "Metrics and error reports";
        PROMETHEUS_ENABLED: bool = "true", parse::switch, "true or false",
            "Whether metrics are served.";
        PROMETHEUS_PORT: u16 = "8001", |text| parse::within(text, 0, u16::MAX), "a port, 0 to 65535; 0 takes any free one",
            "The port of `/metrics`.";
        SENTRY_DSN: Option<Url> [Secret] = "", |text| parse::optional(text, parse::web_url),
            "the `https://key@host/project` that Sentry shows",
            "Where errors are reported to. Unset: nowhere.";
    }
}
