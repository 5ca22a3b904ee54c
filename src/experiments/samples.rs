//! Samples of an experiment: their seeds, and curves of means over them.

use super::mean::Mean;
use crate::report::{Color, Series, Style};

/// The seed of a sample. Of seed 0 the first sample has seed 0 too.
pub(super) fn sample_seed(seed: u64, sample: u64) -> u64 {
    seed.wrapping_mul(1000).wrapping_add(sample)
}

/// What a caption says of means without errors in the figure.
pub(super) fn of_samples(n_samples: u64) -> String {
    if n_samples > 1 { format!("; means of {n_samples} samples") } else { String::new() }
}

/// A curve of (x, mean over samples), with a band of one standard error to either side where there is one.
pub(super) fn curve_of_means(
    name: impl Into<String>,
    style: Style,
    color: Color,
    means: &[(f64, Mean)],
) -> Series {
    let series = Series::new(name, style, color, means.iter().map(|&(x, mean)| (x, mean.value)).collect());
    if means.iter().any(|(_, mean)| mean.error > 0.0) {
        series.with_band(means.iter().map(|&(x, mean)| mean.bar(x)).collect())
    } else {
        series
    }
}
