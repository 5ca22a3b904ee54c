//! Couplings held symmetric while they are learned, beside those made symmetric afterwards: which store all patterns.

use serde::{Deserialize, Serialize};

use super::BasinsConfig;
use super::rule::Storage;
use crate::dynamics::random_states;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::experiments::cost::Cost;
use crate::experiments::patterns_at;
use crate::experiments::points::Place;
use crate::experiments::samples::sample_seed;
use crate::learning::{Initial, Lbfgs, PseudoLikelihood, optimum};
use crate::storage::Table;

/// Of one set of patterns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    load: f64,
    sample: u64,
    /// By variant.
    storage: [Storage; 3],
}

/// Ways to make J symmetric.
const VARIANTS: [&str; 3] = ["asymmetric", "symmetrized", "symmetric"];

/// Inverse temperature and weight decay of the loss: small enough that both optima store what they can.
const LAMBDA: f64 = 1.0;
const L2: f64 = 1e-3;

/// A load and sample: its place among the files, and how it is measured.
pub(super) struct Load<'a> {
    config: &'a BasinsConfig,
    load: f64,
    sample: u64,
}

impl<'a> Load<'a> {
    /// Loads slowest, then samples.
    pub(super) fn all(config: &'a BasinsConfig) -> impl Iterator<Item = Self> {
        let of = move |load| (0..config.n_samples).map(move |sample| Self { config, load, sample });
        config.symmetric_loads.iter().flat_map(move |&load| of(load))
    }
}

impl Place for Load<'_> {
    type Point = Stored;

    const WHAT: &'static str = "a finished sample of symmetric couplings";

    fn name(&self) -> String {
        let BasinsConfig { symmetric_n_spins, seed, .. } = self.config;
        format!("symmetric-n{symmetric_n_spins}-load{}-seed{seed}-sample{}.json", self.load, self.sample)
    }

    fn parameters(&self) -> String {
        let BasinsConfig { symmetric_n_spins, seed, .. } = self.config;
        format!("n {symmetric_n_spins}, lambda {LAMBDA}, l2 {L2}, seed {seed}")
    }

    fn has_shape_of(&self, point: &Stored) -> bool {
        (point.load, point.sample) == (self.load, self.sample)
    }

    fn cost(&self) -> Cost {
        let n_spins = self.config.symmetric_n_spins;
        let search = |symmetric| Cost::search(patterns_at(self.load, n_spins), n_spins, symmetric);
        [search(false), search(true)].into_iter().sum()
    }

    fn measure(&self, execution: &Execution) -> Result<Stored> {
        let &Load { config, load, sample } = self;
        let n_patterns = patterns_at(load, config.symmetric_n_spins);
        let seed = sample_seed(config.seed, 500 + sample);
        let patterns = random_states(n_patterns, config.symmetric_n_spins, seed)?;
        let learned = |symmetric| {
            let parameters = PseudoLikelihood { symmetric, l2: L2, ..PseudoLikelihood::new(LAMBDA, 1.0) };
            let found = optimum(&patterns, &parameters, &Lbfgs::new(LAMBDA), &Initial::Zero, 1.0, execution)?;
            Ok::<_, Error>(found.couplings)
        };
        let (asymmetric, symmetric) = (learned(false)?, learned(true)?);
        let symmetrized = asymmetric.symmetrized(execution)?;
        let storage = |couplings| Storage::of(couplings, &patterns, execution);
        let storage = [storage(&asymmetric)?, storage(&symmetrized)?, storage(&symmetric)?];
        Ok(Stored { load, sample, storage })
    }
}

pub(super) fn table(all: &[Stored]) -> Table {
    let mut table = Table::new([
        "load",
        "variant",
        "sample",
        "fixed_fraction",
        "negative_fraction",
        "stability_min",
        "row_norm",
    ]);
    for Stored { load, sample, storage } in all {
        for (variant, storage) in VARIANTS.iter().zip(storage) {
            let numbers = [storage.fixed, storage.negative, storage.least, storage.row_norm];
            let place = [load.to_string(), (*variant).to_owned(), sample.to_string()];
            table.push(place.into_iter().chain(numbers.map(|number| number.to_string())).collect());
        }
    }
    table
}

pub(super) fn summary(config: &BasinsConfig, all: &[Stored]) -> String {
    let mut text = format!(
        "The optimum with l2 = {L2} at lambda = {LAMBDA}, N = {}, {} samples: patterns that are fixed points, smallest stability\n\n  P / N    asymmetric         symmetrized        symmetric\n",
        config.symmetric_n_spins, config.n_samples
    );
    for &load in &config.symmetric_loads {
        text += &format!("{load:7}");
        for variant in 0..VARIANTS.len() {
            let of_load = all.iter().filter(|stored| stored.load == load);
            let chosen: Vec<&Storage> = of_load.map(|stored| &stored.storage[variant]).collect();
            let fixed = chosen.iter().map(|storage| storage.fixed).sum::<f64>() / chosen.len() as f64;
            let least = chosen.iter().map(|storage| storage.least).fold(f64::INFINITY, f64::min);
            text += &format!("  {:6.2} %  {least:7.4}", 100.0 * fixed);
        }
        text += "\n";
    }
    text
}
