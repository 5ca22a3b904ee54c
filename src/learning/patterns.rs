//! Patterns packed for both products of learning.

use crate::error::{Error, Result};
use crate::kernels::Signs;
use crate::spins::{BlockMajor, SpinMatrix};

/// A set of patterns in the two block-major layouts.
pub struct PatternBits {
    by_pattern: BlockMajor, // [N / 64][P]: fields, summed over spins
    by_spin: BlockMajor,    // [P / 64][N]: gradients, summed over patterns
}

impl PatternBits {
    /// Packs the rows of `patterns`.
    pub fn new(patterns: &SpinMatrix) -> Self {
        Self { by_pattern: BlockMajor::from_rows(patterns), by_spin: BlockMajor::from_columns(patterns) }
    }

    /// Number of patterns, P.
    pub fn n_patterns(&self) -> usize {
        self.by_pattern.n_rows()
    }

    /// Spins of a pattern, N.
    pub fn n_spins(&self) -> usize {
        self.by_pattern.n_columns()
    }

    /// Patterns as rows, spins as columns.
    pub fn by_pattern(&self) -> &BlockMajor {
        &self.by_pattern
    }

    /// Spins as rows, patterns as columns.
    pub fn by_spin(&self) -> &BlockMajor {
        &self.by_spin
    }

    /// All patterns, for fields.
    pub fn pattern_signs(&self) -> Signs<'_> {
        Signs { words: self.by_pattern.words(), stride: self.n_patterns(), n_states: self.n_patterns() }
    }

    /// All spins, for gradients.
    pub fn spin_signs(&self) -> Signs<'_> {
        Signs { words: self.by_spin.words(), stride: self.n_spins(), n_states: self.n_spins() }
    }

    /// The words that hold a panel's own spins, `[P]`, and the bit at which they begin.
    pub fn panel_signs(&self, panel: usize) -> (&[u64], u32) {
        let first_spin = panel * crate::couplings::PANEL;
        (self.by_pattern.block(first_spin / 64), (first_spin % 64) as u32)
    }
}

/// Patterns that a rule can learn from: at least one, of at least one spin.
pub(super) fn check_patterns(patterns: &SpinMatrix) -> Result<()> {
    if patterns.n_rows() == 0 || patterns.n_spins() == 0 {
        return Err(Error::shape(
            "training patterns",
            "at least 1 pattern of at least 1 spin",
            format!("{} patterns of {} spins", patterns.n_rows(), patterns.n_spins()),
        ));
    }
    Ok(())
}
