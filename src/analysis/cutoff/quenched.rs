//! What the full law says of single draws: noise that is drawn once a feature, and overlaps under it.
//!
//! Given the features, the noise of feature k is not its mean over draws. Most of what varies in h_i f_ki comes from the few
//! most frequent features k' (notation and derivation: [`theory::signal_and_noise`](signal_and_noise)),
//!
//! ```text
//! a_1^2 P_k' [ M(k', k) s_k'i - 1/N ],    s_k'i = f_k'i f_ki,    M(k', k) = (1/N) sum_i s_k'i ~ N(0, 1/N)
//! ```
//!
//! with one M(k', k) for all sites; 1/N is the share of k' in the diagonal, which J lacks. Each has two values, of a size that
//! is drawn once, and s_k' = 1 at (1 + M(k', k)) / 2 of the sites. So the overlap of sgn(h) with the feature is
//!
//! ```text
//! m_k = sum over all s of p(s) erf( (a_1^2 P_k + sum_k' a_1^2 P_k' [M(k', k) s_k' - 1/N]) / sqrt(2 V) )
//! p(s) = prod_k' (1 + s_k' M(k', k)) / 2
//! ```
//!
//! with V the law's variance without the means of these terms, a_1^4 P_k'^2 / N each, and not erf(SNR_k / sqrt 2) at the mean
//! variance. How many features reach an overlap depends on this scatter, and above all which one fails first: an extreme among
//! ever more features as N grows. On average over draws the terms leave the signal as it is. But where the M(k', k) are small,
//! and the noise with them, they take some a_1^2 P_k' / N from it, which is not small where N P_k / P_k' is some tens.
//!
//! All M(k', k) are drawn independently: that M(k', k) = M(k, k') among the frequent features is not kept.

use super::point::{CutoffPoint, FeatureRow};
use crate::random::{gaussian, stream};
use crate::theory::{majority_coefficient, one_step_overlap, signal_and_noise};

/// Frequent features taken one by one: 91 to 92 % of the interference at eta = 1, where they are the smallest part of it. With six
/// or ten of them mean counts at an overlap of 0.9 change by 0.2 % at most (N = 2000, 400 draws).
const FREQUENT: usize = 8;

/// A draw of the law with the counts of `point`; `index` tells draws of the same counts apart.
pub fn quenched_point(point: &CutoffPoint, index: u64) -> CutoffPoint {
    with_frequent(point, index, FREQUENT)
}

/// The same with so many frequent features.
fn with_frequent(point: &CutoffPoint, index: u64, n_frequent: usize) -> CutoffPoint {
    let counted = point.counted();
    let n_spins = point.n_spins as f64;
    let own = majority_coefficient(point.n_active, 1).powi(2);
    let mut frequent: Vec<usize> = (0..point.features.len()).collect();
    frequent.sort_by_key(|&feature| std::cmp::Reverse(point.features[feature].count));
    frequent.truncate(n_frequent);
    let of_feature = |(feature, row): (usize, &FeatureRow)| {
        let terms = signal_and_noise(point.n_spins, point.n_active, &counted, row.count as f64);
        let mut rng = stream(point.seed, "quenched law", &[index, feature as u64]);
        let (mut signal, mut variance, mut rest) = (terms.signal, 0.0, terms.variance());
        let (mut field, mut disturbances) = (terms.signal, Vec::new());
        for &other in frequent.iter().filter(|&&other| other != feature) {
            let weight = own * point.features[other].count as f64;
            let overlap = (gaussian(&mut rng) / n_spins.sqrt()).clamp(-1.0, 1.0);
            disturbances.push(Disturbance { strength: weight * overlap, overlap });
            field -= weight / n_spins;
            signal += weight * (overlap * overlap - 1.0 / n_spins);
            variance += (weight * overlap).powi(2) * (1.0 - overlap * overlap);
            rest -= weight * weight / n_spins;
        }
        let rest = rest.max(0.0);
        let one_step = one_step(field, &disturbances, rest.sqrt());
        FeatureRow { count: row.count, signal, variance: variance + rest, one_step, last: None }
    };
    CutoffPoint { features: point.features.iter().enumerate().map(of_feature).collect(), ..point.clone() }
}

/// What a frequent feature does to the field of another.
struct Disturbance {
    /// a_1^2 P_k' M(k', k).
    strength: f64,
    /// M(k', k).
    overlap: f64,
}

/// Overlap after a step from a feature, whose field is this without the disturbances and has Gaussian noise: the mean over
/// their signs.
fn one_step(field: f64, disturbances: &[Disturbance], noise: f64) -> f64 {
    let Some((first, others)) = disturbances.split_first() else {
        // No field at all keeps the spin.
        return if field == 0.0 && noise == 0.0 { 1.0 } else { one_step_overlap(field / noise) };
    };
    let of = |sign: f64| {
        (1.0 + sign * first.overlap) / 2.0 * one_step(field + sign * first.strength, others, noise)
    };
    of(1.0) + of(-1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::cutoff::{Draws, Effort, Estimator, law_point};
    use crate::random::below;

    fn disturbance(strength: f64, overlap: f64) -> Disturbance {
        Disturbance { strength, overlap }
    }

    /// One disturbance w beside noise 1: (1 + M)/2 erf((S + w) / sqrt 2) + (1 - M)/2 erf((S - w) / sqrt 2); without noise the
    /// share of signs that leave the field positive, a tie counting as such.
    #[test]
    fn overlaps_are_means_over_signs() {
        let expected = 0.6 * one_step_overlap(3.0) + 0.4 * one_step_overlap(-1.0);
        assert!((one_step(1.0, &[disturbance(2.0, 0.2)], 1.0) - expected).abs() < 1e-15);
        assert_eq!(one_step(1.0, &[disturbance(2.0, 0.0)], 0.0), 0.0);
        assert_eq!(one_step(2.0, &[disturbance(1.5, 0.0), disturbance(1.0, 0.0)], 0.0), 0.5);
        assert_eq!(one_step(2.0, &[disturbance(2.0, 0.0)], 0.0), 1.0);
    }

    /// One feature a pattern: J = (1/N) sum_k P_k f_k f_k, without diagonal, so that the fields of a rare feature beside eight
    /// frequent ones are plain sums over random features. Given the M(k', k) the law is exact but for 1/N of the signal: mean
    /// overlaps of 6000 draws of each are within 3 standard errors, computed from the draws, 0.5 % for the two together. The
    /// feature is so rare that neither the diagonal nor (1 + s M) / 2 can be left out.
    #[test]
    fn overlaps_of_random_features_are_those_of_plain_sums() {
        let (n_spins, n_draws) = (300, 6000);
        let counts = [4000, 3100, 2300, 1900, 1500, 1300, 1100, 900, 160];
        let row = |count| FeatureRow { count, signal: 0.0, variance: 0.0, one_step: 0.0, last: None };
        let point = CutoffPoint {
            n_spins,
            n_patterns: counts.iter().sum::<u64>() as usize,
            n_features: 9,
            n_active: 1,
            squares: counts.iter().map(|&count| (count as f64).powi(2)).sum(),
            features: counts.map(row).to_vec(),
            ..point(1)
        };
        let of_law = |index| quenched_point(&point, index).features[8].one_step;
        let of_sums = |index: u64| {
            let mut rng = stream(3, "quenched law test", &[index]);
            let spin = |_: usize| if below(&mut rng, 2) == 1 { 1.0 } else { -1.0 };
            let products: Vec<f64> = (0..8 * n_spins).map(spin).collect(); // f_k'i f_ki, [k'][i]
            let mut fields = vec![counts[8] as f64; n_spins];
            for (products, &count) in products.chunks(n_spins).zip(&counts) {
                let sum: f64 = products.iter().sum();
                for (field, product) in fields.iter_mut().zip(products) {
                    // The sum over j of f_k'j f_kj without j = i.
                    *field += count as f64 * product * (sum - product) / n_spins as f64;
                }
            }
            fields.iter().map(|field| field.signum()).sum::<f64>() / n_spins as f64
        };
        let statistics = |of_draw: &dyn Fn(u64) -> f64| {
            let values: Vec<f64> = (0..n_draws).map(of_draw).collect();
            let mean = values.iter().sum::<f64>() / n_draws as f64;
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n_draws as f64;
            (mean, variance / n_draws as f64)
        };
        let ((expected, error), (found, error_of_sums)) = (statistics(&of_law), statistics(&of_sums));
        let error = (error + error_of_sums).sqrt();
        assert!((found - expected).abs() < 3.0 * error, "{found} for {expected} +- {error}");
    }

    /// Frequencies k^-1 of 10^5 patterns, and nothing but interference of 1000 features.
    fn point(n_features: usize) -> CutoffPoint {
        let count = |k: usize| (3e4 / k as f64) as u64;
        let row = |k| FeatureRow { count: count(k), signal: 0.0, variance: 0.0, one_step: 0.0, last: None };
        CutoffPoint {
            n_spins: 2000,
            n_patterns: 100_000,
            n_features: 1000,
            n_active: 3,
            exponent: 1.0,
            seed: 5,
            squares: (1..=1000).map(|k| (count(k) as f64).powi(2)).sum(),
            subset_squares: vec![],
            features: (1..=n_features).map(row).collect(),
            n_steps: 0,
            effort: Effort::default(),
        }
    }

    /// Means over 4000 draws of 12 features: z^2 scatters by sqrt 2, so that a term of mean v has the standard error
    /// v sqrt(2 / 4000), and sums of a few such terms no more than their total times that. (1 - M^2) takes 3/N of a variance.
    #[test]
    fn mean_signals_and_variances_are_those_of_the_law() {
        let point = point(12);
        let law = law_point(&point);
        let n_draws = 4000;
        let draws: Vec<CutoffPoint> = (0..n_draws).map(|index| quenched_point(&point, index)).collect();
        let error = (2.0 / n_draws as f64).sqrt();
        for (k, expected) in law.features.iter().enumerate() {
            let mean = |value: fn(&FeatureRow) -> f64| {
                draws.iter().map(|draw| value(&draw.features[k])).sum::<f64>() / n_draws as f64
            };
            let shift = mean(|row| row.signal) - expected.signal;
            let diagonal = 0.25 * point.features.iter().map(|row| row.count as f64).sum::<f64>() / 2000.0;
            assert!(shift.abs() < 4.0 * error * diagonal, "k {}: {shift} of {diagonal}", k + 1);
            let share = mean(|row| row.variance) / expected.variance - 1.0;
            assert!(share.abs() < 4.0 * error + 3.0 / 2000.0, "k {}: {share}", k + 1);
        }
    }

    /// Without features taken one by one this is the law at mean noise. Two more or fewer change little: mean counts of 8
    /// are within 1 % of those of 6 and 10, drawn from the same streams, where those of 2 are not, let alone of none.
    #[test]
    fn eight_frequent_features_do() {
        let point = point(64);
        assert_eq!(with_frequent(&point, 0, 0), law_point(&point));
        let counts = |n_frequent: usize| {
            let draws: Vec<CutoffPoint> =
                (0..50).map(|index| with_frequent(&point, index, n_frequent)).collect();
            let draws = Draws { points: &draws };
            [Estimator::OneStep(0.9), Estimator::FirstFailing(0.9)]
                .map(|estimator| estimator.cutoff(draws).unwrap())
        };
        let of_eight = counts(8);
        let largest_change = |n_frequent: usize| {
            counts(n_frequent).iter().zip(&of_eight).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max)
        };
        let changes = [0, 2, 6, 10].map(largest_change);
        assert!(changes[2] < 0.01 && changes[3] < 0.01, "{changes:?}");
        assert!(changes[0] > 0.1 && changes[1] > 0.01, "{changes:?}");
    }
}
