//! Letters against letters: which of 64 rows differ from one row in few columns.
//!
//! Letters are numbers below 2^B in B bit planes. 64 columns of two rows differ where any plane does:
//!
//! ```text
//! d += popcount((a_0 ^ b_0) | (a_1 ^ b_1) | ... | (a_B-1 ^ b_B-1))
//! ```
//!
//! The 64 rows lie interleaved, `[columns / 64][B][64]` words, so that every step is the same for all of them: plain loops,
//! which the compiler turns into the vectors of each instruction set.

use super::Isa;
#[cfg(target_arch = "x86_64")]
use super::avx2;
use super::dispatch::twins;

/// Rows that are compared together.
pub const MATES: usize = 64;
/// Most planes: 64 letters.
pub const MAX_PLANES: usize = 6;

/// Bit l is set where row l of `block`, `[columns / 64][n_planes][64]`, differs from `one`, `[columns / 64][n_planes]`, in
/// at most `most` columns.
///
/// # Panics
/// If there is no plane or more than 6, or the lengths do not fit together.
pub fn rows_within(isa: Isa, n_planes: usize, one: &[u64], block: &[u64], most: u64) -> u64 {
    assert!((1..=MAX_PLANES).contains(&n_planes) && one.len().is_multiple_of(n_planes));
    assert_eq!(block.len(), one.len() * MATES);
    twins!(
        isa,
        avx2::rows_within(n_planes, one, block, most),
        within(n_planes, one, block, most),
        within(n_planes, one, block, most)
    )
}

#[inline(always)]
pub(super) fn within(n_planes: usize, one: &[u64], block: &[u64], most: u64) -> u64 {
    let mut differing = [0; MATES];
    match n_planes {
        1 => count::<1>(one, block, &mut differing),
        2 => count::<2>(one, block, &mut differing),
        3 => count::<3>(one, block, &mut differing),
        4 => count::<4>(one, block, &mut differing),
        5 => count::<5>(one, block, &mut differing),
        _ => count::<6>(one, block, &mut differing),
    }
    // Few rows are near each other: most blocks end here.
    if differing.iter().all(|&count| count > most) {
        return 0;
    }
    differing.iter().rev().fold(0, |bits, &count| bits << 1 | u64::from(count <= most))
}

#[inline(always)]
fn count<const B: usize>(one: &[u64], block: &[u64], differing: &mut [u64; MATES]) {
    let (ones, _) = one.as_chunks::<B>();
    let (rows, _) = block.as_chunks::<MATES>();
    for (one, planes) in ones.iter().zip(rows.chunks_exact(B)) {
        for (lane, count) in differing.iter_mut().enumerate() {
            let mut differs = 0;
            for plane in 0..B {
                differs |= one[plane] ^ planes[plane][lane];
            }
            *count += u64::from(differs.count_ones());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{below, stream};

    /// Letters drawn from few, so that mismatches take all values.
    #[test]
    fn rows_are_those_of_the_plain_count() {
        let mut rng = stream(1, "mismatch test", &[]);
        for n_planes in 1..=MAX_PLANES {
            for n_columns in [1usize, 63, 64, 65, 200] {
                let mut letter = || [0, 1, (1 << n_planes) - 1][below(&mut rng, 3) as usize];
                let rows: Vec<Vec<u64>> =
                    (0..=MATES).map(|_| (0..n_columns).map(|_| letter()).collect()).collect();
                let n_words = n_columns.div_ceil(64);
                let word = |row: &[u64], word: usize, plane: usize| {
                    let columns = row.iter().skip(64 * word).take(64).enumerate();
                    columns.fold(0, |bits, (bit, letter)| bits | (letter >> plane & 1) << bit)
                };
                let mut one = vec![0; n_words * n_planes];
                let mut block = vec![0; n_words * n_planes * MATES];
                for (place, target) in one.iter_mut().enumerate() {
                    *target = word(&rows[MATES], place / n_planes, place % n_planes);
                    for lane in 0..MATES {
                        block[place * MATES + lane] = word(&rows[lane], place / n_planes, place % n_planes);
                    }
                }
                for most in [0, n_columns as u64 / 2, n_columns as u64 * 2 / 3, n_columns as u64] {
                    let differing =
                        |row: &[u64]| row.iter().zip(&rows[MATES]).filter(|(a, b)| a != b).count();
                    let expected = (0..MATES).filter(|&lane| differing(&rows[lane]) as u64 <= most);
                    let expected = expected.fold(0, |bits, lane| bits | 1u64 << lane);
                    for isa in Isa::available() {
                        let found = rows_within(isa, n_planes, &one, &block, most);
                        assert_eq!(found, expected, "{n_planes} planes, {n_columns} columns, {isa:?}");
                    }
                }
            }
        }
    }
}
