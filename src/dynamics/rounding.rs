//! How far a field that came by difference may be off the canonical sum.
//!
//! A field that was summed, and then changed by the flips of some spins, is off the canonical sum of the new state by at most
//!
//! ```text
//! (flips since it was summed + 2 (N / 8 + 5)) 2^-24 (sum_j |J_ij| + |theta_i|)
//! ```
//!
//! (both sums' roundings, see [`Flips`](crate::kernels::Flips)); where its magnitude is larger than that its sign is certain.
//! Where couplings are integers, as Hebb counts are, of at most 2^24 altogether, every order of additions is exact.

use crate::couplings::{Couplings, PANEL, n_panels};
use crate::error::Result;
use crate::execution::Execution;
use crate::kernels::Lanes;

/// Magnitudes of the neurons' inputs, `[panel][16]`: sum_j |J_ij| + |theta_i|, or -1 where nothing rounds.
pub(super) struct Magnitudes(Vec<Lanes<f32>>);

impl Magnitudes {
    pub(super) fn of(couplings: &Couplings, execution: &Execution) -> Result<Self> {
        let n_spins = couplings.n_spins();
        let mut magnitudes = vec![Lanes::ZERO; n_panels(n_spins)];
        execution.for_each(
            magnitudes.iter_mut().enumerate(),
            || (),
            |(), (panel, magnitudes)| {
                let theta = couplings.panel_theta(panel);
                for (lane, row) in couplings.panel(panel).chunks_exact(n_spins).enumerate() {
                    let (sum, are_integers) = row_magnitude(row);
                    magnitudes.0[lane] = match theta {
                        Some(theta) => sum + theta.0[lane].abs(),
                        None if are_integers && sum <= 16_777_216.0 => -1.0,
                        None => sum,
                    };
                }
                Ok(())
            },
        )?;
        Ok(Self(magnitudes))
    }

    /// Those of a panel's neurons; 0 for lanes past the last one.
    pub(super) fn panel(&self, panel: usize) -> &Lanes<f32> {
        &self.0[panel]
    }

    /// That of one neuron.
    pub(super) fn neuron(&self, neuron: usize) -> f32 {
        self.0[neuron / PANEL].0[neuron % PANEL]
    }
}

/// sum |w| of a row, and whether all of it are integers.
fn row_magnitude(row: &[f32]) -> (f32, bool) {
    const WIDTH: usize = 16;
    let (mut sums, mut are_integers) = ([0.0f32; WIDTH], true);
    for weights in row.chunks(WIDTH) {
        for (sum, &weight) in sums.iter_mut().zip(weights) {
            *sum += weight.abs();
            // Below 2^24 an f32 is an integer if it survives the way to i32 and back.
            are_integers &= weight as i32 as f32 == weight;
        }
    }
    (sums.iter().sum(), are_integers)
}

/// Factor between the magnitude of a neuron's inputs and the error of its field after so many flips.
pub(super) fn rounding(n_flips: usize, n_spins: usize) -> f32 {
    // A margin on the first-order bound, for its higher orders and for the roundings of the magnitudes.
    let unit = 1.01 * f32::EPSILON / 2.0;
    (n_flips + 2 * (n_spins.div_ceil(8) + 5)) as f32 * unit
}
