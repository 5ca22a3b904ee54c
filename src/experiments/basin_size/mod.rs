//! Basin size against load, as in arXiv:2507.05147: pseudo-likelihood on random patterns, asymmetric, symmetrised after training
//! and symmetric in training, beside the published sizes and the published asymmetry of the same couplings. The published curve
//! named symmetric is the symmetrised one.
//!
//! How long the published couplings were trained is not stated. Couplings are therefore measured along training, with
//! several numbers of steps and thresholds, and `settings.csv` says how far every setting is from all published loads; the
//! published asymmetry, which no choice of dynamics touches, tells the training time alone.
//!
//! Descent follows the gradient flow as long as its steps are small against the curvature of the loss, at most
//! lambda (1 + sqrt(N/P))^2 / 4 a neuron: what counts is the product of lr' and epochs, here the training time lr' t. It is
//! given in these units, so that 10^4 epochs at lr' = 10 are the time 10^5.
//!
//! Every load and sample is a file of its own, `points/*.json`: a run that was stopped goes on where it was.

mod measure;
mod results;

use serde::{Deserialize, Serialize};

use super::checks;
use super::cost::{Cost, Estimated};
use super::parameters::{Parameters, Shipped};
use super::points::{self, Place, measure_missing};
use super::run_directory::{Kept, RunDirectory};
use super::{Manifest, Options, patterns_at};
use crate::error::Result;
use crate::execution::Execution;
use measure::Record;
use results::Results;

/// What the experiment writes beside the points.
pub(super) const FILES: &[&str] = &["table.csv", "settings.csv", "asymmetry.csv", "figure.svg", "figure.png"];

/// Which couplings: of N independent problems, their symmetric part, and those of one joint problem with J = J^T.
const VARIANTS: [&str; 3] = ["asymmetric", "symmetrized", "symmetric"];

/// Finished points.
pub(super) const KEPT: Kept = Kept { folder: points::FOLDER, lock: ".basin-size.lock", grows: false };

/// Parameters of the experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BasinSizeConfig {
    /// N.
    pub n_spins: usize,
    /// P / N.
    pub loads: Vec<f64>,
    /// Sets of patterns at each load.
    pub n_samples: u64,
    /// lambda' and lr'.
    pub lambda: f64,
    pub lr: f64,
    /// Epochs at which basins are measured, ascending.
    pub epochs: Vec<u64>,
    /// Parallel steps of short recalls, and the most of a recall to convergence.
    pub steps: Vec<u64>,
    pub step_limit: u64,
    /// Mean final overlaps at the edge of a basin.
    pub thresholds: Vec<f64>,
    pub seed: u64,
}

impl Parameters for BasinSizeConfig {
    const SHIPPED: Shipped = Shipped {
        full: include_str!("../parameters/basin-size.toml"),
        quick: include_str!("../parameters/basin-size-quick.toml"),
        optional: &[],
    };

    fn check(&self) -> Result<()> {
        checks::samples("n_samples", self.n_samples)?;
        checks::at_least("n_spins", 2, self.n_spins)?;
        checks::at_least("step_limit", 1, self.step_limit)?;
        checks::positive("lambda", self.lambda)?;
        checks::positive("lr", self.lr)?;
        checks::rising("loads", self.loads.iter().copied(), 1, checks::ABOVE_0)?;
        checks::rising("epochs", checks::counts(&self.epochs), 1, 1.0)?;
        self.steps.iter().try_for_each(|&steps| checks::at_least("steps", 1, steps))?;
        checks::at_least("thresholds", 1, self.thresholds.len())?;
        self.thresholds.iter().try_for_each(|&threshold| checks::within("thresholds", threshold, 1.0))
    }
}

impl Estimated for BasinSizeConfig {
    fn cost(&self, execution: &Execution) -> Result<Cost> {
        Ok(Cost::of_points(Record::all(self).map(|place| place.cost()), execution))
    }
}

impl BasinSizeConfig {
    /// N = 1000, loads 0.1 to 1, times up to 10^6; or N = 300, four loads, times up to 10^5.
    pub fn new(quick: bool, seed: u64) -> Self {
        Self::shipped(quick, seed)
    }

    /// P at a load.
    fn n_patterns(&self, load: f64) -> usize {
        patterns_at(load, self.n_spins)
    }
}

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Manifest> {
    run_basin_size(&BasinSizeConfig::varied(options)?, options, execution)
}

/// Runs the experiment with parameters of the caller's; of `options`, the output, the command and what to overwrite count.
///
/// # Errors
/// If a parameter is out of range; if the output holds a point of the same name measured otherwise, exists and may not be
/// replaced or cannot be written; or interrupted, with the points finished so far kept.
pub fn run_basin_size(
    config: &BasinSizeConfig,
    options: &Options,
    execution: &Execution,
) -> Result<Manifest> {
    config.check()?;
    let mut directory = RunDirectory::new("basin-size", options, config, FILES, KEPT)?;
    let _lock = directory.lock(FILES)?;
    let records: Vec<Record<'_>> = Record::all(config).collect();
    let points = measure_missing(&records, "loads and samples", &mut directory, options, execution)?;
    let results = Results::new(config, &points)?;
    directory.table("table.csv", &results.table())?;
    directory.table("settings.csv", &results.settings())?;
    directory.table("asymmetry.csv", &results.asymmetries())?;
    directory.figure("figure", &results.figure())?;
    for (name, value) in results.named() {
        directory.result(&name, value);
    }
    let summary = results.summary();
    directory.finish(summary, execution)
}
