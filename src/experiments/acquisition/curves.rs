//! The number of learned features against epochs and against load.

use super::super::feature_learning::{LEARNED, Measurements};
use crate::experiments::mean::Mean;
use crate::report::{Axis, Color, Figure, Panel, Series, Style};

/// Against epochs at the largest load with Hebb as a level, and against load after all epochs beside Hebb; means over
/// draws, bars of one standard error.
pub(super) fn figure(measurements: &Measurements<'_>) -> Figure {
    let config = measurements.config;
    let (last_load, last_epoch) = (config.loads.len() - 1, config.epochs.len() - 1);
    let label = "learned features";
    let mut by_epoch =
        Panel::new(format!("P / N = {}", config.loads[last_load]), Axis::log("epochs"), Axis::log(label));
    let mut by_load = Panel::new(
        format!("Hebb and {} epochs", config.last_epoch()),
        Axis::log("load P / N"),
        Axis::log(label),
    );
    for (index, exponent) in config.exponents.iter().enumerate() {
        let learned = |load, epoch| measurements.mean(index, |draw| draw.at(load, epoch).n_learned(LEARNED));
        let color = Color::nth(index);
        let series = |name: String, style, points: Vec<(f64, Mean)>| {
            let bars = points.iter().map(|&(x, mean)| mean.bar(x)).collect();
            let points = points.into_iter().map(|(x, mean)| (x, mean.value)).collect();
            let series = Series::new(name, style, color, points);
            if style == Style::Dashed { series } else { series.with_error_bars(bars) }
        };
        let along = |epoch: &dyn Fn(usize) -> usize| -> Vec<(f64, Mean)> {
            let epochs = config.epochs.iter().enumerate().skip(1);
            epochs.map(|(at, &x)| (x as f64, learned(last_load, epoch(at)))).collect()
        };
        let across = |epoch| -> Vec<(f64, Mean)> {
            config.loads.iter().enumerate().map(|(load, &x)| (x, learned(load, epoch))).collect()
        };
        let (trained, hebb) = (format!("η = {exponent}, pseudo-likelihood"), format!("η = {exponent}, Hebb"));
        by_epoch = by_epoch
            .with(series(trained.clone(), Style::LineAndMarkers, along(&|epoch| epoch)))
            .with(series(hebb.clone(), Style::Dashed, along(&|_| 0)));
        by_load = by_load.with(series(trained, Style::LineAndMarkers, across(last_epoch))).with(series(
            hebb,
            Style::Dashed,
            across(0),
        ));
    }
    let ends = config.exponents.iter().enumerate().map(|(index, exponent)| {
        let [trained, hebb] = [last_epoch, 0]
            .map(|epoch| measurements.mean(index, |draw| draw.at(last_load, epoch).n_learned(LEARNED)));
        format!("{:.0} ± {:.0} for η = {exponent} (Hebb {:.0})", trained.value, trained.error, hebb.value)
    });
    let ends: Vec<String> = ends.collect();
    Figure::new(vec![by_epoch, by_load]).with_caption(format!(
        "Number of learned features of {} along training at the largest load (left) and against load (right), means over {} draws: in \
         the end {}.",
        config.n_features,
        config.n_samples,
        ends.join(", ")
    ))
}
