//! Alignments: rows of letters, one of q a column, of sequences that descend from one another.
//!
//! What direct coupling analysis is run on. A column is a Potts spin of q states; the gap is one of them. Every source ends
//! in a validated [`Alignment`].

mod alphabet;
mod data;
mod file;

pub use alphabet::Alphabet;
pub use data::Alignment;
