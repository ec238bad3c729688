use async_trait::async_trait;
use chat_core::{
    ChunkId, DocumentId, PortError, PortResult, Tenant, VersionId,
    ports::{Hit, Holding, Index, IndexQuery, Point, SearchMode},
};
use futures::{StreamExt, stream, stream::BoxStream};
use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// Points in memory; scores are shares of matched words and cosines.
#[derive(Default)]
pub struct FakeIndex {
    points: Mutex<BTreeMap<(String, ChunkId), (Tenant, Point)>>,
    /// How often it was searched.
    pub searches: AtomicUsize,
    /// Forgets this many points of the next upsert, as a store that loses writes.
    pub lose: AtomicUsize,
    /// Whether it is away.
    pub away: AtomicBool,
    /// What happens just before the next upsert.
    pub before_upsert: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl FakeIndex {
    /// How many points there are of everything.
    pub fn len(&self) -> usize {
        self.points.lock().unwrap().len()
    }

    /// Adds points past the port.
    pub fn add(&self, tenant: &Tenant, model: &str, points: Vec<Point>) {
        let named = |point: Point| ((model.to_owned(), point.id), (tenant.clone(), point));
        self.points.lock().unwrap().extend(points.into_iter().map(named));
    }

    fn reach(&self) -> PortResult<()> {
        if self.away.load(Ordering::SeqCst) {
            Err(PortError::unavailable("the index is away"))
        } else {
            Ok(())
        }
    }

    /// How many points there are of a model.
    pub fn of_model(&self, model: &str) -> usize {
        self.points.lock().unwrap().keys().filter(|(name, _)| name == model).count()
    }
}

#[async_trait]
impl Index for FakeIndex {
    async fn upsert(&self, tenant: &Tenant, model: &str, mut points: Vec<Point>) -> PortResult<()> {
        if let Some(happens) = self.before_upsert.lock().unwrap().take() {
            happens();
        }
        let lost = self.lose.swap(0, Ordering::Relaxed).min(points.len());
        points.truncate(points.len() - lost);
        self.add(tenant, model, points);
        Ok(())
    }

    async fn search(&self, query: IndexQuery) -> PortResult<Vec<Hit>> {
        self.searches.fetch_add(1, Ordering::Relaxed);
        self.reach()?;
        let points = self.points.lock().unwrap();
        let mut hits: Vec<Hit> = points
            .iter()
            .filter(|((model, _), (tenant, point))| {
                *model == query.model
                    && *tenant == query.tenant
                    && (query.collections.is_empty() || query.collections.contains(&point.collection))
                    && query.documents.as_ref().is_none_or(|documents| documents.contains(&point.document))
            })
            .map(|(_, (_, point))| hit(&query, point))
            .filter(|hit| hit.score > 0.0)
            .collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        hits.truncate(query.limit);
        Ok(hits)
    }

    async fn count(&self, _tenant: &Tenant, version: VersionId) -> PortResult<u64> {
        Ok(self.points.lock().unwrap().values().filter(|(_, point)| point.version == version).count() as u64)
    }

    async fn count_of(&self, _tenant: &Tenant, model: &str, version: VersionId) -> PortResult<u64> {
        let points = self.points.lock().unwrap();
        let of_both =
            points.iter().filter(|((name, _), (_, point))| name == model && point.version == version);
        Ok(of_both.count() as u64)
    }

    async fn drop_model(&self, model: &str) -> PortResult<u64> {
        let mut points = self.points.lock().unwrap();
        let some: Vec<_> = points.keys().filter(|(name, _)| name == model).take(3).cloned().collect();
        for key in &some {
            points.remove(key);
        }
        Ok(some.len() as u64)
    }

    async fn delete_version(&self, _tenant: &Tenant, version: VersionId) -> PortResult<()> {
        self.points.lock().unwrap().retain(|_, (_, point)| point.version != version);
        Ok(())
    }

    async fn delete_document(&self, _tenant: &Tenant, document: DocumentId) -> PortResult<()> {
        self.reach()?;
        self.points.lock().unwrap().retain(|_, (_, point)| point.document != document);
        Ok(())
    }

    fn holdings(&self) -> BoxStream<'_, PortResult<Holding>> {
        let points = self.points.lock().unwrap();
        let held = points
            .values()
            .map(|(tenant, point)| Holding { place: tenant.to_string(), version: point.version });
        stream::iter(held.map(Ok).collect::<Vec<_>>()).boxed()
    }

    async fn discard(&self, holding: &Holding) -> PortResult<()> {
        self.delete_version(&Tenant::from(holding.place.as_str()), holding.version).await
    }

    async fn ping(&self) -> PortResult<()> {
        Ok(())
    }
}

fn hit(query: &IndexQuery, point: &Point) -> Hit {
    let words: HashSet<&str> = point.keywords.split(' ').collect();
    let matched = query.terms.iter().filter(|term| words.contains(term.as_str())).count();
    let keyword = matched as f32 / query.terms.len().max(1) as f32;
    let vector: f32 = query.vector.iter().zip(&point.vector).map(|(a, b)| a * b).sum();
    let score = match query.mode {
        SearchMode::Keyword => keyword,
        SearchMode::Vector => vector,
        SearchMode::Hybrid => query.alpha * vector + (1.0 - query.alpha) * keyword,
    };
    Hit { id: point.id, score, vector: (!query.vector.is_empty()).then_some(vector), keyword: Some(keyword) }
}
