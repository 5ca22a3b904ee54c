//! The nearest of many patterns: the one of largest overlap, and the one of largest overlap up to sign.
//!
//! All pairs are compared, by population count of packed words. Of equal overlaps the first pattern counts.

use super::overlaps::overlap;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::hamming_distance;
use crate::spins::SpinMatrix;

/// The nearest patterns of a state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// The pattern of largest overlap.
    pub index: usize,
    pub overlap: f64,
    /// The pattern of largest |overlap|: nearest to the state or to its opposite.
    pub index_up_to_sign: usize,
    /// Its overlap, with sign.
    pub overlap_up_to_sign: f64,
}

/// A pattern and the spins in which it differs.
type Candidate = (usize, u64);

/// States in a task.
const STATES: usize = 64;
/// Patterns that a task's states are compared with in turn, while they are in its caches.
const PATTERNS: usize = 256;

/// The nearest rows of `patterns` for each row of `states`. Progress is not told: 10^4 states, 6 10^4 patterns of 784 spins
/// take seconds.
///
/// # Errors
/// If there is no pattern, or it has another number of spins; or interrupted.
pub fn nearest(states: &SpinMatrix, patterns: &SpinMatrix, execution: &Execution) -> Result<Vec<Nearest>> {
    let n_spins = states.n_spins();
    if patterns.n_rows() == 0 || patterns.n_spins() != n_spins {
        let found = format!("{} of {} spins", patterns.n_rows(), patterns.n_spins());
        return Err(Error::shape(
            "patterns to compare with",
            format!("at least 1 of {n_spins} spins"),
            found,
        ));
    }
    let isa = execution.isa();
    // The nearest, and the nearest or farthest.
    let mut found: Vec<[Candidate; 2]> = vec![[(0, u64::MAX); 2]; states.n_rows()];
    execution.for_each(
        found.chunks_mut(STATES).enumerate(),
        || (),
        |(), (task, found)| {
            for first in (0..patterns.n_rows()).step_by(PATTERNS) {
                for (row, [near, either]) in found.iter_mut().enumerate() {
                    let state = states.row(task * STATES + row);
                    for pattern in first..patterns.n_rows().min(first + PATTERNS) {
                        let distance = hamming_distance(isa, state, patterns.row(pattern));
                        if distance < near.1 {
                            *near = (pattern, distance);
                        }
                        let from_half = |distance: u64| (2 * distance).abs_diff(n_spins as u64);
                        if pattern == 0 || from_half(distance) > from_half(either.1) {
                            *either = (pattern, distance);
                        }
                    }
                }
                execution.check_cancelled()?;
            }
            Ok(())
        },
    )?;
    let of_row = |(row, &[near, either]): (usize, &[Candidate; 2])| {
        let overlap_with = |pattern: usize| overlap(isa, n_spins, states.row(row), patterns.row(pattern));
        Nearest {
            index: near.0,
            overlap: overlap_with(near.0),
            index_up_to_sign: either.0,
            overlap_up_to_sign: overlap_with(either.0),
        }
    };
    Ok(found.iter().enumerate().map(of_row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::random_states;

    #[test]
    fn the_nearest_are_those_of_the_plain_double_loop() {
        for (n_spins, n_threads) in [(37, 1), (200, 3)] {
            let execution = Execution::with_threads(n_threads).unwrap();
            let states = random_states(150, n_spins, 1).unwrap();
            let patterns = random_states(600, n_spins, 2).unwrap();
            let found = nearest(&states, &patterns, &execution).unwrap();
            for (row, found) in found.iter().enumerate() {
                let product = |mu: usize| -> i32 {
                    (0..n_spins).map(|i| i32::from(states.spin(row, i) * patterns.spin(mu, i))).sum()
                };
                let products: Vec<i32> = (0..600).map(product).collect();
                let first = |value: &dyn Fn(i32) -> i32| {
                    let largest = products.iter().map(|&x| value(x)).max().unwrap();
                    products.iter().position(|&x| value(x) == largest).unwrap()
                };
                assert_eq!(found.index, first(&|x| x));
                assert_eq!(found.index_up_to_sign, first(&i32::abs));
                let near = f64::from(products[found.index]) / n_spins as f64;
                let either = f64::from(products[found.index_up_to_sign]) / n_spins as f64;
                // Both are within rounding of multiples of 2/N.
                assert!((found.overlap - near).abs() < 1e-12);
                assert!((found.overlap_up_to_sign - either).abs() < 1e-12);
            }
        }
        let execution = Execution::with_threads(1).unwrap();
        let states = random_states(2, 10, 1).unwrap();
        assert!(nearest(&states, &states.head(0), &execution).is_err());
        assert!(nearest(&states, &random_states(2, 11, 1).unwrap(), &execution).is_err());
    }
}
