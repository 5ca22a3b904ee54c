//! Retrieval from Hebb couplings at zero temperature: the overlap of the attractor near a stored pattern.
//!
//! The replica-symmetric equations at T = 0 reduce to one for y = m / sqrt(2 alpha r):
//!
//! ```text
//! y (sqrt(2 alpha) + (2 / sqrt(pi)) exp(-y^2)) = erf(y),    m = erf(y)
//! ```
//!
//! which has a solution with m > 0 up to alpha_c = 0.1379; of two, the larger y is the attractor.
//!
//! Source: D. J. Amit, H. Gutfreund, H. Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985) and Ann. Phys. 173, 30 (1987), the
//! limit T = 0; in this form in Hertz, Krogh and Palmer, section 2.5. Replica symmetry is weakly broken at T = 0;
//! published corrections to alpha_c are below 0.01.

use std::f64::consts::FRAC_2_SQRT_PI;

use super::load::check_load_or_zero;
use super::root::crossing;
use crate::error::Result;

/// Where the retrieval states end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HopfieldCapacity {
    /// The critical load alpha_c.
    pub load: f64,
    /// The overlap m at that load, from which it drops to 0.
    pub overlap: f64,
}

/// The critical load of retrieval from Hebb couplings, alpha_c = 0.13791, and the overlap there, m = 0.96742.
pub fn hopfield_capacity() -> HopfieldCapacity {
    let y = y_at_capacity();
    HopfieldCapacity { load: 0.5 * root_of_twice_load(y).powi(2), overlap: libm::erf(y) }
}

/// Overlap m of the zero-temperature attractor with the pattern that it stores, for Hebb couplings.
///
/// A pure number, from 0.967 to 1. Range: 0 <= alpha <= alpha_c; m = 1 at alpha = 0. Near alpha_c the overlap has a
/// square root in alpha_c - alpha, which limits its precision there to 1e-8.
///
/// # Errors
/// If the load is outside the range: beyond alpha_c no attractor is near a pattern.
pub fn hopfield_overlap(load: f64) -> Result<f64> {
    let capacity = hopfield_capacity().load;
    check_load_or_zero(load, capacity, "the critical load of retrieval from Hebb couplings")?;
    if load == 0.0 {
        return Ok(1.0);
    }
    let target = (2.0 * load).sqrt();
    // sqrt(2 alpha) falls from its maximum on, and is below 1 / y.
    let y = crossing(y_at_capacity(), 1.0 / target, |y| target - root_of_twice_load(y));
    Ok(libm::erf(y))
}

/// sqrt(2 alpha) as a function of y.
fn root_of_twice_load(y: f64) -> f64 {
    libm::erf(y) / y - FRAC_2_SQRT_PI * libm::exp(-y * y)
}

/// The y that maximises the load: the derivative of [`root_of_twice_load`] times y^2 is
/// (2 / sqrt(pi)) (y + 2 y^3) exp(-y^2) - erf(y), which falls there.
fn y_at_capacity() -> f64 {
    crossing(1.0, 2.0, |y| libm::erf(y) - FRAC_2_SQRT_PI * (y + 2.0 * y * y * y) * libm::exp(-y * y))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published values, to their digits.
    #[test]
    fn overlaps_and_capacity_equal_the_published_ones() {
        let capacity = hopfield_capacity();
        assert!((capacity.load - 0.13791).abs() < 5e-6, "{capacity:?}");
        assert!((capacity.overlap - 0.967).abs() < 5e-4, "{capacity:?}");
        for (load, overlap) in [(0.05, 0.99999), (0.10, 0.99800), (0.12, 0.99322), (0.13, 0.98721)] {
            let found = hopfield_overlap(load).unwrap();
            assert!((found - overlap).abs() < 5e-6, "load {load}: {found}");
        }
    }

    /// The three equations for m, C and r in their own form, by iteration from m = 1 and without the reduction to y.
    #[test]
    fn overlaps_solve_the_equations_for_m_c_and_r() {
        for load in [0.02, 0.05, 0.1, 0.12, 0.13, 0.137] {
            let (mut m, mut r) = (1.0f64, 1.0f64);
            for _ in 0..20_000 {
                let variance = load * r;
                let c = (2.0 / (std::f64::consts::PI * variance)).sqrt() * (-m * m / (2.0 * variance)).exp();
                r = 1.0 / (1.0 - c).powi(2);
                m = libm::erf(m / (2.0 * load * r).sqrt());
            }
            let found = hopfield_overlap(load).unwrap();
            assert!((found - m).abs() < 1e-9, "load {load}: {found} {m}");
        }
    }

    #[test]
    fn small_loads_keep_the_pattern_and_large_ones_are_refused() {
        assert_eq!(hopfield_overlap(0.0).unwrap(), 1.0);
        assert_eq!(hopfield_overlap(1e-200).unwrap(), 1.0);
        let capacity = hopfield_capacity();
        assert!((hopfield_overlap(capacity.load).unwrap() - capacity.overlap).abs() < 1e-7);
        for load in [capacity.load + 1e-9, 0.2, -0.1, f64::NAN] {
            assert!(hopfield_overlap(load).is_err(), "load {load}");
        }
    }
}
