//! Learning rules: from patterns to couplings.
//!
//! Knows spins, kernels and couplings; not how couplings are used. The rows of J are independent problems, so every rule
//! works on panels of 16 neurons: a thread takes a panel through all its steps and shares nothing with the others but
//! the packed patterns.

mod descent;
mod dreaming;
mod hebb;
mod initial;
mod lbfgs;
mod margins;
mod mask;
mod max_stability;
mod optimality;
mod overlap_factor;
mod pair_products;
mod panel_gradient;
mod panel_log;
mod panelwise;
mod patterns;
mod perceptron;
mod problem;
mod pseudo_inverse;
mod pseudo_likelihood;
mod run_hash;
mod segments;
mod span;
mod span_inverse;
mod storkey;
mod unlearning;

pub use descent::Trainer;
pub use dreaming::Dreaming;
pub(crate) use hebb::hebb_in_file;
pub use hebb::{MAX_PATTERNS, hebb, squared_hebb_norm};
pub use initial::{Initial, check_factor, initial_couplings};
pub use lbfgs::{Ending, Lbfgs, Optimum, SEARCH_GRADIENTS, Search, lbfgs_bytes, optimum};
pub use margins::{LearnedMargins, MARGIN_SWEEPS, MarginSummary, NeuronMargin, Outcome, margin_memory};
pub use mask::Mask;
pub use max_stability::{MaxStability, max_stability};
pub use optimality::{GradientNorm, gradient_norms};
pub use patterns::PatternBits;
pub use perceptron::{Perceptron, perceptron};
pub use problem::Problem;
pub(crate) use problem::{check_weights, relative};
pub use pseudo_inverse::PseudoInverse;
pub use pseudo_likelihood::{Batches, PseudoLikelihood, Route, WORK_OF_REAL_PRODUCT};
pub(crate) use pseudo_likelihood::{not_negative, positive};
pub(crate) use segments::{Segments, advance};
pub use storkey::{storkey, storkey_bytes};
pub use unlearning::Unlearning;

/// Whether a run has [kept](crate::execution::Keep) work in `folder` that it would go on from.
pub fn has_kept_work(folder: &std::path::Path) -> bool {
    descent::has_checkpoint(folder) || panelwise::has_log(folder)
}
