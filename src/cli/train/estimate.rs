//! What a training run will take.

use attractor::dynamics::BYTES_PER_STATE;
use attractor::execution::Execution;
use attractor::learning::{
    Batches, MARGIN_SWEEPS, Problem, Route, SEARCH_GRADIENTS, WORK_OF_REAL_PRODUCT, lbfgs_bytes,
    margin_memory,
};
use attractor::storage::Container;

use super::super::estimate::Estimate;
use super::{Rule, Solver, Train, Variant};

impl Train {
    pub(super) fn estimate(&self, problem: Problem<'_>, execution: &Execution) -> Estimate {
        let (n, p) = (problem.patterns().n_spins() as f64, problem.patterns().n_rows() as f64);
        let n_rows = problem.neurons().len() as f64;
        let couplings = 4.0 * n * n_rows;
        let (n_test, n_features) = (self.n_rows_of("test"), self.n_rows_of("features"));
        let n_recalled = match self.rows {
            // A shard recalls nothing.
            Some(_) => 0.0,
            None => n_recalled(self.eval_states, problem.patterns().n_rows(), n_test, n_features) as f64,
        };
        let recall = n_recalled * (6.0 * n / 8.0 + BYTES_PER_STATE as f64);
        let scratch = execution.n_threads() as f64 * 64.0 * (2.0 * n + p + 2048.0);
        let data = (3.0 * p + (n_test + n_features) as f64) * n / 8.0;
        let common = data + scratch + recall;
        let (memory, arrays, work) = match self.rule {
            Rule::PseudoLikelihood if self.pseudo_likelihood.solver() == Solver::Lbfgs => {
                self.search(problem, execution)
            }
            Rule::PseudoLikelihood => self.descent(problem, common, execution),
            Rule::Perceptron | Rule::MaxStability => {
                let memory = margin_memory(
                    problem.patterns().n_spins(),
                    problem.patterns().n_rows(),
                    execution.n_threads(),
                );
                let work = WORK_OF_REAL_PRODUCT * p * p * n_rows * MARGIN_SWEEPS;
                (memory as f64 - 4.0 * n * n, couplings, work)
            }
            rule => {
                let (memory, work) = self.classical.cost(rule, problem, execution.n_threads());
                // Of some rules two copies of J.
                let arrays = couplings * (memory / couplings).floor().min(2.0);
                (memory - arrays, arrays, work)
            }
        };
        // The gradients of all neurons, once at the end, and those at J = 0.
        let arrays = arrays + if self.per_neuron.is_some() { 2.0 * couplings } else { 0.0 };
        let memory = memory + common;
        let disk = couplings * (1.0 + self.pseudo_likelihood.snapshots().len() as f64);
        let is_descent = self.rule == Rule::PseudoLikelihood;
        let epochs = if is_descent { self.pseudo_likelihood.epochs() as f64 } else { 0.0 };
        let evaluations = 2.0 + self.eval_every.map_or(0.0, |every| epochs / every as f64);
        // Recalls of an evaluation rarely take more than a third of their steps.
        let recalled = n_recalled * self.eval_steps as f64 / 3.0;
        let work = work + n * n_rows * evaluations * (p + recalled);
        let estimate = Estimate::new(memory, disk, work, execution)
            .with_arrays(arrays)
            .with_remembered_fields(n_recalled, n);
        match estimate.is_out_of_core(execution) && self.variant() != Variant::Symmetrized {
            // The last generation becomes the output where it lies.
            true => Estimate { disk_bytes: (disk - couplings) as u64, ..estimate },
            false => estimate,
        }
    }

    /// Rows of a part of the data set; 0 where it has none.
    fn n_rows_of(&self, part: &str) -> usize {
        // A file that cannot be read has been refused before.
        let container = Container::open_any(&self.data).ok();
        let rows = container.and_then(|container| {
            container
                .tensors()
                .find(|(name, ..)| *name == part)
                .and_then(|(.., shape)| shape.first().copied())
        });
        rows.unwrap_or(0)
    }

    /// Bytes in memory, bytes of arrays and signed multiply-adds of the search for an optimum.
    fn search(&self, problem: Problem<'_>, execution: &Execution) -> (f64, f64, f64) {
        let (n, p) = (problem.patterns().n_spins() as f64, problem.patterns().n_rows() as f64);
        let symmetric = self.variant() == Variant::Symmetric;
        let n_rows = problem.neurons().len() as f64;
        let copies = if self.variant() == Variant::Symmetrized { 2.0 } else { 1.0 };
        let work = SEARCH_GRADIENTS * 2.0 * p * n * n_rows;
        let memory =
            lbfgs_bytes(problem.patterns().n_spins(), symmetric, execution.n_threads()) - 4.0 * n * n;
        (memory, copies * 4.0 * n * n_rows, work)
    }

    /// The same of gradient descent, where `taken` bytes of memory are something else's.
    fn descent(&self, problem: Problem<'_>, taken: f64, execution: &Execution) -> (f64, f64, f64) {
        let (n, p) = (problem.patterns().n_spins() as f64, problem.patterns().n_rows() as f64);
        let n_rows = problem.neurons().len() as f64;
        let couplings = 4.0 * n * n_rows;
        let parameters = self.parameters(problem.patterns().n_spins());
        let momentum = if parameters.momentum > 0.0 { 2.0 } else { 1.0 };
        let symmetrized = if self.variant() == Variant::Symmetrized { 1.0 } else { 0.0 };
        // The Gram route has the overlaps of the patterns and two generations of coefficients, and keeps initial
        // couplings outside the span of the patterns with their fields.
        let route = parameters.route(problem);
        let is_gram = route == Route::Gram;
        let (gram, coefficients) = match (is_gram, self.pseudo_likelihood.init()) {
            (false, _) => (0.0, 0.0),
            (true, "hebb" | "zero") => (4.0 * p * p, 8.0 * n_rows * p),
            (true, _) => (4.0 * p * p, 12.0 * n_rows * p + couplings),
        };
        let arrays = (2.0 * momentum + symmetrized) * couplings + coefficients;
        // Panels on their way: those of the threads, or, with minibatches, as many as there is memory for.
        let panel = 64.0 * n * momentum;
        let is_minibatch = parameters.batches != Batches::Full && !parameters.symmetric;
        let left = execution.memory().budget() as f64 - arrays - taken;
        let panels = match is_minibatch {
            true => (momentum * couplings).min(left).max(panel * execution.n_threads() as f64),
            false => panel * execution.n_threads() as f64,
        };
        let (n_patterns, n_spins) = (problem.patterns().n_rows(), problem.patterns().n_spins());
        let epoch = parameters.work_per_epoch(problem.neurons().len(), n_patterns, n_spins, route);
        (panels + gram, arrays, epoch * self.pseudo_likelihood.epochs() as f64)
    }
}

/// States that an evaluation recalls in one batch: at most `n_states` training patterns, test patterns and random states each, and
/// all features.
fn n_recalled(n_states: usize, n_train: usize, n_test: usize, n_features: usize) -> usize {
    let kinds = [n_states.min(n_train), n_states.min(n_test), n_features, n_states];
    kinds.into_iter().fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::n_recalled;

    #[test]
    fn an_evaluation_recalls_all_features_and_samples_of_the_rest() {
        assert_eq!(n_recalled(100, 4096, 20, 20_000), 100 + 20 + 20_000 + 100);
        assert_eq!(n_recalled(100, 60, 0, 0), 60 + 100);
        assert_eq!(n_recalled(usize::MAX, 60, 0, 5), usize::MAX);
    }
}
