//! A protein family as in arXiv:2507.05147: final overlaps of training and test sequences, Potts spins learned by
//! pseudo-likelihood, against the load P / L.
//!
//! The family is the caller's alignment. The published curves, `data/reference/proteins.csv`, are of a family, an encoding and
//! settings that are not published: they show what to expect, not what to hit.

mod comparison;
mod records;

use serde::{Deserialize, Serialize};

use super::parameters::{Parameters, Shipped};
use super::run_directory::{Kept, RunDirectory};
use super::{Manifest, Options};
use crate::analysis::{sequence_facts, unseen_sequence_facts};
use crate::datasets::Alignment;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::potts::{
    PottsEvaluation, PottsInitial, PottsObservables, PottsPseudoLikelihood, PottsTrainer, observe,
};
use crate::random::{permutation, stream};
use crate::spins::Sequences;
use crate::storage::{Overwrite, hash_file};
use comparison::Comparison;
use records::Record;

/// What the experiment writes.
pub(super) const FILES: &[&str] = &["table.csv", "figure.svg", "figure.png", "comparison.csv"];

/// Runs measured point by point go on where they were stopped.
pub(super) const KEPT: Kept = Kept { folder: records::FOLDER, lock: "proteins.lock", grows: false };

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
    pub seed: u64,
}

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

/// What was measured at a load, in the order of [`VARIANTS`].
pub(super) struct Point {
    n_sequences: usize,
    load: f64,
    observed: Vec<PottsObservables>,
}

/// Checks that there is an alignment.
pub(super) fn check_input(options: &Options) -> Result<()> {
    let alignment = open_alignment(options)?;
    split(&ProteinsConfig::of(&alignment, options)?, &alignment).map(drop)
}

fn open_alignment(options: &Options) -> Result<Alignment> {
    match &options.alignment {
        Some(path) => Alignment::open(path),
        None => Err(Error::parameter("data", "an alignment, made by `attractor import alignment`", "none")),
    }
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
    let (train, test) = split(config, alignment)?;
    let n_seen = unseen_sequence_facts(&train, &test)?.in_train;
    let seen = (n_seen > 0).then(|| {
        format!(
            "{n_seen} of {} test sequences occur in the training ones: they are not unseen",
            test.n_rows()
        )
    });
    if let Some(seen) = &seen {
        execution.progress().note(&format!("note: {seen}"));
    }
    let data = match &options.alignment {
        Some(path) => hash_file(path)?,
        None => blake3::hash(alignment.train.letters()).to_hex().to_string(),
    };
    let run = Run { alignment: &data, config };
    let mut directory = RunDirectory::resume("proteins", options, &run, FILES, KEPT)?;
    let _lock = directory.lock(FILES)?;
    directory.input("alignment", &data);
    let records: Vec<Record> =
        config.sequences.iter().map(|&n_sequences| Record::new(config, &data, n_sequences)).collect();
    // What is there is read, and refused if it does not fit, before anything is written.
    let found = records.iter().map(|record| match options.overwrite {
        Overwrite::Replace => Ok(None),
        Overwrite::Refuse => record.find(directory.folder()),
    });
    let found = found.collect::<Result<Vec<_>>>()?;
    directory.begin_anew()?;
    let mut points = Vec::new();
    for (record, found) in records.iter().zip(found) {
        let n_sequences = record.n_sequences();
        let observed = match found {
            Some(observed) => observed,
            None => {
                let observed = measure(config, &train.head(n_sequences), &test, execution)?;
                record.write(directory.folder(), &observed)?;
                observed
            }
        };
        directory.holds(&record.name())?;
        let load = n_sequences as f64 / alignment.n_columns() as f64;
        points.push(Point { n_sequences, load, observed });
    }
    let identity = sequence_facts(&train, None)?.mean_identity;
    let comparison = Comparison::new(&points, identity)?;
    directory.table("table.csv", &comparison::observables(&points))?;
    directory.table("comparison.csv", &comparison.table())?;
    directory.figure("figure", &comparison.figure())?;
    if let Some(identity) = identity {
        directory.result("mean_identity", identity);
    }
    directory.result("test_in_train", n_seen as f64);
    let shape = format!(
        "{} sequences to learn from, of {} columns, up to {} of them learned; {} unseen, {}; mean pairwise identity of the learned \
         ones {:.3}\n{}\n",
        alignment.n_sequences(),
        alignment.n_columns(),
        train.n_rows(),
        test.n_rows(),
        if alignment.test.is_some() { "the alignment's own" } else { "kept back from the others" },
        identity.unwrap_or(f64::NAN),
        seen.map_or(String::new(), |seen| seen + "\n"),
    );
    let summary = shape + &comparison.summary();
    directory.finish(summary, execution)
}

/// The sequences to learn from, in random order, and the unseen ones.
fn split(config: &ProteinsConfig, alignment: &Alignment) -> Result<(Sequences, Sequences)> {
    let most = config.sequences.iter().copied().max().unwrap_or(0);
    let n_sequences = alignment.n_sequences();
    let own_test = alignment.test.as_ref();
    let wanted = most + if own_test.is_some() { 0 } else { config.n_test };
    if config.sequences.first().is_none_or(|&p| p == 0) || config.n_test == 0 || wanted > n_sequences {
        let expected = format!("at least one load and one unseen sequence, of {n_sequences} sequences");
        return Err(Error::parameter("sequences", expected, wanted));
    }
    let order = permutation(&mut stream(config.seed, "order of sequences", &[]), n_sequences);
    let train = alignment.train.select(&order[..most]);
    let test = match own_test {
        Some(test) => test.head(config.n_test),
        None => alignment.train.select(&order[most..most + config.n_test]),
    };
    Ok((train, test))
}

/// Learns the sequences and observes each variant.
fn measure(
    config: &ProteinsConfig,
    train: &Sequences,
    test: &Sequences,
    execution: &Execution,
) -> Result<Vec<PottsObservables>> {
    let seed = config.seed;
    let evaluation =
        PottsEvaluation::new(train, Some(test), config.lambda, config.n_states, config.n_steps, seed)?;
    let learn = |symmetric| {
        let parameters = PottsPseudoLikelihood {
            theta: config.fields,
            symmetric,
            ..PottsPseudoLikelihood::new(config.lambda, config.lr)
        };
        let mut trainer = PottsTrainer::new(train, parameters, &PottsInitial::Zero, 1.0, seed, execution)?;
        let what = format!("training on P = {}", train.n_rows());
        execution.progress().begin(&what, config.epochs);
        trainer.advance_to(config.epochs)?;
        execution.progress().end();
        trainer.couplings()
    };
    let asymmetric = learn(false)?;
    let symmetrized = asymmetric.symmetrized(execution)?;
    let symmetric = learn(true)?;
    [asymmetric, symmetrized, symmetric]
        .iter()
        .map(|couplings| observe(couplings, &evaluation, execution))
        .collect()
}
