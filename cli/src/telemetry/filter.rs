//! Which log lines are written: ours from `LOG_LEVEL` on, other people's from warnings on.

use chat_config::{Log, LogLevel};
use tracing_subscriber::filter::{LevelFilter, Targets};

/// Our crates are `chat` and `chat_*`; a filter's target is a prefix.
const OURS: &str = "chat";

/// The filter of these settings.
pub(super) fn targets(log: &Log) -> Targets {
    let own = level(log.level);
    let others = own.min(LevelFilter::WARN);
    let named = log.filter.iter().map(|(module, least)| (module.clone(), level(*least)));
    Targets::new().with_default(others).with_target(OURS, own).with_targets(named)
}

fn level(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Trace => LevelFilter::TRACE,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_config::LogFormat;
    use tracing::Level;

    fn log(level: LogLevel, filter: &[(&str, LogLevel)]) -> Log {
        let filter = filter.iter().map(|(module, level)| ((*module).to_owned(), *level)).collect();
        Log { level, filter, format: LogFormat::Json, file: None, keep_days: 30 }
    }

    #[test]
    fn other_peoples_noise_is_capped() {
        let targets = targets(&log(LogLevel::Debug, &[]));
        assert!(targets.would_enable("chat_worker::attempt", &Level::DEBUG));
        assert!(!targets.would_enable("chat_worker::attempt", &Level::TRACE));
        assert!(targets.would_enable("sqlx::query", &Level::WARN));
        assert!(!targets.would_enable("hyper::proto", &Level::INFO));
    }

    #[test]
    fn a_high_level_holds_for_everybody() {
        let targets = targets(&log(LogLevel::Error, &[]));
        assert!(!targets.would_enable("sqlx::query", &Level::WARN));
    }

    #[test]
    fn single_modules_can_be_chosen() {
        let filter = [("sqlx", LogLevel::Debug), ("chat_api", LogLevel::Error)];
        let targets = targets(&log(LogLevel::Info, &filter));
        assert!(targets.would_enable("sqlx::query", &Level::DEBUG));
        assert!(!targets.would_enable("chat_api::routes", &Level::INFO));
        assert!(targets.would_enable("chat_worker", &Level::INFO));
    }
}
