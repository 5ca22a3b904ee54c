//! The inner loops: slices, shapes and an instruction set in, numbers out. No allocation, no threads, no I/O.
//!
//! Each algorithm is written once, generic over a vector type, and instantiated in one thin file per instruction set
//! ([`Isa`]). Every operation is an IEEE addition, subtraction, multiplication, division or, where the algorithm says so, one
//! fused multiply-add, in an order that the algorithm fixes, so all instantiations give **the same bits**.
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

mod coordinate_steps;
mod counts;
mod dense_product;
mod dispatch;
mod fields;
mod flips;
mod heat_bath;
mod in_order;
mod isa;
mod lanes;
mod letter_dispatch;
mod letters;
mod logistic;
pub mod machine;
mod mismatches;
mod noise;
mod one_state;
mod overlap;
mod signed_product;
mod span_dispatch;
mod sweep_dispatch;
mod tables;

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
mod scalar;

pub use coordinate_steps::{CorrectedPanel, Correction, Relaxation, RelaxedPanel, VISITS, Visits};
pub use counts::Counts;
pub use dense_product::{DenseBlock, DenseRows};
pub use dispatch::{
    CountScratch, Tables, Weight, deinterleave, differing_bits, field_scratch, fields_of_one_state,
    hamming_distance, interleave, local_fields, local_fields_with, losses, margins, residuals,
    signed_product, threshold, update_fields,
};
pub use fields::{Finish, Source};
pub use flips::Flips;
pub use heat_bath::{HeatBathTable, MAX_DEGREE, REPLICAS, ReplicaBits, ReplicaRandom, heat_bath_sweep};
pub use in_order::{InOrder, InOrderStates};
pub use isa::Isa;
pub use lanes::{BYTE_LANES, Element, LANES, Lanes};
pub use letter_dispatch::{
    fields_of_letters, largest_letters, letter_losses, letter_pull, letter_residuals, pull_scratch,
};
pub use letters::{LETTER_LANES, Letters, PULL_ROWS, letter_lanes};
pub use logistic::SpanStep;
pub use mismatches::{MATES, rows_within};
pub use signed_product::Signs;
pub use span_dispatch::{compensated_product, correct, dense_product, relax, span_step};
pub use sweep_dispatch::{logit_noise, update_in_order};

#[cfg(test)]
mod letter_tests;
#[cfg(test)]
mod tests;
