//! Recall: one step of one state, many states to convergence in parallel and by sweeps, and the plain loop over spins.

use std::hint::black_box;

use attractor::couplings::Couplings;
use attractor::dynamics::{
    Dynamics, ParallelDynamics, Recall, SequentialDynamics, Stop, SweepOrder, Ties, at_overlap, random_states,
};
use attractor::execution::Execution;
use attractor::learning::hebb;
use attractor::spins::SpinMatrix;
use attractor::storage::Overwrite;
use attractor::{Error, Result};

use super::{Bench, Machine, Timing, median};

/// Load of Hebb couplings that return nearly every state from [`OVERLAP`] in a few steps: one pattern for so many spins.
const SPINS_PER_PATTERN: usize = 20;
const OVERLAP: f64 = 0.7;
/// Steps after which a recall gives up.
const LIMIT: u64 = 100;
/// States of the plain loop.
const PLAIN_STATES: usize = 8;

/// What many states are recalled from.
struct Memory {
    couplings: Couplings,
    reference: SpinMatrix,
    starts: SpinMatrix,
}

/// Steps of all states: a fixed point takes one more to be recognised.
fn total_steps(recall: &Recall) -> f64 {
    recall.fates.iter().map(|fate| (fate.steps + fate.period.unwrap_or(0)) as f64).sum()
}

impl Bench {
    pub(super) fn one_state(&self, machine: &Machine, execution: &Execution) -> Result<Timing> {
        // From a mapped file, as a user's are.
        let folder = tempfile::tempdir().map_err(Error::io(&std::env::temp_dir(), "make a folder"))?;
        let path = folder.path().join("couplings");
        self.couplings(execution)?.write(&path, Overwrite::Refuse)?;
        let couplings = Couplings::open(&path, execution)?;
        let state = random_states(1, self.n, self.common.seed)?;
        let dynamics = ParallelDynamics { stop: Stop::After(1), ties: Ties::Keep };
        let mut failed = Ok(());
        let seconds =
            median(self.runs, || failed = dynamics.run(&couplings, &state, &state, execution).map(drop));
        failed?;
        let work = 4.0 * (self.n as f64).powi(2) / 1e9;
        let shape = format!("1 state, 1 step, N = {}, mapped", self.n);
        Ok(self.timing("recall", shape, execution, seconds, work, ("GB/s", machine.read)))
    }

    fn memory(&self, execution: &Execution) -> Result<Memory> {
        let patterns = random_states((self.n / SPINS_PER_PATTERN).max(1), self.n, self.common.seed)?;
        let couplings = hebb(&patterns, execution)?;
        let rows: Vec<usize> = (0..self.recall_states()).map(|state| state % patterns.n_rows()).collect();
        let reference = patterns.select(&rows);
        let starts = at_overlap(&reference, OVERLAP, self.common.seed)?;
        Ok(Memory { couplings, reference, starts })
    }

    /// Recall to convergence; the final states, too.
    fn settle(
        &self,
        (name, what): (&'static str, &str),
        dynamics: &dyn Dynamics,
        memory: &Memory,
        machine: &Machine,
        execution: &Execution,
    ) -> Result<(Timing, SpinMatrix)> {
        let Memory { couplings, reference, starts } = memory;
        let mut last = dynamics.run(couplings, starts, reference, execution);
        let seconds = median(self.runs, || last = dynamics.run(couplings, starts, reference, execution));
        let last = last?;
        let work = total_steps(&last) * (self.n as f64).powi(2) / 1e9;
        let shape = format!("{} states {what}, N = {}", starts.n_rows(), self.n);
        let timing = self.timing(name, shape, execution, seconds, work, ("GMAC/s", machine.signed_bound()));
        Ok((timing, last.states))
    }

    pub(super) fn recall(&self, machine: &Machine, execution: &Execution) -> Result<Timing> {
        let dynamics = ParallelDynamics { stop: Stop::Settled { limit: LIMIT }, ties: Ties::Keep };
        let memory = self.memory(execution)?;
        Ok(self.settle(("recall", "to convergence"), &dynamics, &memory, machine, execution)?.0)
    }

    /// Sweeps in both orders, and one state after another spin by spin, whose final states must be the same.
    pub(super) fn sweeps(&self, machine: &Machine, execution: &Execution) -> Result<Vec<Timing>> {
        let memory = self.memory(execution)?;
        let stop = Stop::Settled { limit: LIMIT };
        let dynamics = |order| SequentialDynamics { stop, ties: Ties::Keep, order };
        let random = dynamics(SweepOrder::Random { seed: self.common.seed });
        let ascending = dynamics(SweepOrder::Ascending);
        let name = ("sweeps", "by sweeps");
        let (ascending, states) = self.settle(name, &ascending, &memory, machine, execution)?;
        let (random, _) = self.settle(("sweeps", "in random order"), &random, &memory, machine, execution)?;

        let n_states = PLAIN_STATES.min(self.recall_states());
        let Memory { couplings, starts, .. } = &memory;
        let (mut found, mut n_sweeps) = (Vec::new(), 0);
        let seconds = median(self.runs, || {
            (found, n_sweeps) = (Vec::new(), 0);
            for row in 0..n_states {
                let mut state: Vec<i8> = (0..self.n).map(|i| starts.spin(row, i)).collect();
                while plain_sweep(couplings, &mut state) {
                    n_sweeps += 1;
                }
                n_sweeps += 1;
                found.extend(state);
            }
        });
        // Hebb counts are small integers: the order of additions rounds nothing.
        if black_box(found) != spins(&states, n_states) {
            let expected = "the states of a plain loop over spins";
            return Err(Error::shape("final states of sequential sweeps", expected, "others"));
        }
        let work = f64::from(n_sweeps) * (self.n as f64).powi(2) / 1e9;
        let shape = format!("{n_states} states by a plain loop, N = {}", self.n);
        let unit = ("GMAC/s", machine.signed_bound());
        let mut plain = self.timing("sweeps", shape, execution, seconds, work, unit);
        plain.threads = 1;
        Ok(vec![ascending, random, plain])
    }
}

fn spins(states: &SpinMatrix, n_states: usize) -> Vec<i8> {
    let rows = (0..n_states).flat_map(|row| (0..states.n_spins()).map(move |i| states.spin(row, i)));
    rows.collect()
}

/// One sweep as one would write it. Whether a spin flipped.
fn plain_sweep(couplings: &Couplings, state: &mut [i8]) -> bool {
    let mut moved = false;
    for i in 0..state.len() {
        let terms = couplings.rows(i..i + 1).iter().zip(&*state);
        let field: f32 = terms.map(|(weight, &spin)| weight * f32::from(spin)).sum();
        if field * f32::from(state[i]) < 0.0 {
            state[i] = -state[i];
            moved = true;
        }
    }
    moved
}
