//! Which files there are: those that are named, and in folders those of a known kind.

use super::special;
use crate::{
    failure::{Failure, Outcome, plain},
    interrupt::Interrupt,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Endings of what can be read. A file that is named itself is tried whatever its ending.
const KNOWN: [&str; 8] = ["md", "markdown", "txt", "text", "log", "html", "htm", "xhtml"];

/// A file to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its path inside the folder that was named; for a file that was named, its name.
    pub shown: String,
    /// Where it is for all of this machine: absolute, without links. By this a later run knows it again.
    pub source: String,
    /// Its size.
    pub bytes: u64,
}

impl SourceFile {
    fn new(path: PathBuf, shown: String, bytes: u64) -> Self {
        let whole = fs::canonicalize(&path).or_else(|_| std::path::absolute(&path));
        let source = whole.as_ref().unwrap_or(&path).to_string_lossy().into_owned();
        Self { path, shown, source, bytes }
    }
}

/// What is behind the paths that were named.
#[derive(Debug, Default)]
pub struct Found {
    /// To be read, in the order of their paths.
    pub files: Vec<SourceFile>,
    /// In folders, of a kind that cannot be read.
    pub unsupported: Vec<String>,
    /// In folders, what is no file at all: its path, and what it is.
    pub special: Vec<(String, &'static str)>,
    /// What could not be looked at, and why.
    pub unreadable: Vec<(String, String)>,
}

impl Found {
    /// The size of all.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Looks at every path. Beside the runtime: a file system that does not answer must not keep Ctrl-C from being heard.
pub async fn find(interrupt: &Interrupt, paths: &[PathBuf]) -> Outcome<Found> {
    let paths = paths.to_vec();
    let looking = tokio::task::spawn_blocking(move || look_at(&paths));
    match interrupt.unless(looking).await {
        Some(Ok(found)) => found,
        Some(Err(error)) => Err(Failure::new(format!("the files could not be looked for: {error}"))),
        None => Err(Failure::interrupted("nothing was read yet")),
    }
}

/// A path that does not exist is a slip of the pen, and so is a pipe or a device, which may have no end: nothing is
/// read then. What this user may not read is one file less.
fn look_at(paths: &[PathBuf]) -> Outcome<Found> {
    let mut found = Found::default();
    for path in paths {
        let about = match fs::metadata(path) {
            Ok(about) => about,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let what = format!("{} cannot be read: {}", path.display(), plain(&error));
                return Err(Failure::wrong_use(what));
            }
            Err(error) => {
                found.unreadable.push((path.display().to_string(), plain(&error)));
                continue;
            }
        };
        if about.is_dir() {
            found.folder(path, path);
        } else if let Some(what) = special::kind(about.file_type()) {
            return Err(Failure::wrong_use(format!("{} is {what}, not a file", path.display())));
        } else {
            let shown = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            found.files.push(SourceFile::new(path.clone(), shown, about.len()));
        }
    }
    if found.files.is_empty() && found.unreadable.is_empty() {
        return Err(nothing(&found));
    }
    Ok(found)
}

fn nothing(found: &Found) -> Failure {
    let known = KNOWN.map(|ending| format!(".{ending}")).join(" ");
    let failure = Failure::new("there is nothing to read: no file of a known kind");
    match found.unsupported.len() {
        0 => failure.hint(format!("name files, or folders with files that end in {known}")),
        others => {
            failure.hint(format!("{others} files have other endings; what can be read ends in {known}"))
        }
    }
}

impl Found {
    /// Everything in a folder, deeper ones included. Hidden files are skipped, and links to folders: they may lead
    /// in circles.
    fn folder(&mut self, root: &Path, folder: &Path) {
        let entries = match fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(mut entries) => {
                entries.sort_by_key(fs::DirEntry::file_name);
                entries
            }
            Err(error) => return self.unreadable(root, folder, &error),
        };
        for entry in entries {
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                self.entry(root, &entry);
            }
        }
    }

    fn entry(&mut self, root: &Path, entry: &fs::DirEntry) {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => return self.folder(root, &path),
            Ok(_) => {}
            Err(error) => return self.unreadable(root, &path, &error),
        }
        let about = match fs::metadata(&path) {
            Ok(about) => about,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return self.special.push((inside(root, &path), "a link that leads nowhere"));
            }
            Err(error) => return self.unreadable(root, &path, &error),
        };
        match special::kind(about.file_type()) {
            Some(what) => self.special.push((inside(root, &path), what)),
            None if about.is_file() => self.file(root, path, about.len()),
            None => {}
        }
    }

    fn unreadable(&mut self, root: &Path, path: &Path, error: &io::Error) {
        let shown = if path == root { path.display().to_string() } else { inside(root, path) };
        self.unreadable.push((shown, plain(error)));
    }

    fn file(&mut self, root: &Path, path: PathBuf, bytes: u64) {
        let shown = inside(root, &path);
        if is_known(&path) {
            self.files.push(SourceFile::new(path, shown, bytes));
        } else {
            self.unsupported.push(shown);
        }
    }
}

/// The path inside the folder, with the same separator everywhere.
fn inside(root: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn is_known(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    KNOWN.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "text").unwrap();
    }

    fn shown(found: &Found) -> Vec<&str> {
        found.files.iter().map(|file| file.shown.as_str()).collect()
    }

    #[test]
    fn folders_are_searched_and_hidden_files_are_not() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.md", "a/报销.TXT", "a/x.bin", ".git/c.md", ".hidden.md", "z.html"] {
            write(folder.path(), name);
        }
        let found = look_at(&[folder.path().to_owned()]).unwrap();
        assert_eq!(shown(&found), ["a/报销.TXT", "b.md", "z.html"]);
        assert_eq!(found.unsupported, ["a/x.bin"]);
        assert_eq!(found.bytes(), 12);
    }

    #[test]
    fn a_file_that_is_named_is_tried() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "notes.rst");
        let found = look_at(&[folder.path().join("notes.rst")]).unwrap();
        assert_eq!(shown(&found), ["notes.rst"]);
    }

    #[test]
    fn nothing_to_read_says_what_could_be() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "x.bin");
        let failure = look_at(&[folder.path().to_owned()]).unwrap_err();
        assert!(failure.hints()[0].contains(".md"), "{failure:?}");
        let missing = look_at(&[folder.path().join("nope")]).unwrap_err();
        assert_eq!(missing.exit(), crate::failure::Exit::WrongUse);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_passed_over_in_a_folder_and_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a.md");
        let socket = folder.path().join("b.md");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let found = look_at(&[folder.path().to_owned()]).unwrap();
        assert_eq!(shown(&found), ["a.md"]);
        assert_eq!(found.special, [("b.md".to_owned(), "a socket")]);
        for (path, what) in
            [(socket.as_path(), "is a socket, not a file"), (Path::new("/dev/null"), "is a device")]
        {
            let refused = look_at(&[path.to_owned()]).unwrap_err();
            assert!(refused.to_string().contains(what), "{refused}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_looked_at_is_named_and_the_rest_is_read() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a.md");
        let link = |from: &str, to: &str| std::os::unix::fs::symlink(from, folder.path().join(to)).unwrap();
        link("circle.md", "circle.md");
        link("gone.md", "link.md");
        let mut found = look_at(&[folder.path().to_owned()]).unwrap();
        assert_eq!(shown(&found), ["a.md"]);
        assert_eq!(found.special, [("link.md".to_owned(), "a link that leads nowhere")]);
        found.folder(folder.path(), &folder.path().join("deep/vanished"));
        let paths: Vec<_> = found.unreadable.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["circle.md", "deep/vanished"], "{:?}", found.unreadable);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a.md");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
        assert_eq!(shown(&look_at(&[folder.path().to_owned()]).unwrap()), ["a.md"]);
    }
}
