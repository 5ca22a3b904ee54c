//! A protein family as in arXiv:2507.05147: final overlaps of training and test sequences, Potts spins learned by
//! pseudo-likelihood, against the load P / L.
//!
//! A sample is a permutation of the family: which sequences are learned first, and which are unseen, where the alignment has none
//! of its own; recall starts from other random states. Every load and sample is a file of its own, `points/*.json`: a run that was
//! stopped goes on where it was, and samples can be added.
//!
//! The family is the caller's alignment. The published curves, `data/reference/proteins.csv`, are of a family, an encoding and
//! settings that are not published: they show what to expect, not what to hit.

mod comparison;
mod measure;
mod records;
#[cfg(test)]
mod tests;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::checks;
use super::cost::Cost;
use super::mean::Mean;
use super::parameters::{Parameters, Shipped};
use super::run_directory::{Kept, RunDirectory};
use super::samples::sample_seed;
use super::{Manifest, Options};
use crate::analysis::{sequence_facts, unseen_sequence_facts};
use crate::datasets::{Alignment, AlignmentImport, Alphabet};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::potts::{PottsObservables, potts_training_bytes, step_as_sequences};
use crate::spins::Sequences;
use crate::storage::{Container, Overwrite, hash_file};
use comparison::Comparison;
use measure::{Split, check_size};
use records::Record;

/// What the experiment writes.
pub(super) const FILES: &[&str] = &["table.csv", "figure.svg", "figure.png", "comparison.csv"];

/// Runs measured point by point go on where they were stopped.
pub(super) const KEPT: Kept = Kept { folder: records::FOLDER, lock: ".proteins.lock", grows: false };

/// Symmetry of the couplings, in the order in which they are measured.
pub(super) const VARIANTS: [&str; 3] = ["asymmetric", "symmetrized", "symmetric"];

/// Parameters of the experiment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProteinsConfig {
    /// P of each run, ascending: the first so many of a seeded permutation of the sequences.
    pub sequences: Vec<usize>,
    /// Unseen sequences: those after the largest P of the same permutation, or the first of the alignment's own test.
    pub n_test: usize,
    /// lambda = 2 lambda'.
    pub lambda: f64,
    /// lr = 2 lr' / L.
    pub lr: f64,
    pub epochs: u64,
    /// Whether columns learn fields.
    pub fields: bool,
    /// Training sequences that are recalled, at most.
    pub n_states: usize,
    /// Parallel steps of a recall.
    pub n_steps: u64,
    /// Permutations of the family.
    pub n_samples: u64,
    pub seed: u64,
}

/// Signed multiply-adds in the time that a lookup takes for each letter of a column, by measurement.
const WORK_A_LETTER: f64 = 40.0;

/// Loads a decade.
const PER_DECADE: usize = 10;
/// Unseen sequences that are set aside, at most, and what part of the family they may be.
const MOST_TESTS: usize = 1000;
const PART_OF_TESTS: usize = 5;

impl Parameters for ProteinsConfig {
    const SHIPPED: Shipped = Shipped {
        full: include_str!("../parameters/proteins.toml"),
        quick: include_str!("../parameters/proteins-quick.toml"),
        // A run writes it beside them.
        optional: &["alignment"],
    };

    fn check(&self) -> Result<()> {
        checks::samples("n_samples", self.n_samples)?;
        checks::at_least("n_states", 1, self.n_states)?;
        checks::at_least("n_steps", 1, self.n_steps)?;
        checks::rising("sequences", checks::counts(&self.sequences), 0, 1.0)?;
        checks::positive("lambda", self.lambda)?;
        checks::not_negative("lr", self.lr)
    }
}

impl ProteinsConfig {
    /// The settings of the published MNIST runs, lambda' = 0.1 and lr' = 100, from couplings of 0, for an alignment: ten loads a
    /// decade up to the size of the family, or some three up to P = 2000 and fewer epochs.
    pub fn new(alignment: &Alignment, quick: bool, seed: u64) -> Self {
        Self::shipped(quick, seed).completed(alignment, quick)
    }

    /// Those of `options`, completed for the alignment.
    fn of(alignment: &Alignment, options: &Options) -> Result<Self> {
        Ok(Self::varied(options)?.completed(alignment, options.quick))
    }

    /// The seed of a sample.
    fn seed_of(&self, sample: u64) -> u64 {
        sample_seed(self.seed, sample)
    }

    /// The largest P.
    fn largest(&self) -> usize {
        self.sequences.iter().copied().max().unwrap_or(0)
    }

    /// Asymmetric and symmetric training of every P, on sequences of L columns of q letters.
    fn cost(&self, n_columns: usize, n_letters: usize, execution: &Execution) -> Cost {
        let (l, q) = (n_columns as f64, n_letters as f64);
        let load = |&n_sequences: &usize| {
            let sequences = n_sequences as f64 + step_as_sequences(n_letters);
            let lookups = 2.0 * self.epochs as f64 * l * l * sequences;
            let couplings = 4.0 * (l * q).powi(2);
            // All variants, with their tables while they are observed.
            let memory =
                potts_training_bytes(n_columns, n_letters, true, execution.n_threads()) + 5.0 * couplings;
            Cost { memory_bytes: memory, work: lookups * q * WORK_A_LETTER, ..Cost::default() }
        };
        let n_samples = usize::try_from(self.n_samples).unwrap_or(usize::MAX);
        self.sequences.iter().map(load).sum::<Cost>().times(n_samples)
    }

    /// What follows from the alignment, where it is not given: loads, unseen sequences, lr of lr' = 100.
    fn completed(mut self, alignment: &Alignment, quick: bool) -> Self {
        let n_sequences = alignment.n_sequences();
        if self.n_test == 0 {
            let available = alignment.test.as_ref().map_or(n_sequences / PART_OF_TESTS, Sequences::n_rows);
            self.n_test = available.min(MOST_TESTS);
        }
        if self.sequences.is_empty() {
            let most =
                if alignment.test.is_some() { n_sequences } else { n_sequences.saturating_sub(self.n_test) };
            let most = if quick { most.min(2000) } else { most };
            let all = (PER_DECADE * 3 / 10..)
                .map(|step| libm::pow(10.0, step as f64 / PER_DECADE as f64).round() as usize);
            self.sequences = all.take_while(|&p| p < most).chain([most]).collect();
            self.sequences.dedup();
            if quick {
                self.sequences = self.sequences.into_iter().rev().step_by(4).collect();
                self.sequences.reverse();
            }
        }
        if self.lr == 0.0 {
            self.lr = 2.0 * 100.0 / alignment.n_columns() as f64;
        }
        self
    }
}

/// What a folder's results are of.
#[derive(Serialize)]
struct Run<'a> {
    /// BLAKE3 of the alignment.
    alignment: &'a str,
    #[serde(flatten)]
    config: &'a ProteinsConfig,
}

/// What was measured at a load of a sample, in the order of [`VARIANTS`].
pub(super) struct Point {
    sample: u64,
    n_sequences: usize,
    load: f64,
    observed: Vec<PottsObservables>,
}

/// Checks that there is an alignment.
pub(super) fn check_input(options: &Options) -> Result<()> {
    let alignment = open_alignment(options)?;
    check_size(&ProteinsConfig::of(&alignment, options)?, &alignment)
}

/// What the experiment takes with the alignment of `options`.
pub(super) fn cost(options: &Options, execution: &Execution) -> Result<Cost> {
    let alignment = open_alignment(options)?;
    let config = ProteinsConfig::of(&alignment, options)?;
    Ok(config.cost(alignment.n_columns(), alignment.n_letters(), execution))
}

fn open_alignment(options: &Options) -> Result<Alignment> {
    match &options.alignment {
        Some(path) if Container::begins(path)? => Alignment::open(path),
        Some(path) => imported(path),
        None => {
            let expected = "a file: FASTA, A2M, A3M (or .gz), or one that `attractor import alignment` made";
            Err(Error::parameter("alignment", expected, "none"))
        }
    }
}

/// An alignment of proteins as its source gives it, without duplicates, which would be in training and test.
fn imported(path: &Path) -> Result<Alignment> {
    let import = AlignmentImport::new(path.to_owned(), Alphabet::protein());
    AlignmentImport { duplicates: false, ..import }.read()
}

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Manifest> {
    let alignment = open_alignment(options)?;
    run_proteins(&ProteinsConfig::of(&alignment, options)?, &alignment, options, execution)
}

/// Runs the experiment on an alignment with parameters of the caller's; of `options`, all but the size and the seed count.
/// Weights of sequences are not used. Points that the output folder holds are taken from there, unless it may be overwritten.
///
/// # Errors
/// If the alignment has too few sequences, a parameter is out of range, the folder holds points that were measured otherwise or
/// cannot be written, or interrupted, with the points finished so far kept.
pub fn run_proteins(
    config: &ProteinsConfig,
    alignment: &Alignment,
    options: &Options,
    execution: &Execution,
) -> Result<Manifest> {
    config.check()?;
    check_size(config, alignment)?;
    let data = match &options.alignment {
        Some(path) => hash_file(path)?,
        None => blake3::hash(alignment.train.letters()).to_hex().to_string(),
    };
    let run = Run { alignment: &data, config };
    let mut directory = RunDirectory::new("proteins", options, &run, FILES, KEPT)?;
    let _lock = directory.lock(FILES)?;
    directory.input("alignment", &data);
    let records = |sample| Record::of_sample(config, &data, sample);
    // What is there is read, and refused if it does not fit, before anything is written.
    let found = (0..config.n_samples).flat_map(records).map(|record| match options.overwrite {
        Overwrite::Replace => Ok(None),
        Overwrite::Refuse => record.find(directory.folder()),
    });
    let mut found = found.collect::<Result<Vec<_>>>()?.into_iter();
    directory.begin_anew()?;
    let n_unseen = alignment.test.as_ref().map_or(config.n_test, |test| test.n_rows().min(config.n_test));
    let mut points = Vec::new();
    let (mut identities, mut in_train) = (Vec::new(), Vec::new());
    for sample in 0..config.n_samples {
        let split = Split::new(config, alignment, sample)?;
        identities.extend(sequence_facts(&split.train, None)?.mean_identity);
        let n_seen = unseen_sequence_facts(&split.train, &split.test)?.in_train;
        in_train.push(n_seen as f64);
        if n_seen > 0 {
            let label = if config.n_samples > 1 { format!("sample {sample}: ") } else { String::new() };
            execution.progress().note(&format!("note: {label}{}", not_unseen(n_seen, n_unseen)));
        }
        for record in records(sample) {
            let n_sequences = record.n_sequences();
            let observed = match found.next().flatten() {
                Some(observed) => observed,
                None => {
                    let observed = split.measure(n_sequences, execution)?;
                    record.write(directory.folder(), &observed)?;
                    observed
                }
            };
            directory.holds(&record.name())?;
            let load = n_sequences as f64 / alignment.n_columns() as f64;
            points.push(Point { sample, n_sequences, load, observed });
        }
    }
    let identity = (!identities.is_empty()).then(|| Mean::of(&identities));
    let comparison = Comparison::new(config, &points, identity.map(|identity| identity.value))?;
    directory.table("table.csv", &comparison::observables(&points))?;
    directory.table("comparison.csv", &comparison.table())?;
    directory.figure("figure", &comparison.figure())?;
    for (name, value) in comparison.named() {
        directory.result(&name, value);
    }
    let in_train = Mean::of(&in_train);
    for (name, mean) in [("mean_identity", identity), ("test_in_train", Some(in_train))] {
        let Some(mean) = mean else { continue };
        directory.result(name, mean.value);
        if config.n_samples > 1 {
            directory.result(&format!("{name}_error"), mean.error);
        }
    }
    let summary = heading(config, alignment, n_unseen, identity, in_train) + &comparison.summary();
    directory.finish(summary, execution)
}

/// What was learned from, and whether what is unseen is.
fn heading(
    config: &ProteinsConfig,
    alignment: &Alignment,
    n_unseen: usize,
    identity: Option<Mean>,
    in_train: Mean,
) -> String {
    let seen = match config.n_samples {
        _ if in_train.value == 0.0 => String::new(),
        1 => not_unseen(in_train.value, n_unseen) + "\n",
        _ => not_unseen(format!("in the mean {:.1}", in_train.value), n_unseen) + "\n",
    };
    format!(
        "{} sequences to learn from, of {} columns, up to {} of them learned; {n_unseen} unseen, {}; mean pairwise identity of the \
         learned ones {:.3}\n{seen}\n",
        alignment.n_sequences(),
        alignment.n_columns(),
        config.largest(),
        if alignment.test.is_some() { "the alignment's own" } else { "kept back from the others" },
        identity.map_or(f64::NAN, |identity| identity.value),
    )
}

/// Says that so many of the unseen sequences are learned.
fn not_unseen(n_seen: impl std::fmt::Display, n_unseen: usize) -> String {
    format!("{n_seen} of {n_unseen} test sequences occur in the training ones: they are not unseen")
}
