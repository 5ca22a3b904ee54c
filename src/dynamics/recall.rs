//! What every dynamics takes and gives: [`Dynamics`] from starts to a [`Recall`].

use crate::couplings::Couplings;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::spins::{BlockMajor, SpinMatrix};

/// When a state's trajectory ends. A step updates every spin once: all at the same time, or one after another (a sweep).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// After exactly this many steps. Settled states are not computed further; their state at that step is known.
    After(u64),
    /// When it is fixed or in a cycle, or after `limit` steps.
    Settled { limit: u64 },
}

impl Stop {
    /// The largest number of steps.
    pub fn limit(self) -> u64 {
        match self {
            Self::After(steps) | Self::Settled { limit: steps } => steps,
        }
    }
}

/// How a trajectory went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Steps before the fixed point or cycle was entered (0: the start belongs to it), or all steps made if neither was.
    pub steps: u64,
    /// 1 for a fixed point, the period for a cycle, none if neither was reached.
    pub period: Option<u64>,
}

/// The result of a recall, one entry a state, in the order of the starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Recall {
    /// Final states: after [`Stop::After`] that many steps; else where the trajectory settled (for a cycle, the state at
    /// which it was entered) or stopped.
    pub states: SpinMatrix,
    /// How each got there.
    pub fates: Vec<Fate>,
    /// Largest overlap with the reference over the steps made, the start not counted.
    pub best_overlaps: Vec<f64>,
}

/// States that move by the local fields of couplings.
pub trait Dynamics {
    /// Runs every row of `starts`; overlaps on the way are taken with the same row of `reference`. Spins whose bit is set
    /// in the same row of `clamped` keep the value they start with.
    ///
    /// # Errors
    /// If the sizes do not fit together, or interrupted.
    fn run_clamped(
        &self,
        couplings: &Couplings,
        starts: &SpinMatrix,
        reference: &SpinMatrix,
        clamped: Option<&SpinMatrix>,
        execution: &Execution,
    ) -> Result<Recall>;

    /// The same with every spin free.
    ///
    /// # Errors
    /// If the sizes do not fit together, or interrupted.
    fn run(
        &self,
        couplings: &Couplings,
        starts: &SpinMatrix,
        reference: &SpinMatrix,
        execution: &Execution,
    ) -> Result<Recall> {
        self.run_clamped(couplings, starts, reference, None, execution)
    }
}

/// Refuses states that do not fit the couplings or one another.
pub(super) fn check_sizes(
    couplings: &Couplings,
    starts: &SpinMatrix,
    reference: &SpinMatrix,
    clamped: Option<&SpinMatrix>,
) -> Result<()> {
    let n_spins = couplings.n_spins();
    let others = [("reference states", Some(reference)), ("clamped spins", clamped)];
    for (what, states) in [("starting states", Some(starts))].into_iter().chain(others) {
        let Some(states) = states else { continue };
        if states.n_spins() != n_spins {
            let expected = format!("N = {n_spins} as in the couplings");
            return Err(Error::shape(what, expected, format!("N = {}", states.n_spins())));
        }
        if states.n_rows() != starts.n_rows() {
            let expected = format!("{} as there are starts", starts.n_rows());
            return Err(Error::shape(what, expected, states.n_rows().to_string()));
        }
    }
    Ok(())
}

/// The spins that are held, and the states they come from.
pub(super) struct Clamped {
    held: BlockMajor,
    starts: BlockMajor,
}

impl Clamped {
    pub(super) fn new(held: &SpinMatrix, starts: &SpinMatrix) -> Self {
        Self { held: BlockMajor::from_rows(held), starts: BlockMajor::from_rows(starts) }
    }

    /// Gives held spins of `states` the values they started with.
    pub(super) fn restore(&self, states: &mut BlockMajor) {
        let fixed = self.held.words().iter().zip(self.starts.words());
        for (word, (held, start)) in states.words_mut().iter_mut().zip(fixed) {
            *word = *word & !held | start & held;
        }
    }

    /// Keeps the rows for which `keep` holds, in order.
    pub(super) fn retain(&mut self, keep: &[bool]) {
        self.held.retain_rows(keep);
        self.starts.retain_rows(keep);
    }
}

/// Copies one state of a batch into its row.
pub(super) fn store(states: &mut SpinMatrix, member: usize, batch: &BlockMajor, row: usize) {
    for (block, word) in states.row_mut(member).iter_mut().enumerate() {
        *word = batch.block(block)[row];
    }
}

/// Spins in which the rows of two batches differ.
pub(super) fn distances(a: &BlockMajor, b: &BlockMajor) -> Vec<u64> {
    let mut distances = vec![0; a.n_rows()];
    if !distances.is_empty() {
        let blocks = a.words().chunks_exact(a.n_rows()).zip(b.words().chunks_exact(a.n_rows()));
        for (a, b) in blocks {
            for ((distance, a), b) in distances.iter_mut().zip(a).zip(b) {
                *distance += u64::from((a ^ b).count_ones());
            }
        }
    }
    distances
}
