//! Associative memories of Potts spins: L columns, each of which takes one of q letters.
//!
//! A column feels one local field a letter, h_i(a) = theta_i(a) + sum_{j != i} J_ij(a, x_j), and takes the letter of the largest.
//! Overlaps are fractions of equal letters. Pseudo-likelihood has a softmax over the column's letters in place of the logistic
//! function; with q = 2 all of it is the Ising model of the other modules, with
//!
//! ```text
//! J_ij(a, b) = K_ij s_a s_b / 2,    theta_i(a) = H_i s_a / 2,    s_0 = -1, s_1 = 1
//! ```
//!
//! for Ising couplings K and fields H: the same fields h_i(1) - h_i(0), the same loss at the same lambda, the same steps at the
//! same learning rate, the same norm of a row.
//!
//! Knows spins, kernels, files, what a parameter of learning may be, what becomes of a trajectory and how recalls are summarised;
//! not where sequences come from.

mod couplings;
mod distances;
mod dynamics;
mod file;
mod fit;
mod initial;
mod lookup;
mod observables;
mod problem;
mod pseudo_likelihood;
mod recall_file;
mod scores;
mod start;
mod trainer;

pub use couplings::PottsCouplings;
pub use distances::Distances;
pub use dynamics::{PottsDynamics, PottsRecall};
pub use fit::{PottsFit, fit};
pub use initial::{PottsInitial, initial_couplings};
pub use observables::{PottsEvaluation, PottsObservables, PottsOverlaps, observe, recall_summary};
pub use problem::PottsProblem;
pub use pseudo_likelihood::PottsPseudoLikelihood;
pub use scores::{ContactPrecision, PairScore, contact_precision, pair_scores};
pub use start::{n_replaced, random_sequences, sequences_at_overlap};
pub use trainer::{PottsTrainer, potts_training_bytes, step_as_sequences};
