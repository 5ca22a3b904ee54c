//! What the draws come to: k_max of every size, and its slope.

use serde::Serialize;

use super::Size;
use super::config::CutoffConfig;
use crate::analysis::cutoff::{
    Agreement, CutoffPoint, Draws, Estimator, FeatureRow, FullLaw, Interval, cutoff_interval, power_law,
    power_law_point,
};
use crate::error::Result;
use crate::execution::Execution;

/// All results.
#[derive(Clone, Debug, Serialize)]
pub struct CutoffResults {
    /// Every draw.
    pub points: Vec<PointRow>,
    /// k_max of every size and estimator.
    pub cutoffs: Vec<SizeCutoff>,
    /// Slopes, where two sizes or more have a k_max.
    pub fits: Vec<FitRow>,
    /// Fields beside those of stored couplings, where asked for.
    pub couplings: Vec<CouplingsRow>,
}

/// All fields of a size beside those of stored couplings.
#[derive(Clone, Debug, Serialize)]
pub struct CouplingsRow {
    pub n: usize,
    pub exponent: f64,
    #[serde(flatten)]
    pub agreement: Agreement,
}

/// One draw.
#[derive(Clone, Debug, Serialize)]
pub struct PointRow {
    pub n: usize,
    pub exponent: f64,
    pub draw: u64,
    pub patterns: usize,
    pub features: u64,
    pub active: usize,
    /// Seed of the manifold.
    pub seed: u64,
    /// P_k, `[K]`.
    pub counts: Vec<u64>,
    /// Mean of h_i f_ki over its standard deviation, `[K]`.
    pub snr: Vec<f64>,
    /// Overlaps after one step, `[K]`.
    pub one_step: Vec<f64>,
    /// Overlaps after iterating, `[K]`.
    #[serde(rename = "final")]
    pub last: Option<Vec<f64>>,
    pub seconds: f64,
}

/// k_max of one size by one estimator.
#[derive(Clone, Debug, Serialize)]
pub struct SizeCutoff {
    pub n: usize,
    pub exponent: f64,
    pub draws: usize,
    pub estimator: String,
    /// None where the features measured do not show it.
    pub k_max: Option<f64>,
    /// 95 %; none for a single draw.
    pub interval: Option<[f64; 2]>,
    /// As the full law has it: at mean noise for the ratio, else mean over draws of its quenched noise.
    pub full_law: Option<f64>,
    /// As the poster's law has it.
    pub law: Option<f64>,
}

/// Slope of ln k_max against ln N.
#[derive(Clone, Debug, Serialize)]
pub struct FitRow {
    pub exponent: f64,
    pub estimator: String,
    /// Sizes fitted: those with a k_max.
    pub sizes: usize,
    /// All sizes.
    pub of_sizes: usize,
    pub slope: f64,
    /// 95 %; none if a size has a single draw.
    pub interval: Option<[f64; 2]>,
    /// 1 / (2 eta).
    pub law: f64,
    /// Slope of the full law at the same sizes.
    pub full_law: Option<f64>,
    /// ln k_max at N = 1.
    pub intercept: f64,
}

fn pair(interval: Interval) -> [f64; 2] {
    [interval.low, interval.high]
}

impl CutoffResults {
    pub(super) fn new(config: &CutoffConfig, sizes: &[Size<'_>], execution: &Execution) -> Result<Self> {
        let laws = sizes.iter().map(|size| FullLaw::new(&size.points, execution));
        let laws: Vec<FullLaw> = laws.collect::<Result<_>>()?;
        let sizes: Vec<(&Size<'_>, Draws<'_>, &FullLaw)> =
            sizes.iter().zip(&laws).map(|(size, law)| (size, Draws { points: &size.points }, law)).collect();
        let points =
            sizes.iter().flat_map(|(size, ..)| size.points.iter().enumerate().map(point_row)).collect();
        let couplings = sizes.iter().filter_map(|(size, ..)| {
            let (n, exponent) = (size.setting.n_spins, size.setting.exponent);
            size.couplings.map(|agreement| CouplingsRow { n, exponent, agreement })
        });
        let couplings = couplings.collect();
        let mut cutoffs = Vec::new();
        for &(size, draws, law) in &sizes {
            let setting = size.setting;
            let of_power_law: Vec<CutoffPoint> =
                size.points.first().map(power_law_point).into_iter().collect();
            let of_power_law = Draws { points: &of_power_law };
            for estimator in Estimator::ALL {
                if matches!(estimator, Estimator::Last(_)) && setting.n_steps == 0 {
                    continue;
                }
                cutoffs.push(SizeCutoff {
                    n: setting.n_spins,
                    exponent: setting.exponent,
                    draws: size.points.len(),
                    estimator: estimator.name(),
                    k_max: estimator.cutoff(draws),
                    interval: cutoff_interval(estimator, draws, config.seed).map(pair),
                    full_law: estimator.cutoff(law.draws(estimator)),
                    law: estimator.cutoff(of_power_law),
                });
            }
        }
        let mut fits = Vec::new();
        // Without a power law there is nothing to fit.
        for exponent in exponents(config).into_iter().filter(|&exponent| exponent > 0.0) {
            let of_exponent = || sizes.iter().filter(|(size, ..)| size.setting.exponent == exponent);
            for estimator in Estimator::ALL {
                let with_cutoff = || of_exponent().filter(|(_, draws, _)| is_fitted(estimator, *draws));
                let draws: Vec<Draws<'_>> = with_cutoff().map(|&(_, draws, _)| draws).collect();
                let law: Vec<Draws<'_>> = with_cutoff().map(|&(.., law)| law.draws(estimator)).collect();
                let Some(fit) = power_law(estimator, &draws, config.seed) else { continue };
                fits.push(FitRow {
                    exponent,
                    estimator: estimator.name(),
                    sizes: draws.len(),
                    of_sizes: of_exponent().count(),
                    slope: fit.slope,
                    interval: fit.interval.map(pair),
                    law: 0.5 / exponent,
                    full_law: power_law(estimator, &law, config.seed).map(|fit| fit.slope),
                    intercept: fit.intercept,
                });
            }
        }
        Ok(Self { points, cutoffs, fits, couplings })
    }

    /// The rows of one exponent and estimator that have a k_max, in the order of the sizes.
    pub(super) fn of(&self, exponent: f64, estimator: Estimator) -> impl Iterator<Item = &SizeCutoff> {
        let name = estimator.name();
        self.cutoffs.iter().filter(move |row| {
            row.exponent == exponent && row.estimator == name && row.k_max.is_some_and(|k_max| k_max > 0.0)
        })
    }

    pub(super) fn fit(&self, exponent: f64, estimator: Estimator) -> Option<&FitRow> {
        self.fits.iter().find(|fit| fit.exponent == exponent && fit.estimator == estimator.name())
    }

    /// All exponents, ascending.
    pub(super) fn exponents(&self) -> Vec<f64> {
        sorted(self.cutoffs.iter().map(|row| row.exponent))
    }
}

fn is_fitted(estimator: Estimator, draws: Draws<'_>) -> bool {
    estimator.cutoff(draws).is_some_and(|k_max| k_max > 0.0)
}

pub(super) fn exponents(config: &CutoffConfig) -> Vec<f64> {
    sorted(config.settings.iter().map(|setting| setting.exponent))
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

fn point_row((draw, point): (usize, &CutoffPoint)) -> PointRow {
    PointRow {
        n: point.n_spins,
        exponent: point.exponent,
        draw: draw as u64,
        patterns: point.n_patterns,
        features: point.n_features,
        active: point.n_active,
        seed: point.seed,
        counts: point.features.iter().map(|feature| feature.count).collect(),
        snr: point.features.iter().map(FeatureRow::ratio).collect(),
        one_step: point.features.iter().map(|feature| feature.one_step).collect(),
        last: point.features.iter().map(|feature| feature.last).collect(),
        seconds: point.effort.seconds,
    }
}
