//! In which order features are learned, and whether their number explains the test gaps: pseudo-likelihood beside Hebb.
//!
//! Two claims of "Power-law feature statistics explain test reconstruction gaps in Associative Memories" are put to numbers
//! on the hidden manifold at eta = 1, 1.5 and 2, over all loads and epochs. A feature is learned where its final overlap,
//! started from itself, is at least 0.9; the tables have the other estimators of the cutoff beside it.
//!
//! Frequent features come first. Hebb couplings, from which training starts, have the first few; training adds the others
//! in the order of their ranks, with exceptions among neighbours. The rank correlation of k with the first epoch or load is
//! given over the features that are learned, and over all, where those never learned tie behind the last. In data the order
//! holds for where a feature is learned first; what does not hold is that more data means more features at a given number
//! of epochs. Fields of the Hebb start grow with P, and the same epochs undo less of them: at the largest loads and
//! eta >= 1.5 the number falls again, with a loss far above its minimum. From zero couplings
//! (`train --init zero`, tried at N = 300 only) it goes on rising there.
//!
//! The number of learned features explains 1 - m_test within an eta: almost all of its variance over P and epochs is on one
//! falling curve, where P explains little and epochs less than the number. It is not one curve for all eta, because ten
//! features are a larger part of the data the steeper the power law. The share of the training patterns' features that are
//! learned, sum of P_k over the learned by L P, is nearly one curve for all; near Hebb at eta = 2 the gap still varies at
//! the same share. m_train - m_test is a curve of neither: below loads of about 1 training patterns are stored whatever the
//! features, and where they are not it is near 0 at any number.

mod curves;
mod gaps;
mod measurements;
mod order;
mod summary;

use serde::{Deserialize, Serialize};

use super::parameters::{Parameters, Shipped};
use super::run_directory::RunDirectory;
use super::{Manifest, Options, patterns_at};
use crate::error::{Error, Result};
use crate::execution::Execution;
use gaps::Explanations;
use measurements::{Measurements, measure};

/// What the experiment writes.
pub(super) const FILES: &[&str] = &[
    "table.csv",
    "features.csv",
    "explained.csv",
    "acquisition.svg",
    "acquisition.png",
    "order.svg",
    "order.png",
    "gap.svg",
    "gap.png",
];

/// Parameters of the experiment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AcquisitionConfig {
    /// N.
    pub n_spins: usize,
    /// D.
    pub n_features: u64,
    /// L.
    pub n_active: usize,
    /// eta, one manifold each.
    pub exponents: Vec<f64>,
    /// Manifolds of each eta, of the seeds `seed`, `seed + 1`, ...
    pub n_draws: u64,
    /// P / N, ascending.
    pub loads: Vec<f64>,
    /// Epochs at which couplings are measured, ascending from 0 (the Hebb couplings).
    pub epochs: Vec<u64>,
    pub lambda: f64,
    pub lr: f64,
    /// Unseen examples, and states recalled of each kind.
    pub n_states: usize,
    /// Parallel steps of a recall.
    pub n_steps: u64,
    pub seed: u64,
}

impl Parameters for AcquisitionConfig {
    const SHIPPED: Shipped = Shipped {
        full: include_str!("../parameters/acquisition.toml"),
        quick: include_str!("../parameters/acquisition-quick.toml"),
        optional: &[],
    };

    fn check(&self) -> Result<()> {
        let rises = |values: &[f64]| values.windows(2).all(|pair| pair[0] < pair[1]);
        if self.exponents.is_empty() || !rises(&self.exponents) {
            return Err(Error::parameter("exponents", "one or more, ascending", text(&self.exponents)));
        }
        let is_positive = |load: &f64| *load > 0.0 && load.is_finite();
        if self.loads.is_empty() || !rises(&self.loads) || !self.loads.iter().all(is_positive) {
            return Err(Error::parameter("loads", "one or more, ascending from above 0", text(&self.loads)));
        }
        if self.epochs.first() != Some(&0) || !self.epochs.is_sorted_by(|a, b| a < b) {
            return Err(Error::parameter("epochs", "0 and others, ascending", text(&self.epochs)));
        }
        for (name, value) in [("draws", self.n_draws), ("states", self.n_states as u64)] {
            if value == 0 {
                return Err(Error::parameter(name, "at least 1", value));
            }
        }
        Ok(())
    }
}

impl AcquisitionConfig {
    /// N = 1000, D = 500, L = 3, three draws; or N = 500, D = 250, two draws, loads up to 5.
    pub fn new(quick: bool, seed: u64) -> Self {
        Self::shipped(quick, seed)
    }

    /// P at a load.
    fn n_patterns(&self, load: f64) -> usize {
        patterns_at(load, self.n_spins)
    }

    fn last_epoch(&self) -> u64 {
        self.epochs.last().copied().unwrap_or(0)
    }
}

fn text(values: &[impl ToString]) -> String {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!("({})", texts.join(", "))
}

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Manifest> {
    run_acquisition(&AcquisitionConfig::varied(options)?, options, execution)
}

/// Runs the experiment with parameters of the caller's; of `options`, the output, the command and what to overwrite count.
///
/// # Errors
/// If a parameter is out of range, the output exists and may not be replaced or cannot be written, or interrupted.
pub fn run_acquisition(
    config: &AcquisitionConfig,
    options: &Options,
    execution: &Execution,
) -> Result<Manifest> {
    config.check()?;
    let mut directory = RunDirectory::create("acquisition", options, config, FILES)?;
    let mut all = Vec::new();
    for &exponent in &config.exponents {
        for draw in 0..config.n_draws {
            all.push(measure(config, exponent, draw, execution)?);
        }
    }
    let measurements = Measurements { config, all };
    directory.table("table.csv", &measurements.table())?;
    directory.table("features.csv", &order::table(&measurements))?;
    directory.figure("acquisition", &curves::figure(&measurements))?;
    directory.figure("order", &order::figure(&measurements))?;
    let explanations = Explanations::new(&measurements);
    directory.table("explained.csv", &explanations.table())?;
    directory.figure("gap", &gaps::figure(&measurements, &explanations))?;

    let results = summary::results(&measurements, &explanations);
    for (name, value) in results {
        directory.result(&name, value);
    }
    let summary = summary::text(&measurements, &explanations);
    directory.finish(summary, execution)
}
