//! Data sets: what is stored in a memory and what it is tested with. One file a data set.
//!
//! Knows spins, random streams and files; nothing of couplings. Every source ends in a validated [`DataSet`] that
//! carries its [`Provenance`].

mod data_set;
mod file;
mod idx;
mod majority;
mod manifold;
mod mnist;
mod pattern_draw;
mod random;
mod rows;
mod zipf;

pub use data_set::{DataSet, Provenance};
pub use idx::{Idx, read_idx};
pub use manifold::{Manifold, ManifoldParameters};
pub use mnist::{Mnist, TestImages};
pub use pattern_draw::{Coefficients, PatternDraw};
pub use random::Random;
