//! What training on sequences comes to: fit, overlaps after recall, norms.

use serde::{Deserialize, Serialize};

use super::couplings::PottsCouplings;
use super::dynamics::{PottsDynamics, PottsRecall};
use super::fit::{PottsFit, fit_on};
use super::lookup::LookupTables;
use super::problem::PottsProblem;
use super::start::random_sequences;
use crate::analysis::RecallSummary;
use crate::dynamics::{Stop, Update};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::spins::Sequences;

/// What evaluation looks at, the same at every epoch.
pub struct PottsEvaluation<'a> {
    problem: PottsProblem<'a>,
    test: Option<&'a Sequences>,
    lambda: f64,
    n_steps: u64,
    train_states: Sequences,
    test_states: Option<Sequences>,
    random_states: Sequences,
}

/// Mean overlaps of final states with those that dynamics started from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PottsOverlaps {
    pub train: f64,
    pub test: Option<f64>,
    pub random: f64,
}

/// Numbers of couplings during or after training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PottsObservables {
    /// Of the training sequences: the loss weighted as they are, all else with each of weight 1.
    pub train: PottsFit,
    /// Of the test sequences, each of weight 1.
    pub test: Option<PottsFit>,
    /// Final overlaps, in letters, of up to so many states of each kind as evaluation takes.
    pub overlap: PottsOverlaps,
    /// Mean of |J_i| over columns.
    pub column_norm: f64,
    /// lambda' times it, lambda' = lambda / 2.
    pub lambda_eff: f64,
    /// |J - J^T|_F / |J|_F.
    pub asymmetry: f64,
}

impl<'a> PottsEvaluation<'a> {
    /// Recall of the first `n_states` sequences of each kind, `n_steps` parallel steps.
    ///
    /// # Errors
    /// If there are no sequences, the test ones are of another shape, or memory is missing.
    pub fn new(
        problem: impl Into<PottsProblem<'a>>,
        test: Option<&'a Sequences>,
        lambda: f64,
        n_states: usize,
        n_steps: u64,
        seed: u64,
    ) -> Result<Self> {
        let problem = problem.into();
        problem.check()?;
        let sequences = problem.sequences();
        let shape = |x: &Sequences| format!("{} columns of {} letters", x.n_columns(), x.n_letters());
        let test = test.filter(|test| test.n_rows() > 0);
        if let Some(test) = test.filter(|test| shape(test) != shape(sequences)) {
            return Err(Error::shape("test sequences", shape(sequences), shape(test)));
        }
        Ok(Self {
            problem,
            test,
            lambda,
            n_steps,
            train_states: sequences.head(n_states),
            test_states: test.map(|test| test.head(n_states)),
            random_states: random_sequences(n_states, sequences.n_columns(), sequences.n_letters(), seed)?,
        })
    }
}

impl PottsObservables {
    /// Columns of a table of observables; of them the loss alone is weighted as the training sequences are.
    pub const COLUMNS: [&str; 13] = [
        "loss",
        "log_pseudo_likelihood",
        "right_fraction",
        "fixed_fraction",
        "test_log_pseudo_likelihood",
        "test_right_fraction",
        "test_fixed_fraction",
        "overlap_train",
        "overlap_test",
        "overlap_random",
        "column_norm",
        "lambda_eff",
        "asymmetry",
    ];

    /// A row of that table; empty where there is no test.
    pub fn values(&self) -> Vec<String> {
        let Self { train, test, overlap, .. } = self;
        let of_test = |value: fn(&PottsFit) -> f64| test.as_ref().map(value);
        let values = [
            Some(train.loss),
            Some(train.log_pseudo_likelihood),
            Some(train.right_fraction),
            Some(train.fixed_fraction),
            of_test(|test| test.log_pseudo_likelihood),
            of_test(|test| test.right_fraction),
            of_test(|test| test.fixed_fraction),
            Some(overlap.train),
            overlap.test,
            Some(overlap.random),
            Some(self.column_norm),
            Some(self.lambda_eff),
            Some(self.asymmetry),
        ];
        values.map(|value| value.map_or(String::new(), |value| value.to_string())).to_vec()
    }
}

/// Observes couplings.
///
/// # Errors
/// If their shape is another one than that of the sequences, memory for the tables of J is missing, or interrupted.
pub fn observe(
    couplings: &PottsCouplings,
    evaluation: &PottsEvaluation<'_>,
    execution: &Execution,
) -> Result<PottsObservables> {
    let lookup = LookupTables::of(couplings, execution)?;
    let dynamics = PottsDynamics { stop: Stop::After(evaluation.n_steps), update: Update::Parallel };
    let overlap = |states: &Sequences| -> Result<f64> {
        let recall = dynamics.run_on(&lookup, states, states, execution)?;
        let overlaps = overlaps(&recall.states, states);
        Ok(overlaps.iter().sum::<f64>() / overlaps.len() as f64)
    };
    let fit = |problem| fit_on(&lookup, problem, evaluation.lambda, execution);
    let norms = couplings.column_norms(execution)?;
    let column_norm = norms.iter().sum::<f64>() / norms.len() as f64;
    Ok(PottsObservables {
        train: fit(evaluation.problem)?,
        test: evaluation.test.map(|test| fit(test.into())).transpose()?,
        overlap: PottsOverlaps {
            train: overlap(&evaluation.train_states)?,
            test: evaluation.test_states.as_ref().map(overlap).transpose()?,
            random: overlap(&evaluation.random_states)?,
        },
        column_norm,
        lambda_eff: 0.5 * evaluation.lambda * column_norm,
        asymmetry: couplings.asymmetry(execution)?.ratio,
    })
}

/// Summarises a recall whose overlaps are with `reference`.
///
/// # Errors
/// If there is not a reference a state.
pub fn recall_summary(recall: &PottsRecall, reference: &Sequences) -> Result<RecallSummary> {
    let n_states = recall.fates.len();
    if reference.n_rows() != n_states {
        let expected = format!("{n_states}, as there are states");
        return Err(Error::shape("reference states", expected, reference.n_rows().to_string()));
    }
    Ok(RecallSummary::new(&overlaps(&recall.states, reference), &recall.fates, &recall.best_overlaps))
}

fn overlaps(a: &Sequences, b: &Sequences) -> Vec<f64> {
    (0..a.n_rows()).map(|row| Sequences::overlap(a.row(row), b.row(row))).collect()
}
