//! The span of the patterns: their overlaps, K = X X^T, and rows of J from coefficients,
//! J_i = (1/N) sum_mu a_i^mu xi^mu with the diagonal removed.

use super::pair_products::{PAIR_BLOCK, PairProducts};
use super::patterns::PatternBits;
use crate::couplings::panel_rows;
use crate::error::Result;
use crate::execution::Execution;
use crate::kernels::{DenseRows, Finish, Isa, Lanes, Source, Tables, local_fields};

/// K, xi^mu . xi^nu for all pairs of the patterns of `bits`, exact; none if there is no memory for them.
///
/// # Errors
/// If interrupted.
pub(super) fn overlaps(bits: &PatternBits, execution: &Execution) -> Result<Option<DenseRows>> {
    let n_patterns = bits.n_patterns();
    let Some(mut overlaps) = DenseRows::zeros(n_patterns, n_patterns) else { return Ok(None) };
    let tasks = overlaps.blocks_mut().map(|columns| {
        let range = columns.columns();
        (range.start / PAIR_BLOCK..range.end.div_ceil(PAIR_BLOCK), columns)
    });
    PairProducts::new(bits.by_pattern(), bits.by_spin()).for_each_block(
        tasks,
        |_| 0,
        execution,
        |columns, block, first, products| {
            let own = block * PAIR_BLOCK..columns.columns().end.min((block + 1) * PAIR_BLOCK);
            for (row, products) in (first..).zip(products) {
                for (column, &product) in own.clone().zip(products) {
                    columns.set(row, column, product as f32);
                }
            }
            Ok(())
        },
    )?;
    Ok(Some(overlaps))
}

/// `factor` sum_mu a^mu xi^mu at the panel's neurons with zeros on the diagonal, into `panel`, `[j][16]`; `a` is `[mu][16]`,
/// without -0.
pub(super) fn rows_of_panel(
    isa: Isa,
    bits: &PatternBits,
    index: usize,
    factor: f32,
    a: &[Lanes<f32>],
    panel: &mut [Lanes<f32>],
    tables: &mut Tables<f32>,
) {
    local_fields(isa, bits.spin_signs(), Source::Panel(a), panel, Finish::Keep, tables);
    for lanes in panel.iter_mut() {
        *lanes = Lanes(lanes.0.map(|sum| sum * factor));
    }
    for (lane, neuron) in panel_rows(index, bits.n_spins()).enumerate() {
        panel[neuron].0[lane] = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::random_states;

    #[test]
    fn overlaps_are_exact_and_interleaved() {
        let execution = Execution::with_threads(2).unwrap();
        for (n_patterns, n_spins) in [(1, 1), (7, 65), (97, 30), (300, 130)] {
            let patterns = random_states(n_patterns, n_spins, 1).unwrap();
            let found = overlaps(&PatternBits::new(&patterns), &execution).unwrap().unwrap();
            for mu in 0..n_patterns {
                for nu in 0..n_patterns {
                    let product = |i| i32::from(patterns.spin(mu, i) * patterns.spin(nu, i));
                    let expected: i32 = (0..n_spins).map(product).sum();
                    assert_eq!(found.get(mu, nu), expected as f32, "({mu}, {nu})");
                }
            }
        }
    }
}
