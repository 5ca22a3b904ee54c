//! What a training run will take.

use attractor::datasets::DataSet;
use attractor::execution::Execution;
use attractor::learning::{Batches, Route};

use super::super::estimate::Estimate;
use super::{Rule, Train, Variant};

impl Train {
    pub(super) fn estimate(&self, data: &DataSet, execution: &Execution) -> Estimate {
        let (n, p) = (data.n_spins() as f64, data.n_patterns() as f64);
        let couplings = 4.0 * n * n;
        let (memory, work) = match self.rule {
            Rule::PseudoLikelihood => self.descent(data),
            rule => self.classical.cost(rule, data, execution.n_threads()),
        };
        let scratch = execution.n_threads() as f64 * 64.0 * (2.0 * n + p + 2048.0);
        let recall = self.eval_states as f64 * (6.0 * n / 8.0 + 256.0);
        let memory = memory + 3.0 * n * p / 8.0 + scratch + recall;
        let disk = couplings * (1.0 + self.pseudo_likelihood.snapshots().len() as f64);
        let epochs =
            if self.rule == Rule::PseudoLikelihood { self.pseudo_likelihood.epochs() as f64 } else { 0.0 };
        let evaluations = 2.0 + self.eval_every.map_or(0.0, |every| epochs / every as f64);
        // Recalls of an evaluation rarely take more than a third of their steps.
        let recalled = 4.0 * self.eval_states as f64 * self.eval_steps as f64 / 3.0;
        let work = work + n * n * evaluations * (p + recalled);
        Estimate::new(memory, disk, work, execution)
    }

    /// Bytes of couplings and what goes with them, and signed multiply-adds, of gradient descent.
    fn descent(&self, data: &DataSet) -> (f64, f64) {
        let (n, p) = (data.n_spins() as f64, data.n_patterns() as f64);
        let couplings = 4.0 * n * n;
        let parameters = self.parameters(data);
        let copies = 2.0
            + if self.variant() == Variant::Symmetrized { 1.0 } else { 0.0 }
            + if parameters.batches == Batches::Full { 0.0 } else { 1.0 };
        // The Gram route has the overlaps of the patterns and two generations of coefficients, and keeps initial
        // couplings outside the span of the patterns with their fields.
        let is_gram = parameters.route(data.n_patterns(), data.n_spins()) == Route::Gram;
        let gram = match (is_gram, self.pseudo_likelihood.init()) {
            (false, _) => 0.0,
            (true, "hebb" | "zero") => 4.0 * (p * p + 2.0 * n * p),
            (true, _) => 4.0 * (p * p + 3.0 * n * p) + couplings,
        };
        // A real product takes about the time of four signed ones.
        let epoch = if is_gram { 4.0 * p * p * n } else { 2.0 * p * n * n };
        (copies * couplings + gram, epoch * self.pseudo_likelihood.epochs() as f64)
    }
}
