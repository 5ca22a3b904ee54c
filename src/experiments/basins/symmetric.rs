//! Couplings held symmetric while they are learned, beside those made symmetric afterwards: which store all patterns.

use super::BasinsConfig;
use super::rule::Storage;
use crate::dynamics::random_states;
use crate::error::Result;
use crate::execution::Execution;
use crate::learning::{Initial, Lbfgs, PseudoLikelihood, optimum};
use crate::storage::Table;

/// One set of patterns and one way to make J symmetric.
pub(super) struct Stored {
    load: f64,
    variant: &'static str,
    sample: u64,
    storage: Storage,
}

/// Inverse temperature and weight decay of the loss: small enough that both optima store what they can.
const LAMBDA: f64 = 1.0;
const L2: f64 = 1e-3;

pub(super) fn measure(config: &BasinsConfig, execution: &Execution) -> Result<Vec<Stored>> {
    let mut all = Vec::new();
    for &load in &config.symmetric_loads {
        let n_patterns = (load * config.symmetric_n_spins as f64).round() as usize;
        for sample in 0..config.n_samples {
            let seed = config.seed.wrapping_mul(1000).wrapping_add(500 + sample);
            let patterns = random_states(n_patterns, config.symmetric_n_spins, seed)?;
            for symmetric in [false, true] {
                let parameters = PseudoLikelihood { symmetric, l2: L2, ..PseudoLikelihood::new(LAMBDA, 1.0) };
                let solver = Lbfgs::new(LAMBDA);
                let found = optimum(&patterns, &parameters, &solver, &Initial::Zero, 1.0, execution)?;
                let made = if symmetric {
                    vec![("symmetric", found.couplings)]
                } else {
                    let symmetrized = found.couplings.symmetrized(execution)?;
                    vec![("asymmetric", found.couplings), ("symmetrized", symmetrized)]
                };
                for (variant, couplings) in made {
                    let storage = Storage::of(&couplings, &patterns, execution)?;
                    all.push(Stored { load, variant, sample, storage });
                }
            }
        }
    }
    Ok(all)
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
    for Stored { load, variant, sample, storage } in all {
        let numbers = [storage.fixed, storage.negative, storage.least, storage.row_norm];
        let place = [load.to_string(), (*variant).to_owned(), sample.to_string()];
        table.push(place.into_iter().chain(numbers.map(|number| number.to_string())).collect());
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
        for variant in ["asymmetric", "symmetrized", "symmetric"] {
            let chosen: Vec<&Storage> = all
                .iter()
                .filter(|stored| stored.load == load && stored.variant == variant)
                .map(|stored| &stored.storage)
                .collect();
            let fixed = chosen.iter().map(|storage| storage.fixed).sum::<f64>() / chosen.len() as f64;
            let least = chosen.iter().map(|storage| storage.least).fold(f64::INFINITY, f64::min);
            text += &format!("  {:6.2} %  {least:7.4}", 100.0 * fixed);
        }
        text += "\n";
    }
    text
}
