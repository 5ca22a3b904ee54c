//! Stabilities of random patterns against theory: the optimum of the pseudo-likelihood at its own lambda_eff beside the replica
//! law, gradient descent as it is beside it, the way of the optimum to the couplings of largest margin as the norm grows, and
//! that margin against Gardner's kappa_max as N grows.

mod densities;
mod limit;
mod margins;

use serde::Serialize;

use super::run_directory::RunDirectory;
use super::{Options, Outcome};
use crate::couplings::Couplings;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::learning::{Initial, Lbfgs, PseudoLikelihood, optimum};
use crate::spins::SpinMatrix;

/// What the experiment writes.
pub(super) const FILES: &[&str] = &[
    "densities.csv",
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

/// Parameters of the experiment.
#[derive(Clone, Debug, Serialize)]
pub struct StabilityConfig {
    /// P / N of the stabilities and of the limit.
    pub load: f64,
    /// lambda_eff of the densities; distances are taken at the second.
    pub lambda_effs: [f64; 3],
    /// Inverse temperature of the loss.
    pub lambda: f64,
    /// N and the number of samples of the distances, ascending; densities are shown at the second.
    pub sizes: Vec<(usize, u64)>,
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

impl StabilityConfig {
    /// N up to 4000, or up to 500.
    pub fn new(quick: bool, seed: u64) -> Self {
        let sizes: &[_] =
            if quick { &[(125, 4), (250, 2), (500, 1)] } else { &[(500, 5), (1000, 3), (4000, 2)] };
        let loads: &[_] = if quick { &[0.4] } else { &[0.1, 0.4, 1.0] };
        let n_spins: &[_] = if quick { &[60, 120, 240] } else { &[120, 240, 480, 960] };
        Self {
            load: 0.4,
            lambda_effs: [0.2, 0.8, 1.6],
            lambda: 1.0,
            sizes: sizes.to_vec(),
            descent_epochs: 200,
            descent_lr: 1.0,
            limit_n_spins: if quick { 200 } else { 1000 },
            limit_lambda_effs: vec![0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0],
            margin_loads: loads.to_vec(),
            margin_n_spins: n_spins.to_vec(),
            n_margin_samples: if quick { 2 } else { 4 },
            seed,
        }
    }
}

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Outcome> {
    run_stability(&StabilityConfig::new(options.quick, options.seed), options, execution)
}

/// Runs the experiment with parameters of the caller's; of `options`, the output, the command and what to overwrite count.
///
/// # Errors
/// If a parameter is out of range, the output exists and may not be replaced or cannot be written, or interrupted.
pub fn run_stability(config: &StabilityConfig, options: &Options, execution: &Execution) -> Result<Outcome> {
    if config.sizes.len() < 2 || config.margin_n_spins.len() < 2 {
        return Err(Error::parameter("sizes", "at least two", "fewer"));
    }
    let mut directory = RunDirectory::create("stability", options, config, FILES)?;
    let densities = densities::measure(config, execution)?;
    directory.table("densities.csv", &densities.densities())?;
    directory.table("distances.csv", &densities.distances())?;
    directory.figure("figure", &densities.figure()?)?;
    let limit = limit::measure(config, execution)?;
    directory.table("limit.csv", &limit.table())?;
    directory.figure("limit", &limit.figure())?;
    let margins = margins::measure(config, execution)?;
    directory.table("margins.csv", &margins.table())?;
    directory.figure("margins", &margins.figure()?)?;
    let summary = [densities.summary(), limit.summary(), margins.summary()?].join("\n");
    for (name, value) in densities.results().into_iter().chain(margins.results()?) {
        directory.result(&name, value);
    }
    Ok(Outcome { manifest: directory.finish()?, summary })
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

fn n_patterns(load: f64, n_spins: usize) -> usize {
    ((load * n_spins as f64).round() as usize).max(1)
}
