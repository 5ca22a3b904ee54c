//! Alignments: rows of letters, one of q a column, of sequences that descend from one another.
//!
//! What direct coupling analysis is run on. A column is a Potts spin of q states; the gap is one of them. Every source ends
//! in a validated [`Alignment`].

mod alphabet;
mod data;
mod file;
mod import;
mod records;
mod rows;
mod similar;
mod split;
mod weights;

pub use alphabet::{Alphabet, Meaning};
pub use data::Alignment;
pub use import::AlignmentImport;
pub use rows::{AlignmentFormat, Ambiguous};
pub use split::{Split, TestShare, sequence_clusters};
pub use weights::similar_sequences;
