//! Couplings J: an N x N matrix of f32, row i holding the inputs of neuron i, zero diagonal, owned or memory-mapped.
//!
//! Knows files and panels, not how couplings are learned or used. J need not be symmetric. The stored numbers times
//! [`Couplings::scale`] are the couplings: a Hebb matrix keeps its integer counts, exact, with scale 1/N. Dynamics is
//! indifferent to the scale; every norm reported here includes it.

mod file;
mod matrix;
mod mirror;
mod norms;
mod npy;
mod panel;

pub use matrix::Couplings;
pub use norms::Asymmetry;
pub(crate) use panel::PanelRows;
pub use panel::{PANEL, n_panels, panel_rows};
