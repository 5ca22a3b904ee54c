//! Results as figures.

use super::Size;
use super::config::CutoffConfig;
use super::results::{CutoffResults, SizeCutoff, exponents};
use crate::analysis::cutoff::{CutoffPoint, Draws, Estimator, law_point, ratio_intervals};
use crate::report::{Axis, Color, Figure, Panel, Position, Series, Style};
use crate::theory::PowerLawSignal;

/// Sizes in a panel of ratios at most.
const MAX_SIZES: usize = 3;
/// Ratios below are not shown: little but noise.
const LEAST_RATIO: f64 = 0.1;

/// SNR_k against k: a panel an exponent, with the full law and the poster's in the colours of the sizes.
pub(super) fn ratios(config: &CutoffConfig, sizes: &[Size<'_>], results: &CutoffResults) -> Figure {
    let panels = exponents(config).into_iter().map(|exponent| {
        let of_exponent: Vec<&Size<'_>> =
            sizes.iter().filter(|size| size.setting.exponent == exponent).collect();
        let mut panel =
            Panel::new(format!("η = {exponent}"), Axis::log("feature k"), Axis::log("SNR of feature k"));
        for (index, size) in spread(&of_exponent).into_iter().enumerate() {
            let color = Color::nth(index);
            let law: Vec<CutoffPoint> = size.points.iter().map(law_point).collect();
            let all: Vec<usize> = (0..size.points.len()).collect();
            let shown = |ratios: Vec<f64>| -> Vec<(f64, f64)> {
                let ranks = (1..).map(f64::from);
                ranks.zip(ratios).filter(|&(_, ratio)| ratio >= LEAST_RATIO).collect()
            };
            let measured = shown(Draws { points: &size.points }.mean_ratios(&all));
            let full = shown(Draws { points: &law }.mean_ratios(&all));
            let of_power_law = PowerLawSignal::new(size.setting.n_spins, size.setting.n_features, exponent);
            let power_law = full.iter().map(|&(rank, _)| (rank, of_power_law.ratio(rank))).collect();
            let n = size.setting.n_spins;
            let intervals = ratio_intervals(Draws { points: &size.points }, config.seed);
            let bar = |&(rank, _): &(f64, f64)| {
                intervals[rank as usize - 1].map(|interval| (rank, interval.low, interval.high))
            };
            let bars = thinned(&measured).iter().filter_map(bar).collect();
            let measured = Series::new(format!("N = {n}"), Style::Markers, color, thinned(&measured));
            panel = panel
                .with(measured.with_error_bars(bars))
                .with(Series::new(if index == 0 { "full law" } else { "" }, Style::Line, color, full))
                .with(Series::new(if index == 0 { "N/Z law" } else { "" }, Style::Dashed, color, power_law));
        }
        panel.with_reference("SNR = 1", Position::Y(1.0))
    });
    let crossing = |row: &SizeCutoff| Some(format!("k = {:.1}", row.k_max?));
    Figure::new(panels.collect()).with_caption(format!(
        "Signal to noise of feature k under Hebb couplings, measured (markers, 95 % bars) beside the full law (lines) and the N/Z \
         law (dashed): {}.",
        at_largest(results, "it falls to 1 at", Estimator::SnrCrossing, crossing)
    ))
}

/// What the largest N of each exponent comes to, in words.
fn at_largest(
    results: &CutoffResults,
    what: &str,
    estimator: Estimator,
    value: impl Fn(&SizeCutoff) -> Option<String>,
) -> String {
    let of_exponent = |exponent: f64| {
        let row = results.of(exponent, estimator).max_by_key(|row| row.n)?;
        Some((row.n, format!("{} for η = {exponent}", value(row)?)))
    };
    let found: Vec<(usize, String)> = results.exponents().into_iter().filter_map(of_exponent).collect();
    let Some(&(n, _)) = found.first() else { return "no N shows a cutoff".into() };
    let is_same = found.iter().all(|other| other.0 == n);
    let with_n = |(n, text): (usize, String)| if is_same { text } else { format!("{text} (N = {n})") };
    let all: Vec<String> = found.into_iter().map(with_n).collect();
    let place = if is_same { format!("at N = {n} ") } else { String::new() };
    format!("{place}{what} {}", all.join(", "))
}

/// k_max against N with fits: by the crossing of the ratio, and by overlaps.
pub(super) fn cutoffs(results: &CutoffResults) -> Figure {
    let panel_of = |estimator: Estimator, title: &str| {
        let has_law = results
            .exponents()
            .into_iter()
            .any(|exponent| results.of(exponent, estimator).any(|row| row.law.is_some()));
        let title = if has_law { format!("{title}; dashed: N/Z law") } else { title.to_owned() };
        let mut panel = Panel::new(title, Axis::log("number of spins N"), Axis::log("k_max"));
        for (index, exponent) in results.exponents().into_iter().enumerate() {
            let color = Color::nth(index);
            let rows: Vec<_> = results.of(exponent, estimator).collect();
            if rows.is_empty() {
                continue;
            }
            let points = rows.iter().filter_map(|row| Some((row.n as f64, row.k_max?))).collect();
            let bars = rows.iter().filter_map(|row| {
                let [low, high] = row.interval?;
                Some((row.n as f64, low, high))
            });
            let name = match results.fit(exponent, estimator) {
                Some(fit) => format!("η = {exponent}: slope {:.3}, 1/2η = {:.3}", fit.slope, fit.law),
                None => format!("η = {exponent}"),
            };
            panel =
                panel.with(Series::new(name, Style::Markers, color, points).with_error_bars(bars.collect()));
            if let Some(fit) = results.fit(exponent, estimator) {
                let ends = rows.first().into_iter().chain(rows.last()).map(|row| row.n as f64);
                let line = ends.map(|n| (n, (fit.intercept + fit.slope * n.ln()).exp())).collect();
                panel = panel.with(Series::new("", Style::Line, color, line));
            }
            let law = rows.iter().filter_map(|row| Some((row.n as f64, row.law?))).collect();
            panel = panel.with(Series::new("", Style::Dashed, color, law));
        }
        panel
    };
    let mut panels = vec![panel_of(Estimator::SnrCrossing, "SNR = 1")];
    panels.push(panel_of(Estimator::OneStep(0.9), "one-step overlap ≥ 0.9"));
    if results.cutoffs.iter().any(|row| row.estimator == Estimator::Last(0.9).name()) {
        panels.push(panel_of(Estimator::Last(0.9), "final overlap ≥ 0.9"));
    }
    let slopes = results.exponents().into_iter().filter_map(|exponent| {
        let fit = results.fit(exponent, Estimator::SnrCrossing)?;
        let interval = fit.interval.map_or(String::new(), |[low, high]| format!(", {low:.3} to {high:.3}"));
        Some(format!("{:.3} for η = {exponent} (law {:.3}{interval})", fit.slope, fit.law))
    });
    let slopes: Vec<String> = slopes.collect();
    let slopes = if slopes.is_empty() {
        String::new()
    } else {
        format!(": at SNR = 1 slopes are {}", slopes.join("; "))
    };
    Figure::new(panels).with_caption(format!(
        "Number of features k_max that Hebb couplings store against N by the crossing of SNR = 1 and by overlaps, with power-law \
         fits (lines){slopes}."
    ))
}

/// What the poster's law leaves out: k_max over that of the law, and the first feature that fails.
pub(super) fn corrections(results: &CutoffResults) -> Figure {
    let over_law = |row: &SizeCutoff| Some(format!("{:.2} times the N/Z law's", row.k_max? / row.law?));
    Figure::new(vec![crossings_over_law(results), first_failing(results)]).with_caption(format!(
        "k_max over that of the N/Z law (left) and the first feature whose one-step overlap falls below 0.9 (right), beside the full \
         law (lines): {}.",
        at_largest(results, "the crossing of SNR = 1 is at", Estimator::SnrCrossing, over_law)
    ))
}

/// k_max over the poster's: what draws without replacement, triples and pattern noise change, with the full law's.
fn crossings_over_law(results: &CutoffResults) -> Panel {
    let mut panel = Panel::new(
        "crossing of SNR = 1",
        Axis::log("number of spins N"),
        Axis::linear("k_max over that of the N/Z law"),
    );
    for (index, exponent) in results.exponents().into_iter().enumerate() {
        let color = Color::nth(index);
        let rows: Vec<_> = results.of(exponent, Estimator::SnrCrossing).collect();
        let over = |value: Option<f64>, law: Option<f64>| Some(value? / law?);
        let measured =
            rows.iter().filter_map(|row| Some((row.n as f64, over(row.k_max, row.law)?))).collect();
        let bars = rows.iter().filter_map(|row| {
            let ([low, high], law) = (row.interval?, row.law?);
            Some((row.n as f64, low / law, high / law))
        });
        let full = rows.iter().filter_map(|row| Some((row.n as f64, over(row.full_law, row.law)?))).collect();
        panel = panel
            .with(
                Series::new(format!("η = {exponent}"), Style::Markers, color, measured)
                    .with_error_bars(bars.collect()),
            )
            .with(Series::new(format!("full law, η = {exponent}"), Style::Line, color, full));
    }
    panel
}

/// The first feature that misses an overlap of 0.9, with the law's under quenched noise and the poster's.
fn first_failing(results: &CutoffResults) -> Panel {
    let mut panel = Panel::new(
        "first one-step overlap < 0.9",
        Axis::log("number of spins N"),
        Axis::log("first failing feature k"),
    );
    for (index, exponent) in results.exponents().into_iter().enumerate() {
        let color = Color::nth(index);
        let rows: Vec<_> = results.of(exponent, Estimator::FirstFailing(0.9)).collect();
        let along = |value: fn(&SizeCutoff) -> Option<f64>| -> Vec<(f64, f64)> {
            rows.iter().filter_map(|row| Some((row.n as f64, value(row)?))).collect()
        };
        let bars = rows.iter().filter_map(|row| {
            let [low, high] = row.interval?;
            Some((row.n as f64, low, high))
        });
        let measured = Series::new(format!("η = {exponent}"), Style::Markers, color, along(|row| row.k_max));
        let name = |name| if index == 0 { name } else { "" };
        panel = panel
            .with(measured.with_error_bars(bars.collect()))
            .with(Series::new(name("full law, quenched"), Style::Line, color, along(|row| row.full_law)))
            .with(Series::new(name("N/Z law"), Style::Dashed, color, along(|row| row.law)));
    }
    panel
}

/// The smallest, the largest and one between them.
fn spread<'a, T>(all: &[&'a T]) -> Vec<&'a T> {
    match all.len() {
        n if n <= MAX_SIZES => all.to_vec(),
        n => vec![all[0], all[n / 2], all[n - 1]],
    }
}

/// Markers that stay apart on a log axis: some twenty a decade.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut next = 0.0;
    let keep = |&&(rank, _): &&(f64, f64)| {
        let keeps = rank >= next;
        if keeps {
            next = rank * 1.12;
        }
        keeps
    };
    points.iter().filter(keep).copied().collect()
}
