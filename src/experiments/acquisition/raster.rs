//! Which feature is learned when: the final overlap of every feature, ordered by k, along training time and along data.

use super::super::feature_learning::{LEARNED, Measurements};
use super::ranks::groups;
use crate::report::{Axis, Cell, Figure, Panel, log_edges};

/// Against epochs at the largest load; the first column is Hebb. A panel an exponent.
pub(super) fn by_epoch(measurements: &Measurements<'_>) -> Figure {
    let config = measurements.config;
    let last_load = config.loads.len() - 1;
    // Epoch 0 has no place on a log axis: it stands before the others.
    let first = config.epochs.get(1).copied().unwrap_or(1) as f64;
    let epochs: Vec<f64> =
        config.epochs.iter().map(|&epoch| if epoch == 0 { first / HEBB } else { epoch as f64 }).collect();
    let title = |exponent: f64| format!("final overlap, η = {exponent}, P / N = {}", config.loads[last_load]);
    let figure =
        raster(measurements, "epochs (first column: Hebb)", &epochs, title, |column| (last_load, column));
    figure.with_caption(format!(
        "Final overlap of every feature, ordered by k, along training at the largest load: {}.",
        learned(
            measurements,
            [(last_load, 0), (last_load, config.epochs.len() - 1)],
            ["Hebb", "after all epochs"]
        )
    ))
}

/// Against load after all epochs. A panel an exponent.
pub(super) fn by_load(measurements: &Measurements<'_>) -> Figure {
    let config = measurements.config;
    let last_epoch = config.epochs.len() - 1;
    let title = |exponent: f64| format!("final overlap, η = {exponent}, {} epochs", config.last_epoch());
    let figure = raster(measurements, "load P / N", &config.loads, title, |column| (column, last_epoch));
    figure.with_caption(format!(
        "Final overlap of every feature, ordered by k, against load after all epochs: {}.",
        learned(
            measurements,
            [(0, last_epoch), (config.loads.len() - 1, last_epoch)],
            ["at the smallest load", "at the largest"]
        )
    ))
}

/// Numbers of learned features at two (load, epoch), for captions.
fn learned(measurements: &Measurements<'_>, at: [(usize, usize); 2], names: [&str; 2]) -> String {
    let exponents = measurements.config.exponents.iter().enumerate();
    let texts = exponents.map(|(index, exponent)| {
        let [first, last] = at.map(|(load, epoch)| {
            measurements.mean(index, |draw| draw.at(load, epoch).n_learned(LEARNED)).value
        });
        format!("{first:.0} learned {}, {last:.0} {} for η = {exponent}", names[0], names[1])
    });
    texts.collect::<Vec<_>>().join("; ")
}

/// How far before the first epoch Hebb stands.
const HEBB: f64 = 3.0;

/// Columns at `values`, of which each has the measurements of a (load, epoch); means over draws and neighbouring ranks.
fn raster(
    measurements: &Measurements<'_>,
    label: &str,
    values: &[f64],
    title: impl Fn(f64) -> String,
    at: impl Fn(usize) -> (usize, usize),
) -> Figure {
    let config = measurements.config;
    let columns = log_edges(values);
    let groups = groups(config.n_features as usize);
    let (low, high) = (0.5, config.n_features as f64 + 0.5);
    let panels = config.exponents.iter().enumerate().map(|(index, &exponent)| {
        let cell = |column: usize, group: &std::ops::Range<usize>| {
            let (load, epoch) = at(column);
            let overlap = measurements.mean(index, |draw| {
                let features = &draw.at(load, epoch).features[group.clone()];
                let sum: f64 = features.iter().map(|feature| feature.last.unwrap_or(f64::NAN)).sum();
                sum / features.len() as f64
            });
            let y = (group.start as f64 + 0.5, group.end as f64 + 0.5);
            Cell { x: (columns[column], columns[column + 1]), y, value: overlap.value }
        };
        let cells = (0..values.len()).flat_map(|column| groups.iter().map(move |group| cell(column, group)));
        let x = Axis::log(label).with_range(columns[0], columns[values.len()]);
        let y = Axis::log("feature k").with_range(low, high);
        Panel::new(title(exponent), x, y).with_cells(cells.collect())
    });
    Figure::new(panels.collect())
}
