//! Bootstrap intervals of k_max, and of the slope of its logarithm against that of N.
//!
//! Draws are resampled with replacement, those of each N independently, and the estimator, not an average of ratios, is taken
//! again. Intervals are the percentiles 2.5 and 97.5. Resampling R draws leaves out 1/R of the variance, and knows of no error
//! in the rest; deviations of ln k_max are scaled by sqrt(R / (R - 1)) and by Student's quantile for R - 1 degrees of freedom over
//! the normal one to make up for both (9.2 at R = 2, 2.7 at 3, 1.1 at 16). Slopes combine sizes scaled in this way: their intervals
//! are rather too wide than too narrow where draws are few.

use serde::Serialize;

use super::estimators::{Draws, Estimator};
use crate::random::{below, stream};

/// A 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// Of the exponential of what this is an interval of.
    fn exp(self) -> Self {
        Self { low: self.low.exp(), high: self.high.exp() }
    }
}

/// ln k_max = slope ln N + const, fitted to the cutoffs of several N with equal weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerLawFit {
    pub slope: f64,
    /// ln k_max at ln N = 0.
    pub intercept: f64,
    /// Of the slope; none where an N has a single draw.
    pub interval: Option<Interval>,
}

const RESAMPLES: u64 = 1000;
/// Quantiles 0.975 of Student's distribution with 1, 2, ... degrees of freedom, and of the normal one.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];
const NORMAL: f64 = 1.960;

/// Slope and intercept of the least squares line; none for fewer than two abscissas.
fn line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let n = points.len() as f64;
    let mean_x = points.iter().map(|point| point.0).sum::<f64>() / n;
    let mean_y = points.iter().map(|point| point.1).sum::<f64>() / n;
    let xx: f64 = points.iter().map(|point| (point.0 - mean_x).powi(2)).sum();
    let xy: f64 = points.iter().map(|point| (point.0 - mean_x) * (point.1 - mean_y)).sum();
    (xx > 0.0).then(|| (xy / xx, mean_y - xy / xx * mean_x))
}

/// What deviations of resampled averages are multiplied by; none for a single draw.
fn widening(n_draws: usize) -> Option<f64> {
    let degrees = n_draws.checked_sub(1).filter(|&degrees| degrees > 0)?;
    // Past the table the first term of its expansion: less than 0.1 % off.
    let student = STUDENT.get(degrees - 1).copied().unwrap_or(NORMAL + 2.37 / degrees as f64);
    Some((n_draws as f64 / degrees as f64).sqrt() * student / NORMAL)
}

/// As many draws as there are, each any of them.
fn resample(draws: Draws<'_>, seed: u64, index: u64) -> Vec<usize> {
    let n_draws = draws.points.len() as u64;
    let n_spins = draws.points[0].n_spins as u64;
    let mut rng = stream(seed, "cutoff bootstrap", &[n_spins, index]);
    (0..n_draws).map(|_| below(&mut rng, n_draws) as usize).collect()
}

/// ln k_max of each resampling, deviations scaled; none if there is one draw, or one resampling has no cutoff.
fn resampled_logs(estimator: Estimator, draws: Draws<'_>, seed: u64) -> Option<Vec<f64>> {
    let scale = widening(draws.points.len())?;
    let centre = estimator.cutoff(draws)?.ln();
    let prepared = estimator.of(draws);
    let log = |index: u64| {
        let cutoff = prepared.cutoff(&resample(draws, seed, index))?;
        Some(centre + scale * (cutoff.ln() - centre))
    };
    let logs: Vec<f64> = (0..RESAMPLES).map(log).collect::<Option<_>>()?;
    logs.iter().all(|log| log.is_finite()).then_some(logs)
}

fn percentiles(mut values: Vec<f64>) -> Interval {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    Interval { low: at(0.025), high: at(0.975) }
}

/// Interval of k_max at one N; none for a single draw.
pub fn cutoff_interval(estimator: Estimator, draws: Draws<'_>, seed: u64) -> Option<Interval> {
    Some(percentiles(resampled_logs(estimator, draws, seed)?).exp())
}

/// Intervals of the ratios of all features, mean signal over root mean variance, `[K]`, with deviations of their logarithms
/// scaled: none for a single draw, and for features of which one resampling has no positive signal.
pub fn ratio_intervals(draws: Draws<'_>, seed: u64) -> Vec<Option<Interval>> {
    let n_draws = draws.points.len();
    let centres = draws.mean_ratios(&(0..n_draws).collect::<Vec<_>>());
    let Some(scale) = widening(n_draws) else { return vec![None; centres.len()] };
    let resamples: Vec<Vec<f64>> =
        (0..RESAMPLES).map(|index| draws.mean_ratios(&resample(draws, seed, index))).collect();
    let interval = |(rank, &centre): (usize, &f64)| {
        let centre = centre.ln();
        let logs = resamples.iter().map(|ratios| centre + scale * (ratios[rank].ln() - centre));
        let logs: Vec<f64> = logs.collect();
        logs.iter().all(|log| log.is_finite()).then(|| percentiles(logs).exp())
    };
    centres.iter().enumerate().map(interval).collect()
}

/// Slope of ln k_max against ln N over the draws of several N; those without a cutoff do not count. None for fewer than two.
pub fn power_law(estimator: Estimator, sizes: &[Draws<'_>], seed: u64) -> Option<PowerLawFit> {
    let with_cutoff: Vec<(f64, f64, Draws<'_>)> = sizes
        .iter()
        .filter_map(|&draws| {
            let log = estimator.cutoff(draws)?.ln();
            log.is_finite().then(|| ((draws.points[0].n_spins as f64).ln(), log, draws))
        })
        .collect();
    let points: Vec<(f64, f64)> = with_cutoff.iter().map(|&(x, y, _)| (x, y)).collect();
    let (slope, intercept) = line(&points)?;
    let logs: Option<Vec<Vec<f64>>> =
        with_cutoff.iter().map(|&(_, _, draws)| resampled_logs(estimator, draws, seed)).collect();
    let slopes = logs.and_then(|logs| {
        (0..RESAMPLES as usize)
            .map(|index| {
                let points: Vec<(f64, f64)> =
                    points.iter().zip(&logs).map(|(&(x, _), logs)| (x, logs[index])).collect();
                line(&points).map(|(slope, _)| slope)
            })
            .collect::<Option<Vec<f64>>>()
    });
    Some(PowerLawFit { slope, intercept, interval: slopes.map(percentiles) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::cutoff::{CutoffPoint, Effort, FeatureRow};
    use crate::random::gaussian;

    /// A draw whose number of stored features is `count`.
    fn storing(n_spins: usize, count: usize, seed: u64) -> CutoffPoint {
        let feature = |k: usize| FeatureRow {
            count: 1,
            signal: 1.0,
            variance: 1.0,
            one_step: if k < count { 1.0 } else { 0.0 },
            last: None,
        };
        CutoffPoint {
            n_spins,
            n_patterns: 1,
            n_features: 10_000,
            n_active: 3,
            exponent: 1.0,
            seed,
            squares: 1.0,
            subset_squares: vec![],
            features: (0..count + 10).map(feature).collect(),
            n_steps: 0,
            effort: Effort::default(),
        }
    }

    #[test]
    fn exact_power_laws_have_their_slope_and_no_width() {
        let sizes: Vec<Vec<CutoffPoint>> = [100usize, 400, 1600]
            .iter()
            .map(|&n| (0..3).map(|seed| storing(n, (n as f64).sqrt() as usize * 2, seed)).collect())
            .collect();
        let draws: Vec<Draws<'_>> = sizes.iter().map(|points| Draws { points }).collect();
        let fit = power_law(Estimator::OneStep(0.9), &draws, 1).unwrap();
        let interval = fit.interval.unwrap();
        for value in [fit.slope, interval.low, interval.high] {
            assert!((value - 0.5).abs() < 1e-12);
        }
        assert_eq!(power_law(Estimator::OneStep(0.9), &draws[..1], 1), None);
    }

    /// Draws of about 1000 +- 100, few and many: the interval of their mean covers 1000 in about 95 % of 200 repetitions (19 of
    /// 20 give 190 +- 3; small samples come short by some, as bootstraps do), and with 40 of them it is as wide as that of a normal
    /// mean, 2 * 2.02 * 100 / sqrt 40 within 5 % on the mean.
    #[test]
    fn intervals_cover_the_mean_however_few_the_draws() {
        for (n_draws, least, width) in [(3, 174, None), (8, 180, None), (40, 182, Some(63.9))] {
            let mut n_covered = 0;
            let mut total_width = 0.0;
            for repetition in 0..200 {
                let mut rng = stream(repetition, "interval test", &[n_draws]);
                let points: Vec<CutoffPoint> = (0..n_draws)
                    .map(|seed| storing(100, (1000.0 + 100.0 * gaussian(&mut rng)).round() as usize, seed))
                    .collect();
                let interval =
                    cutoff_interval(Estimator::OneStep(0.9), Draws { points: &points }, 7).unwrap();
                n_covered += usize::from((interval.low..=interval.high).contains(&1000.0));
                total_width += interval.high - interval.low;
            }
            assert!((least..=199).contains(&n_covered), "{n_covered} of 200 with {n_draws} draws");
            if let Some(width) = width {
                let mean = total_width / 200.0;
                assert!((mean / width - 1.0).abs() < 0.05, "{mean}");
            }
        }
    }
}
