//! What a training run will take.

use attractor::execution::Execution;
use attractor::learning::{Batches, Problem, Route, lbfgs_bytes, margin_memory};

use super::super::estimate::Estimate;
use super::{Rule, Solver, Train, Variant};

/// Sweeps of a margin rule at loads around 0.5; there are more where loads come near what can be stored.
const TYPICAL_SWEEPS: f64 = 20.0;

impl Train {
    pub(super) fn estimate(&self, problem: Problem<'_>, execution: &Execution) -> Estimate {
        let (n, p) = (problem.patterns().n_spins() as f64, problem.patterns().n_rows() as f64);
        let n_rows = problem.neurons().len() as f64;
        let couplings = 4.0 * n * n_rows;
        let (memory, arrays, work) = match self.rule {
            Rule::PseudoLikelihood if self.pseudo_likelihood.solver() == Solver::Lbfgs => {
                self.search(problem, execution)
            }
            Rule::PseudoLikelihood => self.descent(problem, execution),
            Rule::Perceptron | Rule::MaxStability => {
                let memory = margin_memory(
                    problem.patterns().n_spins(),
                    problem.patterns().n_rows(),
                    execution.n_threads(),
                );
                // As for the Gram route below.
                (memory as f64 - 4.0 * n * n, couplings, 4.0 * p * p * n_rows * TYPICAL_SWEEPS)
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
        let scratch = execution.n_threads() as f64 * 64.0 * (2.0 * n + p + 2048.0);
        // A shard recalls nothing.
        let n_recalled = if self.rows.is_some() { 0.0 } else { self.eval_states as f64 };
        let recall = n_recalled * (6.0 * n / 8.0 + 256.0);
        let memory = memory + 3.0 * n * p / 8.0 + scratch + recall;
        let disk = couplings * (1.0 + self.pseudo_likelihood.snapshots().len() as f64);
        let is_descent = self.rule == Rule::PseudoLikelihood;
        let epochs = if is_descent { self.pseudo_likelihood.epochs() as f64 } else { 0.0 };
        let evaluations = 2.0 + self.eval_every.map_or(0.0, |every| epochs / every as f64);
        // Recalls of an evaluation rarely take more than a third of their steps.
        let recalled = 4.0 * n_recalled * self.eval_steps as f64 / 3.0;
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

    /// Bytes in memory, bytes of arrays and signed multiply-adds of the search for an optimum.
    fn search(&self, problem: Problem<'_>, execution: &Execution) -> (f64, f64, f64) {
        let (n, p) = (problem.patterns().n_spins() as f64, problem.patterns().n_rows() as f64);
        let symmetric = self.variant() == Variant::Symmetric;
        let n_rows = problem.neurons().len() as f64;
        let copies = if self.variant() == Variant::Symmetrized { 2.0 } else { 1.0 };
        // Tens of gradients are usual; without an optimum some more.
        let work = 60.0 * 2.0 * p * n * n_rows;
        let memory =
            lbfgs_bytes(problem.patterns().n_spins(), symmetric, execution.n_threads()) - 4.0 * n * n;
        (memory, copies * 4.0 * n * n_rows, work)
    }

    /// The same of gradient descent.
    fn descent(&self, problem: Problem<'_>, execution: &Execution) -> (f64, f64, f64) {
        let (n, p) = (problem.patterns().n_spins() as f64, problem.patterns().n_rows() as f64);
        let n_rows = problem.neurons().len() as f64;
        let couplings = 4.0 * n * n_rows;
        let parameters = self.parameters(problem.patterns().n_spins());
        let momentum = if parameters.momentum > 0.0 { 2.0 } else { 1.0 };
        let symmetrized = if self.variant() == Variant::Symmetrized { 1.0 } else { 0.0 };
        // The Gram route has the overlaps of the patterns and two generations of coefficients, and keeps initial
        // couplings outside the span of the patterns with their fields.
        let is_gram = parameters.route(problem) == Route::Gram;
        let (gram, coefficients) = match (is_gram, self.pseudo_likelihood.init()) {
            (false, _) => (0.0, 0.0),
            (true, "hebb" | "zero") => (4.0 * p * p, 8.0 * n_rows * p),
            (true, _) => (4.0 * p * p, 12.0 * n_rows * p + couplings),
        };
        let arrays = (2.0 * momentum + symmetrized) * couplings + coefficients;
        // Panels on their way: those of the threads, or, with minibatches, as many as there is memory for.
        let panel = 64.0 * n * momentum;
        let is_minibatch = parameters.batches != Batches::Full && !parameters.symmetric;
        let left = execution.memory().budget() as f64 - arrays;
        let panels = match is_minibatch {
            true => (momentum * couplings).min(left).max(panel * execution.n_threads() as f64),
            false => panel * execution.n_threads() as f64,
        };
        // A real product takes about the time of four signed ones.
        let epoch = if is_gram { 4.0 * p * p * n_rows } else { 2.0 * p * n * n_rows };
        (panels + gram, arrays, epoch * self.pseudo_likelihood.epochs() as f64)
    }
}
