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
}
