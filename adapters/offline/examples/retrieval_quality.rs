//! Measures how well searches find the right document, and how long they take.
//!
//! `cargo run --release -p chat-offline --example retrieval_quality -- FOLDER QUESTIONS.tsv[,MORE.tsv] [COPIES]`
//!
//! The folder's Markdown files are cut into passages and indexed, `COPIES` times for a measurement of time. Each line
//! of a questions file is a question, a tab, and what the expected file's name begins with (`|` between several); a
//! style may follow, and then what the embedder's own alpha finds is shown by style, too. Printed is, per mode and
//! alpha, for how many questions the expected file is the first, or among the first three distinct files; for which it
//! is not; and the median and 95th percentile of a search, question's vector included. This is the index alone: what
//! `jobs/src/retrieval` makes of it, and what is answered, the test `flow/quality.rs` measures.

use chat_core::{
    ChunkId, CollectionId, DocumentId, PortResult, Tenant, VersionId,
    ports::{Embedder, Index, IndexQuery, Point, SearchMode, TextFormat},
    text::{ChunkOptions, chunk, fts_terms, keyword_text},
};
use chat_embedded::EmbeddedIndex;
use chat_offline::OfflineEmbedder;
use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    fmt, fs,
    path::Path,
    time::{Duration, Instant},
};

const ALPHAS: [f32; 7] = [0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7];
/// So many passages are looked at to find three distinct files.
const PASSAGES: usize = 12;

struct Corpus {
    index: EmbeddedIndex,
    /// The file name of each passage.
    files: HashMap<ChunkId, String>,
    /// What cutting, embedding and indexing took.
    times: [Duration; 3],
}

impl Corpus {
    async fn read(folder: &Path, at: &Path, copies: usize) -> Result<Self, Box<dyn Error>> {
        let mut corpus =
            Self { index: EmbeddedIndex::open(at).await?, files: HashMap::new(), times: [Duration::ZERO; 3] };
        let (mut passages, mut bytes) = (0, 0);
        for _ in 0..copies {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.extension().is_some_and(|extension| extension == "md") {
                    let text = fs::read_to_string(&path)?;
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    bytes += text.len();
                    passages += corpus.add(&name, &text).await?;
                }
            }
        }
        let speed = corpus.times.map(|time| bytes as f64 / 1e6 / time.as_secs_f64());
        println!(
            "{passages} passages; MB/s: chunking {:.2}, embedding {:.2}, indexing {:.2}",
            speed[0], speed[1], speed[2]
        );
        Ok(corpus)
    }

    async fn add(&mut self, name: &str, text: &str) -> PortResult<usize> {
        let started = Instant::now();
        let chunks = chunk(text, TextFormat::Markdown, ChunkOptions::default());
        let texts: Vec<String> = chunks.iter().map(|one| titled(one.title.as_deref(), &one.text)).collect();
        self.times[0] += started.elapsed();
        let (version, document, collection) = (VersionId::new(), DocumentId::new(), CollectionId::new());
        let mut points = vec![];
        for texts in texts.chunks(OfflineEmbedder.max_batch()) {
            let started = Instant::now();
            let vectors = OfflineEmbedder.embed(texts).await?.vectors;
            self.times[1] += started.elapsed();
            for (text, vector) in texts.iter().zip(vectors) {
                let id = ChunkId::of(version, points.len() as u32, OfflineEmbedder.model());
                self.files.insert(id, name.to_owned());
                let keywords = keyword_text(text);
                points.push(Point { id, version, document, collection, keywords, vector });
            }
        }
        let (count, started) = (points.len(), Instant::now());
        self.index.upsert(&Tenant::default(), OfflineEmbedder.model(), points).await?;
        self.times[2] += started.elapsed();
        Ok(count)
    }

    /// The distinct files that a search finds, best first.
    async fn find(&self, question: &str, mode: SearchMode, alpha: f32) -> PortResult<Vec<&str>> {
        let vectors = OfflineEmbedder.embed(&[question.to_owned()]).await?.vectors;
        let query = IndexQuery {
            tenant: Tenant::default(),
            model: OfflineEmbedder.model().to_owned(),
            collections: vec![],
            documents: None,
            terms: fts_terms(question),
            vector: vectors.into_iter().next().unwrap_or_default(),
            mode,
            alpha,
            limit: PASSAGES,
        };
        let mut files: Vec<&str> = vec![];
        for hit in self.index.search(query).await? {
            let file = self.files[&hit.id].as_str();
            if !files.contains(&file) {
                files.push(file);
            }
        }
        Ok(files)
    }

    async fn evaluate(&self, questions: &[Question], mode: SearchMode, alpha: f32) -> PortResult<()> {
        let (mut all, mut styles) = (Score::default(), BTreeMap::<&str, Score>::new());
        let (mut missed, mut times) = (vec![], vec![]);
        for question in questions {
            let started = Instant::now();
            let files = self.find(&question.text, mode, alpha).await?;
            times.push(started.elapsed());
            let place = question.place(&files);
            all.count(place);
            styles.entry(&question.style).or_default().count(place);
            if place.is_none_or(|place| place >= 3) {
                let found = files[..files.len().min(3)].join(" ");
                missed.push(format!("    {} ({}; found {found})", question.text, question.expected));
            }
        }
        times.sort_unstable();
        let at = |part: f64| milliseconds(times[((times.len() - 1) as f64 * part) as usize]);
        let mode = format!("{mode:?}");
        println!("{mode:8} alpha {alpha:.2}: {all}; {:.2} ms, {:.2} ms", at(0.5), at(0.95));
        if styles.len() > 1 && (alpha - OfflineEmbedder.alpha()).abs() < f32::EPSILON {
            for (style, score) in &styles {
                println!("  {style:12} {score}");
            }
        }
        for line in missed {
            println!("{line}");
        }
        Ok(())
    }
}

/// A question and where its answer is.
struct Question {
    text: String,
    expected: String,
    style: String,
}

impl Question {
    fn of(line: &str) -> Option<Self> {
        let mut columns = line.split('\t').map(|column| column.trim().to_owned());
        let (text, expected) = (columns.next()?, columns.next()?);
        Some(Self { text, expected, style: columns.next().unwrap_or_default() })
    }

    /// The place of the first file that was expected.
    fn place(&self, files: &[&str]) -> Option<usize> {
        files.iter().position(|file| self.expected.split('|').any(|start| file.starts_with(start)))
    }
}

/// What became of some questions.
#[derive(Default)]
struct Score {
    first: usize,
    among_three: usize,
    reciprocal: f64,
    all: usize,
}

impl Score {
    fn count(&mut self, place: Option<usize>) {
        self.all += 1;
        self.first += usize::from(place == Some(0));
        self.among_three += usize::from(place.is_some_and(|place| place < 3));
        self.reciprocal += place.map_or(0.0, |place| 1.0 / (place + 1) as f64);
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, among_three, reciprocal, all } = self;
        let mean = reciprocal / (*all).max(1) as f64;
        write!(f, "first {first}/{all}, among three {among_three}/{all}, mean reciprocal rank {mean:.3}")
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn titled(title: Option<&str>, text: &str) -> String {
    title.map_or_else(|| text.to_owned(), |title| format!("{title}\n{text}"))
}

/// The questions of files, with a comma between their paths.
fn questions(paths: &str) -> Result<Vec<Question>, Box<dyn Error>> {
    let mut questions = vec![];
    for path in paths.split(',') {
        let text = fs::read_to_string(path)?;
        questions.extend(text.lines().filter(|line| !line.starts_with('#')).filter_map(Question::of));
    }
    Ok(questions)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, files, rest @ ..] = arguments.as_slice() else {
        return Err("usage: retrieval_quality FOLDER QUESTIONS.tsv[,MORE.tsv] [COPIES]".into());
    };
    let copies = rest.first().map_or(Ok(1), |copies| copies.parse())?;
    let at = tempfile::tempdir()?;
    let questions = questions(files)?;
    let corpus = Corpus::read(Path::new(folder), &at.path().join("index.db"), copies).await?;
    let started = Instant::now();
    corpus.find("warm up", SearchMode::Hybrid, 0.5).await?;
    println!("first search, loading included: {:.0} ms", milliseconds(started.elapsed()));
    corpus.evaluate(&questions, SearchMode::Keyword, 0.0).await?;
    corpus.evaluate(&questions, SearchMode::Vector, 1.0).await?;
    for alpha in ALPHAS {
        corpus.evaluate(&questions, SearchMode::Hybrid, alpha).await?;
    }
    Ok(())
}
