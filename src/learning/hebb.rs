//! The Hebb rule, J_ij = (1/N) sum_mu xi_i xi_j with zero diagonal (Hopfield 1982), in exact integers.

use super::patterns::check_patterns;
use crate::couplings::Couplings;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{Isa, PLANE_WIDTH, differing_bits};
use crate::spins::{BlockMajor, NibblePlanes, SpinMatrix};

/// Up to this number of patterns every count is an integer that f32 holds exactly.
pub const MAX_PATTERNS: usize = 1 << 24;

/// Counts sum_mu xi_i xi_j for 32 x 32 pairs of neurons.
type Tile = [[i32; PLANE_WIDTH]; PLANE_WIDTH];

/// Patterns packed for counting.
struct Counter {
    planes: NibblePlanes, // columns are spins, bits are patterns
    n_patterns: usize,
    n_spins: usize,
}

impl Counter {
    fn new(patterns: &SpinMatrix) -> Result<Self> {
        check_patterns(patterns)?;
        if patterns.n_rows() > MAX_PATTERNS {
            let expected = format!("at most {MAX_PATTERNS} patterns, whose counts f32 holds exactly");
            return Err(Error::parameter("patterns", expected, patterns.n_rows()));
        }
        let planes = NibblePlanes::new(&BlockMajor::from_columns(patterns));
        Ok(Self { planes, n_patterns: patterns.n_rows(), n_spins: patterns.n_spins() })
    }

    fn n_blocks(&self) -> usize {
        self.n_spins.div_ceil(PLANE_WIDTH)
    }

    /// The neurons of a block: 32, or fewer in the last.
    fn neurons(&self, block: usize) -> std::ops::Range<usize> {
        block * PLANE_WIDTH..self.n_spins.min((block + 1) * PLANE_WIDTH)
    }

    /// P - 2 d for the pairs of two blocks, 0 on the diagonal.
    fn tile(&self, isa: Isa, a: usize, b: usize) -> Tile {
        let mut differing = [[0; PLANE_WIDTH]; PLANE_WIDTH];
        differing_bits(isa, self.planes.block(a), self.planes.block(b), &mut differing);
        // Up to 2^24 patterns: no overflow.
        let mut tile = differing.map(|row| row.map(|d| self.n_patterns as i32 - 2 * d as i32));
        if a == b {
            (0..PLANE_WIDTH).for_each(|i| tile[i][i] = 0);
        }
        tile
    }
}

/// Hebb couplings of the rows of `patterns`: stored values are the integer counts sum_mu xi_i xi_j, the scale is 1/N.
///
/// # Errors
/// If there are no patterns, no spins, or more than [`MAX_PATTERNS`] patterns; if memory for J is missing; if
/// interrupted.
pub fn hebb(patterns: &SpinMatrix, execution: &Execution) -> Result<Couplings> {
    let counter = Counter::new(patterns)?;
    let n_spins = counter.n_spins;
    let mut couplings = Couplings::zeros(n_spins)?.with_scale(1.0 / n_spins as f64)?;
    execution.progress().begin("counting (hebb)", counter.n_blocks() as u64);
    let blocks = couplings.values_mut().chunks_mut(PLANE_WIDTH * n_spins).enumerate();
    execution.for_each(
        blocks,
        || (),
        |(), (block, rows)| {
            for other in block..counter.n_blocks() {
                let tile = counter.tile(execution.isa(), block, other);
                let columns = counter.neurons(other);
                for (row, counts) in rows.chunks_exact_mut(n_spins).zip(&tile) {
                    for (value, &count) in row[columns.clone()].iter_mut().zip(counts) {
                        *value = count as f32;
                    }
                }
            }
            execution.progress().advance(1);
            Ok(())
        },
    )?;
    couplings.mirror_upper(execution)?;
    execution.progress().end();
    Ok(couplings)
}

/// |J_H|_F^2 of the Hebb couplings of `patterns`, without storing them.
///
/// # Errors
/// As [`hebb`].
pub fn squared_hebb_norm(patterns: &SpinMatrix, execution: &Execution) -> Result<f64> {
    let counter = Counter::new(patterns)?;
    let mut sums = vec![0u128; counter.n_blocks()];
    execution.for_each(
        sums.iter_mut().enumerate(),
        || (),
        |(), (block, sum)| {
            for other in block..counter.n_blocks() {
                let tile = counter.tile(execution.isa(), block, other);
                let (rows, columns) = (counter.neurons(block).len(), counter.neurons(other).len());
                let squares = |row: &[i32; PLANE_WIDTH]| -> u128 {
                    row[..columns].iter().map(|&count| u128::from(count.unsigned_abs()).pow(2)).sum()
                };
                let total: u128 = tile[..rows].iter().map(squares).sum();
                // A tile off the diagonal stands for its mirror image too.
                *sum += if other == block { total } else { 2 * total };
            }
            Ok(())
        },
    )?;
    let n_spins = counter.n_spins as f64;
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
