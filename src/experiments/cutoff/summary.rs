//! Results in a few lines for people.

use std::time::Duration;

use super::Size;
use super::config::CutoffConfig;
use super::results::{CutoffResults, SizeCutoff};
use crate::analysis::cutoff::{CutoffPoint, Draws, Estimator, law_point, power_law_point};

/// Features whose ratios are set beside the laws: past the first two, whose frequencies saturate.
const RATIOS: std::ops::Range<usize> = 3..16;
/// With fewer draws single features scatter by more than the laws differ.
const MANY_DRAWS: usize = 50;

pub(super) fn summary(
    config: &CutoffConfig,
    sizes: &[Size<'_>],
    results: &CutoffResults,
    took: Duration,
) -> String {
    let mut text = String::new();
    for exponent in results.exponents() {
        text += &format!("eta = {exponent}, L = {}\n", config.n_active);
        text += "         N        P  draws     K   SNR = 1        (95 %)      full law   N/Z law   one-step .9   final .9\n";
        for size in sizes.iter().filter(|size| size.setting.exponent == exponent) {
            let of = |estimator: Estimator| {
                let name = estimator.name();
                let is_it = |row: &&SizeCutoff| {
                    row.exponent == exponent && row.n == size.setting.n_spins && row.estimator == name
                };
                results.cutoffs.iter().find(is_it)
            };
            let k_max = |row: Option<&SizeCutoff>| number(row.and_then(|row| row.k_max));
            let crossing = of(Estimator::SnrCrossing);
            let interval = crossing.and_then(|row| row.interval);
            let interval = interval.map_or("-".into(), |[low, high]| format!("{low:.1} to {high:.1}"));
            let n_measured = size.points.iter().map(|point| point.n_measured()).max().unwrap_or(0);
            text += &format!(
                "{:10} {:8} {:6} {n_measured:5} {:>9} {interval:>15} {:>11} {:>9} {:>13} {:>10}\n",
                size.setting.n_spins,
                size.setting.n_patterns,
                size.points.len(),
                k_max(crossing),
                number(crossing.and_then(|row| row.full_law)),
                number(crossing.and_then(|row| row.law)),
                k_max(of(Estimator::OneStep(0.9))),
                k_max(of(Estimator::Last(0.9))),
            );
        }
        for size in sizes.iter().filter(|size| size.setting.exponent == exponent) {
            text += &ratios(size);
        }
        for fit in results.fits.iter().filter(|fit| fit.exponent == exponent) {
            let interval =
                fit.interval.map_or(String::new(), |[low, high]| format!(" ({low:.3} to {high:.3})"));
            let full = fit.full_law.map_or(String::new(), |slope| format!(", full law {slope:.3}"));
            let sizes = match fit.of_sizes {
                all if all > fit.sizes => format!(", {} of {all} sizes: the others show no k_max", fit.sizes),
                _ => String::new(),
            };
            text += &format!(
                "  {:18} ~ N^{:.3}{interval}; 1/(2 eta) = {:.3}{full}{sizes}\n",
                fit.estimator, fit.slope, fit.law
            );
        }
        text += "\n";
    }
    for row in &results.couplings {
        let agreement = &row.agreement;
        text += &format!(
            "stored couplings at N = {}, eta = {}: {} fields, {} surely exact and equal; {} of the others differ, by at most {} of \
             N h, {:.4} of the bound of rounding\n",
            row.n,
            row.exponent,
            agreement.n_fields,
            agreement.n_exact,
            agreement.n_different,
            agreement.largest_difference,
            agreement.largest_share_of_bound
        );
    }
    if let Some(rates) = rates(sizes) {
        text += &format!("{rates}\n");
    }
    text += &format!("this run: {:.0} s", took.as_secs_f64());
    text
}

/// SNR_k over the laws for the first features that follow them.
fn ratios(size: &Size<'_>) -> String {
    let all: Vec<usize> = (0..size.points.len()).collect();
    let of = |points: &[CutoffPoint]| Draws { points }.mean_ratios(&all);
    let measured = of(&size.points);
    let range = RATIOS.start - 1..(RATIOS.end - 1).min(measured.len());
    if range.is_empty() || size.points.len() < MANY_DRAWS {
        return String::new();
    }
    let over = |law: fn(&CutoffPoint) -> CutoffPoint| {
        let law = of(&size.points.iter().map(law).collect::<Vec<_>>());
        let over: Vec<f64> = range.clone().map(|index| measured[index] / law[index]).collect();
        let mean = over.iter().sum::<f64>() / over.len() as f64;
        let (low, high) = over
            .iter()
            .fold((f64::INFINITY, 0.0f64), |(low, high), &ratio| (low.min(ratio), high.max(ratio)));
        format!("{mean:.3} ({low:.3} to {high:.3})")
    };
    format!(
        "  N = {}: SNR of k = {} to {} over the full law {}, over the N/Z law {}\n",
        size.setting.n_spins,
        range.start + 1,
        range.end,
        over(law_point),
        over(power_law_point)
    )
}

/// Rates of the measurement that did the most work, whenever it ran.
fn rates(sizes: &[Size<'_>]) -> Option<String> {
    let points = sizes.iter().flat_map(|size| &size.points);
    let largest = points.max_by(|a, b| a.effort.products.total_cmp(&b.effort.products))?;
    let effort = largest.effort;
    let rate = |seconds: f64| effort.products / seconds.max(f64::MIN_POSITIVE) / 1e9;
    Some(format!(
        "largest draw: N = {}, P = {} ({} differ), K = {} in {:.1} s; overlaps {:.0} G/s, fields {:.0} G/s",
        largest.n_spins,
        largest.n_patterns,
        effort.n_columns,
        largest.n_measured(),
        effort.seconds,
        rate(effort.overlap_seconds),
        rate(effort.field_seconds)
    ))
}

fn number(value: Option<f64>) -> String {
    value.map_or("-".into(), |value| format!("{value:.1}"))
}
