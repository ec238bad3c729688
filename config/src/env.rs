//! The only place that reads the process: its environment and `.env`.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;

use crate::catalog;
use crate::problem::Problem;
use crate::source::{Origin, Source};

/// The sources of a process that runs in `folder` (usually `.`): its command line's overrides by setting name, its
/// environment, and `folder/.env` if there is such a file. A file that cannot be read is a problem of the load.
pub fn sources(folder: &Path, overrides: impl IntoIterator<Item = (String, String)>) -> Vec<Source> {
    let mut sources = vec![Source::new(Origin::CommandLine, overrides), environment(std::env::vars_os())];
    sources.extend(env_file(&folder.join(".env")));
    sources
}

/// Variables that are not Unicode are somebody else's business, unless they bear one of our names.
fn environment(variables: impl Iterator<Item = (OsString, OsString)>) -> Source {
    let mut source = Source::new(Origin::Environment, Vec::<(String, String)>::new());
    for (name, value) in variables {
        let Ok(name) = name.into_string() else { continue };
        match value.into_string() {
            Ok(value) => {
                source.values.insert(name, value);
            }
            Err(_) if catalog::is_setting(&name) => {
                source.problems.push(Problem::of(&name, "is not Unicode text (env)"));
            }
            Err(_) => {}
        }
    }
    source
}

/// A folder of that name is a Python environment, not ours; but who meant a file should learn of it.
fn env_file(path: &Path) -> Option<Source> {
    if path.is_dir() {
        let mut source = Source::env_file("");
        source.warnings.push("`.env` is a folder: no settings are read from it".to_owned());
        return Some(source);
    }
    match std::fs::read_to_string(path) {
        Ok(text) => Some(Source::env_file(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => {
            let mut source = Source::env_file("");
            source.problems.push(Problem::of(".env", format!("cannot be read: {error}")));
            Some(source)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_no_source_and_a_folder_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert!(env_file(&folder.path().join(".env")).is_none());
        std::fs::create_dir(folder.path().join(".env")).unwrap();
        let source = env_file(&folder.path().join(".env")).unwrap();
        assert!(source.values.is_empty() && source.problems.is_empty());
        assert!(source.warnings[0].contains("is a folder"), "{:?}", source.warnings);
    }

    #[test]
    fn a_file_is_read_and_ranks_last() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".env"), "LLM_MODEL=from-file\n").unwrap();
        let sources = sources(folder.path(), [("PORT".into(), "0".into())]);
        let origins: Vec<_> = sources.iter().map(|source| source.origin).collect();
        assert_eq!(origins, [Origin::CommandLine, Origin::Environment, Origin::EnvFile]);
        assert_eq!(sources[2].values["LLM_MODEL"], "from-file");
    }

    #[test]
    fn a_file_that_is_not_text_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".env"), b"A=\xff\xfe").unwrap();
        let source = env_file(&folder.path().join(".env")).unwrap();
        assert!(source.problems[0].to_string().starts_with(".env: cannot be read"));
    }

    #[cfg(unix)]
    #[test]
    fn only_our_own_variables_must_be_unicode() {
        use std::os::unix::ffi::OsStringExt;
        let garbled = || OsString::from_vec(vec![0xff]);
        let source = environment([("OTHER".into(), garbled()), ("LLM_MODEL".into(), garbled())].into_iter());
        assert_eq!(source.problems, [Problem::of("LLM_MODEL", "is not Unicode text (env)")]);
    }
}
