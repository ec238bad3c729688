//! The passages of one space in memory.

use super::{bm25, filter::Filter, nearest, postings::Postings, schema::Space, terms};
use chat_core::{
    ChunkId, CollectionId, DocumentId, PortError, PortResult, VersionId,
    fusion::{self, Ranked},
    ports::{Hit, IndexQuery, Point, SearchMode},
};
use futures::TryStreamExt;
use sqlx::Row as _;
use sqlx_sqlite::{SqliteConnection, SqliteRow};
use std::collections::HashMap;
use uuid::Uuid;

/// How many empty slots are worth a new start.
const MANY_EMPTY: usize = 1_024;

/// Whose vector and words they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) id: ChunkId,
    pub(super) version: VersionId,
    pub(super) document: DocumentId,
    pub(super) collection: CollectionId,
}

impl From<&Point> for Row {
    fn from(point: &Point) -> Self {
        Self { id: point.id, version: point.version, document: point.document, collection: point.collection }
    }
}

/// Everything that a search looks at. Each passage has a slot, and no slot is used twice.
#[derive(Debug)]
pub(super) struct Passages {
    dimension: usize,
    /// One after the other, so that a scan reads memory in order.
    vectors: Vec<f32>,
    /// `None`: it went.
    rows: Vec<Option<Row>>,
    slots: HashMap<ChunkId, usize>,
    postings: Postings,
}

impl Passages {
    pub(super) fn empty(dimension: usize) -> Self {
        Self {
            dimension,
            vectors: vec![],
            rows: vec![],
            slots: HashMap::new(),
            postings: Postings::default(),
        }
    }

    /// Reads a space from its file.
    pub(super) async fn load(db: &mut SqliteConnection, space: Space) -> sqlx::Result<Self> {
        let mut passages = Self::empty(space.dimension);
        let select = "SELECT id, version, document, collection, vector, terms FROM points WHERE space = ?";
        let mut found = sqlx::query(select).bind(space.number).fetch(db);
        let (mut vector, mut terms) = (Vec::with_capacity(space.dimension), vec![]);
        while let Some(row) = found.try_next().await? {
            vector.clear();
            let (values, _) = row.try_get::<&[u8], _>(4)?.as_chunks::<4>();
            vector.extend(values.iter().map(|value| f32::from_le_bytes(*value)));
            terms::from_blob(row.try_get(5)?, &mut terms);
            passages.put(read_row(&row)?, &vector, &terms);
        }
        Ok(passages)
    }

    /// How many slots a search looks at.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether so many passages went that loading the others anew pays.
    pub(super) fn is_sparse(&self) -> bool {
        let empty = self.rows.len() - self.slots.len();
        empty >= MANY_EMPTY && empty > self.rows.len() / 4
    }

    /// How much memory it takes, roughly.
    pub(super) fn bytes(&self) -> usize {
        let row = size_of::<Option<Row>>() + 2 * size_of::<(ChunkId, usize)>();
        self.vectors.capacity() * size_of::<f32>() + self.rows.capacity() * row + self.postings.bytes()
    }

    /// Adds or replaces a passage. A vector of another dimension is left out: it could never be found.
    pub(super) fn put(&mut self, row: Row, vector: &[f32], terms: &[terms::Term]) {
        if vector.len() != self.dimension {
            return;
        }
        if let Some(old) = self.slots.insert(row.id, self.rows.len()) {
            self.vacate(old);
        }
        self.rows.push(Some(row));
        self.vectors.extend_from_slice(vector);
        self.postings.push(terms);
    }

    fn vacate(&mut self, slot: usize) {
        self.rows[slot] = None;
        self.postings.remove(slot);
    }

    pub(super) fn remove(&mut self, is_doomed: impl Fn(&Row) -> bool) {
        for slot in 0..self.rows.len() {
            if let Some(row) = self.rows[slot].filter(|row| is_doomed(row)) {
                self.slots.remove(&row.id);
                self.vacate(slot);
            }
        }
    }

    /// The best passages for a query, best first.
    pub(super) fn search(&self, query: &IndexQuery) -> PortResult<Vec<Hit>> {
        if query.mode != SearchMode::Keyword {
            self.check_dimension(&query.vector)?;
        }
        let filter = Filter::of(query);
        Ok(match query.mode {
            SearchMode::Vector => fusion::by_vector(&self.nearest(&query.vector, &filter, query.limit)),
            SearchMode::Keyword => fusion::by_keyword(&self.matching(&query.terms, &filter, query.limit)),
            SearchMode::Hybrid => self.hybrid(query, &filter),
        })
    }

    fn hybrid(&self, query: &IndexQuery, filter: &Filter) -> Vec<Hit> {
        let count = fusion::candidates(query.limit);
        let near = self.nearest(&query.vector, filter, count);
        let matching = self.matching(&query.terms, filter, count);
        let cosine = |id| self.slots.get(&id).map(|slot| nearest::dot(self.vector(*slot), &query.vector));
        fusion::fuse(&near, &matching, cosine, query.alpha, query.limit)
    }

    /// `Invalid` if a vector cannot be compared with these.
    fn check_dimension(&self, vector: &[f32]) -> PortResult<()> {
        if vector.len() == self.dimension {
            return Ok(());
        }
        let (given, expected) = (vector.len(), self.dimension);
        Err(PortError::invalid(format!(
            "the question's vector has {given} dimensions, the passages' {expected}"
        )))
    }

    fn vector(&self, slot: usize) -> &[f32] {
        &self.vectors[slot * self.dimension..(slot + 1) * self.dimension]
    }

    /// The passages nearest to `vector` that the filter admits, with their cosines.
    fn nearest(&self, vector: &[f32], filter: &Filter, count: usize) -> Ranked {
        let scores = self.admitted(filter).map(|slot| (slot, nearest::dot(self.vector(slot), vector)));
        self.named(nearest::best(count, scores))
    }

    /// The passages with the highest BM25 that the filter admits.
    fn matching(&self, terms: &[String], filter: &Filter, count: usize) -> Ranked {
        let scores = bm25::scores(&self.postings, terms);
        let scores = self.admitted(filter).map(|slot| (slot, scores[slot])).filter(|(_, score)| *score > 0.0);
        self.named(nearest::best(count, scores))
    }

    fn admitted<'a>(&'a self, filter: &'a Filter) -> impl Iterator<Item = usize> + 'a {
        let rows = self.rows.iter().enumerate();
        rows.filter(|(_, row)| row.as_ref().is_some_and(|row| filter.admits(row))).map(|(slot, _)| slot)
    }

    fn named(&self, best: Vec<(usize, f32)>) -> Ranked {
        best.into_iter().filter_map(|(slot, score)| Some((self.rows[slot]?.id, score))).collect()
    }
}

fn read_row(row: &SqliteRow) -> sqlx::Result<Row> {
    Ok(Row {
        id: ChunkId(uuid_at(row, 0)?),
        version: VersionId(uuid_at(row, 1)?),
        document: DocumentId(uuid_at(row, 2)?),
        collection: CollectionId(uuid_at(row, 3)?),
    })
}

fn uuid_at(row: &SqliteRow, column: usize) -> sqlx::Result<Uuid> {
    Uuid::from_slice(row.try_get(column)?).map_err(|error| sqlx::Error::Decode(error.into()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn row() -> Row {
        let version = VersionId::new();
        Row {
            id: ChunkId::of(version, 0, "m"),
            version,
            document: DocumentId::new(),
            collection: CollectionId::new(),
        }
    }

    #[test]
    fn rows_vectors_and_words_stay_together_when_some_go() {
        let mut passages = Passages::empty(2);
        let rows: Vec<Row> = (0..5).map(|_| row()).collect();
        for (n, row) in rows.iter().enumerate() {
            passages.put(*row, &[n as f32, 1.0], &terms::count(&format!("all word{n}")));
        }
        let doomed = [rows[0].id, rows[3].id, rows[4].id];
        passages.remove(|row| doomed.contains(&row.id));
        let none = Filter::default();
        assert_eq!(passages.nearest(&[1.0, 0.0], &none, 9), [(rows[2].id, 2.0), (rows[1].id, 1.0)]);
        let found = |word: &str| passages.matching(&[word.to_owned()], &none, 9).len();
        assert_eq!((found("all"), found("word1"), found("word3")), (2, 1, 0));
        passages.put(rows[1], &[9.0, 9.0], &terms::count("new"));
        assert_eq!(passages.nearest(&[1.0, 0.0], &none, 9), [(rows[1].id, 9.0), (rows[2].id, 2.0)]);
        assert_eq!(passages.matching(&["word1".to_owned()], &none, 9), []);
    }

    #[test]
    fn many_empty_slots_are_worth_a_new_start() {
        let mut passages = Passages::empty(1);
        let rows: Vec<Row> = (0..2 * MANY_EMPTY).map(|_| row()).collect();
        for row in &rows {
            passages.put(*row, &[1.0], &[]);
        }
        assert!(!passages.is_sparse());
        let doomed: std::collections::HashSet<_> = rows[..MANY_EMPTY].iter().map(|row| row.id).collect();
        passages.remove(|row| doomed.contains(&row.id));
        assert!(passages.is_sparse());
    }
}
