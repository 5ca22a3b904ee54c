//! What the full law says of single draws: noise that is drawn once a feature, and overlaps under it.
//!
//! Given the features, the noise of feature k is not its mean over draws. Its largest part is what the few most frequent
//! features k' contribute at a site, a_1^2 P_k' M(k', k) f_k'i f_ki with the same M(k', k) ~ N(0, 1/N) at all sites: two values
//! each, of a size that scatters by itself. So the overlap of sgn(h) with the feature is, with s = +-1 for each of them,
//!
//! ```text
//! m_k = mean over all s of erf( (S_k + sum_k' s_k' a_1^2 P_k' M(k', k)) / sqrt(2 V_rest) )
//! ```
//!
//! and not erf(SNR_k / sqrt 2) at the mean variance; V_rest is the law's variance without their means. How many features reach an
//! overlap, and above all which one fails first, depends on this scatter.

use super::point::{CutoffPoint, FeatureRow};
use crate::random::{gaussian, stream};
use crate::theory::{majority_coefficient, one_step_overlap, signal_and_noise};

/// Frequent features taken one by one: at eta = 1, where they make the smallest part of it, 93 % of the noise.
const FREQUENT: usize = 8;

/// A draw of the law with the counts of `point`; `index` tells draws of the same counts apart.
pub fn quenched_point(point: &CutoffPoint, index: u64) -> CutoffPoint {
    let counted = point.counted();
    let n_spins = point.n_spins as f64;
    let own = majority_coefficient(point.n_active, 1).powi(2);
    let mut frequent: Vec<usize> = (0..point.features.len()).collect();
    frequent.sort_by_key(|&feature| std::cmp::Reverse(point.features[feature].count));
    frequent.truncate(FREQUENT);
    let of_feature = |(feature, row): (usize, &FeatureRow)| {
        let terms = signal_and_noise(point.n_spins, point.n_active, &counted, row.count as f64);
        let mut rng = stream(point.seed, "quenched law", &[index, feature as u64]);
        let (mut strengths, mut rest, mut variance) = (Vec::new(), terms.variance(), 0.0);
        for &other in frequent.iter().filter(|&&other| other != feature) {
            let mean = own * point.features[other].count as f64 / n_spins.sqrt();
            let strength = mean * gaussian(&mut rng);
            rest -= mean * mean;
            variance += strength * strength;
            strengths.push(strength);
        }
        let rest = rest.max(0.0);
        FeatureRow {
            count: row.count,
            signal: terms.signal,
            variance: variance + rest,
            one_step: overlap(terms.signal, &strengths, rest.sqrt()),
            last: None,
        }
    };
    CutoffPoint { features: point.features.iter().enumerate().map(of_feature).collect(), ..point.clone() }
}

/// Mean over all signs of the strengths of the overlap at this signal and Gaussian noise.
fn overlap(signal: f64, strengths: &[f64], noise: f64) -> f64 {
    let n_signs = 1u32 << strengths.len();
    let of_signs = |signs: u32| {
        let sum = |(bit, strength): (usize, &f64)| if signs >> bit & 1 == 1 { *strength } else { -strength };
        let field = signal + strengths.iter().enumerate().map(sum).sum::<f64>();
        // No field at all keeps the spin.
        if field == 0.0 && noise == 0.0 { 1.0 } else { one_step_overlap(field / noise) }
    };
    (0..n_signs).map(of_signs).sum::<f64>() / f64::from(n_signs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One strength w beside noise 1: half erf((S + w) / sqrt 2), half erf((S - w) / sqrt 2); without noise the share of signs
    /// that leave the field positive, a tie counting as such.
    #[test]
    fn overlaps_are_means_over_signs() {
        let expected = (one_step_overlap(3.0) + one_step_overlap(-1.0)) / 2.0;
        assert!((overlap(1.0, &[2.0], 1.0) - expected).abs() < 1e-15);
        assert_eq!(overlap(1.0, &[2.0], 0.0), 0.0);
        assert_eq!(overlap(2.0, &[1.5, 1.0], 0.0), 0.5);
        assert_eq!(overlap(2.0, &[2.0], 0.0), 1.0);
    }
}
