//! [`BlockMajor`]: the layout in which the signed product reads spins.

use super::{SpinMatrix, WORD};

/// Packed spins as `[n_columns.div_ceil(64)][n_rows]` words: bit `c` of word `[b][r]` is the spin in column
/// `64 * b + c` of row `r`; bits past `n_columns` are zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockMajor {
    n_rows: usize,
    n_columns: usize,
    words: Vec<u64>, // [n_columns.div_ceil(64)][n_rows]
}

impl BlockMajor {
    /// All spins -1.
    pub fn all_down(n_rows: usize, n_columns: usize) -> Self {
        Self { n_rows, n_columns, words: vec![0; n_columns.div_ceil(WORD) * n_rows] }
    }

    /// The rows of `matrix`: its states are the rows, its spins the columns.
    pub fn from_rows(matrix: &SpinMatrix) -> Self {
        let mut blocks = Self::all_down(matrix.n_rows(), matrix.n_spins());
        for row in 0..matrix.n_rows() {
            for (block, &word) in matrix.row(row).iter().enumerate() {
                blocks.words[block * blocks.n_rows + row] = word;
            }
        }
        blocks
    }

    /// The transpose of `matrix`: its spins are the rows, its states the columns.
    pub fn from_columns(matrix: &SpinMatrix) -> Self {
        let mut blocks = Self::all_down(matrix.n_spins(), matrix.n_rows());
        let n_rows = blocks.n_rows;
        matrix.for_each_transposed_block(|block, first, words| {
            blocks.words[block * n_rows + first..][..words.len()].copy_from_slice(words);
        });
        blocks
    }

    /// Back to row-major.
    pub fn to_rows(&self) -> SpinMatrix {
        let mut matrix = SpinMatrix::all_down(self.n_rows, self.n_columns);
        for row in 0..self.n_rows {
            for (block, word) in matrix.row_mut(row).iter_mut().enumerate() {
                *word = self.words[block * self.n_rows + row];
            }
        }
        matrix
    }

    /// Number of rows: the states that a product runs over.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of columns: the spins that a product sums over.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// All words, `[n_columns.div_ceil(64)][n_rows]`.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words of one block of 64 columns, `[n_rows]`.
    pub fn block(&self, block: usize) -> &[u64] {
        &self.words[block * self.n_rows..][..self.n_rows]
    }

    /// All words, for writers inside the crate, who keep the pad bits zero.
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Keeps the rows for which `keep` holds, in order.
    pub(crate) fn retain_rows(&mut self, keep: &[bool]) {
        debug_assert_eq!(keep.len(), self.n_rows);
        let kept = keep.iter().filter(|&&kept| kept).count();
        let mut target = 0;
        for source in 0..self.words.len() {
            if keep[source % self.n_rows] {
                self.words[target] = self.words[source];
                target += 1;
            }
        }
        self.words.truncate(target);
        self.n_rows = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matrix(n_rows: usize, n_spins: usize, seed: u64) -> SpinMatrix {
        use rand_core::Rng;
        let mut rng = crate::random::stream(seed, "block test", &[]);
        let bools: Vec<bool> = (0..n_rows * n_spins).map(|_| rng.next_u64() >> 63 == 1).collect();
        SpinMatrix::from_bools(n_rows, n_spins, &bools).unwrap()
    }

    proptest! {
        #[test]
        fn rows_and_columns_agree_with_the_matrix(n_rows in 0usize..140, n_spins in 0usize..140, seed: u64) {
            let matrix = matrix(n_rows, n_spins, seed);
            prop_assert_eq!(&BlockMajor::from_rows(&matrix).to_rows(), &matrix);
            prop_assert_eq!(BlockMajor::from_columns(&matrix), BlockMajor::from_rows(&matrix.transposed()));
        }

        #[test]
        fn retained_rows_keep_their_order(n_rows in 1usize..100, n_spins in 1usize..140, seed: u64, pattern: u64) {
            let matrix = matrix(n_rows, n_spins, seed);
            let keep: Vec<bool> = (0..n_rows).map(|row| pattern.rotate_left(row as u32) & 1 == 1).collect();
            let chosen: Vec<usize> = (0..n_rows).filter(|&row| keep[row]).collect();
            let mut blocks = BlockMajor::from_rows(&matrix);
            blocks.retain_rows(&keep);
            prop_assert_eq!(blocks.to_rows(), matrix.select(&chosen));
        }
    }
}
