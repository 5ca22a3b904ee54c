//! Hebbian local fields without couplings: exact integers, for any number of spins.
//!
//! With J_ij = (1/N) sum_mu xi_i xi_j and J_ii = 0, the field of a state x is
//!
//! ```text
//! q_mu = sum_j xi_j x_j          N h_i = sum_mu q_mu xi_i - P x_i
//! ```
//!
//! so that x_i h_i, the margin of a spin, needs the overlaps q of the state with all patterns and one signed sum over
//! patterns: no J. Patterns are made, used and forgotten, twice:
//!
//! 1. **Overlaps** (`overlaps`): stretch of sites by stretch, chunks of patterns against blocks of 64 states, bits
//!    against bits ([`differing_bits`](crate::kernels::differing_bits)); q = N - 2 d.
//! 2. **Fields** (`fields`): tile of 4096 sites by tile, 64 x 64 bits of patterns transposed at a time into the signs of a
//!    [`signed_product`](crate::kernels::signed_product) whose weights are q, in i32, spilled to i64 before it could
//!    overflow (`accumulator`). A tile's fields are complete, and have been used, before the next one's begin.
//!
//! Patterns that are equal up to sign are one column of either pass (`distinct`).
//!
//! Only the overlaps, P K integers at most, outlast a tile; nothing of size N P or N K is kept. Where they would exceed the memory
//! allowed, states go in blocks of fewer, and patterns are made again for each block ([`Plan`]). Sums are of integers:
//! neither tiles, blocks, threads nor instruction sets change a bit.

mod accumulator;
mod distinct;
mod fields;
mod hebb;
mod overlaps;
mod plan;
mod set_key;
mod states;

pub use fields::TileMargins;
pub use hebb::MatrixFreeHebb;
pub use plan::Plan;
pub(in crate::analysis) use set_key::{part_of, set_key};
pub use states::{FeatureStates, StateSource};
