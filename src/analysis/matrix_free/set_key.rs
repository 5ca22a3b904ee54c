//! One number for a set of features, with or without signs.

const ODD: u128 = 0x2d99_787b_7f4a_7c15_9fb2_1c65_1e98_df25;
/// Bits of a rank, counted from 0, and its sign.
const BITS: u32 = 41;
/// Features of which a key is no hash.
pub(in crate::analysis) const EXACT: usize = 3;

/// The key of features in a fixed order, (rank from 1 to 2^40, sign) each: different for different sets of up to three, a hash
/// of 128 bits for more.
pub(in crate::analysis) fn set_key(features: impl Iterator<Item = (u64, bool)>) -> u128 {
    features.enumerate().fold(0, |key: u128, (index, (rank, sign))| {
        let feature = u128::from((rank - 1) << 1 | u64::from(sign));
        if index < EXACT { key << BITS | feature } else { (key ^ key >> 61).wrapping_mul(ODD) ^ feature }
    })
}

/// Which of `n_parts` of about the same size a key belongs to.
pub(in crate::analysis) fn part_of(key: u128, n_parts: u64) -> u64 {
    (key.wrapping_mul(ODD) >> 64) as u64 % n_parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// All signed sets of three with ranks at both ends of the range.
    #[test]
    fn keys_of_three_features_are_different() {
        let ranks = [1, 2, 3, (1 << 40) - 1, 1 << 40];
        let mut keys = BTreeSet::new();
        let mut n_sets = 0;
        for signs in 0..8u32 {
            for set in 0..125 {
                let feature =
                    |place: usize| (ranks[set / 5usize.pow(place as u32) % 5], signs >> place & 1 == 1);
                keys.insert(set_key((0..3).map(feature)));
                n_sets += 1;
            }
        }
        assert_eq!(keys.len(), n_sets);
    }
}
