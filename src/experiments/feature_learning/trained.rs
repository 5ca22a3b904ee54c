//! Couplings at one load of one manifold, measured along training; kept as a file.

use serde::{Deserialize, Serialize};

use super::super::cost::Cost;
use super::super::points::Place;
use super::{FeatureLearningConfig, Measurement};
use crate::analysis::Evaluation;
use crate::analysis::cutoff::feature_rows;
use crate::datasets::{DataSet, Manifold};
use crate::error::Result;
use crate::execution::Execution;
use crate::experiments::trajectory::trajectory_with;
use crate::learning::{Initial, Trainer};

/// A load of a manifold: its place among the files, and how it is measured.
pub(super) struct Trained<'a> {
    config: &'a FeatureLearningConfig,
    exponent: f64,
    draw: u64,
    load: f64,
}

/// What was measured there, one a number of epochs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Epochs {
    pub(super) epochs: Vec<Measurement>,
}

/// What a feature at an epoch takes in a file, by measurement.
const LINE_BYTES: f64 = 120.0;

impl<'a> Trained<'a> {
    /// Exponents slowest, then draws, then loads.
    pub(super) fn all(config: &'a FeatureLearningConfig) -> impl Iterator<Item = Self> {
        let at = move |exponent: f64, draw: u64| {
            config.loads.iter().map(move |&load| Self { config, exponent, draw, load })
        };
        let of = move |exponent: f64| (0..config.n_samples).flat_map(move |draw| at(exponent, draw));
        config.exponents.iter().flat_map(move |&exponent| of(exponent))
    }
}

impl Place for Trained<'_> {
    type Point = Epochs;

    const WHAT: &'static str = "measurements of a load along training";

    fn name(&self) -> String {
        let FeatureLearningConfig { n_spins, seed, .. } = self.config;
        format!("n{n_spins}-eta{}-load{}-seed{seed}-draw{}.json", self.exponent, self.load, self.draw)
    }

    fn parameters(&self) -> String {
        let FeatureLearningConfig {
            n_spins,
            n_features,
            n_active,
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
            "n {n_spins}, features {n_features}, active {n_active}, of {n_patterns} patterns, lambda {lambda}, lr {lr}, epochs {}, \
             {n_states} states, {n_steps} steps, seed {seed}",
            epochs.join(" ")
        )
    }

    fn has_shape_of(&self, point: &Epochs) -> bool {
        let places = point.epochs.iter().map(|point| (point.n_patterns, point.epoch, point.features.len()));
        let n_patterns = self.config.n_patterns(self.load);
        let expected = self.config.epochs.iter();
        places.eq(expected.map(|&epoch| (n_patterns, epoch, self.config.n_features as usize)))
    }

    fn cost(&self) -> Cost {
        let FeatureLearningConfig { n_spins, n_features, ref epochs, n_states, n_steps, .. } = *self.config;
        let n_patterns = self.config.n_patterns(self.load);
        let evaluation = Cost::evaluation(n_states, n_patterns, n_features, n_spins, n_steps);
        // A line of text for every feature and epoch.
        let file =
            Cost { disk_bytes: LINE_BYTES * (n_features as f64 * epochs.len() as f64), ..Cost::default() };
        Cost::descent(&self.config.learning(0), n_patterns, n_spins, self.config.last_epoch())
            .beside(Cost::states(self.config.n_patterns_of_all(), n_spins))
            .beside(evaluation.times(epochs.len()))
            .beside(file)
    }

    fn measure(&self, execution: &Execution) -> Result<Epochs> {
        let config = self.config;
        let manifold = config.manifold(self.exponent, self.draw)?;
        let all = manifold.generate(execution)?;
        let n_patterns = config.n_patterns(self.load);
        let counts = feature_counts(&manifold, n_patterns);
        // Without features: their last overlaps come with the rows.
        let data = DataSet { test: all.test, ..DataSet::from_train(all.train.head(n_patterns)) };
        let seed = config.seed_of(self.draw);
        let parameters = config.learning(seed);
        let evaluation =
            Evaluation::new(&data, &parameters, config.n_states, config.n_steps, seed, execution)?;
        let mut trainer = Trainer::new(&data.train, parameters, &Initial::Hebb, 1.0, execution)?;
        let Some(features) = &all.features else { return Ok(Epochs { epochs: Vec::new() }) };
        let points = trajectory_with(&mut trainer, &evaluation, &config.epochs, execution, |couplings| {
            feature_rows(couplings, features, &counts, config.n_steps, execution)
        })?;
        let epochs = points.into_iter().map(|(point, features)| Measurement::new(&point, features));
        Ok(Epochs { epochs: epochs.collect() })
    }
}

/// P_k of the first `n_patterns` patterns, `[D]`.
fn feature_counts(manifold: &Manifold, n_patterns: usize) -> Vec<u64> {
    let mut counts = vec![0; manifold.parameters().n_features as usize];
    for pattern in 0..n_patterns as u64 {
        for &rank in manifold.pattern_draw(pattern).ranks() {
            counts[rank as usize - 1] += 1;
        }
    }
    counts
}
