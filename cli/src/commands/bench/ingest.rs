//! Parsing and chunking, on one core: what a document costs before it is embedded.

use super::{
    figures::Figures,
    rig::{Rig, failed},
};
use crate::failure::{Failure, Outcome};
use chat_core::{
    ports::{ParseInput, Parser},
    text,
};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

pub(super) async fn measure(rig: &Rig, paths: &[PathBuf]) -> Outcome<Figures> {
    let files = if paths.is_empty() { generated() } else { read(paths)? };
    let bytes: usize = files.iter().map(|file| file.bytes.len()).sum();
    let opened = rig.open(0).await?;
    let options = text::ChunkOptions::default();
    let mut figures = Figures::default();
    text::count_tokens("warm"); // the tokeniser is loaded once a process
    for _ in 0..rig.runs {
        let started = Instant::now();
        let mut chunks = 0;
        for file in &files {
            let parsed = parse(&*opened.ports.parser, file.clone()).await?;
            chunks += text::chunk(&parsed.text, parsed.format, options).len();
        }
        figures.add("mb_per_second", "MB/s", bytes as f64 / 1e6 / started.elapsed().as_secs_f64());
        figures.add("chunks", "", chunks as f64);
    }
    opened.close().await;
    Ok(figures)
}

async fn parse(parser: &dyn Parser, file: ParseInput) -> Outcome<chat_core::ports::ParsedText> {
    parser.parse(file).await.map_err(failed)
}

fn input(filename: &str, bytes: Vec<u8>) -> ParseInput {
    ParseInput { bytes: bytes.into(), filename: filename.into(), media_type: None, charset: None }
}

fn read(paths: &[PathBuf]) -> Outcome<Vec<ParseInput>> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)
            .map_err(|error| Failure::new(format!("{} cannot be read: {error}", path.display())))?;
    }
    Ok(files)
}

fn collect(path: &Path, files: &mut Vec<ParseInput>) -> std::io::Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else if path.is_file() && path.extension().is_some_and(|ending| ending == "md" || ending == "txt") {
        files.push(input(&path.to_string_lossy(), std::fs::read(path)?));
    }
    Ok(())
}

/// Two megabytes of Markdown, half English, half Chinese.
fn generated() -> Vec<ParseInput> {
    let english = "A pump moves water from the well to the tank; check its seal every week, and write down what you \
                   saw. When the pressure falls below two bar, close the valve before you open the housing. ";
    let chinese = "水泵把井里的水送到水箱；每周检查一次密封圈，并记录检查结果。压力低于两巴时，先关闭阀门，再打开泵壳。";
    let file = |name: &str, paragraph: &str| {
        let sections =
            (0..).map(|number| format!("## Section {number}\n\n{}\n\n", paragraph.repeat(number % 7 + 1)));
        let mut text = String::new();
        for section in sections {
            text.push_str(&section);
            if text.len() > 1_000_000 {
                break;
            }
        }
        input(name, text.into_bytes())
    };
    vec![file("pumps.md", english), file("水泵.md", chinese)]
}
