//! The inner loops: slices, shapes and an instruction set in, numbers out. No allocation, no threads, no I/O.
//!
//! Each algorithm is written once, generic over a vector type, and instantiated in one thin file per instruction set
//! ([`Isa`]). Every operation is a separate IEEE addition, subtraction, multiplication or division (never a fused one),
//! in an order that the algorithm fixes, so all instantiations give **the same bits**. ([`machine`] alone fuses: it measures
//! what a processor could do and computes nothing.)
//!
//! # The canonical order of a local field
//!
//! Columns are taken in groups of 8. A group's signed sum is the balanced tree
//!
//! ```text
//! t = ((+-w0 +- w1) + (+-w2 +- w3)) + ((+-w4 +- w5) + (+-w6 +- w7))
//! ```
//!
//! and groups are added to the accumulator in ascending order, from +0. Whatever computes a field, for one state or for
//! many, from tables or directly, follows this order. Then h(-x) = -h(x) exactly, a tie is a true tie, and missing
//! columns (weight 0) change nothing.
//!
//! # Shapes
//!
//! A *panel* is 16 neurons. Its couplings lie interleaved, `[k][16]`: one [`Lanes`], one cache line, per column k.

mod dense_product;
mod differing_bits;
mod dispatch;
mod isa;
mod lanes;
mod logistic;
pub mod machine;
mod one_state;
mod overlap;
mod signed_product;

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
mod scalar;

pub use dense_product::ROWS as DENSE_ROWS;
pub use differing_bits::{PLANE_WIDTH, Plane};
pub use dispatch::{
    Weight, dense_product, differing_bits, fields_of_one_state, hamming_distance, losses, margins, residuals,
    signed_product, threshold,
};
pub use isa::Isa;
pub use lanes::{Element, LANES, Lanes};
pub use signed_product::Tables;

#[cfg(test)]
mod tests;
