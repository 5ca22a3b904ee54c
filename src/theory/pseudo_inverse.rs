//! Pseudo-inverse couplings: the projector on the patterns, without its diagonal.
//!
//! The projector S has S xi = xi and S_ii = alpha in the limit of large N. Without the diagonal the fields are
//! xi_i (1 - alpha) and |J_i|^2 = S_ii - S_ii^2 = alpha (1 - alpha): all stabilities are sqrt((1 - alpha) / alpha).
//! Source: L. Personnaz, I. Guyon, G. Dreyfus, J. Physique Lett. 46, L359 (1985); I. Kanter, H. Sompolinsky, Phys. Rev. A 35,
//! 380 (1987), for the fields without self-coupling.

use super::load::check_load;
use super::stability_distribution::{Atom, StabilityDistribution};
use crate::error::Result;

/// The stability of every pattern at every neuron, sqrt((1 - alpha) / alpha). Range: 0 < alpha <= 1.
///
/// # Errors
/// If the load is outside the range: more than N patterns have no such couplings.
pub fn pseudo_inverse_stability(load: f64) -> Result<f64> {
    check_load(load, 1.0, "the largest load of independent patterns")?;
    Ok(((1.0 - load) / load).sqrt())
}

/// That stability as a distribution: an atom of weight 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PseudoInverseStabilities {
    stability: f64,
}

impl PseudoInverseStabilities {
    /// At the load alpha. Range: 0 < alpha <= 1.
    ///
    /// # Errors
    /// As [`pseudo_inverse_stability`].
    pub fn new(load: f64) -> Result<Self> {
        Ok(Self { stability: pseudo_inverse_stability(load)? })
    }
}

impl StabilityDistribution for PseudoInverseStabilities {
    fn stability_at(&self, _: f64) -> f64 {
        self.stability
    }

    fn unlearned_field(&self, stability: f64) -> f64 {
        if stability >= self.stability { f64::INFINITY } else { f64::NEG_INFINITY }
    }

    fn density(&self, _: f64) -> f64 {
        0.0
    }

    fn mean(&self) -> f64 {
        self.stability
    }

    fn atom(&self) -> Option<Atom> {
        Some(Atom { stability: self.stability, weight: 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stabilities_at_loads_of_simple_roots() {
        for (load, stability) in [(1.0, 0.0), (0.5, 1.0), (0.2, 2.0), (0.1, 3.0), (0.8, 0.5)] {
            let found = pseudo_inverse_stability(load).unwrap();
            assert!((found - stability).abs() < 1e-15, "load {load}: {found}");
        }
        for load in [0.0, -0.5, 1.0 + 1e-9, f64::NAN] {
            assert!(pseudo_inverse_stability(load).is_err(), "load {load}");
        }
    }

    #[test]
    fn all_stabilities_are_the_same() {
        let law = PseudoInverseStabilities::new(0.2).unwrap();
        assert_eq!((law.cumulative(2.0f64.next_down()), law.cumulative(2.0)), (0.0, 1.0));
        assert_eq!(law.negative_fraction(), 0.0);
    }
}
