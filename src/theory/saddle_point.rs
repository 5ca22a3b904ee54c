//! The map Delta*(t) of pseudo-likelihood at fixed norm, and its strength at a given load.
//!
//! ```text
//! Delta*(t) = argmin_Delta V(Delta) + (Delta - t)^2 / (2 x),    V = log 2 cosh(lambda' Delta) - lambda' Delta
//! alpha int Dt (Delta*(t) - t)^2 = 1
//! ```
//!
//! The minimum has t = Delta - d(Delta) with the *pull* d(Delta) = x lambda' (1 - tanh(lambda' Delta)): the inverse of the map is
//! explicit, and so is every density. The pull is held as d = exp(b - softplus(2 lambda' Delta)), b = ln(2 x lambda'), because x
//! grows like exp(2 lambda' kappa) towards the largest margin.
//!
//! Source: M. Griniasty, H. Gutfreund, J. Phys. A 24, 715 (1991), for any potential V at fixed norm; with this V in
//! arXiv:2507.05147. There and here lambda' multiplies a norm of 1: it is lambda_eff.

use super::load::check_load;
use super::normal;
use super::quadrature::integrate;
use super::root::{crossing, upper_end};
use crate::error::{Error, Result};

/// lambda_eff / sqrt(alpha) up to which b, about twice that, is exact to 1e-10; the distribution is that of the largest
/// margin long before.
const LARGEST: f64 = 1e5;
/// Fields beyond have a weight of 1e-22.
const FARTHEST_FIELD: f64 = 10.0;
/// How far beyond the kink, in lambda' Delta, integrals reach: pulls are exp(-32) there.
const KINK_DECAY: f64 = 16.0;

/// The map Delta*(t) at one load and lambda_eff.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SaddlePoint {
    pub load: f64,
    pub lambda: f64,
    /// b = ln(2 x lambda').
    pub log_strength: f64,
}

impl SaddlePoint {
    /// Solves alpha int Dt d^2 = 1. There is exactly one solution: the pull at given t grows with x, from 0 without bound.
    pub fn new(load: f64, lambda: f64) -> Result<Self> {
        check_load(load, f64::INFINITY, "")?;
        let largest = LARGEST * load.sqrt();
        if !(0.0..=largest).contains(&lambda) {
            let expected = format!("a number from 0 to {largest}, 1e5 sqrt(load)");
            return Err(Error::parameter("lambda-eff", expected, lambda));
        }
        let at = |log_strength| Self { load, lambda, log_strength };
        let excess = |log_strength: f64| load * at(log_strength).mean_of(|_, pull| pull * pull) - 1.0;
        // The pull is below exp(b).
        let low = -0.5 * libm::log(load);
        Ok(at(crossing(low, upper_end(low, excess), excess)))
    }

    /// d(Delta), falling in Delta.
    pub fn pull(&self, stability: f64) -> f64 {
        libm::exp(self.log_strength - softplus(2.0 * self.lambda * stability))
    }

    /// t(Delta), increasing: the inverse of Delta*(t).
    pub fn field(&self, stability: f64) -> f64 {
        stability - self.pull(stability)
    }

    /// Delta*(t).
    pub fn stability(&self, field: f64) -> f64 {
        // Delta = t + d(Delta) <= t + d(t); and at the kink, 2 lambda' Delta = b, the pull is below 1 already.
        let kink = 0.5 * self.log_strength / self.lambda;
        let high = (field + self.pull(field)).min(field.max(kink) + 1.0);
        crossing(field, high.max(field), |stability| self.field(stability) - field)
    }

    /// dt / dDelta = 1 + x lambda'^2 / cosh^2(lambda' Delta), at least 1.
    pub fn slope(&self, stability: f64) -> f64 {
        1.0 + 2.0 * self.lambda * sigma(2.0 * self.lambda * stability) * self.pull(stability)
    }

    /// d^2 t / dDelta^2.
    pub fn curvature(&self, stability: f64) -> f64 {
        let sigma = sigma(2.0 * self.lambda * stability);
        4.0 * self.lambda * self.lambda * sigma * (1.0 - 2.0 * sigma) * self.pull(stability)
    }

    /// The density of stabilities, phi(t) dt/dDelta.
    pub fn density(&self, stability: f64) -> f64 {
        let field = self.field(stability);
        // Where the pull is infinite nothing is.
        if field == f64::NEG_INFINITY { 0.0 } else { normal::density(field) * self.slope(stability) }
    }

    /// int Dt f(Delta*(t), d) for f that vanish at least like d where d is small.
    ///
    /// Over Delta, where the integrand is explicit, cut where its scale changes from that of the normal density to 1 / lambda':
    /// where the pull leaves its plateau exp(b) at negative Delta, at the kink, and where it is no more.
    pub fn mean_of(&self, f: impl Fn(f64, f64) -> f64) -> f64 {
        let (low, high) = (self.stability(-FARTHEST_FIELD), self.stability(FARTHEST_FIELD));
        // Without a kink, at lambda' = 0, these are infinite or no numbers, and cut nothing off.
        let kink = 0.5 * self.log_strength / self.lambda;
        let mut ends = [
            low,
            -KINK_DECAY / self.lambda,
            kink.min(0.0),
            kink,
            kink.max(0.0) + KINK_DECAY / self.lambda,
            high,
        ];
        let last = ends[4].min(high);
        ends.iter_mut().for_each(|end| *end = end.max(low).min(last));
        ends.sort_by(f64::total_cmp);
        integrate(&ends, |stability| self.density(stability) * f(stability, self.pull(stability)))
    }
}

/// log(1 + exp(u)).
fn softplus(u: f64) -> f64 {
    u.max(0.0) + libm::log1p(libm::exp(-u.abs()))
}

/// 1 / (1 + exp(-u)).
fn sigma(u: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-u))
}

#[cfg(test)]
mod tests {
    use super::super::stability_distribution::tests::simpson;
    use super::*;

    /// Delta*(t) by golden-section search for the minimum of the potential itself.
    fn brute_minimum(lambda: f64, x: f64, t: f64) -> f64 {
        let potential = |delta: f64| {
            let u = lambda * delta;
            // log 2cosh(u) - u without overflow.
            (u.abs() - u) + (-2.0 * u.abs()).exp().ln_1p() + (delta - t).powi(2) / (2.0 * x)
        };
        let golden = (5f64.sqrt() - 1.0) / 2.0;
        let (mut low, mut high) = (t, t + 2.0 * x * lambda);
        for _ in 0..200 {
            let (left, right) = (high - golden * (high - low), low + golden * (high - low));
            if potential(left) < potential(right) { high = right } else { low = left }
        }
        0.5 * (low + high)
    }

    /// Another variable (t), rule (Simpson) and minimum (search): the minimum is flat, known to sqrt(eps) of its size.
    #[test]
    fn the_saddle_point_solves_its_equations_as_written() {
        for (load, lambda) in [(0.4, 0.2), (0.4, 0.8), (0.4, 1.6), (1.5, 1.71), (3.0, 0.3), (0.05, 3.0)] {
            let saddle = SaddlePoint::new(load, lambda).unwrap();
            let x = saddle.log_strength.exp() / (2.0 * lambda);
            let integral =
                simpson(-9.0, 9.0, 1800, |t| normal::density(t) * (brute_minimum(lambda, x, t) - t).powi(2));
            assert!((load * integral - 1.0).abs() < 1e-6, "({load}, {lambda}): {integral}");
            for t in [-3.0, 0.0, 1.3] {
                let difference = saddle.stability(t) - brute_minimum(lambda, x, t);
                assert!(difference.abs() < 1e-6, "({load}, {lambda}), t {t}: {difference}");
            }
        }
    }

    /// Over eleven orders of magnitude of lambda' the integral over Delta equals Simpson's rule over t, split at the kink.
    #[test]
    fn the_integral_converges_at_every_lambda() {
        for load in [1e-3, 0.4, 1.9] {
            for share in [0.0, 1e-11, 1e-7, 3e-6, 1e-5, 1e-4, 1e-3, 1e-1, 1.0] {
                let lambda = share * LARGEST * f64::sqrt(load);
                let saddle = SaddlePoint::new(load, lambda).unwrap();
                let kink = (0.5 * saddle.log_strength / lambda).clamp(-8.0, 8.0);
                let square = |t: f64| normal::density(t) * (saddle.stability(t) - t).powi(2);
                // A kink of width ln(...) / lambda' costs Simpson's rule at most its weight there.
                let halves = simpson(-9.0, kink, 3000, square) + simpson(kink, 9.0, 3000, square);
                assert!((load * halves - 1.0).abs() < 1e-6, "({load}, {lambda}): {}", load * halves);
            }
        }
    }

    #[test]
    fn slopes_are_derivatives() {
        let saddle = SaddlePoint::new(0.7, 1.3).unwrap();
        let h = 1e-5;
        for stability in [-2.0, 0.1, 0.5, 1.7] {
            // Central differences: relative errors of h^2, absolute ones of eps / h.
            let slope = (saddle.field(stability + h) - saddle.field(stability - h)) / (2.0 * h);
            let curvature = (saddle.slope(stability + h) - saddle.slope(stability - h)) / (2.0 * h);
            assert!((slope / saddle.slope(stability) - 1.0).abs() < 1e-8);
            assert!((curvature - saddle.curvature(stability)).abs() < 1e-7 * curvature.abs().max(1.0));
        }
    }
}
