//! Transpose of a 64 x 64 block of bits (Warren, Hacker's Delight, section 7-3, for least significant bit first).

/// Transposes in place: bit `c` of word `r` becomes bit `r` of word `c`.
pub fn transpose_64x64(block: &mut [u64; 64]) {
    let mut width = 32;
    let mut mask = 0x0000_0000_ffff_ffff_u64;
    while width != 0 {
        // Swap the upper right with the lower left quadrant of every square of side 2 * width.
        let mut row = 0;
        while row < 64 {
            let swap = ((block[row] >> width) ^ block[row + width]) & mask;
            block[row] ^= swap << width;
            block[row + width] ^= swap;
            row = (row + width + 1) & !width;
        }
        width >>= 1;
        mask ^= mask << width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;
    use rand_core::Rng;

    #[test]
    fn every_bit_moves_to_its_mirror_place() {
        let mut rng = stream(1, "transpose test", &[]);
        let original: [u64; 64] = std::array::from_fn(|_| rng.next_u64());
        let mut block = original;
        transpose_64x64(&mut block);
        for (row, word) in original.iter().enumerate() {
            for (column, transposed) in block.iter().enumerate() {
                assert_eq!((word >> column) & 1, (transposed >> row) & 1);
            }
        }
    }
}
