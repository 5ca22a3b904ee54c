//! Overlaps by population count: m = 1 - 2 d / N with d the Hamming distance of packed rows.

/// Spins in which two packed rows of equal length differ.
#[inline(always)]
pub(super) fn hamming_distance(a: &[u64], b: &[u64]) -> u64 {
    debug_assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| u64::from((a ^ b).count_ones())).sum()
}
