//! Pseudo-likelihood on the power-law hidden manifold, feature by feature: over exponents, loads and epochs, from Hebb.
//!
//! What `acquisition` and `gap` make their figures of. A manifold is drawn for each exponent and draw; the smaller loads are its
//! first patterns, so that curves differ by data alone. Every load of a draw is a file of its own, `points/*.json`: a run that
//! was stopped goes on where it was.

mod measurements;
mod trained;

use serde::{Deserialize, Serialize};

pub(super) use self::measurements::{Draw, LEARNED, Measurement, Measurements};
use self::trained::Trained;
use super::checks;
use super::cost::{Cost, Estimated};
use super::parameters::{Parameters, Shipped};
use super::points::{Place, measure_missing};
use super::run_directory::RunDirectory;
use super::{Options, patterns_at};
use crate::datasets::{Coefficients, Manifold, ManifoldParameters};
use crate::error::Result;
use crate::execution::Execution;
use crate::experiments::samples::sample_seed;
use crate::learning::PseudoLikelihood;

/// Manifolds, and how couplings are learned and measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FeatureLearningConfig {
    /// N.
    pub n_spins: usize,
    /// D.
    pub n_features: u64,
    /// L.
    pub n_active: usize,
    /// eta, one manifold each.
    pub exponents: Vec<f64>,
    /// Manifolds of each eta.
    pub n_samples: u64,
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

impl Parameters for FeatureLearningConfig {
    const SHIPPED: Shipped = Shipped {
        full: include_str!("../parameters/feature-learning.toml"),
        quick: include_str!("../parameters/feature-learning-quick.toml"),
        optional: &[],
    };

    fn check(&self) -> Result<()> {
        checks::samples("n_samples", self.n_samples)?;
        checks::at_least("n_states", 1, self.n_states)?;
        checks::at_least("n_steps", 1, self.n_steps)?;
        checks::positive("lambda", self.lambda)?;
        checks::positive("lr", self.lr)?;
        checks::rising("exponents", self.exponents.iter().copied(), 1, 0.0)?;
        checks::rising("loads", self.loads.iter().copied(), 1, checks::ABOVE_0)?;
        checks::epochs_from_0(&self.epochs)?;
        // Draws and loads differ in the seed and the number of patterns alone.
        self.exponents.iter().try_for_each(|&exponent| self.manifold(exponent, 0).map(drop))
    }
}

impl Estimated for FeatureLearningConfig {
    fn cost(&self, execution: &Execution) -> Result<Cost> {
        Ok(Cost::of_points(Trained::all(self).map(|place| place.cost()), execution))
    }
}

impl FeatureLearningConfig {
    /// N = 1000, D = 500, L = 3, three draws; or N = 500, D = 250, two draws, loads up to 5.
    pub fn new(quick: bool, seed: u64) -> Self {
        Self::shipped(quick, seed)
    }

    /// The manifold of a draw, with as many patterns as the largest load has.
    ///
    /// # Errors
    /// If there is no such manifold.
    fn manifold(&self, exponent: f64, draw: u64) -> Result<Manifold> {
        Manifold::new(ManifoldParameters {
            n_spins: self.n_spins,
            n_patterns: self.n_patterns_of_all(),
            n_test: self.n_states,
            n_features: self.n_features,
            n_active: self.n_active,
            exponent,
            coefficients: Coefficients::Signs,
            test_features: None,
            n_stored_features: self.n_features as usize,
            seed: self.seed_of(draw),
        })
    }

    fn learning(&self, seed: u64) -> PseudoLikelihood {
        PseudoLikelihood { seed, ..PseudoLikelihood::new(self.lambda, self.lr) }
    }

    fn seed_of(&self, draw: u64) -> u64 {
        sample_seed(self.seed, draw)
    }

    /// P of the largest load.
    fn n_patterns_of_all(&self) -> usize {
        self.loads.last().map_or(1, |&load| self.n_patterns(load))
    }

    /// P at a load.
    pub(super) fn n_patterns(&self, load: f64) -> usize {
        patterns_at(load, self.n_spins)
    }

    pub(super) fn last_epoch(&self) -> u64 {
        self.epochs.last().copied().unwrap_or(0)
    }

    /// Trains and measures what the folder does not hold yet.
    ///
    /// # Errors
    /// If a parameter is out of range, the folder holds measurements of other parameters or cannot be written, or interrupted.
    pub(super) fn measure(
        &self,
        directory: &mut RunDirectory,
        options: &Options,
        execution: &Execution,
    ) -> Result<Measurements<'_>> {
        let places: Vec<Trained<'_>> = Trained::all(self).collect();
        let points = measure_missing(&places, "loads of the manifolds", directory, options, execution)?;
        let mut points = points.into_iter();
        let mut draws = Vec::new();
        for &exponent in &self.exponents {
            for index in 0..self.n_samples {
                let loads = points.by_ref().take(self.loads.len());
                draws.push(Draw { exponent, index, measurements: loads.map(|load| load.epochs).collect() });
            }
        }
        Ok(Measurements { config: self, all: draws })
    }
}
