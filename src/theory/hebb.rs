//! Hebb couplings J = (1/N) sum_mu xi^mu xi^mu: signal 1, noise of variance alpha.
//!
//! The field at neuron i in pattern mu is xi_i + crosstalk, the crosstalk normal with variance alpha, and |J_i|^2 = alpha.
//! Source: J. Hertz, A. Krogh, R. G. Palmer, Introduction to the Theory of Neural Computation (1991), section 2.2 and
//! table 2.1; the argument is that of J. J. Hopfield, PNAS 79, 2554 (1982).

use super::load::{check_load, check_load_or_zero};
use super::normal;
use super::stability_distribution::StabilityDistribution;
use crate::error::Result;

/// Fraction of the spins of a stored pattern that the first parallel step flips, 0.5 erfc(sqrt(1 / (2 alpha))).
///
/// A pure number from 0 to 0.5. Range: finite loads alpha >= 0.
///
/// # Errors
/// If the load is negative or not finite.
pub fn hebb_error(load: f64) -> Result<f64> {
    check_load_or_zero(load, f64::INFINITY, "")?;
    Ok(0.5 * libm::erfc((0.5 / load).sqrt()))
}

/// Stabilities of Hebb couplings, Delta*(t) = t + 1 / sqrt(alpha): normal with variance 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HebbStabilities {
    mean: f64,
}

impl HebbStabilities {
    /// At the load alpha. Range: finite alpha > 0.
    ///
    /// # Errors
    /// If the load is not a finite number above 0.
    pub fn new(load: f64) -> Result<Self> {
        check_load(load, f64::INFINITY, "")?;
        Ok(Self { mean: 1.0 / load.sqrt() })
    }
}

impl StabilityDistribution for HebbStabilities {
    fn stability_at(&self, unlearned_field: f64) -> f64 {
        unlearned_field + self.mean
    }

    fn unlearned_field(&self, stability: f64) -> f64 {
        stability - self.mean
    }

    fn density(&self, stability: f64) -> f64 {
        normal::density(stability - self.mean)
    }

    fn mean(&self) -> f64 {
        self.mean
    }
}

#[cfg(test)]
mod tests {
    use super::super::stability_distribution::tests::assert_consistent;
    use super::*;

    /// Table 2.1 of Hertz, Krogh and Palmer: loads rounded to their last digit, .0036 too.
    #[test]
    fn errors_equal_the_textbook() {
        for (load, load_digit, error, error_digit) in [
            (0.105, 1e-3, 0.001, 0.0),
            (0.138, 1e-3, 0.0036, 1e-4),
            (0.185, 1e-3, 0.01, 0.0),
            (0.37, 1e-2, 0.05, 0.0),
            (0.61, 1e-2, 0.1, 0.0),
        ] {
            let low = hebb_error(load - load_digit / 2.0).unwrap() - error_digit / 2.0;
            let high = hebb_error(load + load_digit / 2.0).unwrap() + error_digit / 2.0;
            assert!(low < error && error < high, "load {load}: {low} {high}");
        }
        assert_eq!(hebb_error(0.0).unwrap(), 0.0);
        assert_eq!(hebb_error(1e300).unwrap(), 0.5);
    }

    #[test]
    fn the_distribution_is_consistent_and_its_negative_part_the_error() {
        for load in [0.05, 0.4, 1.5, 30.0] {
            let law = HebbStabilities::new(load).unwrap();
            assert_consistent(&law, law.stability_at(-9.0), 2000);
            let error = hebb_error(load).unwrap();
            assert!((law.negative_fraction() - error).abs() < 1e-12 * error, "load {load}");
        }
    }

    #[test]
    fn loads_outside_the_range_are_refused() {
        for load in [f64::NAN, f64::INFINITY, -1.0] {
            assert!(hebb_error(load).is_err() && HebbStabilities::new(load).is_err(), "load {load}");
        }
        assert!(HebbStabilities::new(0.0).is_err());
    }
}
