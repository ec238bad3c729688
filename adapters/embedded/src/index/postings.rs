//! Which passages have which words.

use super::terms::{MOST, Term};
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// How many bits of a posting count occurrences; the others are the passage's slot.
const COUNT_BITS: u32 = 6;

/// Postings of all passages of a space, by slot. A slot is used once: a passage that goes only loses its length, and
/// its postings go when the space is loaded anew.
#[derive(Debug, Default)]
pub(super) struct Postings {
    lists: HashMap<u64, Vec<u32>, BuildHasherDefault<AsIs>>,
    /// How many words each passage has; 0: it went, or has none.
    lengths: Vec<u32>,
    present: usize,
    words: u64,
    entries: usize,
}

/// Words are hashed already.
#[derive(Debug, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Postings {
    /// Adds a passage; its slot is the number of those that were added before.
    pub(super) fn push(&mut self, terms: &[Term]) {
        let slot = self.lengths.len() as u32;
        let length: u32 = terms.iter().map(|(_, times)| u32::from(*times)).sum();
        self.lengths.push(length);
        self.present += 1;
        self.words += u64::from(length);
        self.entries += terms.len();
        for (hash, times) in terms {
            self.lists.entry(*hash).or_default().push(slot << COUNT_BITS | u32::from(*times.min(&MOST)));
        }
    }

    pub(super) fn remove(&mut self, slot: usize) {
        self.present -= 1;
        self.words -= u64::from(std::mem::take(&mut self.lengths[slot]));
    }

    /// The passages that have a word: slot, how often, and the passage's length in words.
    pub(super) fn having(&self, hash: u64) -> impl Iterator<Item = (usize, f32, f32)> + Clone + '_ {
        let list = self.lists.get(&hash).map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(|posting| {
            let slot = (posting >> COUNT_BITS) as usize;
            let (times, length) = (posting & u32::from(MOST), self.lengths[slot]);
            (length > 0).then_some((slot, times as f32, length as f32))
        })
    }

    /// How many passages there are.
    pub(super) fn present(&self) -> usize {
        self.present
    }

    /// How many slots there are, those of passages that went included.
    pub(super) fn slots(&self) -> usize {
        self.lengths.len()
    }

    /// How many words a passage has on average.
    pub(super) fn mean_length(&self) -> f32 {
        self.words as f32 / self.present.max(1) as f32
    }

    /// How much memory it takes, roughly.
    pub(super) fn bytes(&self) -> usize {
        // Lists grow by doubling: a half more than they hold.
        self.entries * 6 + self.lists.capacity() * size_of::<(u64, Vec<u32>)>() + self.lengths.capacity() * 4
    }
}
