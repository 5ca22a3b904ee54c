//! What every dynamics takes and gives: [`Dynamics`] from starts to a [`Recall`].

use crate::couplings::Couplings;
use crate::error::Result;
use crate::execution::Execution;
use crate::spins::SpinMatrix;

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
