//! Memorisation turns into generalisation, on the hidden manifold with power-law feature frequencies.
//!
//! Features used with probability k^-eta: the frequent ones are learned first, in data and in training time. While the
//! load is small, training patterns are attractors and test examples are not; with more data the learned features carry
//! both, and at a given number of epochs the two overlaps meet. The number of learned features is what the test gap follows
//! ("Power-law feature statistics explain test reconstruction gaps in Associative Memories"). For Hebb that number levels
//! off near N^(1/2eta) as the load grows.
//!
//! Does the toy reproduce the real thing? The third panel is MNIST at 14 x 14, learned as in `mnist`, where its files are there:
//! overlaps of training images fall, those of unseen ones rise, and both meet.
//!
//! Every load and sample is a file of its own, `points/*.json`: a run that was stopped goes on where it was.
//!
//! All loads get the same number of epochs, so large ones are further from the minimum of their loss; the table has the loss
//! beside the overlaps.

mod curves;
mod measure;

use serde::{Deserialize, Serialize};

use super::checks;
use super::cost::{Cost, Estimated};
use super::mnist::{Comparison, Images, MnistConfig, OfLoad};
use super::parameters::{Parameters, Shipped};
use super::points::{self, Place, measure_missing};
use super::run_directory::{Kept, RunDirectory};
use super::trajectory::{Sampled, table};
use super::{Manifest, Options, patterns_at};
use crate::error::Result;
use crate::execution::Execution;
use crate::learning::PseudoLikelihood;
use curves::Curves;
use measure::{Epochs, Trained};

/// What the experiment writes beside the points.
pub(super) const FILES: &[&str] = &[
    "table.csv",
    "mnist.csv",
    "figure.svg",
    "figure.png",
    "features.svg",
    "features.png",
    "gap.svg",
    "gap.png",
];

/// Finished loads.
pub(super) const KEPT: Kept = Kept { folder: points::FOLDER, lock: ".transition.lock", grows: false };

/// Parameters of the experiment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TransitionConfig {
    /// N.
    pub n_spins: usize,
    /// D.
    pub n_features: u64,
    /// L.
    pub n_active: usize,
    /// eta.
    pub exponent: f64,
    /// P / N, ascending.
    pub loads: Vec<f64>,
    /// Epochs at which observables are taken, ascending from 0 (the Hebb couplings).
    pub epochs: Vec<u64>,
    pub lambda: f64,
    pub lr: f64,
    /// Unseen examples, and states recalled of each kind.
    pub n_states: usize,
    /// Parallel steps of a recall.
    pub n_steps: u64,
    /// P of the runs on MNIST, ascending, if any, and their epochs; their other parameters are those of `mnist`.
    pub mnist_patterns: Vec<usize>,
    pub mnist_epochs: u64,
    /// Manifolds, and permutations of MNIST.
    pub n_samples: u64,
    pub seed: u64,
}

impl Parameters for TransitionConfig {
    const SHIPPED: Shipped = Shipped {
        full: include_str!("../parameters/transition.toml"),
        quick: include_str!("../parameters/transition-quick.toml"),
        optional: &[],
    };

    fn check(&self) -> Result<()> {
        checks::samples("n_samples", self.n_samples)?;
        checks::at_least("n_states", 1, self.n_states)?;
        checks::at_least("n_steps", 1, self.n_steps)?;
        checks::positive("lambda", self.lambda)?;
        checks::positive("lr", self.lr)?;
        checks::rising("loads", self.loads.iter().copied(), 1, checks::ABOVE_0)?;
        checks::rising("mnist_patterns", checks::counts(&self.mnist_patterns), 0, 1.0)?;
        checks::epochs_from_0(&self.epochs)
    }
}

impl Estimated for TransitionConfig {
    fn cost(&self, execution: &Execution) -> Result<Cost> {
        let manifold = Cost::of_points(Trained::all(self).map(|place| place.cost()), execution);
        let mnist = match self.mnist_patterns.is_empty() {
            true => Cost::default(),
            false => self.mnist(false).cost(execution)?,
        };
        Ok([manifold, mnist].into_iter().sum())
    }
}

impl TransitionConfig {
    /// N = 2000, D = 1000, eta = 1.5, L = 3; or N = 500, D = 250.
    pub fn new(quick: bool, seed: u64) -> Self {
        Self::shipped(quick, seed)
    }

    fn learning(&self, seed: u64) -> PseudoLikelihood {
        PseudoLikelihood { seed, ..PseudoLikelihood::new(self.lambda, self.lr) }
    }

    fn mnist(&self, quick: bool) -> MnistConfig {
        MnistConfig {
            patterns: self.mnist_patterns.clone(),
            epochs: self.mnist_epochs,
            n_samples: self.n_samples,
            ..MnistConfig::new(quick, self.seed)
        }
    }

    /// P of the largest load.
    fn n_patterns_of_all(&self) -> usize {
        self.loads.iter().map(|&load| patterns_at(load, self.n_spins)).max().unwrap_or(1)
    }
}

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Manifest> {
    run_transition(&TransitionConfig::varied(options)?, options, execution)
}

/// Runs the experiment with parameters of the caller's; of `options`, the output, the command and what to overwrite count.
///
/// # Errors
/// If a parameter is out of range; if the output holds points of other parameters, exists and may not be replaced or cannot be
/// written; or interrupted, with the loads finished so far kept.
pub fn run_transition(
    config: &TransitionConfig,
    options: &Options,
    execution: &Execution,
) -> Result<Manifest> {
    config.check()?;
    let mut directory = RunDirectory::new("transition", options, config, FILES, KEPT)?;
    let _lock = directory.lock(FILES)?;
    let places: Vec<Trained<'_>> = Trained::all(config).collect();
    let real = real(config, options, execution)?;
    // What is there is refused, if it does not fit, before anything is written.
    if let Some(real) = &real {
        points::kept(&real.loads(), &directory, options)?;
    }
    let points = measure_missing(&places, "loads of the manifold", &mut directory, options, execution)?;
    let points: Vec<Sampled> = points.iter().flat_map(Epochs::sampled).collect();
    let images = match &real {
        Some(real) => measure_missing(&real.loads(), "loads of MNIST", &mut directory, options, execution)?,
        None => Vec::new(),
    };
    let images: Vec<Sampled> = images.iter().map(OfLoad::sampled).collect();
    directory
        .table("table.csv", &table(&points, |epoch| if epoch == 0 { "hebb" } else { "pseudo-likelihood" }))?;
    if !images.is_empty() {
        directory.table("mnist.csv", &table(&images, |_| "pseudo-likelihood"))?;
    }
    let on_images = real.as_ref().map(|real| Comparison::new(&real.config, &images)).transpose()?;
    let curves = Curves { config, points: &points, images: &images, on_images };
    directory.figure("figure", &curves.overlaps())?;
    directory.figure("features", &curves.learned_features())?;
    directory.figure("gap", &curves.gaps())?;

    let summary = curves.summary();
    for (curve, difference) in curves.differences() {
        directory.result(&format!("mnist_largest_difference_{curve}"), difference.largest);
        directory.result(&format!("mnist_mean_difference_{curve}"), difference.mean);
    }
    for (name, value) in curves.results() {
        directory.result(&name, value);
    }
    directory.finish(summary, execution)
}

/// The images of MNIST; none where its files are missing, with a note.
fn real(config: &TransitionConfig, options: &Options, execution: &Execution) -> Result<Option<Images>> {
    if config.mnist_patterns.is_empty() {
        return Ok(None);
    }
    if !options.mnist.exists() {
        execution.progress().note(&format!(
            "{} is not there (data/fetch-mnist makes it): the manifold without MNIST beside it",
            options.mnist.display()
        ));
        return Ok(None);
    }
    Images::read(config.mnist(options.quick), options).map(Some)
}
