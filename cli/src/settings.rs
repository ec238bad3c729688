//! Settings for a command: its own options, the environment, `.env`.

use crate::{
    args::Common,
    failure::{Failure, Outcome},
};
use chat_config::{Origin, Secret, Settings, sources};
use std::path::Path;

/// Reads every setting; `overrides` are the command's own options by setting name.
pub fn load(common: &Common, overrides: Vec<(String, String)>) -> Outcome<Settings> {
    let mut given = overrides;
    if let Some(folder) = &common.data {
        let folder = folder
            .to_str()
            .ok_or_else(|| Failure::wrong_use("--data names a folder that is not Unicode text"))?;
        if folder.is_empty() {
            return Err(Failure::wrong_use("--data names no folder"));
        }
        given.push(("DATA_DIR".into(), folder.into()));
    }
    Settings::load(&sources(Path::new("."), given)).map_err(|error| Failure::wrong_use(error.to_string()))
}

/// Whether somebody chose this setting.
pub fn is_chosen(settings: &Settings, name: &str) -> bool {
    settings.table().iter().any(|row| row.name == name && row.origin != Origin::Default)
}

/// What another command needs to find the same data folder, with a space before it.
pub fn data_option(settings: &Settings) -> String {
    if is_chosen(settings, "DATA_DIR") {
        format!(" --data {}", settings.data_dir.display())
    } else {
        String::new()
    }
}

/// The key that signs tokens, if an identity is configured: if somebody chose it, or has to.
pub fn secret_key(settings: &Settings) -> Option<Secret> {
    let configured = settings.app.env.is_strict() || is_chosen(settings, "SECRET_KEY");
    configured.then(|| settings.app.secret_key.clone())
}
