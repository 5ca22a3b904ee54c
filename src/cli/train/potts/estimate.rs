//! What learning from an alignment will take.

use attractor::Result;
use attractor::datasets::Alignment;
use attractor::execution::Execution;
use attractor::potts::{potts_training_bytes, step_as_sequences};

use super::super::{Train, Variant};
use crate::cli::estimate::Estimate;

/// Steps in which most states settle.
const TYPICAL_STEPS: u64 = 20;
/// Steps of J in the time in which it is copied to tables, and its norms and asymmetry are measured.
const STEPS_PER_OBSERVATION: f64 = 15.0;

impl Train {
    pub(super) fn potts_estimate(&self, alignment: &Alignment, execution: &Execution) -> Result<Estimate> {
        let (n_columns, n_letters) = (alignment.n_columns(), alignment.n_letters());
        let n_tests = alignment.test.as_ref().map_or(0, |test| test.n_rows()) as f64;
        let (p, l) = (alignment.n_sequences() as f64, n_columns as f64);
        let couplings = 4.0 * (l * n_letters as f64).powi(2);
        let symmetric = self.variant() == Variant::Symmetric;
        // J and its tables while it is observed, and once more symmetrised.
        let copies = if self.variant() == Variant::Symmetrized { 4.0 } else { 3.0 };
        let states = 3.0 * self.eval_states as f64;
        let memory = potts_training_bytes(n_columns, n_letters, symmetric, execution.n_threads())
            + copies * couplings
            + (p + n_tests + 4.0 * states) * l;
        let disk = couplings * (1.0 + self.pseudo_likelihood.snapshots().len() as f64);
        let epochs = self.pseudo_likelihood.epochs() as f64;
        let evaluations = 2.0 + self.eval_every.map_or(0.0, |every| epochs / every as f64);
        let recalled = states * self.eval_steps.min(TYPICAL_STEPS) as f64;
        let step = step_as_sequences(n_letters);
        // A fit takes logarithms in place of the pull on J; fields alone, of recall, take half the time of both.
        let evaluation = STEPS_PER_OBSERVATION * step + p + n_tests + recalled / 2.0;
        let lookups = l * l * (epochs * (p + step) + evaluations * evaluation);
        Estimate::of_lookups(memory, disk, lookups, n_letters, execution)
    }
}
