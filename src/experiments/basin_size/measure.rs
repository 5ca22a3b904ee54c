//! One load and sample: patterns, couplings along training, their basins; kept as a file.

use serde::{Deserialize, Serialize};

use super::super::points::Place;
use super::{BasinSizeConfig, VARIANTS};
use crate::analysis::Basins;
use crate::couplings::Couplings;
use crate::dynamics::{Damage, ParallelDynamics, Stop, Ties, random_states};
use crate::error::Result;
use crate::execution::Execution;
use crate::experiments::cost::Cost;
use crate::experiments::samples::sample_seed;
use crate::experiments::trajectory::train_to;
use crate::learning::{Initial, PseudoLikelihood, Trainer};
use crate::spins::SpinMatrix;

/// What was measured at a load on one set of patterns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Point {
    pub(super) load: f64,
    pub(super) sample: u64,
    /// One entry an epoch.
    pub(super) stages: Vec<Stage>,
}

/// The couplings after some epochs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stage {
    pub(super) epoch: u64,
    /// lambda' times the mean |J_i|, of the asymmetric couplings as the next.
    pub(super) lambda_eff: f64,
    /// |J - J^T| / |J|.
    pub(super) asymmetry: f64,
    pub(super) sizes: Vec<Size>,
}

/// A basin size.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Size {
    /// One of [`VARIANTS`](super::VARIANTS).
    pub(super) variant: String,
    /// None to convergence.
    pub(super) steps: Option<u64>,
    pub(super) threshold: f64,
    pub(super) size: f64,
    /// By bootstrap over patterns; 0 where no crossing was found.
    pub(super) error: f64,
}

/// The place of a point among the files.
pub(super) struct Record<'a> {
    config: &'a BasinSizeConfig,
    load: f64,
    sample: u64,
}

impl<'a> Record<'a> {
    /// Loads slowest, then samples.
    pub(super) fn all(config: &'a BasinSizeConfig) -> impl Iterator<Item = Self> {
        let of = move |load| (0..config.n_samples).map(move |sample| Self { config, load, sample });
        config.loads.iter().flat_map(move |&load| of(load))
    }
}

impl Place for Record<'_> {
    type Point = Point;

    const WHAT: &'static str = "a finished point of basin sizes";

    fn name(&self) -> String {
        let BasinSizeConfig { n_spins, seed, .. } = self.config;
        format!("n{n_spins}-load{}-seed{seed}-sample{}.json", self.load, self.sample)
    }

    fn parameters(&self) -> String {
        let BasinSizeConfig { n_spins, lambda, lr, epochs, steps, step_limit, thresholds, seed, .. } =
            self.config;
        format!(
            "{}; n {n_spins}, lambda' {lambda}, lr' {lr}, epochs {epochs:?}, steps {steps:?} up to {step_limit}, \
             thresholds {thresholds:?}, seed {seed}",
            VARIANTS.join(", ")
        )
    }

    fn has_shape_of(&self, point: &Point) -> bool {
        (point.load, point.sample) == (self.load, self.sample)
            && point.stages.iter().map(|stage| stage.epoch).eq(self.config.epochs.iter().copied())
    }

    fn cost(&self) -> Cost {
        let BasinSizeConfig { n_spins, ref epochs, ref steps, step_limit, ref thresholds, .. } = *self.config;
        let n_patterns = self.config.n_patterns(self.load);
        let last = epochs.last().copied().unwrap_or(0);
        let [asymmetric, symmetric] =
            self.learning().map(|learning| Cost::descent(&learning, n_patterns, n_spins, last));
        // A search halves N flips down to one.
        let n_recalls =
            epochs.len() * VARIANTS.len() * thresholds.len() * (n_spins.max(1).ilog2() as usize + 2);
        let all_steps = steps.iter().chain([&step_limit]);
        let recalls =
            all_steps.map(|&steps| Cost::recall(n_patterns as f64, n_spins, steps).times(n_recalls));
        asymmetric.beside(symmetric).beside(recalls.sum())
    }

    /// Trains and measures.
    fn measure(&self, execution: &Execution) -> Result<Point> {
        let config = self.config;
        let seed = sample_seed(config.seed, self.sample);
        let patterns = random_states(config.n_patterns(self.load), config.n_spins, seed)?;
        let [asymmetric, symmetric] = self.learning();
        let trainer = |parameters| Trainer::new(&patterns, parameters, &Initial::Hebb, 1.0, execution);
        let (mut asymmetric, mut symmetric) = (trainer(asymmetric)?, trainer(symmetric)?);
        let mut stages = Vec::new();
        for &epoch in &config.epochs {
            train_to(&mut asymmetric, epoch, execution)?;
            train_to(&mut symmetric, epoch, execution)?;
            let couplings = asymmetric.couplings();
            let norms = couplings.row_norms(execution)?;
            let row_norm = norms.iter().sum::<f64>() / norms.len() as f64;
            let mut sizes = Vec::new();
            let symmetrized = couplings.symmetrized(execution)?;
            for (variant, couplings) in
                VARIANTS.into_iter().zip([couplings, &symmetrized, symmetric.couplings()])
            {
                self.sizes(variant, couplings, &patterns, seed, &mut sizes, execution)?;
            }
            stages.push(Stage {
                epoch,
                lambda_eff: config.lambda * row_norm,
                asymmetry: couplings.asymmetry(execution)?.ratio,
                sizes,
            });
        }
        Ok(Point { load: self.load, sample: self.sample, stages })
    }
}

impl Record<'_> {
    /// Asymmetric and symmetric.
    fn learning(&self) -> [PseudoLikelihood; 2] {
        let BasinSizeConfig { n_spins, lambda, lr, .. } = *self.config;
        let asymmetric = PseudoLikelihood::in_paper_units(lambda, lr, n_spins);
        [asymmetric.clone(), PseudoLikelihood { symmetric: true, ..asymmetric }]
    }

    fn sizes(
        &self,
        variant: &str,
        couplings: &Couplings,
        patterns: &SpinMatrix,
        seed: u64,
        sizes: &mut Vec<Size>,
        execution: &Execution,
    ) -> Result<()> {
        let short = self.config.steps.iter().copied().map(Some);
        for steps in short.chain([None]) {
            let stop = steps.map_or(Stop::Settled { limit: self.config.step_limit }, Stop::After);
            let dynamics = ParallelDynamics { stop, ties: Ties::Keep };
            let basins =
                Basins { couplings, patterns, dynamics: &dynamics, clamp: false, n_repeats: 1, seed };
            let (found, _) = basins.bisect(Damage::Inverted, &self.config.thresholds, execution)?;
            sizes.extend(found.into_iter().zip(&self.config.thresholds).map(|(found, &threshold)| Size {
                variant: variant.to_owned(),
                steps,
                threshold,
                size: found.size,
                error: found.error.unwrap_or(0.0),
            }));
        }
        Ok(())
    }
}
