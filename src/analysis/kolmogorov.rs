//! The Kolmogorov distance between samples and a distribution.

use crate::error::{Error, Result};

/// The largest difference between the empirical distribution of `samples` and `cumulative`, sup |F_n(x) - F(x)|.
///
/// From 0 to 1. `cumulative(x)` is the probability of at most x, non-decreasing from 0 to 1; it may jump. Samples come in
/// any order and may repeat. Source: A. Kolmogorov, G. Ist. Ital. Attuari 4, 83 (1933).
///
/// # Errors
/// If there is no sample, one is not finite, or `cumulative` leaves the range 0 to 1 at one.
pub fn kolmogorov_distance(
    samples: impl IntoIterator<Item = f64>,
    cumulative: impl Fn(f64) -> f64,
) -> Result<f64> {
    let mut sorted: Vec<f64> = samples.into_iter().collect();
    if sorted.is_empty() {
        return Err(Error::shape("samples", "at least 1", "none"));
    }
    if let Some(sample) = sorted.iter().find(|sample| !sample.is_finite()) {
        return Err(Error::shape("samples", "finite numbers", sample.to_string()));
    }
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |x: f64| {
        let probability = cumulative(x);
        let is_probability = (0.0..=1.0).contains(&probability);
        is_probability.then_some(probability).ok_or_else(|| {
            Error::shape("cumulative distribution", "values from 0 to 1", format!("{probability} at {x}"))
        })
    };
    let step = 1.0 / sorted.len() as f64;
    let mut distance = 0f64;
    for (index, &sample) in sorted.iter().enumerate() {
        // F_n - F is largest at a sample, F - F_n just below one.
        let above = (index + 1) as f64 * step - at(sample)?;
        let below = at(sample.next_down())? - index as f64 * step;
        distance = distance.max(above).max(below);
    }
    Ok(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uniform(x: f64) -> f64 {
        x.clamp(0.0, 1.0)
    }

    #[test]
    fn samples_in_the_middle_of_their_steps_are_half_a_step_away() {
        for n in [1, 2, 10, 1000] {
            let mut samples: Vec<f64> = (0..n).map(|k| (f64::from(k) + 0.5) / f64::from(n)).collect();
            samples.reverse();
            let found = kolmogorov_distance(samples, uniform).unwrap();
            assert!((found - 0.5 / f64::from(n)).abs() < 1e-15, "{n}: {found}");
        }
    }

    #[test]
    fn distances_of_few_samples_are_their_closed_forms() {
        // One sample at x is max(x, 1 - x) away from uniform, however often it is drawn.
        for x in [0.0, 0.2, 0.5, 0.9, 1.0, -3.0, 7.0] {
            let expected = uniform(x).max(1.0 - uniform(x));
            for n in [1, 3] {
                let found = kolmogorov_distance(vec![x; n], uniform).unwrap();
                assert!((found - expected).abs() < 1e-15, "{x}: {found}");
            }
        }
        // Shifted uniform against uniform: the shift, up to a step.
        let samples: Vec<f64> = (0..1000).map(|k| f64::from(k) / 1000.0 + 0.3).collect();
        assert!((kolmogorov_distance(samples, uniform).unwrap() - 0.3).abs() <= 1e-3 + 1e-12);
    }

    #[test]
    fn jumps_of_the_distribution_count_on_their_own_side() {
        // Half of the weight at 1, the other half uniform on 1 to 2.
        let cumulative = |x: f64| if x < 1.0 { 0.0 } else { (x / 2.0).min(1.0) };
        // The samples have the same jump: two at 1, two in the middle of their quarters.
        let found = kolmogorov_distance([1.0, 1.75, 1.0, 1.25], cumulative).unwrap();
        assert!((found - 0.125).abs() < 1e-12, "{found}");
        // Just below the jump it is missed by its whole weight.
        let found = kolmogorov_distance([1f64.next_down(); 4], cumulative).unwrap();
        assert_eq!(found, 1.0);
    }

    #[test]
    fn what_is_no_sample_or_no_distribution_is_refused() {
        assert!(kolmogorov_distance([], uniform).is_err());
        assert!(kolmogorov_distance([0.5, f64::NAN], uniform).is_err());
        assert!(kolmogorov_distance([0.5, f64::INFINITY], uniform).is_err());
        assert!(kolmogorov_distance([0.5], |_| f64::NAN).is_err());
        assert!(kolmogorov_distance([0.5], |x| x + 1.0).is_err());
    }
}
