//! Steps on one coefficient after the other, for rules that hold margins: 16 neurons take each pattern together.
//!
//! With couplings J = (1/N) sum_mu a_mu xi_i^mu xi^mu without diagonal, a >= 0, the N-fold margin of pattern mu is
//!
//! ```text
//! M_mu = N xi_i^mu h_i^mu = xi_i^mu (K b)_mu + N a_mu - A,    b_mu = xi_i^mu a_mu,  A = sum_mu a_mu
//! ```
//!
//! with the overlaps K = X X^T of different patterns, and dM_mu / da_mu = N - 1. The diagonal of K is 0 here: N a_mu, which
//! is larger than most partial sums, would round them. The patterns of a visit come with (K b) from the dense product; within
//! it each change of b_mu is added to the products of the patterns that follow, so every pattern sees all changes before it.
//! [`VISITS`] patterns make that addition a few percent of the dense product.
//!
//! ```text
//! relax:    a_mu += max(-a_mu, rate (N - M_mu))      rate 1 / (N - 1) steps to the optimum (AdaTron)
//! correct:  a_mu += 1  where  M_mu <= kappa W^(1/2),  W = |N J_i|^2 += 2 M_mu + N - 1      (perceptron)
//! ```
//!
//! Sources: J. K. Anlauf, M. Biehl, Europhys. Lett. 10, 687 (1989); E. Gardner, J. Phys. A 21, 257 (1988), section 5.

use super::dense_product::{DenseRows, ROWS};
use super::lanes::{FloatVector, LANES, Lanes};

/// Patterns that are visited between two dense products: whole sets of its rows.
pub const VISITS: usize = 10 * ROWS;

/// Patterns to visit, in ascending order.
#[derive(Clone, Copy)]
pub struct Visits<'a> {
    /// K, `[P][P]`, with zeros on the diagonal.
    pub overlaps: &'a DenseRows,
    /// The first pattern, a multiple of 6.
    pub first: usize,
    /// The words that hold the panel's own spins, one for each pattern that is visited.
    pub signs: &'a [u64],
    /// The bit at which they begin.
    pub shift: u32,
}

impl Visits<'_> {
    /// Panics if the lengths do not fit together.
    pub(super) fn check(&self, a: &[Lanes<f32>], products: &[Lanes<f32>]) {
        assert!(self.overlaps.has_shape(a.len(), a.len()) && self.overlaps.has_rows(self.first, 0));
        assert!(self.signs.len() == products.len() && self.first + products.len() <= a.len());
    }

    /// Adds the change of b at the visited pattern `index` to the products of those that follow; some before it may change
    /// too, and are not read again.
    #[inline(always)]
    fn spread<V: FloatVector>(&self, index: usize, change: V, products: &mut [Lanes<f32>]) {
        let (column, set) = (self.first + index, index / ROWS);
        for (set, products) in (set..).zip(products[set * ROWS..].chunks_mut(ROWS)) {
            let overlaps = self.overlaps.set_in_column(self.first / ROWS + set, column);
            for (product, &overlap) in products.iter_mut().zip(overlaps) {
                V::load(product).fused_add(V::splat(overlap), change).store(product);
            }
        }
    }
}

/// How [`relax`](super::relax) steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relaxation {
    /// N: the N-fold margin 1 that is stepped to, too.
    pub n_spins: f32,
    /// Over-relaxation, 0 to 2, by N - 1, for each neuron; 0 for those that rest.
    pub rate: Lanes<f32>,
}

/// What [`relax`](super::relax) keeps of a panel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RelaxedPanel {
    /// A = sum_mu a_mu.
    pub sum: Lanes<f32>,
    /// The largest -M_mu met.
    pub deepest: Lanes<f32>,
}

#[inline(always)]
pub(super) fn relax<V: FloatVector>(
    visits: Visits,
    step: &Relaxation,
    a: &mut [Lanes<f32>],
    products: &mut [Lanes<f32>],
    panel: &mut RelaxedPanel,
) {
    let (target, rate, zero) = (V::splat(step.n_spins), V::load(&step.rate), V::splat(0.0));
    let (mut sum, mut deepest) = (V::load(&panel.sum), V::load(&panel.deepest));
    for (index, &word) in visits.signs.iter().enumerate() {
        let mask = (word >> visits.shift) as u16;
        let a = &mut a[visits.first + index];
        let before = V::load(a).flip_where_clear(mask);
        let margin = V::load(&products[index]).flip_where_clear(mask).fused_add(target, before).sub(sum);
        deepest = deepest.max(margin.opposite());
        let after = before.add(target.sub(margin).mul(rate).max(before.opposite()));
        let change = after.sub(before);
        if change.zero_mask() == u16::MAX {
            continue;
        }
        sum = sum.add(change);
        // Adding 0 turns -0, which the signed product must not meet, into 0.
        after.flip_where_clear(mask).add(zero).store(a);
        visits.spread(index, change.flip_where_clear(mask), products);
    }
    sum.store(&mut panel.sum);
    deepest.store(&mut panel.deepest);
}

/// How [`correct`](super::correct) steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correction {
    /// The margin to exceed, in units of |J_i|.
    pub kappa: f64,
    /// N.
    pub n_spins: f32,
    /// Bit l set where neuron l learns; the others rest.
    pub learning: u16,
}

/// What [`correct`](super::correct) keeps of a panel. Integers, exact as long as they stay below 2^24 (sum, threshold, the
/// sums of the dense product) and 2^53 (squared norm).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CorrectedPanel {
    /// A = sum_mu a_mu.
    pub sum: Lanes<f32>,
    /// W = |N J_i|^2.
    pub squared_norm: [f64; LANES],
    /// The largest integer that is not above kappa W^(1/2).
    pub threshold: Lanes<f32>,
    /// Bit l set where neuron l has changed.
    pub changed: u16,
}

#[inline(always)]
pub(super) fn correct<V: FloatVector>(
    visits: Visits,
    step: Correction,
    a: &mut [Lanes<f32>],
    products: &mut [Lanes<f32>],
    panel: &mut CorrectedPanel,
) {
    let (n_spins, zero) = (V::splat(step.n_spins), V::splat(0.0));
    for (index, &word) in visits.signs.iter().enumerate() {
        let mask = (word >> visits.shift) as u16;
        let a = &mut a[visits.first + index];
        let before = V::load(a).flip_where_clear(mask);
        let product = V::load(&products[index]).flip_where_clear(mask);
        let margin = product.fused_add(n_spins, before).sub(V::load(&panel.sum));
        let violated = !margin.sub(V::load(&panel.threshold)).positive_mask() & step.learning;
        if violated == 0 {
            continue;
        }
        panel.changed |= violated;
        let (mut margins, mut change) = (Lanes::ZERO, Lanes::ZERO);
        margin.store(&mut margins);
        let mut left = violated;
        while left != 0 {
            let lane = left.trailing_zeros() as usize;
            left &= left - 1;
            change.0[lane] = 1.0;
            panel.sum.0[lane] += 1.0;
            panel.squared_norm[lane] += 2.0 * f64::from(margins.0[lane]) + f64::from(step.n_spins) - 1.0;
            let threshold = step.kappa * panel.squared_norm[lane].max(0.0).sqrt();
            panel.threshold.0[lane] = threshold.floor() as f32;
        }
        let change = V::load(&change).flip_where_clear(mask).add(zero);
        V::load(a).add(change).add(zero).store(a);
        visits.spread(index, change, products);
    }
}

#[cfg(test)]
mod tests {
    use rand_core::Rng;

    use super::super::{Isa, compensated_product, correct, relax};
    use super::*;
    use crate::random::stream;

    /// Overlaps of P random patterns of N spins, with the patterns' first 64 spins.
    fn problem(n: usize, p: usize) -> (DenseRows, Vec<u64>) {
        let mut rng = stream(p as u64, "coordinate steps", &[]);
        let words = n.div_ceil(64);
        let patterns: Vec<Vec<u64>> = (0..p).map(|_| (0..words).map(|_| rng.next_u64()).collect()).collect();
        let mut overlaps = DenseRows::zeros(p, p).unwrap();
        for mut block in overlaps.blocks_mut() {
            for nu in block.columns() {
                for mu in (0..p).filter(|&mu| mu != nu) {
                    let differ: u32 =
                        patterns[mu].iter().zip(&patterns[nu]).map(|(a, b)| (a ^ b).count_ones()).sum();
                    block.set(mu, nu, (64 * words) as f32 - 2.0 * differ as f32);
                }
            }
        }
        (overlaps, patterns.into_iter().map(|pattern| pattern[0]).collect())
    }

    /// `sweeps` sweeps, `visit` being one of the kernels.
    fn sweep(
        isa: Isa,
        (overlaps, signs): &(DenseRows, Vec<u64>),
        shift: u32,
        sweeps: usize,
        mut visit: impl FnMut(Visits, &mut [Lanes<f32>], &mut [Lanes<f32>]),
    ) -> Vec<Lanes<f32>> {
        let mut a = vec![Lanes::ZERO; signs.len()];
        let (mut products, mut lost) = ([Lanes::ZERO; VISITS], [Lanes::ZERO; VISITS]);
        for first in (0..sweeps).flat_map(|_| (0..signs.len()).step_by(VISITS)) {
            let signs = &signs[first..signs.len().min(first + VISITS)];
            let products = &mut products[..signs.len()];
            compensated_product(isa, overlaps, first, &a, products, &mut lost[..signs.len()]);
            visit(Visits { overlaps, first, signs, shift }, &mut a, products);
        }
        a
    }

    fn spin(signs: &[u64], shift: u32, mu: usize, lane: usize) -> f64 {
        if signs[mu] >> (shift as usize + lane) & 1 == 1 { 1.0 } else { -1.0 }
    }

    /// N M_mu from all coefficients, in f64.
    fn margin(
        (overlaps, signs): &(DenseRows, Vec<u64>),
        n: f64,
        shift: u32,
        lane: usize,
        a: &[f64],
        mu: usize,
    ) -> f64 {
        let own = |nu| spin(signs, shift, nu, lane);
        let product = |nu| own(mu) * own(nu) * f64::from(overlaps.get(mu, nu)) * a[nu];
        (0..a.len()).map(product).sum::<f64>() + n * a[mu] - a.iter().sum::<f64>()
    }

    #[test]
    fn relaxed_coefficients_are_those_of_plain_loops_on_every_twin() {
        let n = 192.0f32;
        for (p, shift) in [(1, 0), (7, 16), (61, 48), (150, 32), (300, 0)] {
            let problem = problem(n as usize, p);
            // The last three neurons rest.
            let omega = 1.3;
            let rate = Lanes(std::array::from_fn(|lane| if lane < 13 { omega / (n - 1.0) } else { 0.0 }));
            let run = |isa| {
                let mut panel = RelaxedPanel { sum: Lanes::ZERO, deepest: Lanes([f32::NEG_INFINITY; LANES]) };
                let step = Relaxation { n_spins: n, rate };
                let a = sweep(isa, &problem, shift, 3, |visits, a, products| {
                    relax(isa, visits, &step, a, products, &mut panel);
                });
                (a.iter().flat_map(|a| a.0.map(f32::to_bits)).collect::<Vec<_>>(), a, panel)
            };
            let (bits, found, panel) = run(Isa::Scalar);
            for isa in Isa::available() {
                assert_eq!(run(isa).0, bits, "{} P = {p}", isa.name());
                assert_eq!(run(isa).2, panel, "{} P = {p}", isa.name());
            }
            for lane in 0..LANES {
                let (mut a, mut deepest) = (vec![0.0; p], f64::NEG_INFINITY);
                for mu in (0..3).flat_map(|_| 0..p) {
                    let margin = margin(&problem, f64::from(n), shift, lane, &a, mu);
                    deepest = deepest.max(-margin);
                    a[mu] = (a[mu] + f64::from(rate.0[lane]) * (f64::from(n) - margin)).max(0.0);
                }
                // A and margins of about A + N are rounded to f32 at each of 3 P visits and change a at 1 / N: a random walk,
                // whose four standard deviations are allowed.
                let sum = a.iter().sum::<f64>();
                let relative = 4.0 * (3.0 * p as f64).sqrt() * f64::from(f32::EPSILON) / 2.0;
                let bound = relative * (sum / f64::from(n) + 1.0);
                for (mu, &a) in a.iter().enumerate() {
                    let expected = spin(&problem.1, shift, mu, lane) * a;
                    let found = f64::from(found[mu].0[lane]);
                    assert!((found - expected).abs() < bound, "({mu}, {lane}) of {p}: {found} {expected}");
                }
                assert!((f64::from(panel.sum.0[lane]) - sum).abs() < bound * p as f64);
                assert!((f64::from(panel.deepest.0[lane]) - deepest).abs() < bound * f64::from(n));
            }
        }
    }

    #[test]
    fn corrected_coefficients_are_the_integers_of_plain_loops_on_every_twin() {
        let n = 128.0f32;
        for (p, shift) in [(1, 0), (61, 48), (130, 16)] {
            let problem = problem(n as usize, p);
            let step = Correction { kappa: 0.4, n_spins: n, learning: 0x7fff };
            let run = |isa| {
                let mut panel = CorrectedPanel {
                    sum: Lanes::ZERO,
                    squared_norm: [0.0; LANES],
                    threshold: Lanes::ZERO,
                    changed: 0,
                };
                let a = sweep(isa, &problem, shift, 4, |visits, a, products| {
                    correct(isa, visits, step, a, products, &mut panel);
                });
                (a, panel)
            };
            let reference = run(Isa::Scalar);
            for isa in Isa::available() {
                assert_eq!(run(isa), reference, "{} P = {p}", isa.name());
            }
            let (found, panel) = reference;
            for lane in 0..LANES {
                let mut a = vec![0.0; p];
                let squared = |a: &[f64]| -> f64 {
                    (0..p).map(|mu| a[mu] * margin(&problem, f64::from(n), shift, lane, a, mu)).sum()
                };
                for mu in (0..4).flat_map(|_| 0..p) {
                    let margin = margin(&problem, f64::from(n), shift, lane, &a, mu);
                    if lane < 15 && margin <= step.kappa * squared(&a).sqrt() {
                        a[mu] += 1.0;
                    }
                }
                assert_eq!(panel.squared_norm[lane], squared(&a), "neuron {lane}, P = {p}");
                assert_eq!(f64::from(panel.sum.0[lane]), a.iter().sum::<f64>());
                for (mu, &a) in a.iter().enumerate() {
                    let expected = spin(&problem.1, shift, mu, lane) * a;
                    assert_eq!(f64::from(found[mu].0[lane]), expected, "({mu}, {lane}) of {p}");
                }
            }
        }
    }

    /// 2^24 and then a 1 in each of eight blocks, which plain f32 sums would all lose.
    #[test]
    fn sums_of_blocks_lose_nothing() {
        let columns = 9 * 256;
        let mut rows = DenseRows::zeros(14, columns).unwrap();
        for mut block in rows.blocks_mut() {
            let first = block.columns().start;
            for row in 0..14 {
                block.set(row, first, if first == 0 { 16_777_216.0 } else { 1.0 });
            }
        }
        let a = vec![Lanes([1.0; LANES]); columns];
        for isa in Isa::available() {
            let (mut products, mut lost) = (vec![Lanes([3.0; LANES]); 8], vec![Lanes([3.0; LANES]); 8]);
            compensated_product(isa, &rows, 6, &a, &mut products, &mut lost);
            assert!(products.iter().all(|product| product.0 == [16_777_224.0; LANES]), "{}", isa.name());
        }
    }
}
