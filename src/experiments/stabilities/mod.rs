//! Stabilities of random patterns against theory: the optimum of the pseudo-likelihood at its own lambda_eff beside the replica
//! law, gradient descent as it is beside it, the way of the optimum to the couplings of largest margin as the norm grows, and
//! that margin against Gardner's kappa_max as N grows.

mod densities;
mod limit;
mod margins;

use serde::{Deserialize, Serialize};

use super::checks;
use super::cost::{Cost, Estimated};
use super::parameters::{Parameters, Shipped};
use super::points::{self, Place, measure_missing};
use super::run_directory::{Kept, RunDirectory};
use super::{Manifest, Options};
use crate::couplings::Couplings;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::learning::{Initial, Lbfgs, PseudoLikelihood, optimum};
use crate::spins::SpinMatrix;
use densities::{AtLambdaEff, Densities, Size};
use limit::Way;
use margins::{Margins, Patterns};

/// What the experiment writes.
pub(super) const FILES: &[&str] = &[
    "table.csv",
    "distances.csv",
    "limit.csv",
    "margins.csv",
    "figure.svg",
    "figure.png",
    "limit.svg",
    "limit.png",
    "margins.svg",
    "margins.png",
];

/// Finished distances, densities, limits and margins.
pub(super) const KEPT: Kept = Kept { folder: points::FOLDER, lock: ".stabilities.lock", grows: false };

/// Parameters of the experiment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StabilitiesConfig {
    /// P / N of the stabilities and of the limit.
    pub load: f64,
    /// lambda_eff of the densities; distances are taken at the second.
    pub lambda_effs: [f64; 3],
    /// Inverse temperature of the loss.
    pub lambda: f64,
    /// N and the number of samples of the distances, ascending; densities are shown at the second.
    pub n_spins: Vec<usize>,
    pub n_samples: Vec<u64>,
    /// Epochs and learning rate of the descent that is shown beside.
    pub descent_epochs: u64,
    pub descent_lr: f64,
    /// N and lambda_eff of the limit.
    pub limit_n_spins: usize,
    pub limit_lambda_effs: Vec<f64>,
    /// Loads, N and samples of the largest margin.
    pub margin_loads: Vec<f64>,
    pub margin_n_spins: Vec<usize>,
    pub n_margin_samples: u64,
    pub seed: u64,
}

impl Parameters for StabilitiesConfig {
    const SHIPPED: Shipped = Shipped {
        full: include_str!("../parameters/stabilities.toml"),
        quick: include_str!("../parameters/stabilities-quick.toml"),
        optional: &[],
    };

    fn set_samples(parameters: &mut toml::Table, n_samples: u32) {
        let n_samples = toml::Value::from(n_samples);
        let of_sizes = parameters.get_mut("n_samples").and_then(toml::Value::as_array_mut);
        of_sizes.into_iter().flatten().for_each(|number| *number = n_samples.clone());
        parameters.insert("n_margin_samples".to_owned(), n_samples);
    }

    fn check(&self) -> Result<()> {
        checks::samples("n_margin_samples", self.n_margin_samples)?;
        checks::positive("lambda", self.lambda)?;
        checks::positive("descent_lr", self.descent_lr)?;
        // Beyond load 2 nothing is stored.
        checks::within("load", self.load, 2.0)?;
        checks::rising("margin_loads", self.margin_loads.iter().copied(), 1, checks::ABOVE_0)?;
        self.margin_loads.iter().try_for_each(|&load| checks::within("margin_loads", load, 2.0))?;
        checks::rising("lambda_effs", self.lambda_effs, 1, checks::ABOVE_0)?;
        checks::rising("limit_lambda_effs", self.limit_lambda_effs.iter().copied(), 1, checks::ABOVE_0)?;
        checks::at_least("limit_n_spins", 2, self.limit_n_spins)?;
        checks::rising("margin_n_spins", checks::counts(&self.margin_n_spins), 2, 2.0)?;
        checks::rising("n_spins", checks::counts(&self.n_spins), 2, 2.0)?;
        self.n_samples.iter().try_for_each(|&n_samples| checks::samples("n_samples", n_samples))?;
        if self.n_samples.len() == self.n_spins.len() {
            return Ok(());
        }
        let expected = format!("{} numbers, one for each N", self.n_spins.len());
        Err(Error::parameter("n_samples", expected, self.n_samples.len()))
    }
}

impl Estimated for StabilitiesConfig {
    fn cost(&self, execution: &Execution) -> Result<Cost> {
        let parts = [
            Cost::of_points(Size::all(self).map(|place| place.cost()), execution),
            Cost::of_points(AtLambdaEff::all(self).map(|place| place.cost()), execution),
            Way(self).cost(),
            Cost::of_points(Patterns::all(self).map(|place| place.cost()), execution),
        ];
        Ok(parts.into_iter().sum())
    }
}

impl StabilitiesConfig {
    /// N up to 4000, or up to 500.
    pub fn new(quick: bool, seed: u64) -> Self {
        Self::shipped(quick, seed)
    }
}

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Manifest> {
    run_stabilities(&StabilitiesConfig::varied(options)?, options, execution)
}

/// Runs the experiment with parameters of the caller's; of `options`, the output, the command and what to overwrite count.
///
/// # Errors
/// If a parameter is out of range; if the output holds points of other parameters, exists and may not be replaced or cannot be
/// written; or interrupted, with the points finished so far kept.
pub fn run_stabilities(
    config: &StabilitiesConfig,
    options: &Options,
    execution: &Execution,
) -> Result<Manifest> {
    config.check()?;
    let mut directory = RunDirectory::new("stabilities", options, config, FILES, KEPT)?;
    let _lock = directory.lock(FILES)?;
    let (sizes, shown): (Vec<_>, Vec<_>) = (Size::all(config).collect(), AtLambdaEff::all(config).collect());
    let (way, patterns): (_, Vec<_>) = ([Way(config)], Patterns::all(config).collect());
    // What is there is refused, if it does not fit, before anything is written.
    points::kept(&sizes, &directory, options)?;
    points::kept(&shown, &directory, options)?;
    points::kept(&way, &directory, options)?;
    points::kept(&patterns, &directory, options)?;
    let sizes = measure_missing(&sizes, "distances", &mut directory, options, execution)?;
    let shown = measure_missing(&shown, "densities", &mut directory, options, execution)?;
    let limit = measure_missing(&way, "the largest margin", &mut directory, options, execution)?;
    let margins = measure_missing(&patterns, "margins", &mut directory, options, execution)?;
    let densities = Densities::new(config, sizes, shown)?;
    directory.table("table.csv", &densities.densities())?;
    directory.table("distances.csv", &densities.distances())?;
    directory.figure("figure", &densities.figure()?)?;
    for limit in &limit {
        directory.table("limit.csv", &limit.table())?;
        directory.figure("limit", &limit.figure())?;
    }
    let margins = Margins { all: margins };
    directory.table("margins.csv", &margins.table())?;
    directory.figure("margins", &margins.figure()?)?;
    let limit: String = limit.iter().map(limit::Limit::summary).collect();
    let summary = [densities.summary(), limit, margins.summary()?].join("\n");
    for (name, value) in densities.results().into_iter().chain(margins.results()?) {
        directory.result(&name, value);
    }
    directory.finish(summary, execution)
}

/// The optimum with this weight decay, from zero.
fn optimum_with(
    l2: f64,
    solver: &Lbfgs,
    lambda: f64,
    patterns: &SpinMatrix,
    execution: &Execution,
) -> Result<Couplings> {
    let parameters = PseudoLikelihood { l2, ..PseudoLikelihood::new(lambda, 1.0) };
    Ok(optimum(patterns, &parameters, solver, &Initial::Zero, 1.0, execution)?.couplings)
}
