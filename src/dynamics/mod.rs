//! Zero-temperature dynamics: states in, states out, and how they got there.
//!
//! Knows couplings, spins and kernels; not where the couplings came from nor what the states mean.

mod by_difference;
mod field;
mod file;
mod local_fields;
mod parallel;
mod start;

pub use field::Ties;
pub use local_fields::LocalFields;
pub use parallel::{Fate, ParallelDynamics, Recall, Stop};
pub use start::{at_overlap, n_flips, random_states};
