//! Data sets: what is stored in a memory and what it is tested with. One file a data set.
//!
//! Knows spins, random streams and files; nothing of couplings. Every source ends in a validated [`DataSet`], or
//! [`Alignment`] of letters, that carries its [`Provenance`].

mod alignment;
mod data_set;
mod file;
mod idx;
mod import;
mod majority;
mod manifold;
mod mnist;
mod npy;
mod number_lines;
mod pattern_draw;
mod pattern_stream;
mod random;
mod rows;
mod spin_encoding;
pub mod spin_glass;
mod zipf;

pub use alignment::{
    Alignment, AlignmentFormat, AlignmentImport, Alphabet, Ambiguous, Meaning, Split, TestShare,
    sequence_clusters, similar_sequences,
};
pub use data_set::{DataSet, Provenance};
pub use idx::{Idx, read_idx};
pub use import::{Import, read_labels, read_spins, read_weights};
pub use manifold::{Manifold, ManifoldParameters};
pub use mnist::{Mnist, SIDE, TestImages};
pub use npy::{read_npy_spins, write_npy_letters, write_npy_spins};
pub use number_lines::read_csv_spins;
pub use pattern_draw::{Coefficients, PatternDraw};
pub use pattern_stream::{FeatureStretch, MAX_CACHED_FEATURES, PatternStream, PatternWriter};
pub use random::Random;
pub use spin_encoding::SpinEncoding;
