//! How many patterns use each feature, and each set of features.

use crate::analysis::matrix_free::{part_of, set_key};
use crate::datasets::PatternStream;
use crate::error::Result;
use crate::execution::Execution;
use crate::theory::Counted;

/// Up to this many features a pattern, all sets of 3, 5, 7 of them are counted; beyond, sets are taken as all different.
const MAX_COUNTED_ACTIVE: usize = 7;
/// Sets sorted at a time take about this much memory, and while they are gathered twice as much; more go in parts.
const MAX_SORTED_BYTES: usize = 32 << 20;
/// Patterns between two looks whether the caller wants to stop.
const PATIENCE: usize = 1 << 14;

/// P_k of the first features, and what the full law needs of the rest.
#[derive(Clone, Debug)]
pub struct FeatureCounts {
    first: Vec<u64>, // [rank - 1]
    n_uses: u64,
    counted: Counted,
}

impl FeatureCounts {
    /// Memory that counting takes.
    pub(super) fn bytes(n_patterns: usize, n_active: usize, n_ranks: usize) -> u64 {
        let degrees = (1..=n_active.min(MAX_COUNTED_ACTIVE)).step_by(2);
        let sets = degrees.map(|degree| Counted::distinct_sets(n_patterns as f64, n_active, degree));
        let sorted = sets.fold(0.0, f64::max) * size_of::<u128>() as f64;
        2 * sorted.min(MAX_SORTED_BYTES as f64) as u64 + (n_ranks * size_of::<u64>()) as u64
    }

    /// Counts of the first `n_ranks` features, and the sums of squares over all features and sets.
    ///
    /// # Errors
    /// If interrupted.
    pub fn new(stream: &PatternStream<'_>, n_ranks: usize, execution: &Execution) -> Result<Self> {
        Self::sorting(stream, n_ranks, MAX_SORTED_BYTES, execution)
    }

    /// The same with `max_bytes` for sets.
    fn sorting(
        stream: &PatternStream<'_>,
        n_ranks: usize,
        max_bytes: usize,
        execution: &Execution,
    ) -> Result<Self> {
        let (n_patterns, n_active) = (stream.n_patterns(), stream.n_active());
        let mut first = vec![0u64; n_ranks];
        for pattern in 0..n_patterns {
            if pattern % PATIENCE == 0 {
                execution.check_cancelled()?;
            }
            for (rank, _) in stream.active(pattern) {
                if let Some(count) = first.get_mut(rank as usize - 1) {
                    *count += 1;
                }
            }
        }
        let n_uses = (n_patterns * n_active) as u64;
        let n_rare = n_uses - first.iter().sum::<u64>();
        let rare = |ranks: &[u64], keys: &mut Vec<u128>| {
            let rare = ranks.iter().filter(|&&rank| rank > n_ranks as u64);
            keys.extend(rare.map(|&rank| set_key(std::iter::once((rank, false)))));
        };
        let squares = first.iter().map(|&count| (count as f64).powi(2)).sum::<f64>()
            + sum_of_squares(stream, n_rare as f64, rare, max_bytes, execution)?;
        let degrees = (3..=n_active).step_by(2).take(MAX_COUNTED_ACTIVE);
        let subset_squares = degrees.map(|degree| {
            let n_sets = Counted::distinct_sets(n_patterns as f64, n_active, degree);
            let squares = if n_active <= MAX_COUNTED_ACTIVE {
                let sets = |ranks: &[u64], keys: &mut Vec<u128>| keys.extend(subset_keys(ranks, degree));
                sum_of_squares(stream, n_sets, sets, max_bytes, execution)?
            } else {
                n_sets
            };
            Ok((degree, squares))
        });
        let subset_squares = subset_squares.collect::<Result<_>>()?;
        let counted = Counted { n_patterns: n_patterns as f64, squares, subset_squares };
        Ok(Self { first, n_uses, counted })
    }

    /// P_k of a feature among the first that were counted.
    pub fn count(&self, rank: u64) -> u64 {
        self.first[rank as usize - 1]
    }

    /// Patterns that use a feature past rank `rank`, counted once for each such feature.
    pub(super) fn uses_past(&self, rank: usize) -> u64 {
        self.n_uses - self.first[..rank].iter().sum::<u64>()
    }

    /// Sums over all features and sets.
    pub fn counted(&self) -> &Counted {
        &self.counted
    }
}

/// sum_S P_S^2 over `n_sets` sets S, whose keys `keys_of` makes of the ascending ranks of a pattern: equal ones meet by
/// sorting, in parts of about `max_bytes`.
fn sum_of_squares(
    stream: &PatternStream<'_>,
    n_sets: f64,
    keys_of: impl Fn(&[u64], &mut Vec<u128>),
    max_bytes: usize,
    execution: &Execution,
) -> Result<f64> {
    let n_parts = (n_sets * size_of::<u128>() as f64 / max_bytes as f64).ceil().max(1.0) as u64;
    let (mut ranks, mut keys, mut sets) = (Vec::new(), Vec::new(), Vec::<u128>::new());
    let mut squares = 0.0;
    for part in 0..n_parts {
        sets.clear();
        for pattern in 0..stream.n_patterns() {
            if pattern % PATIENCE == 0 {
                execution.check_cancelled()?;
            }
            ranks.clear();
            ranks.extend(stream.active(pattern).map(|(rank, _)| rank));
            ranks.sort_unstable();
            keys.clear();
            keys_of(&ranks, &mut keys);
            sets.extend(keys.iter().filter(|&&key| n_parts == 1 || part_of(key, n_parts) == part));
        }
        sets.sort_unstable();
        squares += sets.chunk_by(|a, b| a == b).map(|same| (same.len() as f64).powi(2)).sum::<f64>();
    }
    Ok(squares)
}

/// Keys of all subsets of `degree` of a few ranks.
fn subset_keys(ranks: &[u64], degree: usize) -> impl Iterator<Item = u128> + '_ {
    (0..1u32 << ranks.len()).filter(move |set| set.count_ones() as usize == degree).map(move |set| {
        let members = ranks.iter().enumerate().filter(|(index, _)| set >> index & 1 == 1);
        set_key(members.map(|(_, &rank)| (rank, false)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::{Coefficients, Manifold, ManifoldParameters};
    use crate::execution::Execution;
    use std::collections::BTreeMap;

    /// Against maps from sorted lists of ranks, at once and in parts of some tens of sets.
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
            for max_bytes in [MAX_SORTED_BYTES, 1000] {
                let counts = FeatureCounts::sorting(&stream, 12, max_bytes, &execution).unwrap();
                let rare = FeatureCounts::sorting(&stream, 2, max_bytes, &execution).unwrap();
                assert_eq!(rare.counted(), counts.counted());
                assert_eq!(counts.counted().squares, squares(1));
                let degrees: Vec<usize> =
                    counts.counted().subset_squares.iter().map(|&(degree, _)| degree).collect();
                assert!(degrees.into_iter().eq((3..=n_active).step_by(2)));
                for &(degree, sum) in &counts.counted().subset_squares {
                    assert_eq!(sum, squares(degree));
                }
                for rank in 1..=12 {
                    assert_eq!(counts.count(rank) as f64, sets.get(&vec![rank]).copied().unwrap_or(0.0));
                }
                assert_eq!(counts.uses_past(0), 500 * n_active as u64);
                assert_eq!(counts.uses_past(12), 0);
            }
        }
    }
}
