//! A point of the plane: patterns on a manifold, couplings before and after training, what their dynamics keeps; kept as a file.

use serde::{Deserialize, Serialize};

use super::super::points::Place;
use super::PhaseDiagramConfig;
use crate::analysis::{Evaluation, Observables, observe};
use crate::datasets::{Coefficients, Manifold, ManifoldParameters};
use crate::error::Result;
use crate::execution::Execution;
use crate::experiments::cost::Cost;
use crate::experiments::samples::sample_seed;
use crate::experiments::trajectory::train_to;
use crate::learning::{Initial, Trainer};

/// What was measured at a load and feature load on one manifold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Point {
    pub(super) load: f64,
    pub(super) feature_load: f64,
    pub(super) sample: u64,
    pub(super) hebb: Kept,
    pub(super) trained: Kept,
}

/// Final overlaps with the starts, and what the couplings are like.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) train: f64,
    pub(super) test: f64,
    pub(super) features: f64,
    pub(super) random: f64,
    pub(super) loss: f64,
    pub(super) lambda_eff: f64,
}

impl Kept {
    fn new(observables: &Observables) -> Self {
        let overlap = observables.overlap;
        Self {
            train: overlap.train,
            test: overlap.test.unwrap_or(f64::NAN),
            features: overlap.features.unwrap_or(f64::NAN),
            random: overlap.random,
            loss: observables.loss,
            lambda_eff: observables.lambda_eff,
        }
    }
}

/// The place of a point among the files.
pub(super) struct Record<'a> {
    config: &'a PhaseDiagramConfig,
    load: f64,
    feature_load: f64,
    sample: u64,
}

impl<'a> Record<'a> {
    /// Those of all points, samples of a point together.
    pub(super) fn all(config: &'a PhaseDiagramConfig) -> impl Iterator<Item = Self> {
        let at = move |load: f64, feature_load: f64| {
            (0..config.n_samples).map(move |sample| Self { config, load, feature_load, sample })
        };
        let row = move |load: f64| {
            config.feature_loads.iter().flat_map(move |&feature_load| at(load, feature_load))
        };
        config.loads.iter().flat_map(move |&load| row(load))
    }
}

impl Place for Record<'_> {
    type Point = Point;

    const WHAT: &'static str = "a finished point of the phase diagram";

    fn name(&self) -> String {
        let PhaseDiagramConfig { n_spins, seed, .. } = self.config;
        let (load, features) = (self.load, self.feature_load);
        format!("n{n_spins}-load{load}-features{features}-seed{seed}-sample{}.json", self.sample)
    }

    fn parameters(&self) -> String {
        let PhaseDiagramConfig { n_spins, n_active, lambda, lr, epochs, n_states, n_steps, seed, .. } =
            self.config;
        format!(
            "n {n_spins}, active {n_active}, lambda' {lambda}, lr' {lr}, {epochs} epochs, {n_states} states, {n_steps} steps, \
             seed {seed}"
        )
    }

    fn has_shape_of(&self, point: &Point) -> bool {
        (point.load, point.feature_load, point.sample) == (self.load, self.feature_load, self.sample)
    }

    fn cost(&self) -> Cost {
        let PhaseDiagramConfig { n_spins, n_states, n_steps, epochs, .. } = *self.config;
        let n_patterns = self.config.n_patterns(self.load);
        let n_features = self.config.n_features(self.feature_load).min(n_states as u64);
        let evaluation = Cost::evaluation(n_states, n_patterns, n_features, n_spins, n_steps);
        Cost::descent(&self.config.learning(), n_patterns, n_spins, epochs).beside(evaluation.times(2))
    }

    /// Trains and measures.
    fn measure(&self, execution: &Execution) -> Result<Point> {
        let config = self.config;
        let seed = sample_seed(config.seed, self.sample);
        let n_features = config.n_features(self.feature_load);
        let parameters = ManifoldParameters {
            n_spins: config.n_spins,
            n_patterns: config.n_patterns(self.load),
            n_test: config.n_states,
            n_features,
            n_active: config.n_active,
            exponent: 0.0,
            coefficients: Coefficients::Signs,
            test_features: None,
            n_stored_features: config.n_states.min(usize::try_from(n_features).unwrap_or(usize::MAX)),
            seed,
        };
        let data = Manifold::new(parameters)?.generate(execution)?;
        let learning = config.learning();
        let evaluation = Evaluation::new(&data, &learning, config.n_states, config.n_steps, seed, execution)?;
        let mut trainer = Trainer::new(&data.train, learning, &Initial::Hebb, 1.0, execution)?;
        let hebb = observe(trainer.couplings(), &evaluation, execution)?;
        train_to(&mut trainer, config.epochs, execution)?;
        let trained = observe(trainer.couplings(), &evaluation, execution)?;
        Ok(Point {
            load: self.load,
            feature_load: self.feature_load,
            sample: self.sample,
            hebb: Kept::new(&hebb),
            trained: Kept::new(&trained),
        })
    }
}
