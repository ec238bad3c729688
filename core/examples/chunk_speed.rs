//! Prints how fast one core cuts text into passages: `cargo run --release -p chat-core --example chunk_speed -- PATH...`
//!
//! A path is a file, or a folder whose `.md` and `.txt` files are read, folders below it included. The last line is the
//! hard case: 200,000 Han characters without punctuation.

use chat_core::{
    ports::TextFormat,
    text::{Chunk, ChunkOptions, chunk, count_tokens, keyword_text},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Runs of each measurement; the fastest counts, the machine having other things to do.
const RUNS: usize = 5;

fn main() -> io::Result<()> {
    count_tokens("the tables are loaded before the clock runs");
    for root in std::env::args().skip(1) {
        let mut texts = Vec::new();
        read_texts(Path::new(&root), &mut texts)?;
        report(&root, &texts);
    }
    let han = ('\u{4e00}'..='\u{9fa5}').cycle().map(|c| c.to_string()).take(200_000).collect::<String>();
    report("200,000 Han characters", &[(TextFormat::Plain, han.clone())]);
    report("200,000 Han characters, Markdown", &[(TextFormat::Markdown, han)]);
    Ok(())
}

fn read_texts(path: &Path, into: &mut Vec<(TextFormat, String)>) -> io::Result<()> {
    if path.is_dir() {
        let mut below =
            fs::read_dir(path)?.map(|e| e.map(|e| e.path())).collect::<io::Result<Vec<PathBuf>>>()?;
        below.sort();
        return below.iter().try_for_each(|path| read_texts(path, into));
    }
    let format = match path.extension().and_then(|e| e.to_str()) {
        Some("md") => TextFormat::Markdown,
        Some("txt") => TextFormat::Plain,
        _ => return Ok(()),
    };
    into.push((format, fs::read_to_string(path)?));
    Ok(())
}

fn report(name: &str, texts: &[(TextFormat, String)]) {
    let megabytes = texts.iter().map(|(_, text)| text.len()).sum::<usize>() as f64 / 1e6;
    let (cutting, chunks) = fastest(|| {
        texts
            .iter()
            .flat_map(|(format, text)| chunk(text, *format, ChunkOptions::default()))
            .collect::<Vec<Chunk>>()
    });
    let (counting, _) = fastest(|| texts.iter().map(|(_, text)| count_tokens(text)).sum::<usize>());
    let (words, _) = fastest(|| texts.iter().map(|(_, text)| keyword_text(text).len()).sum::<usize>());
    let rate = |time: Duration| megabytes / time.as_secs_f64();
    println!(
        "{name}: {} files, {megabytes:.2} MB, {} passages of {:.0} tokens; cut in {:.3} s = {:.2} MB/s (count {:.1}, keywords {:.1} MB/s)",
        texts.len(),
        chunks.len(),
        chunks.iter().map(|c| f64::from(c.tokens)).sum::<f64>() / chunks.len().max(1) as f64,
        cutting.as_secs_f64(),
        rate(cutting),
        rate(counting),
        rate(words),
    );
}

fn fastest<T>(mut work: impl FnMut() -> T) -> (Duration, T) {
    let mut timed = || {
        let begun = Instant::now();
        let result = work();
        (begun.elapsed(), result)
    };
    let mut best = timed();
    for _ in 1..RUNS {
        let next = timed();
        if next.0 < best.0 {
            best = next;
        }
    }
    best
}
