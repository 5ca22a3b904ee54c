//! The normal distribution of mean 0 and variance 1. From `libm`, so that tables have the same digits everywhere.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// exp(-t^2 / 2) / sqrt(2 pi).
pub(super) fn density(t: f64) -> f64 {
    libm::exp(-0.5 * t * t) / TAU.sqrt()
}

/// Probability of a value of at most t; relative precision in the lower tail too.
pub(super) fn cumulative(t: f64) -> f64 {
    0.5 * libm::erfc(-t * FRAC_1_SQRT_2)
}
