//! [`NibblePlanes`]: the layout in which bits are counted against bits.

use super::{BlockMajor, WORD};

/// Rows in a block of planes.
const BLOCK: usize = 32;
/// Bits in a nibble.
const NIBBLE: usize = 4;

/// Rows of spins in blocks of 32, each block as planes of nibbles: `[n_rows.div_ceil(32)][n_columns.div_ceil(4)]` planes of
/// 32 bytes; byte r of plane k holds columns 4k..4k+3 of row r in its low half. Missing rows and columns are zero.
pub struct NibblePlanes {
    n_planes: usize,
    planes: Vec<[u8; BLOCK]>, // [block][plane]
}

impl NibblePlanes {
    /// Of all rows of `spins`.
    pub fn new(spins: &BlockMajor) -> Self {
        let (n_rows, n_columns) = (spins.n_rows(), spins.n_columns());
        let n_planes = n_columns.div_ceil(NIBBLE);
        let mut planes = vec![[0; BLOCK]; n_rows.div_ceil(BLOCK) * n_planes];
        if n_planes > 0 {
            for (block, planes) in planes.chunks_exact_mut(n_planes).enumerate() {
                let rows = block * BLOCK..n_rows.min((block + 1) * BLOCK);
                for (word, planes) in planes.chunks_mut(WORD / NIBBLE).enumerate() {
                    let words = &spins.block(word)[rows.clone()];
                    for (index, plane) in planes.iter_mut().enumerate() {
                        for (byte, word) in plane.iter_mut().zip(words) {
                            *byte = (word >> (NIBBLE * index)) as u8 & 15;
                        }
                    }
                }
            }
        }
        Self { n_planes, planes }
    }

    /// The planes of one block of 32 rows.
    pub fn block(&self, block: usize) -> &[[u8; BLOCK]] {
        &self.planes[block * self.n_planes..][..self.n_planes]
    }
}

/// Writes the planes of up to 32 rows of packed words, `[n_rows][n_words]`, missing rows as zeros: `planes` is
/// `[16 n_words]`, plane k holding bits 4k..4k+3.
///
/// # Panics
/// If `planes` has another length, or there are more than 32 rows.
pub fn write_nibble_planes(rows: &[u64], n_words: usize, planes: &mut [[u8; BLOCK]]) {
    const OCTET: usize = 8;
    const LOW_NIBBLES: u64 = 0x0f0f_0f0f_0f0f_0f0f;
    assert!(planes.len() == 16 * n_words && rows.len() <= BLOCK * n_words);
    for (word, planes) in planes.chunks_exact_mut(WORD / NIBBLE).enumerate() {
        for octet in 0..BLOCK / OCTET {
            let word_of = |row: usize| rows.get((octet * OCTET + row) * n_words + word).copied().unwrap_or(0);
            let words: [u64; OCTET] = std::array::from_fn(word_of);
            for half in 0..2 {
                let mut nibbles = words.map(|word| word >> (NIBBLE * half) & LOW_NIBBLES);
                transpose_8x8_bytes(&mut nibbles);
                for (byte, nibbles) in nibbles.iter().enumerate() {
                    planes[2 * byte + half][octet * OCTET..][..OCTET].copy_from_slice(&nibbles.to_le_bytes());
                }
            }
        }
    }
}

/// Byte `c` of word `r` becomes byte `r` of word `c`; as [`transpose_64x64`](super::transpose_64x64).
#[inline(always)]
fn transpose_8x8_bytes(block: &mut [u64; 8]) {
    for (width, mask) in [(4, 0x0000_0000_ffff_ffff_u64), (2, 0x0000_ffff_0000_ffff), (1, 0x00ff_00ff_00ff_00ff)] {
        for row in (0..8).filter(|row| row & width == 0) {
            let swap = (block[row] >> (8 * width) ^ block[row + width]) & mask;
            block[row] ^= swap << (8 * width);
            block[row + width] ^= swap;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spins::SpinMatrix;
    use rand_core::Rng;

    #[test]
    fn every_spin_is_in_its_plane() {
        for (n_rows, n_spins) in [(1, 1), (33, 66), (70, 5), (31, 64), (0, 7)] {
            let mut rng = crate::random::stream(1, "planes test", &[]);
            let bools: Vec<bool> = (0..n_rows * n_spins).map(|_| rng.next_u64() >> 63 == 1).collect();
            let spins = SpinMatrix::from_bools(n_rows, n_spins, &bools).unwrap();
            let planes = NibblePlanes::new(&BlockMajor::from_rows(&spins));
            for row in 0..n_rows.next_multiple_of(32) {
                for (k, plane) in planes.block(row / 32).iter().enumerate() {
                    for bit in 0..8 {
                        let site = 4 * k + bit;
                        let up = bit < 4 && row < n_rows && site < n_spins && spins.spin(row, site) == 1;
                        assert_eq!(plane[row % 32] >> bit & 1 == 1, up);
                    }
                }
            }
        }
    }

    #[test]
    fn planes_of_rows_are_those_of_the_matrix() {
        for n_rows in [1, 7, 8, 19, 32] {
            for n_words in [1, 3] {
                let mut rng = crate::random::stream(2, "planes test", &[n_rows as u64, n_words as u64]);
                let words: Vec<u64> = (0..n_rows * n_words).map(|_| rng.next_u64()).collect();
                let spins = SpinMatrix::from_words(n_rows, 64 * n_words, words.clone()).unwrap();
                let expected = NibblePlanes::new(&BlockMajor::from_rows(&spins));
                let mut planes = vec![[9; BLOCK]; 16 * n_words];
                write_nibble_planes(&words, n_words, &mut planes);
                assert_eq!(planes, expected.block(0));
            }
        }
    }
}
