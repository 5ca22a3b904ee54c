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
    /// Where each state's flips begin in `columns`, `[m]`.
    pub starts: &'a [usize],
    /// Where they end, `[m]`.
    pub ends: &'a [usize],
    /// Flipped columns: twice the column, plus 1 where it is +1 now.
    pub columns: &'a [u32],
}

/// `fields[m] += 2 sum_k s_mk w_k` over the flipped columns of each state.
#[inline(always)]
pub(super) fn run<V: FloatVector>(flips: Flips, panel: &[Lanes<f32>], fields: &mut [Lanes<f32>]) {
    let factors = [V::splat(-2.0), V::splat(2.0)];
    for ((&start, &end), field) in flips.starts.iter().zip(flips.ends).zip(fields) {
        let mut sum = V::load(field);
        for &flip in &flips.columns[start..end] {
            // The product with +-2 is exact, so the fused operation rounds as an addition does.
            sum = sum.fused_add(factors[(flip & 1) as usize], V::load(&panel[(flip >> 1) as usize]));
        }
        sum.store(field);
    }
}
