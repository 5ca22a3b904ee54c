//! [`SpinMatrix`]: rows of packed spins.

use bitvec::{order::Lsb0, slice::BitSlice, view::BitView};

use super::{WORD, transpose_64x64};
use crate::error::{Error, Result};

/// Rows of `n_spins` spins each, packed least significant bit first; a set bit is +1.
///
/// Invariant: the bits past `n_spins` in the last word of a row are zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpinMatrix {
    n_rows: usize,
    n_spins: usize,
    words: Vec<u64>, // [n_rows][n_spins.div_ceil(64)]
}

impl SpinMatrix {
    /// `n_rows` rows of `n_spins` spins, all -1.
    pub fn all_down(n_rows: usize, n_spins: usize) -> Self {
        Self { n_rows, n_spins, words: vec![0; n_rows * n_spins.div_ceil(WORD)] }
    }

    /// As [`all_down`](Self::all_down), for sizes that a user asked for; `what` names the rows.
    ///
    /// # Errors
    /// If memory for them is missing.
    pub fn try_all_down(what: &str, n_rows: usize, n_spins: usize) -> Result<Self> {
        let mut words = Vec::new();
        let n_words = n_rows.checked_mul(n_spins.div_ceil(WORD));
        match n_words.map(|n_words| words.try_reserve_exact(n_words).map(|()| n_words)) {
            Some(Ok(n_words)) => words.resize(n_words, 0),
            _ => {
                let found = format!("{n_rows} rows of {n_spins} spins");
                return Err(Error::shape(what, "rows that fit in memory", found));
            }
        }
        Ok(Self { n_rows, n_spins, words })
    }

    /// Takes packed words, `[n_rows][n_spins.div_ceil(64)]`.
    ///
    /// # Errors
    /// If the number of words does not fit the shape, or a bit past `n_spins` is set.
    pub fn from_words(n_rows: usize, n_spins: usize, words: Vec<u64>) -> Result<Self> {
        let words_per_row = n_spins.div_ceil(WORD);
        let expected = n_rows.checked_mul(words_per_row);
        if expected != Some(words.len()) {
            return Err(Error::shape(
                format!("{n_rows} rows of {n_spins} packed spins"),
                format!("{n_rows} x {words_per_row} words"),
                format!("{} words", words.len()),
            ));
        }
        let matrix = Self { n_rows, n_spins, words };
        // Rows without words may be any number, beyond what a loop could visit.
        let n_rows = if words_per_row == 0 { 0 } else { n_rows };
        match (0..n_rows).find(|&row| matrix.row(row).last().is_some_and(|w| w & !matrix.last_mask() != 0)) {
            Some(row) => Err(Error::shape(
                format!("row {row} of packed spins"),
                format!("zero bits past spin {n_spins}"),
                "a set one",
            )),
            None => Ok(matrix),
        }
    }

    /// Packs rows of signs given as booleans, `[n_rows][n_spins]`; true is +1.
    ///
    /// # Errors
    /// If the length is not `n_rows * n_spins`.
    pub fn from_bools(n_rows: usize, n_spins: usize, spins: &[bool]) -> Result<Self> {
        if n_rows.checked_mul(n_spins) != Some(spins.len()) {
            return Err(Error::shape(
                "spins to pack",
                format!("{n_rows} x {n_spins} values"),
                format!("{} values", spins.len()),
            ));
        }
        let mut matrix = Self::all_down(n_rows, n_spins);
        if n_spins > 0 {
            for (row, values) in spins.chunks_exact(n_spins).enumerate() {
                for (word, bits) in matrix.row_mut(row).iter_mut().zip(values.chunks(WORD)) {
                    *word = bits.iter().rev().fold(0, |packed, &up| packed << 1 | u64::from(up));
                }
            }
        }
        Ok(matrix)
    }

    /// Packs rows of +1 and -1, `[n_rows][n_spins]`.
    ///
    /// # Errors
    /// If the length is not `n_rows * n_spins`, or a value is neither +1 nor -1.
    pub fn from_signs(n_rows: usize, n_spins: usize, signs: &[i8]) -> Result<Self> {
        if let Some(position) = signs.iter().position(|&s| s != 1 && s != -1) {
            return Err(Error::shape(
                format!("value {position} of the spins to pack"),
                "+1 or -1",
                signs[position].to_string(),
            ));
        }
        let bools: Vec<bool> = signs.iter().map(|&s| s == 1).collect();
        Self::from_bools(n_rows, n_spins, &bools)
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Spins in a row.
    pub fn n_spins(&self) -> usize {
        self.n_spins
    }

    /// Words in a row.
    pub fn words_per_row(&self) -> usize {
        self.n_spins.div_ceil(WORD)
    }

    /// All words, `[n_rows][words_per_row]`.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words of one row.
    pub fn row(&self, row: usize) -> &[u64] {
        let width = self.words_per_row();
        &self.words[row * width..][..width]
    }

    /// The words of one row, for writers inside the crate, who keep the pad bits zero.
    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [u64] {
        let width = self.words_per_row();
        &mut self.words[row * width..][..width]
    }

    /// All words, for writers inside the crate, who keep the pad bits zero.
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// The used bits of a row's last word.
    pub(crate) fn last_mask(&self) -> u64 {
        match self.n_spins % WORD {
            0 => u64::MAX,
            used => (1 << used) - 1,
        }
    }

    /// One row as a bit slice of length `n_spins`: convenient at the edges, far too slow for a hot loop.
    pub fn row_bits(&self, row: usize) -> &BitSlice<u64, Lsb0> {
        &self.row(row).view_bits()[..self.n_spins]
    }

    /// One spin, +1 or -1.
    pub fn spin(&self, row: usize, site: usize) -> i8 {
        debug_assert!(site < self.n_spins);
        if self.row(row)[site / WORD] >> (site % WORD) & 1 == 1 { 1 } else { -1 }
    }

    /// Flips one spin.
    pub fn flip(&mut self, row: usize, site: usize) {
        assert!(site < self.n_spins, "site {site} of {}", self.n_spins);
        self.row_mut(row)[site / WORD] ^= 1 << (site % WORD);
    }

    /// The rows named by `rows`, in that order.
    pub fn select(&self, rows: &[usize]) -> Self {
        let words = rows.iter().flat_map(|&row| self.row(row)).copied().collect();
        Self { n_rows: rows.len(), n_spins: self.n_spins, words }
    }

    /// The first `count` rows, or all where there are fewer.
    pub fn head(&self, count: usize) -> Self {
        let n_rows = count.min(self.n_rows);
        Self { n_rows, n_spins: self.n_spins, words: self.words[..n_rows * self.words_per_row()].to_vec() }
    }

    /// The transpose: spin `i` of row `r` becomes spin `r` of row `i`.
    pub fn transposed(&self) -> Self {
        let mut transposed = Self::all_down(self.n_spins, self.n_rows);
        let target_width = transposed.words_per_row();
        self.for_each_transposed_block(|row_block, first_site, block| {
            for (offset, &word) in block.iter().enumerate() {
                transposed.words[(first_site + offset) * target_width + row_block] = word;
            }
        });
        transposed
    }

    /// Calls `visit(row_block, first_site, words)` for each 64 x 64 tile: `words[s]` holds spin `first_site + s` of
    /// the 64 rows from `64 * row_block` on, missing rows as zeros. Tiles at the right edge are cut at `n_spins`.
    pub(super) fn for_each_transposed_block(&self, mut visit: impl FnMut(usize, usize, &[u64])) {
        let width = self.words_per_row();
        for first_row in (0..self.n_rows).step_by(WORD) {
            let n_rows = WORD.min(self.n_rows - first_row);
            for word in 0..width {
                let mut block = [0; WORD];
                for (offset, target) in block[..n_rows].iter_mut().enumerate() {
                    *target = self.words[(first_row + offset) * width + word];
                }
                transpose_64x64(&mut block);
                let n_sites = WORD.min(self.n_spins - word * WORD);
                visit(first_row / WORD, word * WORD, &block[..n_sites]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;
    use proptest::prelude::*;
    use rand_core::Rng;

    fn random_bools(len: usize, seed: u64) -> Vec<bool> {
        let mut rng = stream(seed, "matrix test", &[]);
        (0..len).map(|_| rng.next_u64() >> 63 == 1).collect()
    }

    fn pad_bits_are_zero(matrix: &SpinMatrix) -> bool {
        SpinMatrix::from_words(matrix.n_rows(), matrix.n_spins(), matrix.words().to_vec()).is_ok()
    }

    proptest! {
        #[test]
        fn packing_keeps_every_spin(n_rows in 0usize..70, n_spins in 0usize..200, seed: u64) {
            let bools = random_bools(n_rows * n_spins, seed);
            let matrix = SpinMatrix::from_bools(n_rows, n_spins, &bools).unwrap();
            prop_assert!(pad_bits_are_zero(&matrix));
            for row in 0..n_rows {
                for site in 0..n_spins {
                    let up = bools[row * n_spins + site];
                    prop_assert_eq!(matrix.spin(row, site), if up { 1 } else { -1 });
                    prop_assert_eq!(matrix.row_bits(row)[site], up);
                }
            }
        }

        #[test]
        fn transposing_twice_is_the_identity(n_rows in 0usize..140, n_spins in 0usize..140, seed: u64) {
            let matrix = SpinMatrix::from_bools(n_rows, n_spins, &random_bools(n_rows * n_spins, seed)).unwrap();
            let transposed = matrix.transposed();
            prop_assert!(pad_bits_are_zero(&transposed));
            prop_assert!((0..n_rows).all(|r| (0..n_spins).all(|i| matrix.spin(r, i) == transposed.spin(i, r))));
            prop_assert_eq!(transposed.transposed(), matrix);
        }
    }

    #[test]
    fn set_pad_bits_are_refused() {
        let error = SpinMatrix::from_words(2, 65, vec![0, 1, 0, 2]).unwrap_err();
        assert!(error.to_string().contains("row 1"), "{error}");
        assert!(SpinMatrix::from_words(2, 65, vec![0, 1, 0, 1]).is_ok());
        assert!(SpinMatrix::from_words(usize::MAX, 0, Vec::new()).is_ok());
    }

    #[test]
    fn rows_beyond_memory_are_refused() {
        for (n_rows, n_spins) in [(usize::MAX, 1), (1, usize::MAX), (1 << 40, 1 << 40), (1 << 30, 1 << 30)] {
            assert!(SpinMatrix::try_all_down("rows", n_rows, n_spins).is_err());
        }
        assert_eq!(SpinMatrix::try_all_down("rows", 2, 65).unwrap(), SpinMatrix::all_down(2, 65));
    }

    #[test]
    fn values_other_than_signs_are_refused() {
        assert!(SpinMatrix::from_signs(1, 3, &[1, 0, -1]).is_err());
        assert!(SpinMatrix::from_signs(1, 3, &[1, -1]).is_err());
    }
}
