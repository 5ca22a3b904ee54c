//! The largest margin at which random patterns can be stored, and the stabilities of couplings that reach it.
//!
//! ```text
//! alpha int_{-kappa}^inf Dt (t + kappa)^2 = alpha [(1 + kappa^2) Phi(kappa) + kappa phi(kappa)] = 1
//! ```
//!
//! Source: E. Gardner, Europhys. Lett. 4, 481 (1987) and J. Phys. A 21, 257 (1988), the condition q -> 1. Stabilities
//! at the optimum: T. B. Kepler, L. F. Abbott, J. Phys. (France) 49, 1657 (1988); W. Krauth, J.-P. Nadal, M. Mezard,
//! J. Phys. A 21, 2995 (1988): a pattern whose field would be t without it is left alone if t > kappa, and pulled to kappa
//! otherwise. Replica symmetry is exact for kappa >= 0, hence alpha <= 2.

use super::load::check_load;
use super::normal;
use super::root::crossing;
use super::stability_distribution::{Atom, StabilityDistribution};
use crate::error::{Error, Result};

/// The largest load at which random patterns can be stored with stabilities of at least `kappa`; 2 at kappa = 0.
///
/// Range: finite kappa >= 0.
///
/// # Errors
/// If `kappa` is negative or not finite.
pub fn gardner_capacity(kappa: f64) -> Result<f64> {
    if !(kappa >= 0.0 && kappa.is_finite()) {
        return Err(Error::parameter("kappa", "a finite number of at least 0", kappa));
    }
    Ok(1.0 / inverse_capacity(kappa))
}

/// The largest margin kappa that all stabilities of random patterns can reach at the load alpha.
///
/// In units of the typical field of a random pattern, |J_i| = 1. Range: 0 < alpha <= 2, where kappa falls to 0.
///
/// # Errors
/// If the load is outside the range: beyond 2 random patterns cannot all be stored.
pub fn kappa_max(load: f64) -> Result<f64> {
    check_load(load, 2.0, "the capacity of couplings for random patterns")?;
    // kappa^2 <= 1 / capacity <= 1 + kappa^2, from Mills' inequality Phi(-k) > k phi(k) / (1 + k^2).
    let inverse = 1.0 / load;
    let (low, high) = ((inverse - 1.0).max(0.0).sqrt(), inverse.sqrt());
    Ok(crossing(low, high, |kappa| inverse_capacity(kappa) - inverse))
}

/// int_{-kappa}^inf Dt (t + kappa)^2.
fn inverse_capacity(kappa: f64) -> f64 {
    (1.0 + kappa * kappa) * normal::cumulative(kappa) + kappa * normal::density(kappa)
}

/// Stabilities of the couplings of largest margin, Delta*(t) = max(t, kappa): an atom at kappa with weight Phi(kappa), and
/// above it the normal density.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxStabilities {
    kappa: f64,
}

impl MaxStabilities {
    /// At the load alpha, with the margin [`kappa_max`]. Range: 0 < alpha <= 2.
    ///
    /// # Errors
    /// As [`kappa_max`].
    pub fn new(load: f64) -> Result<Self> {
        Ok(Self { kappa: kappa_max(load)? })
    }

    /// The margin.
    pub fn kappa(&self) -> f64 {
        self.kappa
    }
}

impl StabilityDistribution for MaxStabilities {
    fn stability_at(&self, unlearned_field: f64) -> f64 {
        unlearned_field.max(self.kappa)
    }

    fn unlearned_field(&self, stability: f64) -> f64 {
        if stability >= self.kappa { stability } else { f64::NEG_INFINITY }
    }

    fn density(&self, stability: f64) -> f64 {
        if stability > self.kappa { normal::density(stability) } else { 0.0 }
    }

    fn mean(&self) -> f64 {
        self.kappa * normal::cumulative(self.kappa) + normal::density(self.kappa)
    }

    fn atom(&self) -> Option<Atom> {
        Some(Atom { stability: self.kappa, weight: normal::cumulative(self.kappa) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::stability_distribution::tests::{assert_consistent, simpson};
    use super::*;

    #[test]
    fn margins_equal_the_published_ones() {
        for (load, kappa) in [
            (0.1, 3.000),
            (0.2, 2.001),
            (0.3, 1.534),
            (0.4, 1.242),
            (0.5, 1.034),
            (0.6, 0.875),
            (0.8, 0.640),
            (1.0, 0.471),
            (1.5, 0.186),
            (2.0, 0.0),
        ] {
            let found = kappa_max(load).unwrap();
            assert!((found - kappa).abs() < 5e-4, "load {load}: {found}");
        }
    }

    /// The defining integral by Simpson's rule; smooth but for its lower end.
    #[test]
    fn margins_solve_the_defining_integral() {
        for load in [0.01, 0.1, 0.4, 1.0, 1.7, 2.0] {
            let kappa = kappa_max(load).unwrap();
            let integrand =
                |t: f64| (t + kappa).powi(2) * (-0.5 * t * t).exp() / std::f64::consts::TAU.sqrt();
            let integral = simpson((-kappa).max(-12.0), 12.0, 4000, integrand);
            assert!((load * integral - 1.0).abs() < 1e-10, "load {load}: {integral}");
            assert!((gardner_capacity(kappa).unwrap() / load - 1.0).abs() < 1e-12, "load {load}");
        }
    }

    #[test]
    fn at_small_loads_the_margin_is_that_of_orthogonal_patterns() {
        // 1 / alpha = 1 + kappa^2 up to what Phi(-kappa) leaves.
        for load in [1e-3, 1e-6, 1e-100, f64::MIN_POSITIVE] {
            let kappa = kappa_max(load).unwrap();
            assert!((kappa / (1.0 / load - 1.0).sqrt() - 1.0).abs() < 1e-14, "load {load}: {kappa}");
        }
    }

    #[test]
    fn the_distribution_is_consistent() {
        for load in [0.1, 0.4, 1.0, 1.9] {
            let law = MaxStabilities::new(load).unwrap();
            // The density jumps at kappa; Simpson's first node must lie above the jump.
            assert_consistent(&law, law.kappa().next_up(), 4000);
            assert_eq!(law.cumulative(law.kappa().next_down()), 0.0);
        }
    }

    #[test]
    fn loads_and_margins_outside_their_ranges_are_refused() {
        for load in [0.0, -1.0, 2.0 + 1e-9, f64::NAN, f64::INFINITY] {
            assert!(kappa_max(load).is_err() && MaxStabilities::new(load).is_err(), "load {load}");
        }
        for kappa in [-0.1, f64::NAN, f64::INFINITY] {
            assert!(gardner_capacity(kappa).is_err(), "kappa {kappa}");
        }
        assert_eq!((gardner_capacity(0.0).unwrap(), kappa_max(2.0).unwrap()), (2.0, 0.0));
    }
}
