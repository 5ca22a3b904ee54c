//! k_max, four ways.

use super::criterion::SLACK;
use super::point::{CutoffPoint, FeatureRow};
use crate::theory::{one_step_overlap, signal_and_noise};

/// What counts as the last stored feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Estimator {
    /// Rank at which the fitted decay of the signal-to-noise ratio crosses 1. The ratio is the mean signal over draws by the
    /// root of the mean variance.
    SnrCrossing,
    /// Features whose one-step overlap reaches a threshold, mean over draws.
    OneStep(f64),
    /// First feature whose one-step overlap misses a threshold, mean over draws.
    FirstFailing(f64),
    /// Features whose last overlap reaches a threshold, mean over draws.
    Last(f64),
}

/// Draws of one manifold.
#[derive(Clone, Copy, Debug)]
pub struct Draws<'a> {
    /// All of the same parameters but the seed.
    pub points: &'a [CutoffPoint],
}

/// The decay is fitted where the ratio is within this factor of 1.
const FIT_FACTOR: f64 = 3.0;
/// Features before this one do not follow the power law: draws are without replacement.
const FIRST_FITTED: usize = 3;
/// Points that a fit needs.
const MIN_FITTED: usize = 4;

impl Estimator {
    /// All, in the order of tables; those of last overlaps mean something only where there are any.
    pub const ALL: [Self; 7] = [
        Self::SnrCrossing,
        Self::OneStep(0.9),
        Self::OneStep(0.99),
        Self::FirstFailing(0.9),
        Self::FirstFailing(0.99),
        Self::Last(0.9),
        Self::Last(0.99),
    ];

    /// Its name in tables.
    pub fn name(self) -> String {
        match self {
            Self::SnrCrossing => "snr_1".into(),
            Self::OneStep(threshold) => format!("one_step_{threshold}"),
            Self::FirstFailing(threshold) => format!("first_failing_{threshold}"),
            Self::Last(threshold) => format!("final_{threshold}"),
        }
    }

    /// k_max over the draws of these indices, of which some may repeat; none where the features measured do not show it.
    pub fn cutoff(self, draws: Draws<'_>, indices: &[usize]) -> Option<f64> {
        match self {
            Self::SnrCrossing => {
                let exponent = draws.points.first()?.exponent;
                crossing(&draws.mean_ratios(indices), exponent)
            }
            Self::OneStep(threshold) => mean(
                draws.chosen(indices).map(|point| count(point, |feature| Some(feature.one_step), threshold)),
            ),
            Self::FirstFailing(threshold) => mean(draws.chosen(indices).map(|point| {
                let failing = |feature: &FeatureRow| feature.one_step < threshold - SLACK;
                point.features.iter().position(failing).map(|index| index as f64 + 1.0)
            })),
            Self::Last(threshold) => {
                mean(draws.chosen(indices).map(|point| count(point, |feature| feature.last, threshold)))
            }
        }
    }

    /// The same over all draws, each once.
    pub fn cutoff_of_all(self, draws: Draws<'_>) -> Option<f64> {
        self.cutoff(draws, &(0..draws.points.len()).collect::<Vec<_>>())
    }
}

impl<'a> Draws<'a> {
    fn chosen(self, indices: &'a [usize]) -> impl Iterator<Item = &'a CutoffPoint> {
        indices.iter().filter_map(move |&index| self.points.get(index))
    }

    /// Features that every draw has measured.
    pub fn n_measured(self) -> usize {
        self.points.iter().map(CutoffPoint::n_measured).min().unwrap_or(0)
    }

    /// Mean signal over root mean variance of each feature, `[K]`.
    pub fn mean_ratios(self, indices: &[usize]) -> Vec<f64> {
        let (mut signal, mut variance) = (vec![0.0; self.n_measured()], vec![0.0; self.n_measured()]);
        for point in self.chosen(indices) {
            for (index, feature) in point.features.iter().take(self.n_measured()).enumerate() {
                signal[index] += feature.signal;
                variance[index] += feature.variance;
            }
        }
        let n_draws = indices.len() as f64;
        signal.iter().zip(variance).map(|(signal, variance)| signal / (variance * n_draws).sqrt()).collect()
    }
}

/// How many features reach a threshold; none if it cannot be told or the last one measured still does.
fn count(point: &CutoffPoint, overlap: impl Fn(&FeatureRow) -> Option<f64>, threshold: f64) -> Option<f64> {
    let overlaps: Option<Vec<f64>> = point.features.iter().map(overlap).collect();
    let overlaps = overlaps?;
    let all = point.n_measured() as u64 == point.n_features;
    let is_seen = all || overlaps.last().is_some_and(|&last| last < threshold - SLACK);
    is_seen.then(|| overlaps.iter().filter(|&&overlap| overlap >= threshold - SLACK).count() as f64)
}

/// Mean; none if there is nothing or one is missing.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.collect::<Option<_>>()?;
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Rank at which ln SNR, fitted by a line in ln k, is 0. The ranks fitted are those where the last fit, at first the
/// ratios themselves, says that the ratio is between 1/3 and 3: a window in k, not in the scattered ratios.
fn crossing(ratios: &[f64], exponent: f64) -> Option<f64> {
    let first_below = ratios.iter().position(|&ratio| ratio < 1.0)?;
    // How many features are above 1 anywhere sets the scale: a first one below it may be an unlucky draw.
    let stored = ratios.iter().filter(|&&ratio| ratio >= 1.0).count().max(first_below);
    let mut centre = (stored as f64).max(1.0);
    if exponent == 0.0 {
        return None;
    }
    for _ in 0..3 {
        let width = FIT_FACTOR.powf(1.0 / exponent);
        let fitted = |index: &usize| {
            let rank = (index + 1) as f64;
            *index + 1 >= FIRST_FITTED
                && rank >= centre / width
                && rank <= centre * width
                && ratios[*index] > 0.0
        };
        let points: Vec<(f64, f64)> = (0..ratios.len())
            .filter(fitted)
            .map(|index| (((index + 1) as f64).ln(), ratios[index].ln()))
            .collect();
        if points.len() < MIN_FITTED {
            return interpolated(ratios, first_below);
        }
        let (slope, intercept) = super::intervals::line(&points)?;
        let crossing = (-intercept / slope).exp();
        if slope >= 0.0 || !crossing.is_finite() || crossing > ratios.len() as f64 {
            return None;
        }
        centre = crossing;
    }
    Some(centre)
}

/// Where few features are stored: between the first that fails and the one before it.
fn interpolated(ratios: &[f64], first_below: usize) -> Option<f64> {
    let below = first_below;
    let above = below.checked_sub(1)?;
    let (high, low) = (ratios[above].ln(), ratios[below].max(f64::MIN_POSITIVE).ln());
    let (from, to) = (((above + 1) as f64).ln(), ((below + 1) as f64).ln());
    Some((from + (to - from) * high / (high - low)).exp())
}

/// The point as the full law has it, with the counts of `point`.
pub fn law_point(point: &CutoffPoint) -> CutoffPoint {
    let counted = point.counted();
    let features = point.features.iter().map(|feature| {
        let terms = signal_and_noise(point.n_spins, point.n_active, &counted, feature.count as f64);
        FeatureRow {
            count: feature.count,
            signal: terms.signal,
            variance: terms.variance(),
            one_step: one_step_overlap(terms.ratio()),
            last: None,
        }
    });
    CutoffPoint { features: features.collect(), ..point.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(ratios: impl Iterator<Item = f64>, seed: u64) -> CutoffPoint {
        let feature = |ratio: f64| FeatureRow {
            count: 1,
            signal: ratio,
            variance: 1.0,
            one_step: one_step_overlap(ratio),
            last: Some(one_step_overlap(ratio)),
        };
        CutoffPoint {
            n_spins: 1000,
            n_patterns: 100,
            n_features: 1000,
            n_active: 3,
            exponent: 1.5,
            seed,
            squares: 1.0,
            subset_squares: vec![],
            features: ratios.map(feature).collect(),
            seconds: 0.0,
        }
    }

    /// A pure power law crosses 1 where it does; its overlaps are erf(ratio / sqrt 2), so counts are those of a quantile.
    #[test]
    fn a_power_law_has_the_cutoffs_of_its_formula() {
        let points = [point((1..=100).map(|k| (f64::from(k) / 20.5).powf(-1.5)), 1)];
        let draws = Draws { points: &points };
        let cutoff = Estimator::SnrCrossing.cutoff_of_all(draws).unwrap();
        assert!((cutoff - 20.5).abs() < 1e-9, "{cutoff}");
        // erf(r / sqrt 2) >= 0.9 for r >= 1.6449: k <= 20.5 * 1.6449^(-2/3) = 14.71.
        assert_eq!(Estimator::OneStep(0.9).cutoff_of_all(draws), Some(14.0));
        assert_eq!(Estimator::FirstFailing(0.9).cutoff_of_all(draws), Some(15.0));
        assert_eq!(Estimator::Last(0.9).cutoff_of_all(draws), Some(14.0));
    }

    #[test]
    fn a_cutoff_that_is_not_seen_is_not_given() {
        let points = [point((1..=10).map(|k| 30.0 / f64::from(k)), 1)];
        for estimator in Estimator::ALL {
            assert_eq!(estimator.cutoff_of_all(Draws { points: &points }), None, "{}", estimator.name());
        }
    }

    /// Signals 1 and 3 at variances 1 and 7: mean ratio of averages 2 / sqrt(4).
    #[test]
    fn ratios_are_mean_signal_over_root_mean_variance() {
        let mut points = [point([1.0].into_iter(), 1), point([3.0].into_iter(), 2)];
        points[1].features[0].variance = 7.0;
        assert_eq!(Draws { points: &points }.mean_ratios(&[0, 1]), [1.0]);
    }

    #[test]
    fn few_features_are_interpolated() {
        let points = [point([4.0, 0.25].into_iter().chain([0.01]), 1)];
        // ln ratio falls from ln 4 at k = 1 to -ln 4 at k = 2: the middle in ln k.
        let cutoff = Estimator::SnrCrossing.cutoff_of_all(Draws { points: &points }).unwrap();
        assert!((cutoff - 2f64.sqrt()).abs() < 1e-12, "{cutoff}");
    }
}
