//! [`StabilityDistribution`]: what the laws of stabilities have in common.

use super::normal;
use crate::error::{Error, Result};

/// A distribution of stabilities Delta = xi_i h_i / |J_i|_2 over random patterns and neurons, in the limit of large N.
///
/// It is the image of the field t ~ N(0, 1) that a pattern would feel had it not been learned under an increasing
/// function Delta*(t). All numbers are pure: stabilities are in units of the typical field of a random pattern.
pub trait StabilityDistribution {
    /// Delta*(t), t finite.
    fn stability_at(&self, unlearned_field: f64) -> f64;

    /// The largest t with Delta*(t) <= `stability`; infinite where all or none are.
    fn unlearned_field(&self, stability: f64) -> f64;

    /// Density of the stabilities that are not in the [`atom`](Self::atom).
    fn density(&self, stability: f64) -> f64;

    /// Mean stability.
    fn mean(&self) -> f64;

    /// The stability that a finite fraction of patterns has exactly, if there is one.
    fn atom(&self) -> Option<Atom> {
        None
    }

    /// Fraction of stabilities that are at most `stability`, the atom included.
    fn cumulative(&self, stability: f64) -> f64 {
        normal::cumulative(self.unlearned_field(stability))
    }

    /// Fraction of stabilities below 0: spins of the patterns that the first step flips.
    fn negative_fraction(&self) -> f64 {
        self.cumulative(0f64.next_down())
    }

    /// The interval of Delta*(t) for t from -4 to 4, which holds all but 6e-5 of the stabilities.
    fn bulk(&self) -> (f64, f64) {
        (self.stability_at(-4.0), self.stability_at(4.0))
    }

    /// The points (Delta, density) at `n_points` stabilities from `low` to `high`, evenly spaced with both ends: what a
    /// plot of the density takes.
    ///
    /// # Errors
    /// If the ends are not finite with `low` < `high`, or there are fewer than 2 points.
    fn density_curve(&self, low: f64, high: f64, n_points: usize) -> Result<Vec<(f64, f64)>> {
        Ok(grid(low, high, n_points)?.map(|stability| (stability, self.density(stability))).collect())
    }

    /// The same points with the cumulative distribution.
    ///
    /// # Errors
    /// As [`density_curve`](Self::density_curve).
    fn cumulative_curve(&self, low: f64, high: f64, n_points: usize) -> Result<Vec<(f64, f64)>> {
        Ok(grid(low, high, n_points)?.map(|stability| (stability, self.cumulative(stability))).collect())
    }
}

/// A stability that a finite fraction of patterns has exactly: a delta peak of the density.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Atom {
    pub stability: f64,
    /// The fraction, above 0 and at most 1.
    pub weight: f64,
}

/// `n_points` numbers from `low` to `high`, evenly spaced with both ends.
fn grid(low: f64, high: f64, n_points: usize) -> Result<impl Iterator<Item = f64>> {
    if !(low < high && (high - low).is_finite()) {
        let found = format!("{low} to {high}");
        return Err(Error::parameter("stabilities", "two finite ends, the smaller one first", found));
    }
    if n_points < 2 {
        return Err(Error::parameter("stabilities", "at least 2 points", n_points));
    }
    let share = move |index: usize| index as f64 / (n_points - 1) as f64;
    Ok((0..n_points).map(move |index| low * (1.0 - share(index)) + high * share(index)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::HebbStabilities;
    use super::*;

    /// Composite Simpson rule with `n` (even) intervals.
    pub fn simpson(low: f64, high: f64, n: usize, f: impl Fn(f64) -> f64) -> f64 {
        let step = (high - low) / n as f64;
        let weight = |index: usize| match index {
            0 => 1.0,
            index if index == n => 1.0,
            index => 2.0 + 2.0 * (index % 2) as f64,
        };
        (0..=n).map(|index| weight(index) * f(low + step * index as f64)).sum::<f64>() * step / 3.0
    }

    /// Density, cumulative distribution, atom, mean and Delta*(t) say the same. Densities must be smooth above
    /// `from`, below which nothing is; Simpson's error with `n` intervals must be far below 1e-8.
    pub fn assert_consistent(law: &dyn StabilityDistribution, from: f64, n: usize) {
        let (low, high) = (from, law.stability_at(9.0));
        let (weight, at) = law.atom().map_or((0.0, 0.0), |atom| (atom.weight, atom.stability));
        let mass = weight + simpson(low, high, n, |s| law.density(s));
        assert!((mass - 1.0).abs() < 1e-8, "mass {mass}");
        let mean = weight * at + simpson(low, high, n, |s| s * law.density(s));
        assert!((mean - law.mean()).abs() < 1e-8 * law.mean().abs().max(1.0), "mean {mean} {}", law.mean());
        for t in [-2.0, -0.3, 0.0, 0.7, 2.5] {
            let stability = law.stability_at(t);
            let below = simpson(low, stability, n, |s| law.density(s));
            let jump = if weight > 0.0 && stability >= at { weight } else { 0.0 };
            assert!((law.cumulative(stability) - below - jump).abs() < 1e-8, "t {t}");
            assert!(law.unlearned_field(stability) >= t - 1e-9, "t {t}");
        }
        assert!(law.cumulative(f64::NEG_INFINITY) == 0.0 && law.cumulative(f64::INFINITY) == 1.0);
    }

    #[test]
    fn curves_hold_both_ends_and_refuse_empty_grids() {
        let law = HebbStabilities::new(0.25).unwrap();
        let curve = law.density_curve(-1.0, 3.0, 5).unwrap();
        let places: Vec<f64> = curve.iter().map(|point| point.0).collect();
        assert_eq!(places, [-1.0, 0.0, 1.0, 2.0, 3.0]);
        assert_eq!(curve[3].1, law.density(2.0));
        assert_eq!(law.cumulative_curve(-1.0, 3.0, 5).unwrap()[3].1, 0.5);
        for (low, high, n) in [(1.0, 1.0, 5), (f64::NAN, 1.0, 5), (0.0, f64::INFINITY, 5), (0.0, 1.0, 1)] {
            assert!(law.density_curve(low, high, n).is_err());
        }
    }
}
