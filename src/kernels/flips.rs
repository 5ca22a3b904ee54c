//! Fields by difference: where few spins flipped, h += 2 s_k w_k for each of them in place of the whole sum.
//!
//! Rounds differently from the canonical sum, so each field comes with a bound: it is a sum of at most `terms` rounded
//! additions whose every partial sum is the field of some state, at most S = sum_k |w_k| in magnitude. With u = 2^-24 the
//! error is at most `terms` u S (1 + small). Where all weights are integers and S is at most 2^24, every order of additions
//! is exact and the bound is 0.

use super::lanes::{FloatVector, Lanes};

/// The spins that flipped since the last fields, of M states.
#[derive(Clone, Copy)]
pub struct Flips<'a> {
    /// Where each state's flips begin in `columns`, and where the last one's end, `[m + 1]`.
    pub starts: &'a [usize],
    /// Flipped columns: twice the column, plus 1 where it is +1 now.
    pub columns: &'a [u32],
}

/// `fields[m] += 2 sum_k s_mk w_k` over the flipped columns of each state.
#[inline(always)]
pub(super) fn run<V: FloatVector>(flips: Flips, panel: &[Lanes<f32>], fields: &mut [Lanes<f32>]) {
    let factors = [V::splat(-2.0), V::splat(2.0)];
    for (range, field) in flips.starts.windows(2).zip(fields) {
        let mut sum = V::load(field);
        for &flip in &flips.columns[range[0]..range[1]] {
            // The product with +-2 is exact, so the fused operation rounds as an addition does.
            sum = sum.fused_add(factors[(flip & 1) as usize], V::load(&panel[(flip >> 1) as usize]));
        }
        sum.store(field);
    }
}

/// S of each lane and whether its sums are exact in every order: integers of magnitude up to 2^24 altogether.
pub(super) fn magnitudes(panel: &[Lanes<f32>]) -> (Lanes<f32>, bool) {
    let (mut sums, mut are_integers) = ([0.0f32; 16], true);
    for column in panel {
        for (sum, &weight) in sums.iter_mut().zip(&column.0) {
            *sum += weight.abs();
        }
        // Below 2^24 an f32 is an integer if it survives the way to i32 and back.
        are_integers &= column.0.iter().all(|&weight| weight as i32 as f32 == weight);
    }
    let exact = are_integers && sums.iter().all(|&sum| sum <= 16_777_216.0);
    (Lanes(sums), exact)
}
