//! Signed sums in i32, spilled to i64 before they could overflow.

use crate::kernels::{Isa, LANES, Lanes, Tables, signed_product};
use crate::spins::WORD;

/// sum_mu xi_i w_mu for the sites i of a tile and 16 states.
pub(super) struct Accumulator {
    sums: Vec<Lanes<i32>>,   // [site][16]
    wide: Vec<[i64; LANES]>, // [site][16]
    /// No sum exceeds this since the last spill.
    bound: [i64; LANES],
}

impl Accumulator {
    /// Bytes of one for `n_sites` sites.
    pub(super) const fn bytes(n_sites: usize) -> usize {
        n_sites * LANES * (size_of::<i32>() + size_of::<i64>())
    }

    pub(super) fn new() -> Self {
        Self { sums: Vec::new(), wide: Vec::new(), bound: [0; LANES] }
    }

    /// All sums 0, for `n_sites` sites.
    pub(super) fn begin(&mut self, n_sites: usize) {
        self.sums.clear();
        self.sums.resize(n_sites, Lanes::ZERO);
        self.wide.clear();
        self.wide.resize(n_sites, [0; LANES]);
        self.bound = [0; LANES];
    }

    /// Adds the patterns whose spins are in `signs`, `[weights.len().div_ceil(64)][n_sites]`; `weights` is
    /// `[pattern][16]`, each of magnitude below 2^31.
    pub(super) fn add(&mut self, isa: Isa, signs: &[u64], weights: &[Lanes<i32>], tables: &mut Tables<i32>) {
        let magnitude = magnitudes(weights);
        let fits = |bound: &[i64; LANES]| {
            bound.iter().zip(magnitude).all(|(bound, magnitude)| bound + magnitude <= i64::from(i32::MAX))
        };
        if !fits(&[0; LANES]) {
            return self.add_in_halves(isa, signs, weights, tables);
        }
        if !fits(&self.bound) {
            self.spill();
        }
        self.bound.iter_mut().zip(magnitude).for_each(|(bound, magnitude)| *bound += magnitude);
        signed_product(isa, signs, self.sums.len(), weights, &mut self.sums, tables);
    }

    /// The same where even the sums of these patterns alone could overflow: half of them at a time.
    fn add_in_halves(&mut self, isa: Isa, signs: &[u64], weights: &[Lanes<i32>], tables: &mut Tables<i32>) {
        if weights.len() > WORD {
            let half = (weights.len() / 2).next_multiple_of(WORD);
            self.add(isa, signs, &weights[..half], tables);
            self.add(isa, &signs[half / WORD * self.sums.len()..], &weights[half..], tables);
        } else {
            // Within a word the patterns keep their bits; those of the other half weigh nothing.
            let mut masked = [Lanes::ZERO; WORD];
            let masked = &mut masked[..weights.len()];
            let n_heavy = weights.iter().filter(|lanes| **lanes != Lanes::ZERO).count();
            let (mut seen, mut rest) = (0, [Lanes::ZERO; WORD]);
            for ((target, rest), &lanes) in masked.iter_mut().zip(&mut rest).zip(weights) {
                seen += usize::from(lanes != Lanes::ZERO);
                *(if 2 * seen <= n_heavy { target } else { rest }) = lanes;
            }
            self.add(isa, signs, masked, tables);
            self.add(isa, signs, &rest[..weights.len()], tables);
        }
    }

    /// All sums, `[site][16]`.
    pub(super) fn finish(&mut self) -> &mut [[i64; LANES]] {
        self.spill();
        &mut self.wide
    }

    fn spill(&mut self) {
        for (wide, sums) in self.wide.iter_mut().zip(&mut self.sums) {
            for (wide, sum) in wide.iter_mut().zip(sums.0) {
                *wide += i64::from(sum);
            }
            *sums = Lanes::ZERO;
        }
        self.bound = [0; LANES];
    }
}

/// sum_k |w_k| of each lane.
fn magnitudes(weights: &[Lanes<i32>]) -> [i64; LANES] {
    let mut sums = [0; LANES];
    for lanes in weights {
        for (sum, weight) in sums.iter_mut().zip(lanes.0) {
            *sum += i64::from(weight.unsigned_abs());
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{below, stream};
    use rand_core::Rng;

    /// Weights up to the largest i32, alone or together beyond it, against plain sums in i64.
    #[test]
    fn sums_are_exact_however_large() {
        for (n_patterns, largest) in [
            (1, i32::MAX as u64),
            (2, i32::MAX as u64),
            (64, 1 << 30),
            (70, 1 << 26),
            (640, 1000),
            (500, 1 << 22),
        ] {
            let mut rng = stream(largest, "accumulator test", &[n_patterns]);
            let n_sites = 130;
            let mut tables = Tables::new();
            let mut accumulator = Accumulator::new();
            for n_times in [1, 3] {
                accumulator.begin(n_sites);
                let mut expected = vec![[0; LANES]; n_sites];
                for _ in 0..n_times {
                    let mut weight = |_| {
                        let magnitude = (largest - below(&mut rng, largest / 4 + 1)) as i32;
                        if rng.next_u64() >> 63 == 1 { magnitude } else { -magnitude }
                    };
                    let weights: Vec<Lanes<i32>> =
                        (0..n_patterns).map(|_| Lanes(std::array::from_fn(&mut weight))).collect();
                    let signs: Vec<u64> =
                        (0..n_patterns.div_ceil(64) as usize * n_sites).map(|_| rng.next_u64()).collect();
                    for (site, expected) in expected.iter_mut().enumerate() {
                        for (k, weights) in weights.iter().enumerate() {
                            let up = signs[k / 64 * n_sites + site] >> (k % 64) & 1 == 1;
                            for (sum, &weight) in expected.iter_mut().zip(&weights.0) {
                                *sum += if up { i64::from(weight) } else { -i64::from(weight) };
                            }
                        }
                    }
                    accumulator.add(Isa::detect(), &signs, &weights, &mut tables);
                }
                assert_eq!(accumulator.finish(), expected, "{n_patterns} patterns up to {largest}");
            }
        }
    }
}
