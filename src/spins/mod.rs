//! Bit-packed spins: one bit a spin (1 is +1, 0 is -1), 64 to a word, least significant bit first.
//!
//! Knows nothing of couplings, files or threads. Two layouts:
//!
//! * [`SpinMatrix`], row-major: a row is one state (or pattern, or feature). What users, files and overlaps handle.
//! * [`BlockMajor`], `[column / 64][row]` words: what the signed product reads, one word of 64 columns for all rows
//!   in turn.
//!
//! Potts spins, one of q letters a column, are bytes: [`Sequences`].

mod block_major;
mod matrix;
mod sequences;
mod transpose;

pub use block_major::BlockMajor;
pub use matrix::SpinMatrix;
pub(crate) use sequences::check_column_numbers;
pub use sequences::{MAX_LETTERS, Sequences};
pub use transpose::transpose_64x64;

/// Spins in a word.
pub const WORD: usize = u64::BITS as usize;
