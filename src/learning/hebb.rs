//! The Hebb rule, J_ij = (1/N) sum_mu xi_i xi_j with zero diagonal (Hopfield 1982), in exact integers.

use std::path::Path;

use super::pair_products::{PAIR_BLOCK, PairProducts};
use super::panelwise::room_for_couplings;
use super::patterns::{PatternBits, check_patterns};
use super::problem::Problem;
use crate::couplings::{Couplings, RowRange};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::spins::SpinMatrix;

/// Up to this number of patterns every count is an integer that f32 holds exactly.
pub const MAX_PATTERNS: usize = 1 << 24;

/// Packs the rows of `patterns`, if they can be counted.
fn packed(patterns: &SpinMatrix) -> Result<PatternBits> {
    check_patterns(patterns)?;
    if patterns.n_rows() > MAX_PATTERNS {
        let expected = format!("at most {MAX_PATTERNS} patterns, whose counts f32 holds exactly");
        return Err(Error::parameter("patterns", expected, patterns.n_rows()));
    }
    Ok(PatternBits::new(patterns))
}

/// Hebb couplings of the patterns of `problem`: stored values are the integer counts sum_mu xi_i xi_j, the scale is 1/N.
///
/// # Errors
/// If there are no patterns, no spins, or more than [`MAX_PATTERNS`] patterns; if there are weights or a mask; if memory for J is
/// missing; if interrupted.
pub fn hebb<'a>(problem: impl Into<Problem<'a>>, execution: &Execution) -> Result<Couplings> {
    let problem = problem.into();
    problem.check_patterns_alone()?;
    let mut couplings = room_for_couplings(problem.patterns().n_spins(), problem.rows(), execution)?;
    fill_with_counts(&mut couplings, problem.patterns(), execution)?;
    Ok(couplings)
}

/// The same of all patterns in a new file of couplings at `path`, without J in memory.
///
/// # Errors
/// As [`hebb`], or if the file cannot be written.
pub(crate) fn hebb_in_file(patterns: &SpinMatrix, path: &Path, execution: &Execution) -> Result<()> {
    let n_spins = patterns.n_spins();
    let mut couplings = Couplings::create(path, n_spins, RowRange::all(n_spins), false)?;
    fill_with_counts(&mut couplings, patterns, execution)?;
    couplings.flush()
}

/// The same into `couplings`, which are zero: their rows of it.
pub(super) fn fill_with_counts(
    couplings: &mut Couplings,
    patterns: &SpinMatrix,
    execution: &Execution,
) -> Result<()> {
    let bits = packed(patterns)?;
    let n_spins = bits.n_spins();
    couplings.set_scale(1.0 / n_spins as f64);
    let neurons = couplings.neurons();
    execution.progress().begin("counting (hebb)", neurons.len().div_ceil(PAIR_BLOCK) as u64);
    // In memory one triangle is mirrored; on disk, where that is slow, both are counted, and so are the rows of a shard.
    let is_mirrored = !couplings.are_in_file() && !couplings.row_range().is_shard();
    let first = neurons.start / PAIR_BLOCK;
    let blocks = (first..).zip(couplings.values_mut().chunks_mut(PAIR_BLOCK * n_spins));
    PairProducts::new(bits.by_spin(), bits.by_pattern()).for_each_block(
        blocks.map(|(block, rows)| (block..block + 1, rows)),
        |block| if is_mirrored { block * PAIR_BLOCK } else { 0 },
        execution,
        |rows, block, first, products| {
            for (tile, products) in products.chunks(TILE).enumerate() {
                for (lane, row) in rows.chunks_exact_mut(n_spins).enumerate() {
                    let values = &mut row[first + tile * TILE..][..products.len()];
                    for (value, products) in values.iter_mut().zip(products) {
                        *value = products[lane] as f32;
                    }
                }
            }
            let is_last = first + products.len() == n_spins;
            if is_last {
                for (lane, row) in rows.chunks_exact_mut(n_spins).enumerate() {
                    row[block * PAIR_BLOCK + lane] = 0.0;
                }
                execution.progress().advance(1);
            }
            Ok(())
        },
    )?;
    if is_mirrored {
        couplings.mirror_upper(execution)?;
    }
    execution.progress().end();
    Ok(())
}

/// Rows of products that are turned at a time: their cache lines stay in L1.
const TILE: usize = 16;

/// |J_H|_F^2 of the Hebb couplings of `patterns`, without storing them.
///
/// # Errors
/// As [`hebb`].
pub fn squared_hebb_norm(patterns: &SpinMatrix, execution: &Execution) -> Result<f64> {
    let bits = packed(patterns)?;
    let n_spins = bits.n_spins();
    let mut sums = vec![0u128; n_spins.div_ceil(PAIR_BLOCK)];
    PairProducts::new(bits.by_spin(), bits.by_pattern()).for_each_block(
        sums.iter_mut().enumerate().map(|(block, sum)| (block..block + 1, sum)),
        |block| block * PAIR_BLOCK,
        execution,
        |sum, block, first, products| {
            let start = block * PAIR_BLOCK;
            for (neuron, products) in (first..).zip(products) {
                let products = &products[..PAIR_BLOCK.min(n_spins - start)];
                // At most 64 squares of at most 2^48.
                let squares: u64 = products.iter().map(|&x| u64::from(x.unsigned_abs()).pow(2)).sum();
                // Within the block both (i, j) and (j, i) come by, and (i, i); beyond it each pair stands for its mirror
                // image too.
                **sum += match products.get(neuron - start) {
                    Some(&own) => u128::from(squares - u64::from(own.unsigned_abs()).pow(2)),
                    None => 2 * u128::from(squares),
                };
            }
            Ok(())
        },
    )?;
    let n_spins = n_spins as f64;
    Ok(sums.iter().sum::<u128>() as f64 / (n_spins * n_spins))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::Rng;

    #[test]
    fn counts_equal_the_integer_sums() {
        for (n_patterns, n_spins, n_threads) in
            [(1, 1, 1), (3, 17, 2), (130, 65, 1), (64, 200, 2), (300, 97, 2)]
        {
            let execution = Execution::with_threads(n_threads).unwrap();
            let mut rng = crate::random::stream(n_spins as u64, "hebb test", &[]);
            let bools: Vec<bool> = (0..n_patterns * n_spins).map(|_| rng.next_u64() >> 63 == 1).collect();
            let patterns = SpinMatrix::from_bools(n_patterns, n_spins, &bools).unwrap();
            let couplings = hebb(&patterns, &execution).unwrap();
            let count = |i: usize, j: usize| -> i32 {
                let product = |mu| i32::from(patterns.spin(mu, i) * patterns.spin(mu, j));
                if i == j { 0 } else { (0..n_patterns).map(product).sum() }
            };
            let mut squares = 0.0;
            for i in 0..n_spins {
                for j in 0..n_spins {
                    assert_eq!(couplings.values()[i * n_spins + j], count(i, j) as f32);
                    squares += f64::from(count(i, j)).powi(2);
                }
            }
            assert_eq!(couplings.scale(), 1.0 / n_spins as f64);
            let norm = squared_hebb_norm(&patterns, &execution).unwrap();
            assert_eq!(norm, squares / (n_spins * n_spins) as f64);
        }
    }

    #[test]
    fn no_patterns_and_no_spins_are_refused() {
        let execution = Execution::with_threads(1).unwrap();
        for (n_patterns, n_spins) in [(0, 5), (5, 0), (0, 0)] {
            assert!(hebb(&SpinMatrix::all_down(n_patterns, n_spins), &execution).is_err());
        }
    }
}
