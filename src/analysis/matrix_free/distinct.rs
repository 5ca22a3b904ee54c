//! Patterns that are equal, up to sign, counted once.
//!
//! A pattern and its opposite contribute the same q_mu xi_i, so that N h_i sums over classes of them, with weights. At odd L a
//! class is known from the draw alone: the same features with the same signs, or with all of them turned. Where frequencies
//! fall fast, most patterns share theirs with others: of 10^5 patterns at L = 3, N = 10^6, D = N/2 about 0.36 P classes are left at
//! eta = 1.5 and 0.08 P at eta = 2, and both passes take as much less.

use super::set_key::{EXACT, set_key};
use crate::datasets::PatternStream;
use crate::error::Result;
use crate::execution::Execution;

/// Patterns among which equal ones are looked for at a time, 32 bytes each.
const SEGMENT: usize = 1 << 20;
/// Patterns between two looks whether the caller wants to stop.
const PATIENCE: usize = 1 << 14;
/// Spins times the weight of a class stay below this share of the largest i32, so that many of them fit in a sum.
const SHARE: i32 = 16;

/// One column of both passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// A pattern of the class.
    pub(super) pattern: usize,
    /// Patterns it stands for.
    pub(super) weight: i32,
}

/// The classes of a stream of patterns; one of many patterns may be in several columns.
pub(super) enum Columns {
    /// Every pattern is a column.
    All(usize),
    Distinct(Vec<Column>),
}

impl Columns {
    pub(super) fn new(stream: &PatternStream<'_>, execution: &Execution) -> Result<Self> {
        if stream.n_active().is_multiple_of(2) {
            // Ties are decided pattern by pattern.
            return Ok(Self::All(stream.n_patterns()));
        }
        let largest = i32::try_from(stream.n_spins()).map_or(1, |n| (i32::MAX / SHARE / n).max(1));
        let mut columns = Vec::new();
        let n_patterns = stream.n_patterns();
        for first in (0..n_patterns).step_by(SEGMENT) {
            let mut keys: Vec<(u128, usize)> = Vec::new();
            for pattern in first..n_patterns.min(first + SEGMENT) {
                if pattern % PATIENCE == 0 {
                    execution.check_cancelled()?;
                }
                keys.push((set_key(class(stream, pattern).into_iter()), pattern));
            }
            keys.sort_unstable();
            // Beyond three features equal keys are no proof.
            let is_same = |&(a, first): &(u128, usize), &(b, second): &(u128, usize)| {
                a == b && (stream.n_active() <= EXACT || class(stream, first) == class(stream, second))
            };
            let from = columns.len();
            for same in keys.chunk_by(is_same) {
                columns.extend(
                    same.chunks(largest as usize)
                        .map(|same| Column { pattern: same[0].1, weight: same.len() as i32 }),
                );
            }
            // Heavy classes apart from each other: sums then grow evenly.
            columns[from..].sort_unstable_by_key(|column| column.pattern);
        }
        Ok(if columns.len() == n_patterns { Self::All(n_patterns) } else { Self::Distinct(columns) })
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::All(count) => *count,
            Self::Distinct(columns) => columns.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Column {
        match self {
            Self::All(_) => Column { pattern: index, weight: 1 },
            Self::Distinct(columns) => columns[index],
        }
    }
}

/// The features by rank, with whether their sign is not that of the first.
fn class(stream: &PatternStream<'_>, pattern: usize) -> Vec<(u64, bool)> {
    let mut features: Vec<(u64, bool)> = stream.active(pattern).collect();
    features.sort_unstable();
    let sign = features[0].1;
    features.iter_mut().for_each(|feature| feature.1 ^= sign);
    features
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::{Coefficients, Manifold, ManifoldParameters};
    use crate::execution::Execution;
    use std::collections::BTreeMap;

    /// Columns stand for all patterns, and any two patterns are in columns of the same class where they are equal up to
    /// sign on all of 500 spins; 500 spins of different classes are not.
    #[test]
    fn columns_are_the_classes_of_the_patterns() {
        let execution = Execution::with_threads(1).unwrap();
        for (n_active, n_features, n_spins) in [(1, 5, 500), (3, 6, 500), (5, 8, 500), (3, 6, 30_000_000)] {
            let parameters = ManifoldParameters {
                n_spins,
                n_patterns: 300,
                n_test: 0,
                n_features,
                n_active,
                exponent: 1.0,
                coefficients: Coefficients::Signs,
                test_features: None,
                n_stored_features: 0,
                seed: 2,
            };
            let manifold = Manifold::new(parameters.clone()).unwrap();
            let stream = PatternStream::new(&manifold, &execution).unwrap();
            let columns = Columns::new(&stream, &execution).unwrap();
            assert!(columns.len() < 300);
            let same = Manifold::new(ManifoldParameters { n_spins: 500, ..parameters }).unwrap();
            let train = same.generate(&execution).unwrap().train;
            // Words of a pattern, or of its opposite: the one whose first spin is -1.
            let up_to_sign = |pattern: usize| -> Vec<i8> {
                let sign = -train.spin(pattern, 0);
                (0..500).map(|site| sign * train.spin(pattern, site)).collect()
            };
            let mut expected: BTreeMap<Vec<i8>, i32> = BTreeMap::new();
            (0..300).for_each(|pattern| *expected.entry(up_to_sign(pattern)).or_default() += 1);
            let mut found: BTreeMap<Vec<i8>, i32> = BTreeMap::new();
            for index in 0..columns.len() {
                let Column { pattern, weight } = columns.get(index);
                assert!(
                    i64::from(weight) * n_spins as i64 <= i64::from(i32::MAX / SHARE).max(n_spins as i64)
                );
                *found.entry(up_to_sign(pattern)).or_default() += weight;
            }
            assert_eq!(found, expected, "L = {n_active}");
        }
    }
}
