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
