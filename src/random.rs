//! Random streams: one generator per logical unit, never per thread.
//!
//! Every unit that needs randomness (a pattern, a feature, a corrupted state, an epoch's permutation) gets its own
//! `Pcg64`, whose 128-bit state is the BLAKE3 hash of (seed, domain, index). Results therefore depend neither on the
//! number of threads nor on the order in which units are made. Transcendental functions come from `libm`, so the
//! numbers are the same on every platform.

use rand_core::Rng;
use rand_pcg::Pcg64;

/// The increment selector shared by all streams; the state alone tells them apart.
const STREAM: u128 = 0x0a02_bdbf_7bb3_c0a7_ac28_fa16_a64a_bf96;

/// The generator of unit `index` within `domain` of the run seeded by `seed`.
///
/// `domain` names what is drawn ("pattern", "feature", ...); `index` may have several parts, such as (epoch, batch).
pub fn stream(seed: u64, domain: &str, index: &[u64]) -> Pcg64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(&(domain.len() as u64).to_le_bytes());
    hasher.update(domain.as_bytes());
    for part in index {
        hasher.update(&part.to_le_bytes());
    }
    let mut state = [0; 16];
    state.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    Pcg64::new(u128::from_le_bytes(state), STREAM)
}

/// A number uniform in [0, 1): 53 random bits.
pub fn uniform(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// An integer uniform in 0..`bound`, without bias (Lemire, arXiv:1805.10941). `bound` must be positive.
pub fn below(rng: &mut impl Rng, bound: u64) -> u64 {
    debug_assert!(bound > 0);
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(bound);
        let low = product as u64;
        if low >= bound || low >= bound.wrapping_neg() % bound {
            return (product >> 64) as u64;
        }
    }
}

/// A standard normal number (Box and Muller's cosine branch).
pub fn gaussian(rng: &mut impl Rng) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(1.0 - uniform(rng)));
    radius * libm::cos(2.0 * std::f64::consts::PI * uniform(rng))
}

/// `count` distinct integers of 0..`bound` in random order (partial Fisher-Yates).
///
/// The first `c` entries for a larger count are those of a smaller one, so corruptions of one state are nested.
pub fn distinct(rng: &mut impl Rng, count: usize, bound: usize) -> Vec<usize> {
    debug_assert!(count <= bound);
    let mut items: Vec<usize> = (0..bound).collect();
    for position in 0..count {
        let other = position + below(rng, (bound - position) as u64) as usize;
        items.swap(position, other);
    }
    items.truncate(count);
    items
}

/// A random permutation of 0..`len`.
pub fn permutation(rng: &mut impl Rng, len: usize) -> Vec<usize> {
    distinct(rng, len, len)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pins the bits of the streams: a change here changes every seeded result.
    #[test]
    fn streams_are_pinned() {
        let first: Vec<u64> = {
            let mut rng = stream(7, "pattern", &[3]);
            (0..3).map(|_| rng.next_u64()).collect()
        };
        assert_eq!(first, PINNED);
    }

    const PINNED: [u64; 3] =
        [13_913_495_267_290_573_934, 10_876_133_521_979_183_841, 5_873_912_794_537_915_405];

    #[test]
    fn streams_differ_in_every_part_of_their_name() {
        let draw = |seed, domain, index: &[u64]| stream(seed, domain, index).next_u64();
        let reference = draw(1, "a", &[2, 3]);
        for other in [draw(2, "a", &[2, 3]), draw(1, "b", &[2, 3]), draw(1, "a", &[3, 2]), draw(1, "a", &[2])]
        {
            assert_ne!(reference, other);
        }
    }

    /// Mean and variance of 20000 draws lie within five standard errors of those of the distribution.
    #[test]
    fn gaussian_has_unit_variance() {
        let mut rng = stream(1, "gaussian test", &[]);
        let n = 20_000;
        let draws: Vec<f64> = (0..n).map(|_| gaussian(&mut rng)).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 5.0 / f64::from(n).sqrt(), "mean {mean}");
        assert!((variance - 1.0).abs() < 5.0 * (2.0 / f64::from(n)).sqrt(), "variance {variance}");
    }

    #[test]
    fn permutations_contain_each_item_once() {
        let mut items = permutation(&mut stream(1, "permutation test", &[]), 257);
        items.sort_unstable();
        assert!(items.into_iter().eq(0..257));
    }

    #[test]
    fn larger_counts_extend_smaller_ones() {
        let draw = |count| distinct(&mut stream(5, "nested", &[]), count, 100);
        assert_eq!(draw(10), draw(60)[..10]);
    }
}
