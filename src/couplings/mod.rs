//! Couplings J: an N x N matrix of f32, row i holding the inputs of neuron i, zero diagonal, owned or memory-mapped.
//!
//! Couplings may declare self-coupling: then J_ii x_i is part of the field h_i, of |J_i| and of every stability, and
//! parallel dynamics holds a spin the more, the larger J_ii. With symmetric J parallel dynamics still ends in fixed points
//! or cycles of period 2; in sequential order the energy never rises where all J_ii are 0 or above.
//!
//! Knows files and panels, not how couplings are learned or used. J need not be symmetric. The stored numbers times
//! [`Couplings::scale`] are the couplings: a Hebb matrix keeps its integer counts, exact, with scale 1/N. Dynamics is
//! indifferent to the scale; every norm reported here includes it.

mod fault;
mod file;
mod matrix;
mod mirror;
mod norms;
mod npy;
mod panel;
mod row_range;
mod shards;
mod values;

pub use matrix::Couplings;
pub use norms::Asymmetry;
pub(crate) use panel::PanelRows;
pub use panel::{PANEL, n_panels, panel_rows};
pub(crate) use row_range::RowRange;
pub use row_range::parse_rows;
