//! Transpose of a 64 x 64 block of bits (Warren, Hacker's Delight, section 7-3, for least significant bit first).

/// Transposes in place: bit `c` of word `r` becomes bit `r` of word `c`.
pub fn transpose_64x64(block: &mut [u64; 64]) {
    swap_quadrants::<32>(block, 0x0000_0000_ffff_ffff);
    swap_quadrants::<16>(block, 0x0000_ffff_0000_ffff);
    swap_quadrants::<8>(block, 0x00ff_00ff_00ff_00ff);
    swap_quadrants::<4>(block, 0x0f0f_0f0f_0f0f_0f0f);
    swap_quadrants::<2>(block, 0x3333_3333_3333_3333);
    swap_quadrants::<1>(block, 0x5555_5555_5555_5555);
}

/// Swaps the upper right with the lower left quadrant of every square of side 2 W; `mask` has the columns of its left
/// half. Straight loops of a known length, which the compiler turns into vectors.
#[inline(always)]
fn swap_quadrants<const W: usize>(block: &mut [u64; 64], mask: u64) {
    for square in block.chunks_exact_mut(2 * W) {
        let (upper, lower) = square.split_at_mut(W);
        for (upper, lower) in upper.iter_mut().zip(lower) {
            let swap = (*upper >> W ^ *lower) & mask;
            *upper ^= swap << W;
            *lower ^= swap;
        }
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
