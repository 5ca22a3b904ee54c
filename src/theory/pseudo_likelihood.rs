//! Stabilities of couplings that minimise the pseudo-likelihood loss at given norm.
//!
//! A pattern whose field would be t had it not been learned has the stability Delta*(t) of the saddle point: see
//! M. Griniasty, H. Gutfreund, J. Phys. A 24, 715 (1991) and arXiv:2507.05147. Towards lambda_eff = 0 this is Hebb,
//! Delta* = t + 1 / sqrt(alpha); towards infinity (alpha <= 2) the largest margin, Delta* = max(t, kappa).
//!
//! # Weight decay and the norm
//!
//! The loss at fixed norm is stationary with a multiplier, k |w|^2 / 2 for rows w of norm sqrt(N), which the saddle point
//! gives: k x = 1 - alpha int Dt (1 - dDelta*/dt) = alpha int Dt d Delta*, by parts. Weight decay plays its part:
//! with l_i = (1 / (lambda P)) sum log(1 + exp(-lambda xi h)) + (l2 / 2) |J_i|^2 the optimum has this lambda_eff at
//! l2 = k lambda / (4 alpha lambda_eff^2). At k = 0 it is the optimum without weight decay, the largest norm that
//! minimisation reaches; it is finite beyond alpha = 2, where random patterns are no longer separable. The problem is convex
//! for k >= 0, hence replica symmetry exact.

use super::load::check_load;
use super::root::{crossing, upper_end};
use super::saddle_point::SaddlePoint;
use super::stability_distribution::StabilityDistribution;
use crate::error::{Error, Result};

/// Loads up to this are separable: the optimum without weight decay has an infinite norm.
const SEPARABLE_LOAD: f64 = 2.0;
/// Points at which the highest one is looked for, before it is refined.
const PEAK_POINTS: usize = 2000;

/// Stabilities of the pseudo-likelihood optimum at the load alpha and lambda_eff = lambda' |J_i|, lambda' = lambda / 2.
///
/// The density is smooth and has no atom; its [`peak`](Self::peak) near the margin grows with lambda_eff into the atom of
/// [`MaxStabilities`](super::MaxStabilities).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PseudoLikelihoodStabilities {
    saddle: SaddlePoint,
    /// alpha int Dt d.
    mean: f64,
    /// k x, see the module.
    scaled_multiplier: f64,
}

/// Where a density is largest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    pub stability: f64,
    /// The density there.
    pub height: f64,
}

impl PseudoLikelihoodStabilities {
    /// Solves the saddle point. Range: finite alpha > 0; 0 <= lambda_eff <= 1e5 sqrt(alpha) and, where alpha > 2,
    /// at most [`max_lambda_eff`]. lambda_eff = 0 is the Hebb limit. Relative
    /// precision 1e-9.
    ///
    /// # Errors
    /// If the load or lambda_eff is outside the range.
    pub fn new(load: f64, lambda_eff: f64) -> Result<Self> {
        let law = Self::unchecked(load, lambda_eff)?;
        if load > SEPARABLE_LOAD && law.scaled_multiplier < 0.0 {
            let largest = max_lambda_eff(load)?;
            // Both are rounded: the largest itself is allowed.
            if lambda_eff > largest {
                let expected = format!("at most {largest}, the optimum without weight decay at load {load}");
                return Err(Error::parameter("lambda-eff", expected, lambda_eff));
            }
        }
        Ok(law)
    }

    fn unchecked(load: f64, lambda_eff: f64) -> Result<Self> {
        let saddle = SaddlePoint::new(load, lambda_eff)?;
        let mean = saddle.mean_of(|_, pull| pull);
        let scaled_multiplier = load * saddle.mean_of(|stability, pull| pull * stability);
        Ok(Self { saddle, mean, scaled_multiplier })
    }

    /// The largest value of the density. Near a load of 2 and at large lambda_eff there can be two local ones.
    pub fn peak(&self) -> Peak {
        let (low, high) = self.bulk();
        let step = (high - low) / PEAK_POINTS as f64;
        // The bulk is coarse where the peak is narrow: the kink is at Delta*(t) for t near it, so walk in t as well.
        let in_field = |index: usize| self.stability_at(-4.0 + 8.0 * index as f64 / PEAK_POINTS as f64);
        let in_stability = |index: usize| low + step * index as f64;
        let mut places: Vec<f64> =
            (0..=PEAK_POINTS).flat_map(|index| [in_field(index), in_stability(index)]).collect();
        places.sort_by(f64::total_cmp);
        let heights = places.iter().map(|&stability| self.density(stability));
        let (index, _) = heights
            .enumerate()
            .fold((0, 0.0), |best, (index, height)| if height > best.1 { (index, height) } else { best });
        let neighbours = (places[index.saturating_sub(1)], places[(index + 1).min(places.len() - 1)]);
        // d ln P / dDelta = -t t' + t'' / t' falls through 0 at the peak.
        let fall = |stability: f64| {
            let slope = self.saddle.slope(stability);
            self.saddle.field(stability) * slope - self.saddle.curvature(stability) / slope
        };
        let stability = crossing(neighbours.0, neighbours.1, fall);
        Peak { stability, height: self.density(stability) }
    }

    /// The l2 at which the minimum of the loss at inverse temperature `lambda` = 2 lambda' has this lambda_eff.
    ///
    /// In the units of the loss of a neuron, (1 / (lambda P)) sum log(1 + exp(-lambda xi h)) + (l2 / 2) |J_i|^2. Range: finite
    /// `lambda` > 0; infinite at lambda_eff = 0.
    ///
    /// # Errors
    /// If `lambda` is outside the range.
    pub fn weight_decay(&self, lambda: f64) -> Result<f64> {
        if !(lambda > 0.0 && lambda.is_finite()) {
            return Err(Error::parameter("lambda", "a finite positive number", lambda));
        }
        // k = (k x) / x, x = exp(b) / (2 lambda').
        let SaddlePoint { load, lambda: lambda_eff, log_strength } = self.saddle;
        let multiplier_per_lambda_eff = 2.0 * self.scaled_multiplier.max(0.0) * libm::exp(-log_strength);
        Ok(multiplier_per_lambda_eff * lambda / (4.0 * load * lambda_eff))
    }
}

impl StabilityDistribution for PseudoLikelihoodStabilities {
    fn stability_at(&self, unlearned_field: f64) -> f64 {
        self.saddle.stability(unlearned_field)
    }

    fn unlearned_field(&self, stability: f64) -> f64 {
        // Infinity times lambda' = 0 is no number.
        if stability.is_infinite() { stability } else { self.saddle.field(stability) }
    }

    fn density(&self, stability: f64) -> f64 {
        if stability.is_infinite() { 0.0 } else { self.saddle.density(stability) }
    }

    fn mean(&self) -> f64 {
        self.mean
    }
}

/// The lambda_eff of the minimum of the pseudo-likelihood loss without weight decay; infinite up to a load of 2, where
/// random patterns are separable and the norm grows for ever.
///
/// Range: finite alpha > 0. Above 2 this is the largest lambda_eff that minimisation of the loss reaches.
///
/// # Errors
/// If the load is outside the range, or so little above 2 that the result exceeds 1e5 sqrt(alpha).
pub fn max_lambda_eff(load: f64) -> Result<f64> {
    check_load(load, f64::INFINITY, "")?;
    if load <= SEPARABLE_LOAD {
        return Ok(f64::INFINITY);
    }
    // The multiplier falls with lambda_eff; where the saddle point has none it is as good as beyond.
    let beyond = |lambda_eff: f64| {
        PseudoLikelihoodStabilities::unchecked(load, lambda_eff).map_or(1.0, |law| -law.scaled_multiplier)
    };
    let high = upper_end(0.0, beyond);
    let largest = crossing(0.0, high, beyond);
    PseudoLikelihoodStabilities::unchecked(load, largest).map(|_| largest)
}

#[cfg(test)]
mod tests {
    use super::super::stability_distribution::tests::{assert_consistent, simpson};
    use super::super::{HebbStabilities, MaxStabilities, normal};
    use super::*;

    fn law(load: f64, lambda_eff: f64) -> PseudoLikelihoodStabilities {
        PseudoLikelihoodStabilities::new(load, lambda_eff).unwrap()
    }

    /// The published heights, to their digits.
    #[test]
    fn peaks_are_as_high_as_published() {
        for (lambda_eff, height) in [(0.2, 0.560), (0.8, 1.248), (1.6, 2.284)] {
            let peak = law(0.4, lambda_eff).peak();
            assert!((peak.height - height).abs() < 5e-4, "lambda_eff {lambda_eff}: {peak:?}");
        }
    }

    #[test]
    fn a_peak_is_higher_than_all_around_it() {
        for (load, lambda_eff) in [(0.4, 0.0), (0.4, 30.0), (0.4, 5e4), (1.9, 5.0), (4.0, 0.5)] {
            let law = law(load, lambda_eff);
            let peak = law.peak();
            let width = 1.0 / (1.0 + lambda_eff);
            for index in -1000..=1000 {
                let stability = peak.stability + width * f64::from(index) / 50.0;
                assert!(law.density(stability) <= peak.height, "({load}, {lambda_eff}) at {stability}");
            }
        }
    }

    #[test]
    fn the_distribution_is_consistent() {
        for (load, lambda_eff) in
            [(0.05, 0.5), (0.4, 0.0), (0.4, 0.2), (0.4, 1.6), (0.4, 20.0), (1.5, 1.71), (3.0, 0.4)]
        {
            let law = law(load, lambda_eff);
            assert_consistent(&law, law.stability_at(-9.0), 40_000);
        }
    }

    #[test]
    fn at_small_lambda_eff_it_is_hebb() {
        for load in [0.1, 0.4, 3.0] {
            let hebb = HebbStabilities::new(load).unwrap();
            let at_zero = law(load, 0.0);
            for stability in [-2.0, 0.0, 1.0, 3.0] {
                assert!((at_zero.density(stability) - hebb.density(stability)).abs() < 1e-12);
                assert!((at_zero.cumulative(stability) - hebb.cumulative(stability)).abs() < 1e-12);
                // The pull varies by a factor 1 - lambda' Delta: first order in lambda'.
                let difference =
                    |lambda| (law(load, lambda).cumulative(stability) - hebb.cumulative(stability)).abs();
                assert!(difference(1e-4) < 1e-3);
                assert!(difference(1e-5) < 0.11 * difference(1e-4) + 1e-12);
            }
        }
    }

    #[test]
    fn at_large_lambda_eff_it_is_the_largest_margin() {
        for load in [0.1, 0.4, 1.0, 1.9] {
            let gardner = MaxStabilities::new(load).unwrap();
            let farthest = |lambda_eff: f64| {
                let law = law(load, lambda_eff);
                let difference = |t: f64| (law.stability_at(t) - gardner.stability_at(t)).abs();
                (-300..=300).map(|t| difference(f64::from(t) / 100.0)).fold(0.0, f64::max)
            };
            // The kink is rounded over a width of ln(lambda') / lambda'.
            for lambda_eff in [1e2, 1e3, 1e4, 3e4] {
                let found = farthest(lambda_eff);
                assert!(found < 1.5 * lambda_eff.ln() / lambda_eff, "({load}, {lambda_eff}): {found}");
            }
            let least = law(load, 3e4).cumulative(gardner.kappa() - 1e-3);
            assert!(least < 1e-4, "load {load}: {least}");
        }
    }

    /// k x from the slope of Delta*, instead of by parts.
    #[test]
    fn the_multiplier_is_the_trace_of_the_response() {
        for (load, lambda_eff) in [(0.4, 0.2), (0.4, 1.6), (1.5, 1.71), (3.0, 0.3)] {
            let law = law(load, lambda_eff);
            let stiff = simpson(-9.0, 9.0, 4000, |t| {
                let slope = 1.0 / law.saddle.slope(law.stability_at(t));
                normal::density(t) * (1.0 - slope)
            });
            assert!((law.scaled_multiplier - 1.0 + load * stiff).abs() < 1e-9, "({load}, {lambda_eff})");
        }
    }

    /// Without weight decay the mean loss is stationary in the norm: its derivative int P(Delta) Delta (tanh - 1), here by
    /// Simpson's rule over the density, vanishes.
    #[test]
    fn the_largest_lambda_eff_minimises_the_loss_over_the_norm() {
        let mut before = f64::INFINITY;
        for load in [2.05, 2.5, 4.0, 20.0] {
            let largest = max_lambda_eff(load).unwrap();
            assert!(largest < before, "load {load}: {largest}");
            before = largest;
            let law = law(load, largest);
            let slope = simpson(law.stability_at(-9.0), law.stability_at(9.0), 20_000, |stability| {
                law.density(stability) * stability * ((largest * stability).tanh() - 1.0)
            });
            assert!(slope.abs() < 1e-9, "load {load}: {slope}");
            assert!(law.weight_decay(0.2).unwrap() < 1e-9);
        }
        assert_eq!(max_lambda_eff(2.0).unwrap(), f64::INFINITY);
        // Far beyond, J is a small estimate from its noise: lambda' |J| = 1 / sqrt(alpha), the Hebb value.
        assert!((max_lambda_eff(1e4).unwrap() * 1e2 - 1.0).abs() < 1e-3);
    }

    #[test]
    fn parameters_outside_their_ranges_are_refused() {
        for load in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(PseudoLikelihoodStabilities::new(load, 1.0).is_err() && max_lambda_eff(load).is_err());
        }
        for lambda_eff in [-0.1, f64::NAN, f64::INFINITY, 1e7] {
            assert!(PseudoLikelihoodStabilities::new(0.4, lambda_eff).is_err(), "lambda_eff {lambda_eff}");
        }
        let message = PseudoLikelihoodStabilities::new(3.0, 5.0).unwrap_err().to_string();
        assert!(message.contains("lambda-eff") && message.contains("weight decay"), "{message}");
        for lambda in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(law(0.4, 1.0).weight_decay(lambda).is_err(), "lambda {lambda}");
        }
    }
}
