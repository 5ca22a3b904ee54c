//! Edwards and Anderson's model in two dimensions, as in arXiv:2507.05147: final overlaps of training, test and random states
//! against the load, from memories of few samples to couplings that are the glass's own.
//!
//! All overlaps are those of final states with their own starts. That is what the published "random" curve must be too: at
//! P = 1, where every state ends in the pattern or its opposite, it has 0.024 = sqrt(2 / (pi N)), the mean overlap of a
//! random state with one pattern; an overlap with the nearest pattern would be 1 there. The line that curves of many samples
//! tend to is the final overlap of test states under the true couplings. Beside the overlaps stands gamma, the error of the
//! recovered couplings ([`inverse_ising`](crate::analysis::inverse_ising)).
//!
//! A sample of the experiment is a glass, with bonds, states, training and recall of its own. The states of a glass and every
//! finished load are kept as files, so that a run that was stopped goes on, and glasses can be added. Published curves are
//! `data/reference/edwards_anderson_2d.csv`, read off the figure.

mod figures;
mod glass;
mod records;

use serde::{Deserialize, Serialize};

use super::checks;
use super::cost::{Cost, Estimated};
use super::parameters::{Parameters, Shipped};
use super::run_directory::{Kept, RunDirectory};
use super::samples::sample_seed;
use super::{Manifest, Options};
use crate::datasets::spin_glass::{BondLaw, BondSource, Boundary, Lattice, SpinGlass};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::learning::PseudoLikelihood;
use crate::storage::Overwrite;

use figures::Results;
use glass::measure_glass;
use records::{Found, Records};

/// What the experiment writes beside the states and the loads.
pub(super) const FILES: &[&str] = &["table.csv", "figure.svg", "figure.png", "gamma.svg", "gamma.png"];

/// Finished loads, and the states.
pub(super) const KEPT: Kept = Kept { folder: records::FOLDER, lock: ".spin-glass.lock", grows: false };

/// Law of the bonds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GlassBonds {
    /// Normal, variance 1.
    Gaussian,
    /// +1 and -1 alike.
    PlusMinus,
}

/// Parameters of the experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpinGlassConfig {
    /// L; N = L^2.
    pub side: usize,
    pub bonds: GlassBonds,
    /// Whether lattices close on themselves.
    pub periodic: bool,
    /// T of the states.
    pub temperature: f64,
    /// P of each run, ascending: the first so many of the states of a glass.
    pub patterns: Vec<usize>,
    /// Unseen states, and states recalled of each kind.
    pub n_states: usize,
    /// lambda = 2 lambda', lambda' = 1.
    pub lambda: f64,
    /// lr = 2 lr' / N, lr' = 100.
    pub lr: f64,
    /// Factor of lr from epoch to epoch.
    pub lr_decay: f64,
    /// Full-batch epochs, from uniform couplings.
    pub epochs: u64,
    /// Parallel steps of a recall.
    pub n_steps: u64,
    /// Glasses.
    pub n_samples: u64,
    pub seed: u64,
}

/// J of a larger lattice would take a terabyte.
const MAX_SIDE: usize = 700;

/// Signed multiply-adds in the time that a spin of a state in equilibrium takes, by measurement at T = 0.99.
const WORK_A_SPIN: f64 = 1e6;

impl Parameters for SpinGlassConfig {
    const SHIPPED: Shipped = Shipped {
        full: include_str!("../parameters/spin-glass.toml"),
        quick: include_str!("../parameters/spin-glass-quick.toml"),
        optional: &[],
    };

    fn check(&self) -> Result<()> {
        checks::samples("n_samples", self.n_samples)?;
        checks::at_least("n_states", 1, self.n_states)?;
        checks::at_least("n_steps", 1, self.n_steps)?;
        checks::rising("patterns", checks::counts(&self.patterns), 1, 1.0)?;
        for (name, value) in [("lambda", self.lambda), ("lr", self.lr), ("lr_decay", self.lr_decay)] {
            checks::positive(name, value)?;
        }
        if self.side > MAX_SIDE {
            return Err(Error::parameter("side", format!("at most {MAX_SIDE}"), self.side));
        }
        let glass = self.glass(0);
        glass.check()?;
        glass.bonds().map(drop)
    }
}

impl Estimated for SpinGlassConfig {
    fn cost(&self, _: &Execution) -> Result<Cost> {
        let (n_spins, n_samples) = (self.n_spins(), usize::try_from(self.n_samples).unwrap_or(usize::MAX));
        let most = self.patterns.last().copied().unwrap_or(0).saturating_add(self.n_states);
        let load = |&n_patterns: &usize| {
            Cost::descent(&self.learning(0), n_patterns, n_spins, self.epochs).beside(Cost::evaluation(
                self.n_states,
                n_patterns,
                0,
                n_spins,
                self.n_steps,
            ))
        };
        let states = most as f64 * n_spins as f64;
        let glass = Cost { disk_bytes: states / 8.0, work: WORK_A_SPIN * states, ..Cost::default() };
        let loads: Cost = self.patterns.iter().map(load).sum();
        Ok(loads.beside(glass).beside(Cost::states(most, n_spins)).times(n_samples))
    }
}

impl SpinGlassConfig {
    /// L = 32 and P from 1 to 65536, or L = 16 and up to the same load, 64.
    pub fn new(quick: bool, seed: u64) -> Self {
        Self::shipped(quick, seed)
    }

    fn n_spins(&self) -> usize {
        self.side.saturating_mul(self.side)
    }

    /// The seed of a glass and of all that is done with it.
    fn seed_of(&self, sample: u64) -> u64 {
        sample_seed(self.seed, sample)
    }

    /// What a line about a glass begins with, where there are several.
    fn label(&self, sample: u64) -> String {
        if self.n_samples > 1 { format!("sample {sample}: ") } else { String::new() }
    }

    fn glass(&self, sample: u64) -> SpinGlass {
        let boundary = if self.periodic { Boundary::Periodic } else { Boundary::Open };
        let law = match self.bonds {
            GlassBonds::Gaussian => BondLaw::Gaussian,
            GlassBonds::PlusMinus => BondLaw::PlusMinus { ferromagnetic_fraction: 0.5 },
        };
        let lattice = Lattice::Square { side: self.side, boundary };
        let seed = self.seed_of(sample);
        let bonds = BondSource::Lattice { lattice, law, seed };
        let n_patterns = self.patterns.last().copied().unwrap_or(0);
        SpinGlass::new(bonds, self.temperature, n_patterns, self.n_states, seed)
    }

    fn learning(&self, sample: u64) -> PseudoLikelihood {
        PseudoLikelihood {
            lr_decay: self.lr_decay,
            seed: self.seed_of(sample),
            ..PseudoLikelihood::new(self.lambda, self.lr)
        }
    }
}

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Manifest> {
    run_spin_glass(&SpinGlassConfig::varied(options)?, options, execution)
}

/// Runs the experiment with parameters of the caller's; of `options`, the output, the command and what to overwrite count.
///
/// # Errors
/// If a parameter is out of range, the output holds results of other parameters, exists and may not be replaced or cannot be
/// written, or interrupted, with the states and the loads finished so far kept.
pub fn run_spin_glass(
    config: &SpinGlassConfig,
    options: &Options,
    execution: &Execution,
) -> Result<Manifest> {
    config.check()?;
    let mut directory = RunDirectory::new("spin-glass", options, config, FILES, KEPT)?;
    let _lock = directory.lock(FILES)?;
    let records = Records::new(config, directory.folder())?;
    // What is there is read, and refused if it does not fit, before anything is written.
    let found = (0..config.n_samples).map(|sample| match options.overwrite {
        Overwrite::Replace => Ok(Found { has_states: false, points: vec![None; config.patterns.len()] }),
        Overwrite::Refuse => records.find(sample),
    });
    let found = found.collect::<Result<Vec<_>>>()?;
    directory.begin_anew()?;
    let mut glasses = Vec::new();
    for (sample, found) in (0..).zip(found) {
        glasses.push(measure_glass(config, sample, found, &records, &mut directory, execution)?);
    }
    let results = Results::new(config, &glasses)?;
    directory.table("table.csv", &results.table())?;
    directory.figure("figure", &results.overlaps())?;
    directory.figure("gamma", &results.errors())?;
    for (name, value) in results.named() {
        directory.result(&name, value);
    }
    let summary = results.summary();
    directory.finish(summary, execution)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::path::Path;

    fn tiny() -> SpinGlassConfig {
        SpinGlassConfig {
            side: 3,
            periodic: false,
            temperature: 2.0,
            patterns: vec![2, 9],
            n_states: 6,
            epochs: 3,
            n_steps: 3,
            ..SpinGlassConfig::new(true, 0)
        }
    }

    fn run(folder: &Path, n_samples: u64, n_threads: usize) -> Result<Manifest> {
        let config = SpinGlassConfig { n_samples, ..tiny() };
        let options = Options::new(folder, Overwrite::Refuse);
        run_spin_glass(&config, &options, &Execution::with_threads(n_threads).unwrap())
    }

    /// Rows of the table, by sample.
    fn rows(folder: &Path) -> BTreeMap<String, Vec<String>> {
        let text = std::fs::read_to_string(folder.join("table.csv")).unwrap();
        let mut rows = BTreeMap::<_, Vec<_>>::new();
        for line in text.lines().skip(1) {
            let (sample, rest) = line.split_once(',').unwrap();
            rows.entry(sample.to_owned()).or_default().push(rest.to_owned());
        }
        rows
    }

    #[test]
    fn the_first_glass_of_seed_0_has_seed_0_and_every_glass_its_own() {
        let config = SpinGlassConfig { n_samples: 2, ..tiny() };
        let bonds = |sample| config.glass(sample).bonds().unwrap();
        assert_eq!((config.glass(0).seed, config.learning(0).seed), (0, 0));
        assert_ne!((config.glass(1).seed, config.learning(1).seed), (0, 0));
        assert_ne!(bonds(0), bonds(1));
    }

    /// A kept load that says 0.125 where a run would find another loss is taken as it is; so the first glass is not measured again.
    #[test]
    fn a_second_glass_joins_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let kept = |name: &str| folder.path().join("points").join(name);
        let (load, states) = ("p2-seed0-sample0.json", "samples-seed0-sample0.safetensors");
        run(folder.path(), 1, 1).unwrap();
        let of_one = rows(folder.path());
        let mut content: serde_json::Value =
            serde_json::from_slice(&std::fs::read(kept(load)).unwrap()).unwrap();
        content["point"]["loss"] = 0.125.into();
        std::fs::write(kept(load), content.to_string()).unwrap();
        let before = [load, states].map(|name| std::fs::read(kept(name)).unwrap());

        let manifest = run(folder.path(), 2, 1).unwrap();
        assert_eq!([load, states].map(|name| std::fs::read(kept(name)).unwrap()), before);
        let of_two = rows(folder.path());
        assert!(of_two["0"][0].contains(",0.125,"));
        assert_eq!(of_two["0"][1], of_one["0"][1]);
        assert_eq!(of_two.keys().collect::<Vec<_>>(), ["0", "1"]);
        assert_ne!(of_two["0"][1], of_two["1"][1]);
        // overlap_test is the fourth of a row without its sample.
        let overlaps =
            ["0", "1"].map(|sample| of_two[sample][1].split(',').nth(3).unwrap().parse::<f64>().unwrap());
        assert!((manifest.results["overlap_test_at_p_9"] - overlaps.iter().sum::<f64>() / 2.0).abs() < 1e-12);
        assert!(manifest.summary.contains("means of 2 samples"));
    }

    /// States and loads that are missing are made again, on two threads: the same table.
    #[test]
    fn a_run_that_goes_on_has_the_table_of_one_that_was_not_stopped() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), 2, 1).unwrap();
        let whole = rows(folder.path());
        for name in ["samples-seed0-sample1.safetensors", "p2-seed0-sample1.json", "p9-seed0-sample0.json"] {
            std::fs::remove_file(folder.path().join("points").join(name)).unwrap();
        }
        run(folder.path(), 2, 2).unwrap();
        assert_eq!(rows(folder.path()), whole);
    }

    #[test]
    fn files_of_another_glass_or_of_other_parameters_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), 1, 1).unwrap();
        let copy = |from: &str, to: &str| {
            let points = folder.path().join("points");
            std::fs::copy(points.join(from), points.join(to)).unwrap();
        };
        copy("p2-seed0-sample0.json", "p2-seed0-sample1.json");
        let error = run(folder.path(), 2, 1).unwrap_err().to_string();
        assert!(error.contains("sample 1") && error.contains("found format 1, P = 2, sample 0"), "{error}");
        copy("samples-seed0-sample0.safetensors", "samples-seed0-sample1.safetensors");
        let error = run(folder.path(), 2, 1).unwrap_err().to_string();
        assert!(error.contains("states of the glass of seed 1"), "{error}");

        let other = SpinGlassConfig { epochs: 4, ..tiny() };
        let options = Options::new(folder.path(), Overwrite::Refuse);
        let execution = Execution::with_threads(1).unwrap();
        let error = run_spin_glass(&other, &options, &execution).unwrap_err().to_string();
        assert!(error.contains("epochs = 4"), "{error}");
        std::fs::remove_file(folder.path().join("config.toml")).unwrap();
        let error = run_spin_glass(&other, &options, &execution).unwrap_err().to_string();
        assert!(error.contains("\"epochs\":4"), "{error}");
        let none = SpinGlassConfig { n_samples: 0, ..tiny() };
        let error = run_spin_glass(&none, &options, &execution).unwrap_err().to_string();
        assert!(error.contains("n_samples: expected from 1 to 10000"), "{error}");
    }
}
