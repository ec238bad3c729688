//! Dot products, and the best of many.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

/// How many sums run side by side: the compiler keeps them in vector registers.
const SUMS: usize = 16;

/// The dot product of two vectors of the same length; of unit vectors, their cosine.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_parts, b_parts) = (a.chunks_exact(SUMS), b.chunks_exact(SUMS));
    let rest: f32 = a_parts.remainder().iter().zip(b_parts.remainder()).map(|(x, y)| x * y).sum();
    let mut sums = [0.0_f32; SUMS];
    for (x, y) in a_parts.zip(b_parts) {
        for n in 0..SUMS {
            sums[n] += x[n] * y[n];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Something with a score; equal scores keep the order in which they came.
#[derive(Debug, Clone, Copy)]
struct Scored {
    score: f32,
    at: usize,
}

impl Ord for Scored {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(other.at.cmp(&self.at))
    }
}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scored {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scored {}

/// The `count` highest scores, highest first, with their places. Keeps no more than `count` at a time.
pub(super) fn best(count: usize, scores: impl Iterator<Item = (usize, f32)>) -> Vec<(usize, f32)> {
    let mut heap: BinaryHeap<Reverse<Scored>> = BinaryHeap::with_capacity(count + 1);
    for (at, score) in scores {
        let candidate = Scored { score, at };
        if heap.len() < count {
            heap.push(Reverse(candidate));
        } else if let Some(mut worst) = heap.peek_mut()
            && candidate > worst.0
        {
            worst.0 = candidate;
        }
    }
    heap.into_sorted_vec().into_iter().map(|Reverse(scored)| (scored.at, scored.score)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dot_product_is_exact_at_any_length() {
        for length in [0, 1, 15, 16, 17, 512, 515] {
            let a: Vec<f32> = (0..length).map(|n| (n % 7) as f32).collect();
            let b: Vec<f32> = (0..length).map(|n| (n % 5) as f32 - 2.0).collect();
            let expected: f32 = (0..length).map(|n| a[n] * b[n]).sum();
            assert!((dot(&a, &b) - expected).abs() < f32::EPSILON, "length {length}");
        }
    }

    #[test]
    fn the_best_come_first_and_ties_keep_their_order() {
        let scores = [0.5, 0.9, 0.1, 0.9, 0.7];
        assert_eq!(best(3, scores.into_iter().enumerate()), [(1, 0.9), (3, 0.9), (4, 0.7)]);
        assert_eq!(best(9, scores.into_iter().enumerate()).len(), 5);
        assert!(best(0, scores.into_iter().enumerate()).is_empty());
    }
}
