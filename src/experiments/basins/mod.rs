//! Basins of attraction of the learning rules on random patterns, as in arXiv:2507.05147: final overlap against initial
//! overlap, for pseudo-likelihood beside couplings of given and of largest margin, the pseudo-inverse, Storkey's rule and
//! Hebb; and how far J can be held symmetric while it is learned, and not after.
//!
//! Every rule and sample is a file of its own, `points/*.json`: a run that was stopped goes on where it was. Published curves are `data/reference/basin_curves.csv`, read off the figure.

mod curves;
mod measure;
mod rule;
mod symmetric;

use serde::{Deserialize, Serialize};

use super::checks;
use super::cost::{Cost, Estimated};
use super::parameters::{Parameters, Shipped};
use super::points::{self, Place, measure_missing};
use super::run_directory::{Kept, RunDirectory};
use super::{Manifest, Options};
use crate::error::{Error, Result};
use crate::execution::Execution;
use curves::Basins;
use measure::Learned;
use rule::Rule;

/// What the experiment writes.
pub(super) const FILES: &[&str] =
    &["table.csv", "basins.csv", "published.csv", "symmetric.csv", "figure.svg", "figure.png"];

/// Finished rules and loads.
pub(super) const KEPT: Kept = Kept { folder: points::FOLDER, lock: ".basins.lock", grows: false };

/// Parameters of the experiment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BasinsConfig {
    /// N.
    pub n_spins: usize,
    /// P / N of the basins.
    pub load: f64,
    /// Sets of patterns.
    pub n_samples: u64,
    /// Epochs of pseudo-likelihood, lambda' = 0.1, lr' = 10, from Hebb.
    pub epochs: u64,
    /// Initial overlaps, ascending.
    pub initial_overlaps: Vec<f64>,
    /// Steps of a short recall, and the most of a recall to convergence.
    pub n_steps: u64,
    pub step_limit: u64,
    /// Mean final overlap at the edge of a basin.
    pub threshold: f64,
    /// N and the loads at which symmetric couplings are compared with symmetrised ones.
    pub symmetric_n_spins: usize,
    pub symmetric_loads: Vec<f64>,
    pub seed: u64,
}

impl Parameters for BasinsConfig {
    const SHIPPED: Shipped = Shipped {
        full: include_str!("../parameters/basins.toml"),
        quick: include_str!("../parameters/basins-quick.toml"),
        optional: &[],
    };

    fn check(&self) -> Result<()> {
        checks::samples("n_samples", self.n_samples)?;
        for (name, n_spins) in [("n_spins", self.n_spins), ("symmetric_n_spins", self.symmetric_n_spins)] {
            checks::at_least(name, 2, n_spins)?;
        }
        for (name, steps) in [("n_steps", self.n_steps), ("step_limit", self.step_limit)] {
            checks::at_least(name, 1, steps)?;
        }
        // The pseudo-inverse needs independent patterns.
        checks::within("load", self.load, 1.0)?;
        checks::within("threshold", self.threshold, 1.0)?;
        checks::rising("symmetric_loads", self.symmetric_loads.iter().copied(), 1, checks::ABOVE_0)?;
        checks::rising("initial_overlaps", self.initial_overlaps.iter().copied(), 1, -1.0)?;
        let most = self.initial_overlaps.last().copied().unwrap_or(1.0);
        if most <= 1.0 { Ok(()) } else { Err(Error::parameter("initial_overlaps", "overlaps up to 1", most)) }
    }
}

impl Estimated for BasinsConfig {
    fn cost(&self, execution: &Execution) -> Result<Cost> {
        let rules = Rule::all(self.epochs);
        let learned = Cost::of_points(Learned::all(self, &rules).map(|place| place.cost()), execution);
        let symmetric = Cost::of_points(symmetric::Load::all(self).map(|place| place.cost()), execution);
        Ok([learned, symmetric].into_iter().sum())
    }
}

impl BasinsConfig {
    /// N = 1000 and 5 samples, or N = 300 and 2.
    pub fn new(quick: bool, seed: u64) -> Self {
        Self::shipped(quick, seed)
    }
}

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Manifest> {
    run_basins(&BasinsConfig::varied(options)?, options, execution)
}

/// Runs the experiment with parameters of the caller's; of `options`, the output, the command and what to overwrite count.
///
/// # Errors
/// If a parameter is out of range; if the output holds points of other parameters, exists and may not be replaced or cannot be
/// written; or interrupted, with the points finished so far kept.
pub fn run_basins(config: &BasinsConfig, options: &Options, execution: &Execution) -> Result<Manifest> {
    config.check()?;
    let mut directory = RunDirectory::new("basins", options, config, FILES, KEPT)?;
    let _lock = directory.lock(FILES)?;
    let rules = Rule::all(config.epochs);
    let places: Vec<Learned<'_>> = Learned::all(config, &rules).collect();
    let loads: Vec<symmetric::Load<'_>> = symmetric::Load::all(config).collect();
    // What is there is refused, if it does not fit, before anything is written.
    points::kept(&loads, &directory, options)?;
    let samples = measure_missing(&places, "rules and samples", &mut directory, options, execution)?;
    let symmetric = measure_missing(&loads, "symmetric couplings", &mut directory, options, execution)?;
    let basins = Basins::new(config, &rules, &samples);
    directory.table("table.csv", &basins.table())?;
    directory.table("basins.csv", &basins.curves())?;
    directory.table("published.csv", &basins.published()?)?;
    directory.figure("figure", &basins.figure()?)?;
    directory.table("symmetric.csv", &symmetric::table(&symmetric))?;
    for (name, value) in basins.results() {
        directory.result(&name, value);
    }
    let summary = format!("{}\n{}", basins.summary()?, symmetric::summary(config, &symmetric));
    directory.finish(summary, execution)
}
