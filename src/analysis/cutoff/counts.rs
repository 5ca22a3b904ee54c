//! How many patterns use each feature, and each set of features.

use crate::datasets::PatternStream;
use crate::theory::Counted;

/// Up to this many features a pattern, all sets of 3, 5, 7 of them are counted; beyond, sets are taken as all different.
const MAX_COUNTED_ACTIVE: usize = 7;

/// P_k of the features that are used, and what the full law needs of the rest.
#[derive(Clone, Debug)]
pub struct FeatureCounts {
    /// (k, P_k), ascending in k.
    used: Vec<(u64, u64)>,
    counted: Counted,
}

impl FeatureCounts {
    /// Counts by sorting: 8 L bytes a pattern, 16 a set.
    pub fn new(stream: &PatternStream<'_>) -> Self {
        let (n_patterns, n_active) = (stream.n_patterns(), stream.n_active());
        let patterns = || 0..n_patterns;
        let mut ranks: Vec<u64> =
            patterns().flat_map(|pattern| stream.active(pattern).map(|(rank, _)| rank)).collect();
        ranks.sort_unstable();
        let used: Vec<(u64, u64)> =
            ranks.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u64)).collect();
        drop(ranks);
        let squares = used.iter().map(|&(_, count)| (count as f64).powi(2)).sum();
        let degrees = (3..=n_active).step_by(2).take(MAX_COUNTED_ACTIVE);
        let subset_squares = degrees.map(|degree| {
            let squares = if n_active <= MAX_COUNTED_ACTIVE {
                let mut sets: Vec<u128> = Vec::new();
                for pattern in patterns() {
                    let mut active: Vec<u64> = stream.active(pattern).map(|(rank, _)| rank).collect();
                    active.sort_unstable();
                    sets.extend(subsets(&active, degree).map(key));
                }
                sets.sort_unstable();
                sets.chunk_by(|a, b| a == b).map(|same| (same.len() as f64).powi(2)).sum()
            } else {
                Counted::distinct_sets(n_patterns as f64, n_active, degree)
            };
            (degree, squares)
        });
        let counted =
            Counted { n_patterns: n_patterns as f64, squares, subset_squares: subset_squares.collect() };
        Self { used, counted }
    }

    /// P_k of one feature.
    pub fn count(&self, rank: u64) -> u64 {
        self.used.binary_search_by_key(&rank, |&(rank, _)| rank).map_or(0, |index| self.used[index].1)
    }

    /// Patterns that use a feature past `rank`, counted once for each such feature.
    pub(super) fn uses_past(&self, rank: u64) -> u64 {
        self.used.iter().filter(|&&(other, _)| other > rank).map(|&(_, count)| count).sum()
    }

    /// Sums over all features and sets.
    pub fn counted(&self) -> &Counted {
        &self.counted
    }
}

/// All subsets of `degree` of the ascending `ranks`.
fn subsets(ranks: &[u64], degree: usize) -> impl Iterator<Item = impl Iterator<Item = u64> + '_> + '_ {
    (0..1u32 << ranks.len()).filter(move |set| set.count_ones() as usize == degree).map(move |set| {
        ranks.iter().enumerate().filter(move |(index, _)| set >> index & 1 == 1).map(|(_, &rank)| rank)
    })
}

/// One number for a set: three ranks of 40 bits exactly, more by a hash, in which two of S sets meet with probability
/// S^2 / 2^128.
fn key(ranks: impl Iterator<Item = u64>) -> u128 {
    const ODD: u128 = 0x2d99_787b_7f4a_7c15_9fb2_1c65_1e98_df25;
    ranks.enumerate().fold(0, |key: u128, (index, rank)| {
        let rank = u128::from(rank);
        if index < 3 { key << 40 | rank } else { (key ^ key >> 61).wrapping_mul(ODD) ^ rank }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::{Coefficients, Manifold, ManifoldParameters};
    use crate::execution::Execution;
    use std::collections::BTreeMap;

    /// Against maps from sorted lists of ranks, L = 3 and 5.
    #[test]
    fn sets_are_counted_as_by_a_map() {
        let execution = Execution::with_threads(1).unwrap();
        for n_active in [1, 3, 4, 5] {
            let manifold = Manifold::new(ManifoldParameters {
                n_spins: 10,
                n_patterns: 500,
                n_test: 0,
                n_features: 12,
                n_active,
                exponent: 1.0,
                coefficients: Coefficients::Signs,
                test_features: None,
                n_stored_features: 0,
                seed: 3,
            })
            .unwrap();
            let stream = PatternStream::new(&manifold, &execution).unwrap();
            let counts = FeatureCounts::new(&stream);
            let mut sets: BTreeMap<Vec<u64>, f64> = BTreeMap::new();
            for pattern in 0..500 {
                let ranks: Vec<u64> = stream.active(pattern).map(|(rank, _)| rank).collect();
                for mask in 0..1usize << n_active {
                    let mut set: Vec<u64> =
                        (0..n_active).filter(|l| mask >> l & 1 == 1).map(|l| ranks[l]).collect();
                    set.sort_unstable();
                    *sets.entry(set).or_default() += 1.0;
                }
            }
            let squares = |degree: usize| -> f64 {
                sets.iter().filter(|(set, _)| set.len() == degree).map(|(_, count)| count * count).sum()
            };
            assert_eq!(counts.counted().squares, squares(1));
            let degrees: Vec<usize> =
                counts.counted().subset_squares.iter().map(|&(degree, _)| degree).collect();
            assert!(degrees.into_iter().eq((3..=n_active).step_by(2)));
            for &(degree, sum) in &counts.counted().subset_squares {
                assert_eq!(sum, squares(degree));
            }
            for rank in 1..=13 {
                assert_eq!(counts.count(rank) as f64, sets.get(&vec![rank]).copied().unwrap_or(0.0));
            }
            assert_eq!(counts.uses_past(0), 500 * n_active as u64);
        }
    }
}
