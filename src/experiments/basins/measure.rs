//! What a rule does on one set of patterns; kept as a file.

use serde::{Deserialize, Serialize};

use super::BasinsConfig;
use super::rule::{Rule, Storage};
use crate::analysis::Basins as Measurement;
use crate::couplings::Couplings;
use crate::dynamics::{Corruption, ParallelDynamics, Stop, Ties, n_flips, random_states};
use crate::error::Result;
use crate::execution::Execution;
use crate::experiments::cost::Cost;
use crate::experiments::patterns_at;
use crate::experiments::points::Place;
use crate::experiments::samples::sample_seed;
use crate::spins::SpinMatrix;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sample {
    pub(super) storage: Storage,
    /// Mean final overlap at each initial one, by dynamics: after some steps, and at convergence.
    pub(super) overlaps: [Vec<f64>; 2],
}

/// A rule and sample: its place among the files, and how it is measured.
pub(super) struct Learned<'a> {
    config: &'a BasinsConfig,
    sample: u64,
    rule: Rule,
}

impl<'a> Learned<'a> {
    /// Samples slowest, then rules.
    pub(super) fn all(config: &'a BasinsConfig, rules: &'a [Rule]) -> impl Iterator<Item = Self> {
        let of = move |sample| rules.iter().map(move |&rule| Self { config, sample, rule });
        (0..config.n_samples).flat_map(of)
    }
}

impl Place for Learned<'_> {
    type Point = Sample;

    const WHAT: &'static str = "a finished sample of a rule";

    fn name(&self) -> String {
        let BasinsConfig { n_spins, seed, .. } = self.config;
        let rule = self.rule.name().replace(' ', "-");
        format!("{rule}-n{n_spins}-seed{seed}-sample{}.json", self.sample)
    }

    fn parameters(&self) -> String {
        let BasinsConfig { n_spins, load, n_steps, step_limit, seed, initial_overlaps, .. } = self.config;
        let initial: Vec<String> = initial_overlaps.iter().map(f64::to_string).collect();
        format!(
            "{:?}, n {n_spins}, load {load}, {n_steps} steps or at most {step_limit}, seed {seed}, from overlaps {}",
            self.rule,
            initial.join(" ")
        )
    }

    fn has_shape_of(&self, point: &Sample) -> bool {
        point.overlaps.iter().all(|overlaps| overlaps.len() == self.config.initial_overlaps.len())
    }

    fn cost(&self) -> Cost {
        let BasinsConfig { n_spins, load, n_steps, step_limit, ref initial_overlaps, .. } = *self.config;
        let n_patterns = patterns_at(load, n_spins);
        let recalls = [n_steps, step_limit].map(|steps| Cost::recall(n_patterns as f64, n_spins, steps));
        self.rule
            .cost(n_patterns, n_spins)
            .beside(recalls.into_iter().sum::<Cost>().times(initial_overlaps.len()))
    }

    fn measure(&self, execution: &Execution) -> Result<Sample> {
        let &Learned { config, sample, rule } = self;
        // The same patterns and starts for all rules.
        let seed = sample_seed(config.seed, sample);
        let patterns = random_states(patterns_at(config.load, config.n_spins), config.n_spins, seed)?;
        let couplings = rule.learn(&patterns, execution)?;
        let storage = Storage::of(&couplings, &patterns, execution)?;
        let overlaps = final_overlaps(config, &couplings, &patterns, seed, execution)?;
        Ok(Sample { storage, overlaps })
    }
}

fn final_overlaps(
    config: &BasinsConfig,
    couplings: &Couplings,
    patterns: &SpinMatrix,
    seed: u64,
    execution: &Execution,
) -> Result<[Vec<f64>; 2]> {
    let stops = [Stop::After(config.n_steps), Stop::Settled { limit: config.step_limit }];
    let mut found = [Vec::new(), Vec::new()];
    for (stop, found) in stops.into_iter().zip(&mut found) {
        let dynamics = ParallelDynamics { stop, ties: Ties::Keep };
        let basins =
            Measurement { couplings, patterns, dynamics: &dynamics, clamp: false, n_repeats: 1, seed };
        for &initial in &config.initial_overlaps {
            let corruption = Corruption::flips(n_flips(config.n_spins, initial)?);
            found.push(basins.measure(&corruption, execution)?.final_overlap);
        }
    }
    Ok(found)
}
