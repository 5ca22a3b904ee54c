//! Results as tables.

use super::Size;
use super::config::CutoffConfig;
use super::results::CutoffResults;
use crate::analysis::cutoff::{Draws, FeatureRow, ratio_intervals};
use crate::storage::Table;
use crate::theory::{NoiseTerms, PowerLawSignal, signal_and_noise};

const FEATURE_COLUMNS: [&str; 21] = [
    "exponent",
    "n",
    "patterns",
    "draws",
    "k",
    "count",
    "signal",
    "noise",
    "snr",
    "snr_low",
    "snr_high",
    "one_step",
    "final",
    "full_law_snr",
    "law_snr",
    "snr_over_full_law",
    "snr_over_law",
    "variance_interference",
    "variance_subsets",
    "variance_own_patterns",
    "variance_cross_terms",
];

/// One row a size and feature: means over draws. Noise is the root mean variance, the ratio mean signal over noise, with a
/// 95 % interval; the full law has the counts of the draws, and so have its variances, in the units of signal and noise squared.
pub(super) fn features(config: &CutoffConfig, sizes: &[Size<'_>]) -> Table {
    let mut table = Table::new(FEATURE_COLUMNS);
    for size in sizes {
        let draws = Draws { points: &size.points };
        let n_draws = size.points.len() as f64;
        let ratios = draws.mean_ratios(&(0..size.points.len()).collect::<Vec<_>>());
        let intervals = ratio_intervals(draws, config.seed);
        let setting = size.setting;
        let law = PowerLawSignal::new(setting.n_spins, setting.n_features, setting.exponent);
        for (index, &ratio) in ratios.iter().enumerate() {
            let mean = |value: &dyn Fn(&FeatureRow) -> f64| {
                size.points.iter().map(|point| value(&point.features[index])).sum::<f64>() / n_draws
            };
            let last: Option<f64> =
                size.points.iter().map(|point| point.features[index].last).sum::<Option<f64>>();
            let interval = intervals[index];
            let of_law = law.ratio(index as f64 + 1.0);
            let terms = size.points.iter().map(|point| {
                let count = point.features[index].count as f64;
                signal_and_noise(point.n_spins, point.n_active, &point.counted(), count)
            });
            let terms: Vec<NoiseTerms> = terms.collect();
            let mean_term = |term: fn(&NoiseTerms) -> f64| terms.iter().map(term).sum::<f64>() / n_draws;
            let full = mean_term(|terms| terms.signal) / mean_term(NoiseTerms::variance).sqrt();
            let values = [
                Some(setting.exponent),
                Some(setting.n_spins as f64),
                Some(setting.n_patterns as f64),
                Some(n_draws),
                Some(index as f64 + 1.0),
                Some(mean(&|feature| feature.count as f64)),
                Some(mean(&|feature| feature.signal)),
                Some(mean(&|feature| feature.variance).sqrt()),
                Some(ratio),
                interval.map(|interval| interval.low),
                interval.map(|interval| interval.high),
                Some(mean(&|feature| feature.one_step)),
                last.map(|sum| sum / n_draws),
                Some(full),
                Some(of_law),
                Some(ratio / full),
                Some(ratio / of_law),
                Some(mean_term(|terms| terms.interference)),
                Some(mean_term(|terms| terms.subsets)),
                Some(mean_term(|terms| terms.own_patterns)),
                Some(mean_term(|terms| terms.cross_terms)),
            ];
            table.push(values.map(text).to_vec());
        }
    }
    table
}

pub(super) fn cutoffs(results: &CutoffResults) -> Table {
    let mut table =
        Table::new(["exponent", "n", "draws", "estimator", "k_max", "low", "high", "full_law", "law"]);
    for row in &results.cutoffs {
        let [low, high] = ends(row.interval);
        let place =
            [row.exponent.to_string(), row.n.to_string(), row.draws.to_string(), row.estimator.clone()];
        let values = [row.k_max, low, high, row.full_law, row.law].map(text);
        table.push(place.into_iter().chain(values).collect());
    }
    table
}

pub(super) fn fits(results: &CutoffResults) -> Table {
    let mut table =
        Table::new(["exponent", "estimator", "sizes", "slope", "low", "high", "law", "full_law_slope"]);
    for fit in &results.fits {
        let [low, high] = ends(fit.interval);
        let place = [fit.exponent.to_string(), fit.estimator.clone(), fit.sizes.to_string()];
        let values = [Some(fit.slope), low, high, Some(fit.law), fit.full_law].map(text);
        table.push(place.into_iter().chain(values).collect());
    }
    table
}

fn ends(interval: Option<[f64; 2]>) -> [Option<f64>; 2] {
    interval.map_or([None, None], |[low, high]| [Some(low), Some(high)])
}

/// Reads back exactly; empty where there is none, or where it is not a number.
fn text(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or(String::new(), |value| value.to_string())
}
