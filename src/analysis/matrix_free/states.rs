//! The states whose fields are asked for: features, made again from their streams, or states in memory.

use crate::datasets::FeatureStretch;
use crate::spins::BlockMajor;

/// States that can be written stretch by stretch.
pub trait StateSource: Sync {
    /// Number of states K.
    fn n_states(&self) -> usize;

    /// Writes the words of one state on the stretch of `features`.
    fn write(&self, state: usize, features: &FeatureStretch<'_>, words: &mut [u64]);
}

/// Features of consecutive ranks.
#[derive(Clone, Copy, Debug)]
pub struct FeatureStates {
    /// Rank of the first, 1 or more.
    pub first_rank: u64,
    /// How many.
    pub count: usize,
}

impl StateSource for FeatureStates {
    fn n_states(&self) -> usize {
        self.count
    }

    fn write(&self, state: usize, features: &FeatureStretch<'_>, words: &mut [u64]) {
        features.feature(self.first_rank + state as u64, words);
    }
}

/// Rows are states.
impl StateSource for BlockMajor {
    fn n_states(&self) -> usize {
        self.n_rows()
    }

    fn write(&self, state: usize, features: &FeatureStretch<'_>, words: &mut [u64]) {
        let (first, _) = features.place();
        for (offset, word) in words.iter_mut().enumerate() {
            *word = self.block(first + offset)[state];
        }
    }
}
