//! The neuron panel: 16 rows of J. Kernels interleave them so that column k is one cache line, `[k][16]`.

use std::ops::Range;

use crate::kernels::LANES;

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
