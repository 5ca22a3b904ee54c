//! The dreaming kernel: Hebb couplings reinforced and cleaned for a time t of sleep.
//!
//! ```text
//! J = (1/N) X^T (1 + t) (I + t C)^-1 X,   C = X X^T / N,   J_ii = 0
//! ```
//!
//! (Fachechi, Agliari, Barra, Neural Networks 112, 24 (2019)). t = 0 is the Hebb rule; as t grows J tends to the
//! pseudo-inverse. As it is computed, J = X^T (w K + (1 - w) N I)^-1 X with K = X X^T and w = t / (1 + t): the two rules mixed.

use super::overlap_factor::Mixture;
use super::patterns::check_patterns;
use super::span_inverse::{bytes, span_inverse};
use crate::couplings::Couplings;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::spins::SpinMatrix;

/// The dreaming kernel at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dreaming {
    /// t, 0 or above.
    pub time: f64,
}

impl Dreaming {
    /// Refuses a time out of range.
    ///
    /// # Errors
    /// Names it.
    pub fn check(&self) -> Result<()> {
        if self.time >= 0.0 && self.time.is_finite() {
            Ok(())
        } else {
            Err(Error::parameter("dream-time", "a finite number, 0 or above", self.time))
        }
    }

    /// Couplings of the rows of `patterns`, symmetric to the bit, of scale 1 and without self-coupling; accuracy as in
    /// [`PseudoInverse`](super::PseudoInverse).
    ///
    /// # Errors
    /// As [`check`](Self::check); if there are no patterns or no spins; if patterns depend on one another and the time is so
    /// long that rounding hides the difference from the pseudo-inverse; if memory is missing; if interrupted.
    pub fn couplings(&self, patterns: &SpinMatrix, execution: &Execution) -> Result<Couplings> {
        check_patterns(patterns)?;
        self.check()?;
        let mixture = Mixture { overlaps: self.time / (1.0 + self.time), shift: 1.0 / (1.0 + self.time) };
        span_inverse(patterns, mixture, false, execution, |found| {
            Error::shape("training patterns", "linearly independent patterns, or a shorter dream-time", found)
        })
    }

    /// Bytes that [`couplings`](Self::couplings) takes: 4 N^2 + 4 P^2 and what goes with them.
    pub fn memory_bytes(n_patterns: usize, n_spins: usize, n_threads: usize) -> u64 {
        bytes(n_patterns, n_spins, n_threads)
    }
}

#[cfg(test)]
mod tests {
    use super::super::pseudo_inverse::tests::{assert_rounded_once, plain};
    use super::super::{PseudoInverse, hebb};
    use super::*;
    use crate::dynamics::random_states;

    fn values(patterns: &SpinMatrix, time: f64) -> Vec<f32> {
        let execution = Execution::with_threads(2).unwrap();
        Dreaming { time }.couplings(patterns, &execution).unwrap().values().to_vec()
    }

    /// Loads below and above 1, short and long times.
    #[test]
    fn couplings_are_those_of_plain_loops() {
        for (p, n) in [(17, 40), (70, 45), (150, 130)] {
            let patterns = random_states(p, n, 6).unwrap();
            for time in [0.1, 1.0, 8.0] {
                let expected = plain(&patterns, time / (1.0 + time), 1.0 / (1.0 + time));
                for (x, found) in values(&patterns, time).into_iter().enumerate() {
                    let (i, j) = (x / n, x % n);
                    if i == j {
                        assert_eq!(found, 0.0);
                    } else {
                        assert_rounded_once(found, expected[i][j], expected[i][i]);
                    }
                }
            }
        }
    }

    /// At t = 0, J is the Hebb count over N.
    #[test]
    fn without_dreaming_couplings_are_those_of_hebb() {
        let execution = Execution::with_threads(1).unwrap();
        for (p, n) in [(7, 33), (90, 40)] {
            let patterns = random_states(p, n, 6).unwrap();
            let hebb = hebb(&patterns, &execution).unwrap().normalised(&execution).unwrap();
            for (found, &hebb) in values(&patterns, 0.0).into_iter().zip(hebb.values()) {
                // Both are rounded once from all but equal numbers.
                assert!((found - hebb).abs() <= f32::EPSILON * hebb.abs(), "{found} {hebb}");
            }
        }
    }

    /// Projector and kernel differ by at most 1 / (t c) in every eigendirection, c the smallest eigenvalue of C in the span:
    /// above (1 - sqrt(1/4))^2 / 2 at this load.
    #[test]
    fn long_dreams_end_in_the_pseudo_inverse() {
        let execution = Execution::with_threads(1).unwrap();
        let patterns = random_states(50, 200, 6).unwrap();
        let projector = PseudoInverse::default().couplings(&patterns, &execution).unwrap();
        for time in [1e3, 1e6] {
            for (found, limit) in values(&patterns, time).into_iter().zip(projector.values()) {
                let bound = 8.0 / time + f64::from(f32::EPSILON);
                assert!((f64::from(found) - f64::from(*limit)).abs() < bound, "{found} {limit} at {time}");
            }
        }
    }

    /// C = I for orthogonal patterns, so that (1 + t) (I + t C)^-1 = I at every time.
    #[test]
    fn orthogonal_patterns_are_left_alone() {
        let n = 64usize;
        let walsh = |row: usize| (0..n).map(move |i| (row & i).count_ones().is_multiple_of(2));
        let rows: Vec<bool> = [1, 6, 11, 33].into_iter().flat_map(walsh).collect();
        let patterns = SpinMatrix::from_bools(4, n, &rows).unwrap();
        for time in [0.0, 0.7, 1e5] {
            for (x, found) in values(&patterns, time).into_iter().enumerate() {
                let (i, j) = (x / n, x % n);
                let count: i32 =
                    (0..4).map(|mu| i32::from(patterns.spin(mu, i) * patterns.spin(mu, j))).sum();
                let expected = if i == j { 0.0 } else { f64::from(count) / n as f64 };
                assert_rounded_once(found, expected, 1.0);
            }
        }
    }

    #[test]
    fn times_out_of_range_and_indistinguishable_patterns_are_refused() {
        let execution = Execution::with_threads(1).unwrap();
        let patterns = random_states(3, 9, 1).unwrap();
        for time in [-0.1, f64::NAN, f64::INFINITY] {
            assert!(Dreaming { time }.couplings(&patterns, &execution).is_err());
        }
        let twice = patterns.select(&[0, 1, 0]);
        assert!(Dreaming { time: 1e6 }.couplings(&twice, &execution).is_ok());
        let error = Dreaming { time: 1e17 }.couplings(&twice, &execution).unwrap_err().to_string();
        assert!(error.contains("pattern 2, counted from 0, equal to pattern 0"), "{error}");
        assert!(error.contains("dream-time"), "{error}");
    }
}
