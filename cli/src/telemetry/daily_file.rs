//! A log file that is put aside once a day: `app.log` becomes `app.log.2026-03-01.gz` and a new one begins, without a
//! restart. Only the newest are kept.

use super::wall_clock;
use chrono::{DateTime, NaiveDate, Utc};
use flate2::{Compression, write::GzEncoder};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Asks files to be opened anew: somebody has moved them away.
#[derive(Debug, Clone, Default)]
pub struct Reopening(Arc<AtomicU64>);

impl Reopening {
    /// Every file is opened again before its next line.
    pub fn ask(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn asked(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Writes to a file; puts it aside when the day (UTC) is over.
pub(super) struct DailyFile {
    path: PathBuf,
    keep: usize,
    now: Box<dyn Fn() -> DateTime<Utc> + Send>,
    open: Option<(NaiveDate, File)>,
    reopening: Reopening,
    reopened: u64,
}

impl DailyFile {
    /// The file is made with its first line; `keep`: how many earlier days are kept.
    pub(super) fn new(path: &Path, keep: usize, reopening: Reopening) -> Self {
        let reopened = reopening.asked();
        let now = Box::new(wall_clock::now);
        Self { path: path.to_owned(), keep, now, open: None, reopening, reopened }
    }

    #[cfg(test)]
    fn with_clock(mut self, now: impl Fn() -> DateTime<Utc> + Send + 'static) -> Self {
        self.now = Box::new(now);
        self
    }

    /// Makes the file now.
    pub(super) fn open(&mut self) -> io::Result<()> {
        self.today().map(drop)
    }

    /// The file of today. What an earlier day (or an earlier process) left is put aside first.
    fn today(&mut self) -> io::Result<&mut File> {
        let asked = self.reopening.asked();
        if asked != self.reopened {
            (self.open, self.reopened) = (None, asked);
        }
        let today = (self.now)().date_naive();
        if self.open.as_ref().is_none_or(|(day, _)| *day != today) {
            self.open = None;
            if let Some(day) = last_written(&self.path).filter(|day| *day < today) {
                put_aside(&self.path, day, self.keep);
            }
        }
        match &mut self.open {
            Some((_, file)) => Ok(file),
            none => {
                if let Some(folder) = self.path.parent() {
                    fs::create_dir_all(folder)?;
                }
                let file = OpenOptions::new().create(true).append(true).open(&self.path)?;
                Ok(&mut none.insert((today, file)).1)
            }
        }
    }
}

impl Write for DailyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.today()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open.as_mut().map_or(Ok(()), |(_, file)| file.flush())
    }
}

/// The day of a file's last line; `None`: there is no such file, or it is empty.
fn last_written(path: &Path) -> Option<NaiveDate> {
    let file = fs::metadata(path).ok().filter(|file| file.len() > 0)?;
    Some(DateTime::<Utc>::from(file.modified().ok()?).date_naive())
}

/// Logging goes on whatever happens here: a day that could not be put aside stays where it is. This runs on the
/// writing thread, whose queue holds what is logged meanwhile.
fn put_aside(path: &Path, day: NaiveDate, keep: usize) {
    let aside = named(path, &day.format("%Y-%m-%d").to_string());
    if fs::rename(path, &aside).is_err() {
        return;
    }
    if compress(&aside).is_ok() {
        let _ = fs::remove_file(&aside);
    }
    remove_old(path, keep);
}

fn named(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// A half-written archive never bears the final name. If there is an archive of that day already, this one's lines
/// follow: gzip files may be joined.
fn compress(path: &Path) -> io::Result<()> {
    let archive = named(path, "gz");
    let partial = named(path, "gz.partial");
    let mut out = File::create(&partial)?;
    if archive.exists() {
        io::copy(&mut File::open(&archive)?, &mut out)?;
    }
    let mut encoder = GzEncoder::new(out, Compression::default());
    io::copy(&mut File::open(path)?, &mut encoder)?;
    encoder.finish()?.sync_all()?;
    fs::rename(partial, archive)
}

/// Dates sort as text: the first ones are the oldest.
fn remove_old(path: &Path, keep: usize) {
    let mut earlier = earlier_days(path);
    earlier.sort_unstable();
    let surplus = earlier.len().saturating_sub(keep);
    for old in &earlier[..surplus] {
        let _ = fs::remove_file(old);
    }
}

fn earlier_days(path: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let prefix = format!("{name}.");
    let is_earlier = |file: &fs::DirEntry| {
        let file = file.file_name();
        let day = file.to_str().and_then(|file| file.strip_prefix(&prefix));
        day.is_some_and(|day| NaiveDate::parse_from_str(day.trim_end_matches(".gz"), "%Y-%m-%d").is_ok())
    };
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter(is_earlier).map(|file| file.path()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
