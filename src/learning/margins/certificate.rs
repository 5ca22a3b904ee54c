//! Both ends of a neuron's margin, from the row as it is stored: the [module](super) has the formula.

use super::super::patterns::PatternBits;
use crate::couplings::panel_rows;
use crate::kernels::{Finish, Isa, LANES, Lanes, Signs, Source, Tables, local_fields};

/// Columns that are summed in f32.
const BLOCK: usize = 64;

/// Sums of fields of one pattern at 16 neurons.
pub(super) type Sums = [f64; LANES];

/// A neuron's ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub lower: f64,
    pub upper: f64,
    /// In units of the stored values.
    pub norm: f64,
    pub coefficient_sum: f64,
    pub support: usize,
    /// Stabilities that are at most kappa.
    pub below: usize,
}

/// The ends of each neuron of a panel. `panel` has the stored values, `[j][16]`, which times 1 / `per_value` are
/// sum_mu a z; `a` the signed coefficients, `[mu][16]`; `fields` and `sums` are scratch, `[mu]`.
#[allow(clippy::too_many_arguments)]
pub(super) fn ends(
    isa: Isa,
    bits: &PatternBits,
    index: usize,
    panel: &[Lanes<f32>],
    per_value: f64,
    a: &[Lanes<f32>],
    kappa: f64,
    fields: &mut [Lanes<f32>],
    sums: &mut [Sums],
    tables: &mut Tables<f32>,
) -> Vec<Ends> {
    let n_patterns = bits.n_patterns();
    sums.fill([0.0; LANES]);
    for (block, panel) in panel.chunks(BLOCK).enumerate() {
        let words = bits.by_pattern().block(block);
        let signs = Signs { words, stride: n_patterns, n_states: n_patterns };
        local_fields(isa, signs, Source::Panel(panel), fields, Finish::Keep, tables);
        for (sums, fields) in sums.iter_mut().zip(&*fields) {
            for (sum, field) in sums.iter_mut().zip(fields.0) {
                *sum += f64::from(field);
            }
        }
    }
    let (words, shift) = bits.panel_signs(index);
    panel_rows(index, bits.n_spins())
        .enumerate()
        .map(|(lane, _)| {
            let norm = panel.iter().map(|column| f64::from(column.0[lane]).powi(2)).sum::<f64>().sqrt();
            let coefficients = a.iter().map(|a| f64::from(a.0[lane].abs()));
            let coefficient_sum: f64 = coefficients.clone().sum();
            let (mut least, mut below) = (f64::INFINITY, 0);
            for (sums, &word) in sums.iter().zip(words) {
                let is_up = word >> (shift as usize + lane) & 1 == 1;
                let margin = if is_up { sums[lane] } else { -sums[lane] };
                least = least.min(margin);
                below += usize::from(margin <= kappa * norm);
            }
            Ends {
                lower: if norm > 0.0 { least / norm } else { 0.0 },
                upper: if coefficient_sum > 0.0 { norm / per_value / coefficient_sum } else { f64::INFINITY },
                norm,
                coefficient_sum,
                support: coefficients.filter(|&a| a > 0.0).count(),
                below,
            }
        })
        .collect()
}
