//! Means over independent chains, and whether two agree.

use crate::kernels::{Isa, hamming_distance};
use crate::spins::SpinMatrix;

/// Means further apart than this many standard errors do not agree: of the hundred comparisons of a few runs none is
/// expected to be by chance.
pub(super) const DISAGREE: f64 = 5.0;

/// A mean over independent samples, with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    pub value: f64,
    /// Standard error; 0 for fewer than two samples.
    pub error: f64,
}

impl Mean {
    pub(super) fn of(samples: &[f64]) -> Self {
        let n = samples.len() as f64;
        let value = samples.iter().sum::<f64>() / n.max(1.0);
        let squares: f64 = samples.iter().map(|sample| (sample - value).powi(2)).sum();
        let error = if n > 1.0 { (squares / (n - 1.0) / n).sqrt() } else { 0.0 };
        Self { value, error }
    }

    /// The difference in units of its standard error; 0 where both are exact and equal up to rounding.
    pub fn z_score(self, other: Self) -> f64 {
        let difference = self.value - other.value;
        let rounding = 1e-12 * self.value.abs().max(other.value.abs());
        if difference.abs() <= rounding { 0.0 } else { difference / self.error.hypot(other.error) }
    }

    pub(super) fn agrees(self, other: Self) -> bool {
        self.z_score(other).abs() < DISAGREE
    }
}

/// The squared overlap of a row of `a` with one of `b`.
pub(super) fn squared_overlap(isa: Isa, a: &SpinMatrix, row: usize, b: &SpinMatrix, other: usize) -> f64 {
    let distance = hamming_distance(isa, a.row(row), b.row(other)) as f64;
    (1.0 - 2.0 * distance / a.n_spins() as f64).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1, 2, 6: mean 3, variance 7, standard error sqrt(7 / 3); against 0 exactly, a z-score of their ratio.
    #[test]
    fn means_differ_in_units_of_their_errors() {
        let mean = Mean::of(&[1.0, 2.0, 6.0]);
        let error = (7.0f64 / 3.0).sqrt();
        assert!((mean.value - 3.0).abs() < 1e-12 && (mean.error - error).abs() < 1e-12);
        let zero = Mean { value: 0.0, error: 0.0 };
        assert!((mean.z_score(zero) - 3.0 / error).abs() < 1e-12);
        assert_eq!(zero.z_score(zero), 0.0);
        assert!(mean.agrees(zero) && !Mean { value: 1.0, error: 0.0 }.agrees(zero));
    }
}
