//! Every setting: names, defaults, validation, one message for all errors.
//!
//! The settings are declared once, in `catalog`: parsing, the table of `chat config` and `.env.example`
//! all come from that declaration. [`Settings::load`] is a pure function of the [`Source`]s that it is given;
//! [`sources`] gathers them from the process environment and an optional `.env` file.
//!
//! ```
//! use chat_config::{Origin, Settings, Source};
//!
//! let environment = Source::new(Origin::Environment, [("LLM_TEMPERATURE", "0.2")]);
//! let settings = Settings::load(&[environment])?;
//! assert_eq!(settings.llm.temperature, 0.2);
//! # Ok::<(), chat_config::ConfigError>(())
//! ```

#[macro_use]
mod setting;

mod application;
mod catalog;
mod dotenv;
mod env;
mod example;
mod limits;
mod loader;
mod logs;
mod models;
mod near_miss;
mod operations;
mod origins;
mod parse;
mod problem;
mod production;
mod quantity;
mod secret;
mod settings;
mod source;
mod stores;
mod url;

pub use application::{App, Environment, Http};
pub use env::sources;
pub use example::env_example;
pub use loader::SettingRow;
pub use logs::{Log, LogFormat, LogLevel};
pub use models::{Embedding, Llm, ModelProvider, Prices, Retrieval};
pub use operations::{Concurrency, Prometheus, Worker};
pub use origins::{AllowedHosts, CorsOrigins};
pub use problem::{ConfigError, Problem};
pub use secret::Secret;
pub use settings::Settings;
pub use source::{Origin, Source};
pub use stores::{Database, DatabaseUrl, Index, Redis, RedisLanes, RedisUrl, S3, Storage, Weaviate};
pub use url::Url;
