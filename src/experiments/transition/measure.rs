//! Couplings at one load of one manifold, observed along training; kept as a file.

use serde::{Deserialize, Serialize};

use super::TransitionConfig;
use crate::analysis::Evaluation;
use crate::datasets::{Coefficients, DataSet, Manifold, ManifoldParameters};
use crate::error::Result;
use crate::execution::Execution;
use crate::experiments::cost::Cost;
use crate::experiments::patterns_at;
use crate::experiments::points::Place;
use crate::experiments::samples::sample_seed;
use crate::experiments::trajectory::{Point, Sampled, trajectory};
use crate::learning::{Initial, Trainer};

/// A load of a sample: its place among the files, and how it is measured.
pub(super) struct Trained<'a> {
    config: &'a TransitionConfig,
    sample: u64,
    load: f64,
}

/// What was observed there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Epochs {
    sample: u64,
    epochs: Vec<Point>,
}

impl Epochs {
    pub(super) fn sampled(&self) -> impl Iterator<Item = Sampled> {
        self.epochs.iter().map(|&point| Sampled { sample: self.sample, point })
    }
}

impl<'a> Trained<'a> {
    /// Samples slowest, then loads.
    pub(super) fn all(config: &'a TransitionConfig) -> impl Iterator<Item = Self> {
        let of = move |sample| config.loads.iter().map(move |&load| Self { config, sample, load });
        (0..config.n_samples).flat_map(of)
    }
}

impl Place for Trained<'_> {
    type Point = Epochs;

    const WHAT: &'static str = "observables of a load along training";

    fn name(&self) -> String {
        let TransitionConfig { n_spins, seed, .. } = self.config;
        format!("n{n_spins}-load{}-seed{seed}-sample{}.json", self.load, self.sample)
    }

    fn parameters(&self) -> String {
        let TransitionConfig {
            n_spins,
            n_features,
            n_active,
            exponent,
            epochs,
            lambda,
            lr,
            n_states,
            n_steps,
            seed,
            ..
        } = self.config;
        // Unseen examples come after the training patterns of the largest load.
        let n_patterns = self.config.n_patterns_of_all();
        let epochs: Vec<String> = epochs.iter().map(u64::to_string).collect();
        format!(
            "n {n_spins}, features {n_features}, active {n_active}, exponent {exponent}, of {n_patterns} patterns, lambda {lambda}, \
             lr {lr}, epochs {}, {n_states} states, {n_steps} steps, seed {seed}",
            epochs.join(" ")
        )
    }

    fn has_shape_of(&self, point: &Epochs) -> bool {
        let n_patterns = patterns_at(self.load, self.config.n_spins);
        let places = point.epochs.iter().map(|point| (point.n_patterns, point.epoch));
        point.sample == self.sample && places.eq(self.config.epochs.iter().map(|&epoch| (n_patterns, epoch)))
    }

    fn cost(&self) -> Cost {
        let TransitionConfig { n_spins, n_features, ref epochs, n_states, n_steps, .. } = *self.config;
        let n_patterns = patterns_at(self.load, n_spins);
        let evaluation = Cost::evaluation(n_states, n_patterns, n_features, n_spins, n_steps);
        let last = epochs.last().copied().unwrap_or(0);
        Cost::descent(&self.config.learning(0), n_patterns, n_spins, last)
            .beside(Cost::states(self.config.n_patterns_of_all(), n_spins))
            .beside(evaluation.times(epochs.len()))
    }

    fn measure(&self, execution: &Execution) -> Result<Epochs> {
        let config = self.config;
        let seed = sample_seed(config.seed, self.sample);
        // One set of patterns: smaller loads are its first rows, so that curves differ by data alone.
        let all = Manifold::new(ManifoldParameters {
            n_spins: config.n_spins,
            n_patterns: config.n_patterns_of_all(),
            n_test: config.n_states,
            n_features: config.n_features,
            n_active: config.n_active,
            exponent: config.exponent,
            coefficients: Coefficients::Signs,
            test_features: None,
            n_stored_features: config.n_features as usize,
            seed,
        })?
        .generate(execution)?;
        let data = DataSet {
            test: all.test,
            features: all.features,
            ..DataSet::from_train(all.train.head(patterns_at(self.load, config.n_spins)))
        };
        let parameters = config.learning(seed);
        let evaluation =
            Evaluation::new(&data, &parameters, config.n_states, config.n_steps, seed, execution)?;
        let mut trainer = Trainer::new(&data.train, parameters, &Initial::Hebb, 1.0, execution)?;
        let epochs = trajectory(&mut trainer, &evaluation, &config.epochs, execution)?;
        Ok(Epochs { sample: self.sample, epochs })
    }
}
