//! The order in which features are learned: when in training, with how many patterns.

use std::ops::Range;

use super::super::feature_learning::{Draw, LEARNED, Measurements};
use super::ranks::groups;
use crate::analysis::rank_correlation;
use crate::experiments::mean::Mean;
use crate::report::{Axis, Color, Figure, Panel, Series, Style};
use crate::storage::Table;

/// When the features of a draw are learned first; infinite where never.
pub(super) struct FirstLearned {
    /// The first epoch measured at which it is learned at the largest load, `[D]`; 0 where Hebb couplings have it.
    pub(super) epoch: Vec<f64>,
    /// The smallest load at which it is learned after the last epoch, `[D]`.
    pub(super) load: Vec<f64>,
    /// The same for Hebb couplings, `[D]`.
    pub(super) hebb_load: Vec<f64>,
}

impl FirstLearned {
    pub(super) fn of(measurements: &Measurements<'_>, draw: &Draw) -> Self {
        let (loads, epochs) = (&measurements.config.loads, &measurements.config.epochs);
        let (last_load, last_epoch) = (loads.len() - 1, epochs.len() - 1);
        let features = || 0..measurements.config.n_features as usize;
        let learned = |load, epoch, k: usize| LEARNED.is_reached(&draw.at(load, epoch).features[k]);
        let first_load = |epoch: usize| {
            let of_feature = |k| (0..loads.len()).find(|&load| learned(load, epoch, k));
            features().map(|k| of_feature(k).map_or(f64::INFINITY, |load| loads[load])).collect()
        };
        let first_epoch = |k| (0..epochs.len()).find(|&epoch| learned(last_load, epoch, k));
        Self {
            epoch: features().map(|k| first_epoch(k).map_or(f64::INFINITY, |at| epochs[at] as f64)).collect(),
            load: first_load(last_epoch),
            hebb_load: first_load(0),
        }
    }
}

/// Rank correlations of k with when feature k is learned.
pub(super) struct Correlation {
    /// Over the features that are learned at all.
    pub(super) of_learned: Option<f64>,
    /// Over all features; those never learned tie behind the last.
    pub(super) of_all: Option<f64>,
}

impl Correlation {
    /// `first` as in [`FirstLearned`].
    pub(super) fn of(first: &[f64]) -> Self {
        let pairs = || first.iter().enumerate().map(|(k, &first)| (k as f64, first));
        Self {
            of_learned: rank_correlation(&pairs().filter(|pair| pair.1.is_finite()).collect::<Vec<_>>()),
            of_all: rank_correlation(&pairs().collect::<Vec<_>>()),
        }
    }
}

/// One row a draw and feature; empty where it is never learned.
pub(super) fn table(measurements: &Measurements<'_>) -> Table {
    let config = measurements.config;
    let (last_load, last_epoch) = (config.loads.len() - 1, config.epochs.len() - 1);
    let mut table = Table::new([
        "eta",
        "draw",
        "feature",
        "count",
        "first_epoch",
        "first_patterns",
        "count_at_first_patterns",
        "learned_at_last",
        "hebb_first_patterns",
        "hebb_count_at_first_patterns",
        "hebb_learned_at_last",
    ]);
    for draw in &measurements.all {
        let first = FirstLearned::of(measurements, draw);
        let text = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
        for k in 0..config.n_features as usize {
            let data = |load: f64| match config.loads.iter().position(|&other| other == load) {
                Some(at) => {
                    let count = draw.at(at, 0).features[k].count;
                    [config.n_patterns(load).to_string(), count.to_string()]
                }
                None => [String::new(), String::new()],
            };
            let at_last = |epoch| {
                let is_learned = LEARNED.is_reached(&draw.at(last_load, epoch).features[k]);
                u8::from(is_learned).to_string()
            };
            let [patterns, count] = data(first.load[k]);
            let [hebb_patterns, hebb_count] = data(first.hebb_load[k]);
            table.push(vec![
                draw.exponent.to_string(),
                draw.index.to_string(),
                (k + 1).to_string(),
                draw.at(last_load, 0).features[k].count.to_string(),
                text(first.epoch[k]),
                patterns,
                count,
                at_last(last_epoch),
                hebb_patterns,
                hebb_count,
                at_last(0),
            ]);
        }
    }
    table
}

/// First epoch at the largest load, and first load after all epochs, against k. Points are medians over the draws and a few
/// neighbouring ranks, where never counts as later than any time: they end where half are never learned. What Hebb has
/// before the first epoch stands below it.
pub(super) fn figure(measurements: &Measurements<'_>) -> Figure {
    let config = measurements.config;
    let first_epoch = config.epochs.get(1).copied().unwrap_or(1) as f64;
    let largest = config.loads.last().copied().unwrap_or(f64::NAN);
    let mut by_epoch = Panel::new(
        format!("in training time, P / N = {largest}"),
        Axis::log("feature k"),
        Axis::log(format!("first epoch (Hebb: below {first_epoch})")),
    );
    let mut by_load = Panel::new(
        format!("in data, after {} epochs", config.last_epoch()),
        Axis::log("feature k"),
        Axis::log("smallest load P / N learned"),
    );
    let mut correlations = Vec::new();
    for (index, exponent) in config.exponents.iter().enumerate() {
        let firsts: Vec<FirstLearned> =
            measurements.draws(index).iter().map(|draw| FirstLearned::of(measurements, draw)).collect();
        let of_draws: Option<Vec<f64>> =
            firsts.iter().map(|first| Correlation::of(&first.epoch).of_learned).collect();
        if let Some(of_draws) = of_draws {
            correlations.push(format!("{:.2} for η = {exponent}", Mean::of(&of_draws).value));
        }
        let medians = |of: fn(&FirstLearned) -> &[f64]| -> Vec<(f64, f64)> {
            let point = |group: Range<usize>| {
                let values = firsts.iter().flat_map(|first| of(first)[group.clone()].iter().copied());
                let middle = (((group.start + 1) * group.end) as f64).sqrt();
                (middle, median(values.collect()))
            };
            groups(config.n_features as usize).into_iter().map(point).collect()
        };
        let color = Color::nth(index);
        let trained = |points| {
            let name = format!("η = {exponent}, pseudo-likelihood");
            Series::new(name, Style::LineAndMarkers, color, points)
        };
        let hebb = |points| Series::new(format!("η = {exponent}, Hebb"), Style::OpenMarkers, color, points);
        let (by_hebb, later) = medians(|first| &first.epoch).into_iter().partition(|point| point.1 == 0.0);
        let below = |points: Vec<(f64, f64)>| points.into_iter().map(|(k, _)| (k, first_epoch / 2.0));
        by_epoch = by_epoch.with(trained(later)).with(hebb(below(by_hebb).collect()));
        by_load =
            by_load.with(trained(medians(|first| &first.load))).with(hebb(medians(|first| &first.hebb_load)));
    }
    let correlations = match correlations.is_empty() {
        true => String::new(),
        false => format!(": the rank correlation of k with its first epoch is {}", correlations.join(", ")),
    };
    Figure::new(vec![by_epoch, by_load]).with_caption(format!(
        "When feature k is learned first, in training time (left) and in data (right), medians over draws and neighbouring \
         k{correlations}."
    ))
}

/// The lower one of two middle values: finite only if half the values are.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_later_than_any_time() {
        assert_eq!(median(vec![f64::INFINITY, 2.0, 5.0]), 5.0);
        assert_eq!(median(vec![f64::INFINITY, f64::INFINITY, 5.0]), f64::INFINITY);
    }

    /// The first three in order, the others never: the order of the learned is perfect, that of all has a tie of three, whose
    /// ranks 4, 5, 6 become 5, 5, 5: 15.5 / sqrt(17.5 * 15.5).
    #[test]
    fn those_never_learned_tie_behind_the_last() {
        let never = f64::INFINITY;
        let correlation = Correlation::of(&[0.0, 1.0, 10.0, never, never, never]);
        assert_eq!(correlation.of_learned, Some(1.0));
        assert!((correlation.of_all.unwrap() - (15.5f64 / 17.5).sqrt()).abs() < 1e-12);
    }
}
