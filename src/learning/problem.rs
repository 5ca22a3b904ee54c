//! [`Problem`]: what is learned.

use std::ops::Range;

use super::mask::Mask;
use super::patterns::{PatternBits, check_patterns};
use crate::couplings::RowRange;
use crate::error::{Error, Result};
use crate::spins::SpinMatrix;

/// Patterns, their weights in the loss, the couplings that are allowed, and the neurons that learn.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    patterns: &'a SpinMatrix,
    weights: Option<&'a [f32]>,
    mask: Option<&'a Mask>,
    rows: RowRange,
}

impl<'a> From<&'a SpinMatrix> for Problem<'a> {
    /// All couplings allowed, all patterns of one weight, all neurons.
    fn from(patterns: &'a SpinMatrix) -> Self {
        Self { patterns, weights: None, mask: None, rows: RowRange::all(patterns.n_spins()) }
    }
}

impl<'a> Problem<'a> {
    /// Weighs pattern mu by w_mu in the loss, `[P]`: only their ratios matter. Counts, or the weights of sequences.
    ///
    /// # Errors
    /// If there are not P weights, one is negative or not finite, or none is above 0.
    pub fn with_weights(self, weights: &'a [f32]) -> Result<Self> {
        check_weights(weights, self.patterns.n_rows())?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// Allows the couplings of `mask` alone; all others stay 0.
    ///
    /// # Errors
    /// If the mask is one of another N.
    pub fn with_mask(self, mask: &'a Mask) -> Result<Self> {
        let n_spins = self.patterns.n_spins();
        if mask.n_spins() != n_spins {
            let expected = format!("N = {n_spins} as in the patterns");
            return Err(Error::shape("mask", expected, format!("N = {}", mask.n_spins())));
        }
        Ok(Self { mask: Some(mask), ..self })
    }

    /// Lets the neurons of `rows` learn alone: the couplings are then a shard, these rows of J, with the bits that they have
    /// in the whole J.
    ///
    /// # Errors
    /// If there are no such rows, or they begin or end elsewhere than at a multiple of 64 or at N.
    pub fn with_rows(self, rows: Range<usize>) -> Result<Self> {
        Ok(Self { rows: RowRange::shard(&rows, self.patterns.n_spins())?, ..self })
    }

    /// The patterns, `[P, N]`.
    pub fn patterns(&self) -> &'a SpinMatrix {
        self.patterns
    }

    /// Their weights, where they have any.
    pub fn weights(&self) -> Option<&'a [f32]> {
        self.weights
    }

    /// The allowed couplings, where not all are.
    pub fn mask(&self) -> Option<&'a Mask> {
        self.mask
    }

    /// The neurons that learn.
    pub fn neurons(&self) -> Range<usize> {
        self.rows.range()
    }

    /// Their rows of J.
    pub(super) fn rows(&self) -> RowRange {
        self.rows
    }

    /// Spins that are the same in all patterns of positive weight.
    pub fn n_constant_spins(&self) -> usize {
        let counts = |mu: &usize| self.weights.is_none_or(|weights| weights[*mu] > 0.0);
        let mut rows = (0..self.patterns.n_rows()).filter(counts).map(|mu| self.patterns.row(mu));
        let Some(first) = rows.next() else { return 0 };
        let mut changes = vec![0u64; first.len()];
        for row in rows {
            for ((change, word), first) in changes.iter_mut().zip(row).zip(first) {
                *change |= word ^ first;
            }
        }
        self.patterns.n_spins() - changes.iter().map(|word| word.count_ones() as usize).sum::<usize>()
    }

    /// Refuses a problem without patterns or spins.
    pub(super) fn check(&self) -> Result<()> {
        check_patterns(self.patterns)
    }

    /// Refuses what rules do not know that learn from patterns alone.
    pub(super) fn check_patterns_alone(&self) -> Result<()> {
        self.check()?;
        match (self.weights, self.mask) {
            (None, None) => Ok(()),
            (weights, _) => {
                let found = if weights.is_some() { "weights" } else { "a mask" };
                Err(Error::shape("problem", "patterns alone, all that this rule knows", found))
            }
        }
    }

    /// All patterns, packed, with weights of mean 1.
    pub(super) fn full_batch(&self) -> Batch {
        Batch { bits: PatternBits::new(self.patterns), weights: self.relative_weights() }
    }

    /// Some of the patterns; `relative` are the weights of all, of mean 1.
    pub(super) fn batch(&self, members: &[usize], relative: Option<&[f32]>) -> Batch {
        let weights = relative.map(|weights| members.iter().map(|&member| weights[member]).collect());
        Batch { bits: PatternBits::new(&self.patterns.select(members)), weights }
    }

    /// The weights times a factor that makes their mean 1.
    pub(crate) fn relative_weights(&self) -> Option<Vec<f32>> {
        self.weights.map(relative)
    }
}

/// Refuses weights that patterns cannot have.
///
/// # Errors
/// If there are not P weights, one is negative or not finite, or none is above 0.
pub(crate) fn check_weights(weights: &[f32], n_patterns: usize) -> Result<()> {
    if weights.len() != n_patterns {
        let expected = format!("{n_patterns}, one a pattern");
        return Err(Error::shape("weights", expected, weights.len().to_string()));
    }
    if let Some(row) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        let found = format!("{} for pattern {row}", weights[row]);
        return Err(Error::shape("weights", "finite numbers >= 0", found));
    }
    if weights.iter().all(|&weight| weight == 0.0) {
        return Err(Error::shape("weights", "at least one above 0", "all 0"));
    }
    Ok(())
}

/// Weights times a factor that makes their mean 1.
pub(crate) fn relative(weights: &[f32]) -> Vec<f32> {
    let sum: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
    let factor = weights.len() as f64 / sum;
    weights.iter().map(|&weight| (f64::from(weight) * factor) as f32).collect()
}

/// Patterns that a step sees.
pub(super) struct Batch {
    pub(super) bits: PatternBits,
    /// `[P]`, of mean 1 over all patterns.
    pub(super) weights: Option<Vec<f32>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_spins_are_counted() {
        let patterns = SpinMatrix::from_signs(3, 3, &[1, 1, -1, 1, -1, -1, -1, -1, -1]).unwrap();
        assert_eq!(Problem::from(&patterns).n_constant_spins(), 1);
        let weighted = Problem::from(&patterns).with_weights(&[1.0, 2.0, 0.0]).unwrap();
        assert_eq!(weighted.n_constant_spins(), 2);
    }

    #[test]
    fn weights_are_relative() {
        let patterns = SpinMatrix::all_down(3, 4);
        let problem = Problem::from(&patterns).with_weights(&[1.0, 0.0, 5.0]).unwrap();
        assert_eq!(problem.relative_weights().unwrap(), [0.5, 0.0, 2.5]);
        assert_eq!(
            problem.batch(&[2, 0], problem.relative_weights().as_deref()).weights.unwrap(),
            [2.5, 0.5]
        );
    }

    #[test]
    fn weights_and_masks_that_do_not_fit_are_refused() {
        let patterns = SpinMatrix::all_down(2, 4);
        let problem = Problem::from(&patterns);
        for weights in [vec![1.0], vec![1.0, -1.0], vec![0.0, 0.0], vec![f32::NAN, 1.0]] {
            assert!(problem.with_weights(&weights).is_err());
        }
        assert!(problem.with_mask(&Mask::from_edges(5, [(0, 1)]).unwrap()).is_err());
    }
}
