//! The neuron panel: 16 rows of J. Kernels interleave them so that column k is one cache line, `[k][16]`.

use std::ops::Range;

use crate::kernels::{LANES, Lanes};

/// Neurons in a panel.
pub const PANEL: usize = LANES;

/// Panels that cover `n_spins` neurons.
pub fn n_panels(n_spins: usize) -> usize {
    n_spins.div_ceil(PANEL)
}

/// The neurons of a panel: 16, or fewer in the last.
pub fn panel_rows(panel: usize, n_spins: usize) -> Range<usize> {
    panel * PANEL..n_spins.min((panel + 1) * PANEL)
}

/// Fields of a panel's neurons as lanes; those past the last neuron are 0.
pub(super) fn theta_lanes(theta: &[f32]) -> Lanes<f32> {
    let mut lanes = Lanes::ZERO;
    lanes.0[..theta.len()].copy_from_slice(theta);
    lanes
}

/// A panel of J for its writer: rows, and the fields of their neurons where there are any.
pub(crate) struct PanelRows<'a> {
    pub(crate) values: &'a mut [f32], // [rows][n_spins]
    pub(crate) theta: Option<&'a mut [f32]>,
}

impl PanelRows<'_> {
    /// Theta as lanes; those past the last neuron are 0.
    pub(crate) fn theta_lanes(&self) -> Option<Lanes<f32>> {
        self.theta.as_deref().map(theta_lanes)
    }

    /// Sets theta, where the couplings have any.
    pub(crate) fn set_theta(&mut self, lanes: Option<&Lanes<f32>>) {
        if let (Some(theta), Some(lanes)) = (&mut self.theta, lanes) {
            let n_rows = theta.len();
            theta.copy_from_slice(&lanes.0[..n_rows]);
        }
    }
}
