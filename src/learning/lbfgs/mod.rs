//! The optimum of the pseudo-likelihood by L-BFGS (Nocedal and Wright 2006, algorithm 7.5), 16 neurons in lock-step.
//!
//! With l2 the optimum exists and is the only one. Without it, patterns that some couplings get all right (separable ones) have
//! none: the loss falls to 0 as the norm grows. Neurons without l2 are therefore held within a norm; so is one whose spin is
//! the same in all patterns while it learns theta, which has no l2. What is found at that norm is on the way of L-BFGS, not the
//! best of that norm: couplings of largest margin are the limit of optima with ever smaller l2, or
//! [`max_stability`](super::max_stability)'s.
//!
//! [`search`] is the algorithm, on vectors of one of two kinds: the panel's (16 problems, one a lane) or, where J is symmetric,
//! those of all panels together (one problem).

mod joint;
mod panels;
mod search;

use serde::{Deserialize, Serialize};

use super::descent::first_couplings;
use super::initial::Initial;
use super::problem::Problem;
use super::pseudo_likelihood::{Batches, PseudoLikelihood};
use crate::couplings::{Couplings, PANEL};
use crate::error::{Error, Result};
use crate::execution::Execution;

/// Parameters of the solver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lbfgs {
    /// Gradient norm at which a neuron is done, relative to that at J_i = 0 times the root mean square of its residuals over
    /// that there (1/2), where it is smaller. Positive.
    pub tolerance: f64,
    /// Iterations after which a neuron is given up. At least 1.
    pub max_iterations: u64,
    /// Largest norm |J_i|, theta included, of a neuron that need not have an optimum: without l2. With `symmetric`,
    /// |J|_F / sqrt(N). Positive.
    pub max_norm: f64,
}

/// lambda |J_i| where couplings without an optimum are stopped, if nothing else is said: residuals of stored patterns are then
/// about exp(-20 times the margin), which f32 still holds at the largest margins.
const MAX_EFFECTIVE_NORM: f64 = 20.0;

impl Lbfgs {
    /// Relative gradient 1e-6, 10000 iterations, and norms up to 20 / lambda.
    pub fn new(lambda: f64) -> Self {
        Self { tolerance: 1e-6, max_iterations: 10_000, max_norm: MAX_EFFECTIVE_NORM / lambda }
    }

    /// Checks every parameter against its range.
    ///
    /// # Errors
    /// Names the first parameter outside its range.
    pub fn check(&self) -> Result<()> {
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            return Err(Error::parameter("tolerance", "a number above 0, below 1", self.tolerance));
        }
        if self.max_iterations == 0 {
            return Err(Error::parameter("max-iterations", "at least 1", 0));
        }
        if !(self.max_norm > 0.0 && (self.max_norm as f32).is_finite()) {
            return Err(Error::parameter("max-norm", "a finite positive number", self.max_norm));
        }
        Ok(())
    }
}

/// How the search for an optimum ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// The relative gradient is below the tolerance.
    Converged,
    /// No optimum: the patterns are separable and there is no l2, or none on the field that separates them. The norm reached
    /// its bound, or the residuals the end of f32.
    Separable,
    /// The norm reached its bound, and the patterns are not separated. There is no l2; a larger bound may find an optimum.
    AtMaxNorm,
    /// Steps no longer change the gradient beyond its rounding.
    Stalled,
    /// Out of iterations.
    OutOfIterations,
}

impl Ending {
    /// A word for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::Separable => "separable",
            Self::AtMaxNorm => "at max-norm",
            Self::Stalled => "stalled",
            Self::OutOfIterations => "out of iterations",
        }
    }
}

/// How one problem went.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// How it ended.
    pub ending: Ending,
    /// Steps taken.
    pub iterations: u64,
    /// Gradients computed.
    pub evaluations: u64,
    /// |gradient|, relative as the [tolerance](Lbfgs::tolerance) is.
    pub relative_gradient: f64,
}

/// The optimum, and how it was found.
#[derive(Debug)]
pub struct Optimum {
    /// Couplings, and fields where they were asked for.
    pub couplings: Couplings,
    /// One entry a neuron that learned; a single one where J is symmetric.
    pub searches: Vec<Search>,
}

/// Minimises the pseudo-likelihood of `problem` from the initial couplings times `init_scale`. Of `parameters`, those of
/// descent (learning rates, momentum, batches, route) are not used.
///
/// # Errors
/// If a parameter is out of range, l1 is asked for (gradient descent has it), there are no patterns or no spins, memory is
/// missing, as [`initial_couplings`](super::initial_couplings), or if interrupted.
pub fn optimum<'a>(
    problem: impl Into<Problem<'a>>,
    parameters: &PseudoLikelihood,
    solver: &Lbfgs,
    initial: &Initial,
    init_scale: f64,
    execution: &Execution,
) -> Result<Optimum> {
    let problem = problem.into();
    problem.check()?;
    parameters.check(problem)?;
    solver.check()?;
    if parameters.l1 > 0.0 {
        return Err(Error::parameter("l1", "0, with the solver lbfgs", parameters.l1));
    }
    if parameters.batches != Batches::Full {
        return Err(Error::parameter("batch", "none, with the solver lbfgs", "minibatches"));
    }
    let couplings = first_couplings(&problem, parameters, initial, init_scale, execution)?;
    if parameters.symmetric {
        joint::optimum(&problem, parameters, solver, couplings, execution)
    } else {
        let first = format!("{} times {init_scale:?}", initial.name());
        panels::optimum(&problem, parameters, solver, couplings, &first, execution)
    }
}

/// Gradients that a search takes, to estimate by: tens are usual, without an optimum some more.
pub const SEARCH_GRADIENTS: f64 = 60.0;

/// Bytes that the search takes beside the patterns, for N = `n_spins`.
pub fn lbfgs_bytes(n_spins: usize, symmetric: bool, n_threads: usize) -> f64 {
    let (n, vectors) = (n_spins as f64, search::N_VECTORS as f64);
    let per_panel = 4.0 * PANEL as f64 * n * vectors;
    let couplings = 4.0 * n * n;
    if symmetric { couplings * (2.0 + vectors) } else { couplings + per_panel * n_threads as f64 }
}
