//! k_max, four ways.

use super::criterion::Criterion;
use super::decay::{Moments, crossing};
use super::point::{CutoffPoint, FeatureRow};
use crate::theory::{PowerLawSignal, one_step_overlap, signal_and_noise};

/// What counts as the last stored feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Estimator {
    /// Rank at which the fitted decay of the signal-to-noise ratio crosses 1: mean signal over draws by root mean variance,
    /// each fitted by a power of k where the ratio is near 1.
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

    /// What it needs to know of draws.
    pub(super) fn of(self, draws: Draws<'_>) -> Prepared<'_> {
        match self {
            Self::SnrCrossing => Prepared::Ratios(draws),
            _ => Prepared::Means(draws.points.iter().map(|point| self.of_draw(point)).collect()),
        }
    }

    /// k_max of one draw; none where the features measured do not show it.
    fn of_draw(self, point: &CutoffPoint) -> Option<f64> {
        match self {
            Self::SnrCrossing => Self::SnrCrossing.cutoff(Draws { points: std::slice::from_ref(point) }),
            Self::OneStep(threshold) => n_stored(point, Criterion::OneStep(threshold)),
            Self::FirstFailing(threshold) => {
                let failing = |feature: &FeatureRow| !Criterion::OneStep(threshold).is_reached(feature);
                point.features.iter().position(failing).map(|index| index as f64 + 1.0)
            }
            Self::Last(threshold) => n_stored(point, Criterion::Last(threshold)),
        }
    }

    /// k_max of draws; none where the features measured do not show it.
    pub fn cutoff(self, draws: Draws<'_>) -> Option<f64> {
        self.of(draws).cutoff(&(0..draws.points.len()).collect::<Vec<_>>())
    }
}

/// Draws as an estimator sees them.
pub(super) enum Prepared<'a> {
    /// A mean over draws, of these values.
    Means(Vec<Option<f64>>),
    /// Of the mean signals and variances over draws.
    Ratios(Draws<'a>),
}

impl Prepared<'_> {
    /// k_max over the draws of these indices, of which some may repeat.
    pub(super) fn cutoff(&self, indices: &[usize]) -> Option<f64> {
        match self {
            Self::Means(values) => mean(indices.iter().map(|&index| values[index])),
            Self::Ratios(draws) => {
                let exponent = draws.points.first()?.exponent;
                crossing(&draws.mean_moments(indices), exponent)
            }
        }
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
        self.mean_moments(indices).iter().map(Moments::ratio).collect()
    }

    fn mean_moments(self, indices: &[usize]) -> Vec<Moments> {
        let mut moments = vec![Moments { signal: 0.0, variance: 0.0 }; self.n_measured()];
        let share = 1.0 / indices.len() as f64;
        for point in self.chosen(indices) {
            for (mean, feature) in moments.iter_mut().zip(&point.features) {
                mean.signal += share * feature.signal;
                mean.variance += share * feature.variance;
            }
        }
        moments
    }
}

/// How many features reach a criterion; none if it cannot be told or the last one measured still does.
fn n_stored(point: &CutoffPoint, criterion: Criterion) -> Option<f64> {
    if matches!(criterion, Criterion::Last(_)) && point.features.iter().any(|feature| feature.last.is_none())
    {
        return None;
    }
    let all = point.n_measured() as u64 == point.n_features;
    let is_seen = all || point.features.last().is_some_and(|last| !criterion.is_reached(last));
    is_seen.then(|| criterion.count(&point.features) as f64)
}

/// Mean; none if there is nothing or one is missing.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.collect::<Option<_>>()?;
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The point as the poster's law has it: its ratios at unit noise.
pub fn power_law_point(point: &CutoffPoint) -> CutoffPoint {
    let law = PowerLawSignal::new(point.n_spins, point.n_features, point.exponent);
    let features = point.features.iter().zip(1..).map(|(feature, rank)| {
        let ratio = law.ratio(f64::from(rank));
        FeatureRow { signal: ratio, variance: 1.0, one_step: one_step_overlap(ratio), last: None, ..*feature }
    });
    CutoffPoint { features: features.collect(), ..point.clone() }
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
    use crate::analysis::cutoff::Effort;

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
            n_steps: 0,
            effort: Effort::default(),
        }
    }

    /// A pure power law crosses 1 where it does; its overlaps are erf(ratio / sqrt 2), so counts are those of a quantile.
    #[test]
    fn a_power_law_has_the_cutoffs_of_its_formula() {
        let points = [point((1..=100).map(|k| (f64::from(k) / 20.5).powf(-1.5)), 1)];
        let draws = Draws { points: &points };
        let cutoff = Estimator::SnrCrossing.cutoff(draws).unwrap();
        assert!((cutoff - 20.5).abs() < 1e-9, "{cutoff}");
        // erf(r / sqrt 2) >= 0.9 for r >= 1.6449: k <= 20.5 * 1.6449^(-2/3) = 14.71.
        assert_eq!(Estimator::OneStep(0.9).cutoff(draws), Some(14.0));
        assert_eq!(Estimator::FirstFailing(0.9).cutoff(draws), Some(15.0));
        assert_eq!(Estimator::Last(0.9).cutoff(draws), Some(14.0));
    }

    #[test]
    fn a_cutoff_that_is_not_seen_is_not_given() {
        let points = [point((1..=10).map(|k| 30.0 / f64::from(k)), 1)];
        for estimator in Estimator::ALL {
            assert_eq!(estimator.cutoff(Draws { points: &points }), None, "{}", estimator.name());
        }
    }

    /// Signals 1 and 3 at variances 1 and 7: mean ratio of averages 2 / sqrt(4).
    #[test]
    fn ratios_are_mean_signal_over_root_mean_variance() {
        let mut points = [point([1.0].into_iter(), 1), point([3.0].into_iter(), 2)];
        points[1].features[0].variance = 7.0;
        assert_eq!(Draws { points: &points }.mean_ratios(&[0, 1]), [1.0]);
    }

    /// Variances that scatter by their own size, as those of a few draws do, do not shift the crossing: with factors 1/8 and
    /// 15/8 of mean 1 in turns, whose logarithms have mean -0.73, it stays within the width of a step in k.
    #[test]
    fn scattered_variances_do_not_shift_the_crossing() {
        let mut points = [point((1..=400).map(|k| (f64::from(k) / 60.0).powf(-1.0)), 1)];
        for (index, feature) in points[0].features.iter_mut().enumerate() {
            feature.variance = if index % 2 == 0 { 0.125 } else { 1.875 };
        }
        let cutoff = Estimator::SnrCrossing.cutoff(Draws { points: &points }).unwrap();
        assert!((cutoff - 60.0).abs() < 1.0, "{cutoff}");
    }

    #[test]
    fn few_features_are_interpolated() {
        let points = [point([4.0, 0.25].into_iter().chain([0.01]), 1)];
        // ln ratio falls from ln 4 at k = 1 to -ln 4 at k = 2: the middle in ln k.
        let cutoff = Estimator::SnrCrossing.cutoff(Draws { points: &points }).unwrap();
        assert!((cutoff - 2f64.sqrt()).abs() < 1e-12, "{cutoff}");
    }
}
