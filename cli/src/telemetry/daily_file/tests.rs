use super::*;
use chrono::{Days, TimeDelta};
use flate2::read::MultiGzDecoder;
use std::{
    io::Read,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// A file whose clock is so many days ahead of the real one, by which the file system dates files.
fn file_in(folder: &Path, keep: usize) -> (DailyFile, Arc<AtomicU64>) {
    let days = Arc::new(AtomicU64::new(0));
    let ahead = days.clone();
    let now = move || wall_clock::now().checked_add_days(Days::new(ahead.load(Ordering::Relaxed))).unwrap();
    (DailyFile::new(&folder.join("app.log"), keep, Reopening::default()).with_clock(now), days)
}

fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

fn archive(folder: &Path) -> PathBuf {
    let day = DateTime::<Utc>::from(fs::metadata(folder.join("app.log")).unwrap().modified().unwrap());
    folder.join(format!("app.log.{}.gz", day.format("%Y-%m-%d")))
}

#[test]
fn a_day_that_is_over_is_put_aside_compressed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, days) = file_in(folder.path(), 30);
    writeln!(log, "first day").unwrap();
    let archive = archive(folder.path());
    days.store(1, Ordering::Relaxed);
    writeln!(log, "second day").unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("app.log")).unwrap(), "second day\n");
    assert_eq!(unpacked(&archive), "first day\n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
}

#[test]
fn the_same_day_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["one", "two"] {
        writeln!(file_in(folder.path(), 30).0, "{text}").unwrap();
    }
    assert_eq!(fs::read_to_string(folder.path().join("app.log")).unwrap(), "one\ntwo\n");
}

#[test]
fn two_archives_of_one_day_are_joined() {
    let folder = tempfile::tempdir().unwrap();
    let mut archives = Vec::new();
    for text in ["morning", "evening"] {
        let (mut log, days) = file_in(folder.path(), 30);
        writeln!(log, "{text}").unwrap();
        archives.push(archive(folder.path()));
        days.store(1, Ordering::Relaxed);
        log.open().unwrap();
        drop(log);
        fs::remove_file(folder.path().join("app.log")).unwrap();
    }
    archives.dedup();
    let texts: String = archives.iter().map(|archive| unpacked(archive)).collect();
    assert_eq!(texts, "morning\nevening\n");
}

#[test]
fn only_the_newest_days_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let today = wall_clock::now();
    for ago in 1..=5 {
        let day = (today - TimeDelta::days(ago + 1)).format("%Y-%m-%d");
        fs::write(folder.path().join(format!("app.log.{day}.gz")), "x").unwrap();
    }
    fs::write(folder.path().join("app.log.note"), "not a day").unwrap();
    let (mut log, days) = file_in(folder.path(), 3);
    writeln!(log, "today").unwrap();
    days.store(1, Ordering::Relaxed);
    log.open().unwrap();
    let mut kept = earlier_days(&folder.path().join("app.log"));
    kept.sort_unstable();
    assert_eq!(kept.len(), 3, "{kept:?}");
    assert!(kept[2].ends_with(archive_name(&today)), "{kept:?}");
    assert!(folder.path().join("app.log.note").exists());
}

fn archive_name(day: &DateTime<Utc>) -> String {
    format!("app.log.{}.gz", day.format("%Y-%m-%d"))
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    assert!(DailyFile::new(&folder.path().join("file/app.log"), 1, Reopening::default()).open().is_err());
}

#[test]
fn a_file_that_was_moved_away_is_made_again_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("app.log"), folder.path().join("moved"));
    let reopening = Reopening::default();
    let mut log = DailyFile::new(&path, 30, reopening.clone());
    writeln!(log, "one").unwrap();
    fs::rename(&path, &moved).unwrap();
    writeln!(log, "two").unwrap();
    reopening.ask();
    writeln!(log, "three").unwrap();
    assert_eq!(fs::read_to_string(moved).unwrap(), "one\ntwo\n");
    assert_eq!(fs::read_to_string(path).unwrap(), "three\n");
}
