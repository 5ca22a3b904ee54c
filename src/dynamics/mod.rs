//! Zero-temperature dynamics: states in, states out, and how they got there.
//!
//! Knows couplings, spins and kernels; not where the couplings came from nor what the states mean.

mod batch;
mod by_difference;
mod corruption;
mod field;
mod file;
mod glauber;
mod local_fields;
mod parallel;
mod recall;
mod rounding;
mod sequential;
mod start;
mod sweep;
mod sweep_tile;
mod trail;

pub use by_difference::MAX_REMEMBERED_BYTES;
pub use corruption::{Corrupted, Corruption, Damage, Patch, Sites};
pub use field::Ties;
pub(crate) use file::{counts_of_fates, fates_of_states};
pub use glauber::{GlauberDynamics, Update};
pub use local_fields::LocalFields;
pub use parallel::ParallelDynamics;
pub use recall::{Dynamics, Fate, Recall, Stop};
pub use sequential::SequentialDynamics;
pub use start::{at_overlap, n_flips, random_states};
pub use sweep::SweepOrder;
pub use trail::BYTES_PER_STATE;
