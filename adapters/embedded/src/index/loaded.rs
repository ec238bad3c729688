//! Which spaces are in memory.

use super::passages::Passages;
use chat_core::{Tenant, ports::IndexQuery};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

/// What they may take together; the space that was used last stays whatever its size.
const MAX_BYTES: usize = 512 * 1024 * 1024;

/// What one tenant has under one embedding model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct SpaceName {
    pub(super) tenant: Tenant,
    pub(super) model: Box<str>,
}

impl SpaceName {
    pub(super) fn of(query: &IndexQuery) -> Self {
        Self { tenant: query.tenant.clone(), model: query.model.as_str().into() }
    }
}

#[derive(Debug)]
struct Space {
    passages: Arc<RwLock<Passages>>,
    /// When it was last used, counted in uses.
    used: u64,
}

/// Spaces in memory, least recently used ones first to go.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    spaces: Mutex<Spaces>,
}

#[derive(Debug, Default)]
struct Spaces {
    by_name: HashMap<SpaceName, Space>,
    uses: u64,
}

impl Spaces {
    fn bytes(&self) -> usize {
        self.by_name.values().map(|space| bytes(&space.passages)).sum()
    }

    fn evict(&mut self, most: usize) {
        while self.by_name.len() > 1 && self.bytes() > most {
            let oldest =
                self.by_name.iter().min_by_key(|(_, space)| space.used).map(|(name, _)| name.clone());
            oldest.and_then(|name| self.by_name.remove(&name));
        }
    }
}

fn bytes(passages: &RwLock<Passages>) -> usize {
    passages.read().unwrap_or_else(PoisonError::into_inner).bytes()
}

impl Loaded {
    fn lock(&self) -> MutexGuard<'_, Spaces> {
        self.spaces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, name: &SpaceName) -> Option<Arc<RwLock<Passages>>> {
        let mut spaces = self.lock();
        spaces.uses += 1;
        let now = spaces.uses;
        let space = spaces.by_name.get_mut(name)?;
        space.used = now;
        Some(space.passages.clone())
    }

    pub(super) fn put(&self, name: SpaceName, passages: Passages) -> Arc<RwLock<Passages>> {
        let passages = Arc::new(RwLock::new(passages));
        let mut spaces = self.lock();
        spaces.uses += 1;
        let used = spaces.uses;
        spaces.by_name.insert(name, Space { passages: passages.clone(), used });
        spaces.evict(MAX_BYTES);
        passages
    }

    /// A write to every space of a tenant begins.
    pub(super) fn unsettle(&self, tenant: &Tenant) -> Unsettled<'_> {
        let names = self.lock().by_name.keys().filter(|name| name.tenant == *tenant).cloned().collect();
        Unsettled { loaded: self, names }
    }

    /// A write to one space begins.
    pub(super) fn unsettle_space(&self, name: &SpaceName) -> Unsettled<'_> {
        Unsettled { loaded: self, names: vec![name.clone()] }
    }
}

/// Spaces whose file may be ahead of memory. If it is dropped before `settle` (an error, or a caller that went
/// away during the commit), nobody knows which writes the file has: memory forgets the spaces and loads them anew.
pub(super) struct Unsettled<'a> {
    loaded: &'a Loaded,
    names: Vec<SpaceName>,
}

impl Unsettled<'_> {
    /// Applies to memory what was written.
    pub(super) fn settle(mut self, apply: impl Fn(&mut Passages)) {
        let names = std::mem::take(&mut self.names);
        for name in names {
            let passages = self.loaded.lock().by_name.get(&name).map(|space| space.passages.clone());
            if let Some(passages) = passages {
                let mut passages = passages.write().unwrap_or_else(PoisonError::into_inner);
                apply(&mut passages);
                if passages.is_sparse() {
                    self.loaded.lock().by_name.remove(&name);
                }
            }
        }
        self.loaded.lock().evict(MAX_BYTES);
    }
}

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        let mut spaces = self.loaded.lock();
        for name in &self.names {
            spaces.by_name.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(tenant: &str) -> SpaceName {
        SpaceName { tenant: tenant.into(), model: "m".into() }
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let loaded = Loaded::default();
        for tenant in ["a", "b", "c"] {
            loaded.put(name(tenant), Passages::empty(4));
        }
        loaded.get(&name("a"));
        let vector = [1.0; 4];
        for tenant in ["a", "b", "c"] {
            let row = super::super::passages::tests::row();
            loaded.unsettle_space(&name(tenant)).settle(|passages| passages.put(row, &vector, &[]));
        }
        let one = bytes(&loaded.get(&name("a")).expect("it is loaded"));
        loaded.lock().evict(2 * one);
        assert!(loaded.get(&name("b")).is_none());
        assert!(loaded.get(&name("a")).is_some() && loaded.get(&name("c")).is_some());
        loaded.lock().evict(0);
        assert_eq!(loaded.lock().by_name.len(), 1, "the last one stays");
    }

    #[test]
    fn a_write_that_did_not_end_makes_memory_forget() {
        let loaded = Loaded::default();
        loaded.put(name("a"), Passages::empty(4));
        loaded.put(name("b"), Passages::empty(4));
        drop(loaded.unsettle(&"a".into()));
        assert!(loaded.get(&name("a")).is_none());
        assert!(loaded.get(&name("b")).is_some());
    }
}
