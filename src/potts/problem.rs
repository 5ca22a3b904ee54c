//! [`PottsProblem`]: the sequences that couplings are learned from, and their weights.

use crate::error::{Error, Result};
use crate::kernels::Letters;
use crate::learning::{check_weights, relative};
use crate::spins::Sequences;

/// Sequences to learn, with weights where they have any.
#[derive(Clone, Copy, Debug)]
pub struct PottsProblem<'a> {
    sequences: &'a Sequences,
    weights: Option<&'a [f32]>,
}

impl<'a> From<&'a Sequences> for PottsProblem<'a> {
    fn from(sequences: &'a Sequences) -> Self {
        Self { sequences, weights: None }
    }
}

impl<'a> PottsProblem<'a> {
    /// Weighs sequence mu by w_mu in the loss, `[P]`: only their ratios matter.
    ///
    /// # Errors
    /// If there are not P weights, one is negative or not finite, or none is above 0.
    pub fn with_weights(self, weights: &'a [f32]) -> Result<Self> {
        check_weights(weights, self.sequences.n_rows())?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// The sequences, `[P, L]`.
    pub fn sequences(&self) -> &'a Sequences {
        self.sequences
    }

    /// Their weights, where they have any.
    pub fn weights(&self) -> Option<&'a [f32]> {
        self.weights
    }

    /// Refuses a problem without sequences.
    pub(super) fn check(&self) -> Result<()> {
        match self.sequences.n_rows() {
            0 => Err(Error::shape("sequences", "at least 1", "none")),
            _ => Ok(()),
        }
    }

    /// Weights of mean 1.
    pub(super) fn relative_weights(&self) -> Option<Vec<f32>> {
        self.weights.map(relative)
    }
}

/// Rows of letters as the kernels take them.
pub(super) fn letters(sequences: &Sequences) -> Letters<'_> {
    Letters {
        letters: sequences.letters(),
        n_columns: sequences.n_columns(),
        n_letters: sequences.n_letters(),
    }
}

/// The same in blocks of `n_rows` rows.
pub(super) fn blocks<'a>(
    letters: Letters<'a>,
    n_rows: usize,
) -> impl Iterator<Item = Letters<'a>> + Clone + Send {
    letters.letters.chunks(n_rows * letters.n_columns).map(move |rows| Letters { letters: rows, ..letters })
}
