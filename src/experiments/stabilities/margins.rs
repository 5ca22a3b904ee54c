//! The largest margin of random patterns at growing N, extrapolated, against Gardner's.

use serde::{Deserialize, Serialize};

use super::StabilitiesConfig;
use crate::dynamics::random_states;
use crate::error::Result;
use crate::execution::Execution;
use crate::experiments::cost::Cost;
use crate::experiments::mean::Mean;
use crate::experiments::patterns_at;
use crate::experiments::points::Place;
use crate::experiments::samples::sample_seed;
use crate::learning::{MaxStability, max_stability};
use crate::report::{Axis, Color, Figure, Panel, Series, Style};
use crate::storage::Table;
use crate::theory::kappa_max;

/// Couplings of largest margin of one set of patterns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Margin {
    load: f64,
    n_spins: usize,
    sample: u64,
    mean: f64,
    mean_upper: f64,
    lowest: f64,
}

pub(super) struct Margins {
    pub(super) all: Vec<Margin>,
}

/// Relative gap of a neuron's margin: far below what samples scatter by.
const TOLERANCE: f64 = 1e-4;

/// A load, N and sample: its place among the files, and how it is measured.
pub(super) struct Patterns<'a> {
    config: &'a StabilitiesConfig,
    load: f64,
    n_spins: usize,
    sample: u64,
}

impl<'a> Patterns<'a> {
    /// Loads slowest, then N, then samples.
    pub(super) fn all(config: &'a StabilitiesConfig) -> impl Iterator<Item = Self> {
        let at = move |load, n_spins| {
            (0..config.n_margin_samples).map(move |sample| Self { config, load, n_spins, sample })
        };
        let of = move |load| config.margin_n_spins.iter().flat_map(move |&n_spins| at(load, n_spins));
        config.margin_loads.iter().flat_map(move |&load| of(load))
    }
}

impl Place for Patterns<'_> {
    type Point = Margin;

    const WHAT: &'static str = "a finished largest margin";

    fn name(&self) -> String {
        let seed = self.config.seed;
        format!("margin-n{}-load{}-seed{seed}-sample{}.json", self.n_spins, self.load, self.sample)
    }

    fn parameters(&self) -> String {
        format!("tolerance {TOLERANCE}, seed {}", self.config.seed)
    }

    fn has_shape_of(&self, margin: &Margin) -> bool {
        (margin.load, margin.n_spins, margin.sample) == (self.load, self.n_spins, self.sample)
    }

    fn cost(&self) -> Cost {
        Cost::largest_margins(patterns_at(self.load, self.n_spins), self.n_spins)
    }

    fn measure(&self, execution: &Execution) -> Result<Margin> {
        let &Patterns { config, load, n_spins, sample } = self;
        let seed = sample_seed(config.seed, 200 + sample);
        let patterns = random_states(patterns_at(load, n_spins), n_spins, seed)?;
        let parameters = MaxStability { tolerance: TOLERANCE, ..MaxStability::default() };
        let summary = max_stability(&patterns, &parameters, execution)?.summary();
        let (mean, mean_upper, lowest) = (summary.mean_lower, summary.mean_upper, summary.lowest);
        Ok(Margin { load, n_spins, sample, mean, mean_upper, lowest })
    }
}

/// The line a + b x of least squares, and the standard error of a.
fn extrapolated(points: &[(f64, f64)]) -> (f64, f64, f64) {
    let n = points.len() as f64;
    let mean = |value: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / n;
    let (x, y) = (mean(&|p| p.0), mean(&|p| p.1));
    let squares: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    let slope = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / squares;
    let start = y - slope * x;
    let rest: f64 = points.iter().map(|p| (p.1 - start - slope * p.0).powi(2)).sum();
    let error = (rest / (n - 2.0).max(1.0) * (1.0 / n + x * x / squares)).sqrt();
    (start, slope, error)
}

impl Margins {
    fn loads(&self) -> Vec<f64> {
        let mut loads: Vec<f64> = self.all.iter().map(|margin| margin.load).collect();
        loads.dedup();
        loads
    }

    /// (1 / N, mean margin) of every sample at a load.
    fn points(&self, load: f64) -> Vec<(f64, f64)> {
        let of_load = self.all.iter().filter(|margin| margin.load == load);
        of_load.map(|margin| (1.0 / margin.n_spins as f64, margin.mean)).collect()
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(["load", "n", "sample", "margin_mean", "margin_mean_upper", "margin_min"]);
        for margin in &self.all {
            table.push(vec![
                margin.load.to_string(),
                margin.n_spins.to_string(),
                margin.sample.to_string(),
                margin.mean.to_string(),
                margin.mean_upper.to_string(),
                margin.lowest.to_string(),
            ]);
        }
        table
    }

    pub(super) fn figure(&self) -> Result<Figure> {
        let (mut panels, mut limits) = (Vec::new(), Vec::new());
        for load in self.loads() {
            let points = self.points(load);
            let (start, slope, error) = extrapolated(&points);
            let widest = points.iter().map(|point| point.0).fold(0.0, f64::max);
            let lowest = self.all.iter().filter(|margin| margin.load == load);
            let lowest: Vec<_> = lowest.map(|margin| (1.0 / margin.n_spins as f64, margin.lowest)).collect();
            let theory = kappa_max(load)?;
            limits.push(format!("{start:.4} ± {error:.4} at P / N = {load} (Gardner {theory:.4})"));
            panels.push(
                Panel::new(format!("P / N = {load}"), Axis::linear("1 / N"), Axis::linear("margin"))
                    .with(Series::new("mean over neurons", Style::Markers, Color::TRAIN, points))
                    .with(Series::new(
                        "its line",
                        Style::Line,
                        Color::TRAIN,
                        vec![(0.0, start), (widest, start + slope * widest)],
                    ))
                    .with(Series::new("smallest of the network", Style::Markers, Color::TEST, lowest))
                    .with(Series::new("Gardner", Style::OpenMarkers, Color::Black, vec![(0.0, theory)])),
            );
        }
        Ok(Figure::new(panels).with_caption(format!(
            "Largest margins of random patterns against 1 / N, whose means over neurons extrapolate to {}.",
            limits.join(", ")
        )))
    }

    pub(super) fn results(&self) -> Result<Vec<(String, f64)>> {
        let mut results = Vec::new();
        for load in self.loads() {
            results.push((format!("margin_at_load_{load}"), extrapolated(&self.points(load)).0));
            results.push((format!("gardner_at_load_{load}"), kappa_max(load)?));
        }
        Ok(results)
    }

    pub(super) fn summary(&self) -> Result<String> {
        let mut text = "Largest margin: mean over neurons (smallest of the network) at each N, extrapolated in 1 / N\n\n".to_owned();
        for load in self.loads() {
            text += &format!("P / N = {load}\n");
            let mut sizes: Vec<usize> =
                self.all.iter().filter(|margin| margin.load == load).map(|margin| margin.n_spins).collect();
            sizes.dedup();
            for n_spins in sizes {
                let chosen = || self.all.iter().filter(|m| m.load == load && m.n_spins == n_spins);
                let mean = Mean::of(&chosen().map(|margin| margin.mean).collect::<Vec<_>>());
                let lowest = Mean::of(&chosen().map(|margin| margin.lowest).collect::<Vec<_>>());
                text += &format!(
                    "  N = {n_spins:5}  {:.4}±{:.4} ({:.3}±{:.3})\n",
                    mean.value, mean.error, lowest.value, lowest.error
                );
            }
            let (start, _, error) = extrapolated(&self.points(load));
            text += &format!("  N = inf    {start:.4}±{error:.4}, Gardner {:.4}\n", kappa_max(load)?);
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line gives itself without error; three points off it by 1, -2, 1 give its start and the textbook's error.
    #[test]
    fn lines_are_extrapolated() {
        let line = [(1.0, 3.0), (2.0, 5.0), (4.0, 9.0)];
        let (start, slope, error) = extrapolated(&line);
        assert!((start - 1.0).abs() < 1e-12 && (slope - 2.0).abs() < 1e-12 && error < 1e-12);
        let (start, slope, error) = extrapolated(&[(-1.0, 1.0), (0.0, -2.0), (1.0, 1.0)]);
        assert!(start.abs() < 1e-12 && slope.abs() < 1e-12 && (error - 2.0f64.sqrt()).abs() < 1e-12);
    }
}
