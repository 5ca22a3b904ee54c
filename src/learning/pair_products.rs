//! Products x . y of all pairs of rows of spins, exact: what Hebb couplings and Gram matrices are made of.

use std::ops::Range;

use crate::error::Result;
use crate::execution::Execution;
use crate::kernels::{BYTE_LANES, CountScratch, Counts, Isa, Lanes, differing_bits};
use crate::spins::{BlockMajor, WORD};

/// Rows of a block: its products come 64 at a time.
pub(super) const PAIR_BLOCK: usize = BYTE_LANES;
/// Rows that meet a block at a time.
const TILE: usize = 4096;
/// Columns whose count fits 16 bits: whole words.
const PART: usize = (u16::MAX as usize / WORD) * WORD;

/// Rows of spins, packed both ways.
pub(super) struct PairProducts<'a> {
    rows: &'a BlockMajor,    // [K / 64][M]
    columns: &'a BlockMajor, // the transpose, [M / 64][K]
}

/// Scratch of one thread.
struct Scratch {
    counts: Vec<Counts>,              // [TILE]
    products: Vec<[i32; PAIR_BLOCK]>, // [TILE]
    kernel: CountScratch,
}

impl<'a> PairProducts<'a> {
    /// `columns` is the transpose of `rows`.
    pub(super) fn new(rows: &'a BlockMajor, columns: &'a BlockMajor) -> Self {
        debug_assert!(rows.n_rows() == columns.n_columns() && rows.n_columns() == columns.n_rows());
        Self { rows, columns }
    }

    fn n_rows(&self) -> usize {
        self.rows.n_rows()
    }

    /// Takes each task to its blocks of 64 rows, all tasks in parallel: `work` gets the task, a block, the first of the rows
    /// that meet it, and their products with it, `[row][64]`, from row `from(block)` on. Lanes past the last row mean
    /// nothing.
    ///
    /// # Errors
    /// If interrupted, or the first of `work`.
    pub(super) fn for_each_block<T: Send>(
        &self,
        tasks: impl Iterator<Item = (Range<usize>, T)> + Send,
        from: impl Fn(usize) -> usize + Sync,
        execution: &Execution,
        work: impl Fn(&mut T, usize, usize, &[[i32; PAIR_BLOCK]]) -> Result<()> + Sync,
    ) -> Result<()> {
        let tile = TILE.min(self.n_rows());
        let scratch = || Scratch {
            counts: vec![Lanes::ZERO; tile],
            products: vec![[0; PAIR_BLOCK]; tile],
            kernel: CountScratch::new(),
        };
        execution.for_each(tasks, scratch, |scratch, (blocks, mut task)| {
            for block in blocks {
                for first in (from(block)..self.n_rows()).step_by(TILE) {
                    let n = TILE.min(self.n_rows() - first);
                    self.products(execution.isa(), block, first, n, scratch);
                    work(&mut task, block, first, &scratch.products[..n])?;
                }
            }
            Ok(())
        })
    }

    /// Into `scratch.products`: rows `first..first + n` with the block's.
    fn products(&self, isa: Isa, block: usize, first: usize, n: usize, scratch: &mut Scratch) {
        let (counts, products) = (&mut scratch.counts[..n], &mut scratch.products[..n]);
        products.fill([0; PAIR_BLOCK]);
        let (words, stride) = (self.rows.words(), self.n_rows());
        for (part, lanes) in self.columns.block(block).chunks(PART).enumerate() {
            counts.fill(Lanes::ZERO);
            let signs = &words[part * (PART / WORD) * stride + first..];
            differing_bits(isa, signs, stride, lanes, counts, &mut scratch.kernel);
            for (products, counts) in products.iter_mut().zip(&*counts) {
                for (product, count) in products.iter_mut().zip(counts.0) {
                    *product += lanes.len() as i32 - 2 * i32::from(count);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::random_states;

    /// Sizes around blocks, tiles and the columns that 16 bits count.
    #[test]
    fn products_are_the_integer_sums() {
        for (m, k) in [(1, 1), (65, 7), (130, 200), (4100, 64), (3, 2 * PART + 70)] {
            let spins = random_states(m, k, 1).unwrap();
            let (rows, columns) = (BlockMajor::from_rows(&spins), BlockMajor::from_columns(&spins));
            let pairs = PairProducts::new(&rows, &columns);
            let execution = Execution::with_threads(2).unwrap();
            let blocks = (0..m.div_ceil(PAIR_BLOCK)).map(|block| (block..block + 1, ()));
            let checked = std::sync::atomic::AtomicUsize::new(0);
            pairs
                .for_each_block(
                    blocks,
                    |block| block * PAIR_BLOCK,
                    &execution,
                    |(), block, first, products| {
                        for (row, products) in (first..).zip(products).step_by(1 + m / 50) {
                            for (lane, &found) in products.iter().enumerate().take(m - block * PAIR_BLOCK) {
                                let other = block * PAIR_BLOCK + lane;
                                let expected: i32 = (0..k)
                                    .map(|j| i32::from(spins.spin(row, j) * spins.spin(other, j)))
                                    .sum();
                                assert_eq!(found, expected, "({row}, {other}) of {m} x {k}");
                            }
                        }
                        checked.fetch_add(products.len(), std::sync::atomic::Ordering::Relaxed);
                        Ok(())
                    },
                )
                .unwrap();
            let expected: usize = (0..m.div_ceil(PAIR_BLOCK)).map(|block| m - block * PAIR_BLOCK).sum();
            assert_eq!(checked.into_inner(), expected);
        }
    }
}
