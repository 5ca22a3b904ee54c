//! Associative memories of bit-packed binary spins: training, recall, and the measurement of what was learned.
//!
//! Spins are packed 64 to a word ([`spins`]); couplings are f32, owned or memory-mapped ([`couplings`]); local fields
//! come from a table-driven signed product with the same bits on every instruction set ([`kernels`]). Data flows
//! [`datasets`] -> [`spins`] -> [`learning`] -> [`couplings`] -> [`dynamics`] -> [`analysis`] -> [`report`], and imports
//! point only that way; [`experiments`] joins them into published figures; [`theory`]
//! has the laws of random patterns to compare them with.
//!
//! The library starts no threads of its own, reads no environment and installs no signal handler: an
//! [`Execution`](execution::Execution) from the caller brings the thread pool, the instruction set, a progress sink and
//! a cancel handle.
//!
//! Conventions: spins are +-1; local field h_i = sum_j J_ij x_j with J_ii = 0, row i holding the inputs of neuron i;
//! a tie h_i = 0 keeps the spin; the loss of a neuron is the mean over patterns of log(1 + exp(-lambda xi h)) / lambda.

#[cfg(not(target_endian = "little"))]
compile_error!("attractor's file formats and packed spins are little-endian");

pub mod analysis;
pub mod couplings;
pub mod datasets;
pub mod dynamics;
pub mod error;
pub mod execution;
pub mod experiments;
pub mod kernels;
pub mod learning;
pub mod potts;
pub mod random;
pub mod report;
pub mod spins;
pub mod storage;
pub mod theory;

pub use error::{Error, Result};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
