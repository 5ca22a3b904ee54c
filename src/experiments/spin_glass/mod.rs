//! Edwards and Anderson's model in two dimensions, as in arXiv:2507.05147: final overlaps of training, test and random states
//! against the load, from memories of few samples to couplings that are the glass's own.
//!
//! All overlaps are those of final states with their own starts. That is what the published "random" curve must be too: at
//! P = 1, where every state ends in the pattern or its opposite, it has 0.024 = sqrt(2 / (pi N)), the mean overlap of a
//! random state with one pattern; an overlap with the nearest pattern would be 1 there. The line that curves of many samples
//! tend to is the final overlap of test states under the true couplings. Beside the overlaps stands gamma, the error of the
//! recovered couplings ([`inverse_ising`]).
//!
//! The samples and every finished load are kept as files, so that a run that was stopped goes on. Published curves are
//! `data/reference/edwards_anderson_2d.csv`, read off the figure.

mod figures;
mod records;

use serde::{Deserialize, Serialize};

use super::parameters::{Parameters, Shipped};
use super::run_directory::{Kept, RunDirectory};
use super::trajectory::trajectory_with;
use super::{Manifest, Options};
use crate::analysis::{Evaluation, couplings_of_bonds, inverse_ising, overlaps};
use crate::datasets::DataSet;
use crate::datasets::spin_glass::{BondLaw, BondSource, Bonds, Boundary, Lattice, SpinGlass};
use crate::dynamics::{Dynamics, ParallelDynamics, Stop, Ties};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::learning::{Initial, PseudoLikelihood, Trainer};
use crate::storage::Overwrite;

use records::{Point, Records};

/// What the experiment writes beside the samples and the loads.
pub(super) const FILES: &[&str] = &["table.csv", "figure.svg", "figure.png", "gamma.svg", "gamma.png"];

/// Finished loads, and the samples.
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
    /// T of the samples.
    pub temperature: f64,
    /// P of each run, ascending: the first so many of the samples.
    pub patterns: Vec<usize>,
    /// Unseen samples, and states recalled of each kind.
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
    pub seed: u64,
}

impl Parameters for SpinGlassConfig {
    const SHIPPED: Shipped = Shipped {
        full: include_str!("../parameters/spin-glass.toml"),
        quick: include_str!("../parameters/spin-glass-quick.toml"),
        optional: &[],
    };

    fn check(&self) -> Result<()> {
        let ascends = self.patterns.windows(2).all(|pair| pair[0] < pair[1]);
        if self.patterns.first().is_none_or(|&first| first == 0) || !ascends {
            let found = format!("{:?}", self.patterns);
            return Err(Error::parameter("patterns", "at least one number from 1 on, ascending", found));
        }
        if self.n_states == 0 {
            return Err(Error::parameter("states", "at least 1", 0));
        }
        Ok(())
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

    fn glass(&self) -> SpinGlass {
        let boundary = if self.periodic { Boundary::Periodic } else { Boundary::Open };
        let law = match self.bonds {
            GlassBonds::Gaussian => BondLaw::Gaussian,
            GlassBonds::PlusMinus => BondLaw::PlusMinus { ferromagnetic_fraction: 0.5 },
        };
        let lattice = Lattice::Square { side: self.side, boundary };
        let bonds = BondSource::Lattice { lattice, law, seed: self.seed };
        let n_patterns = self.patterns.last().copied().unwrap_or(0);
        SpinGlass::new(bonds, self.temperature, n_patterns, self.n_states, self.seed)
    }

    fn learning(&self) -> PseudoLikelihood {
        PseudoLikelihood {
            lr_decay: self.lr_decay,
            seed: self.seed,
            ..PseudoLikelihood::new(self.lambda, self.lr)
        }
    }

    fn recall(&self) -> ParallelDynamics {
        ParallelDynamics { stop: Stop::After(self.n_steps), ties: Ties::Keep }
    }
}

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Manifest> {
    run_spin_glass(&SpinGlassConfig::varied(options)?, options, execution)
}

/// Runs the experiment with parameters of the caller's; of `options`, the output, the command and what to overwrite count.
///
/// # Errors
/// If a parameter is out of range, the output holds results of other parameters, exists and may not be replaced or cannot be
/// written, or interrupted, with the samples and the loads finished so far kept.
pub fn run_spin_glass(
    config: &SpinGlassConfig,
    options: &Options,
    execution: &Execution,
) -> Result<Manifest> {
    config.check()?;
    let glass = config.glass();
    glass.check()?;
    glass.bonds()?;
    let mut directory = RunDirectory::resume("spin-glass", options, config, FILES, KEPT)?;
    let _lock = directory.lock(FILES)?;
    let records = Records::new(config, directory.folder())?;
    // What is there is read, and refused if it does not fit, before anything is written.
    let (kept_data, mut kept) = match options.overwrite {
        Overwrite::Replace => (None, vec![None; config.patterns.len()]),
        Overwrite::Refuse => {
            let points = config.patterns.iter().map(|&n_patterns| records.find(n_patterns));
            (records.find_data()?, points.collect::<Result<_>>()?)
        }
    };
    directory.begin_anew()?;
    let data = match kept_data {
        Some(data) => data,
        None => {
            let (mut data, evidence) = glass.generate(execution)?;
            for doubt in evidence.doubts() {
                execution.progress().note(&format!("warning: {doubt}"));
            }
            records.keep_data(&mut data)?;
            data
        }
    };
    directory.holds(&records.data_name())?;
    let Some(bonds) = &data.bonds else {
        return Err(Error::shape("samples", "the bonds that they are of", "none"));
    };

    let mut points = Vec::new();
    for (&n_patterns, kept) in config.patterns.iter().zip(&mut kept) {
        let point = match kept.take() {
            Some(point) => point,
            None => {
                let point = measure(config, &data, bonds, n_patterns, execution)?;
                records.keep(&point)?;
                point
            }
        };
        directory.holds(&records.name(n_patterns))?;
        points.push(point);
    }
    let truth = final_overlap_of_truth(config, &data, bonds, execution)?;
    directory.table("table.csv", &figures::table(config, &points))?;
    directory.figure("figure", &figures::overlaps(config, &points, truth)?)?;
    directory.figure("gamma", &figures::errors(config, &points))?;
    directory.result("overlap_of_true_couplings", truth);
    for point in &points {
        directory.result(&format!("gamma_at_p_{}", point.n_patterns), point.gamma);
        directory.result(&format!("overlap_test_at_p_{}", point.n_patterns), point.test);
    }
    let summary = figures::summary(config, &data, &points, truth)?;
    directory.finish(summary, execution)
}

/// Trains on the first `n_patterns` samples and measures.
fn measure(
    config: &SpinGlassConfig,
    data: &DataSet,
    bonds: &Bonds,
    n_patterns: usize,
    execution: &Execution,
) -> Result<Point> {
    let data = DataSet { test: data.test.clone(), ..DataSet::from_train(data.train.head(n_patterns)) };
    let parameters = config.learning();
    let evaluation =
        Evaluation::new(&data, &parameters, config.n_states, config.n_steps, config.seed, execution)?;
    let mut trainer = Trainer::new(&data.train, parameters, &Initial::Uniform, 1.0, execution)?;
    let compare =
        |couplings: &_| inverse_ising(couplings, bonds, config.lambda, config.temperature, execution);
    let observed = trajectory_with(&mut trainer, &evaluation, &[config.epochs], execution, compare)?;
    let Some((observed, inverse)) = observed.into_iter().next() else {
        return Err(Error::parameter("epochs", "one point of observation", "none"));
    };
    let observables = observed.observables;
    Ok(Point {
        n_patterns,
        train: observables.overlap.train,
        test: observables.overlap.test.unwrap_or(f64::NAN),
        random: observables.overlap.random,
        fixed_fraction: observables.fixed_fraction,
        loss: observables.loss,
        lambda_eff: observables.lambda_eff,
        asymmetry: observables.asymmetry,
        gamma: inverse.gamma,
        gamma_bonds: inverse.gamma_bonds,
        gamma_absent: inverse.gamma_absent,
        slope: inverse.slope,
    })
}

/// Mean final overlap of test samples under the true couplings.
fn final_overlap_of_truth(
    config: &SpinGlassConfig,
    data: &DataSet,
    bonds: &Bonds,
    execution: &Execution,
) -> Result<f64> {
    let couplings = couplings_of_bonds(bonds)?;
    let starts = data.test.as_ref().unwrap_or(&data.train).head(config.n_states);
    let recall = config.recall().run(&couplings, &starts, &starts, execution)?;
    let overlaps = overlaps(execution.isa(), &recall.states, &starts)?;
    Ok(overlaps.iter().sum::<f64>() / overlaps.len() as f64)
}
