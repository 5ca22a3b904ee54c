//! The observables of a run: what a row of metrics holds.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::overlaps::{learned_features, overlaps};
use super::row_observables::{Measured, RowObservables, StabilitySummary, measure_rows};
use crate::couplings::Couplings;
use crate::datasets::DataSet;
use crate::dynamics::{Dynamics, Fate, ParallelDynamics, Recall, Stop, Ties, random_states};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::learning::{Problem, PseudoLikelihood, squared_hebb_norm};
use crate::spins::SpinMatrix;

/// What to measure, prepared once for a data set and used at every evaluation point.
pub struct Evaluation<'a> {
    train: &'a SpinMatrix,
    /// All states that are recalled, of all kinds: one batch, so that J is read once a step.
    starts: SpinMatrix,
    /// Where those of a kind are among them.
    train_sample: Range<usize>,
    test_sample: Option<Range<usize>>,
    features: Option<Range<usize>>,
    random_sample: Range<usize>,
    weights: Option<&'a [f32]>,
    lambda: f64,
    l2: f64,
    l1: f64,
    hebb_norm: f64,
    dynamics: ParallelDynamics,
}

/// Final overlaps, each started from the vectors themselves and averaged over them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overlaps {
    pub train: f64,
    pub test: Option<f64>,
    pub features: Option<f64>,
    /// Of random starts with themselves.
    pub random: f64,
}

/// Number of features whose final overlap, started from the feature, reaches 0.9 and 0.99.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureCount {
    #[serde(rename = "0.9")]
    pub at_0_9: usize,
    #[serde(rename = "0.99")]
    pub at_0_99: usize,
}

/// The test reconstruction gap, both ways.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// m_train - m_test.
    pub train_minus_test: f64,
    /// 1 - m_test.
    pub one_minus_test: f64,
}

/// One evaluation of couplings on a data set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observables {
    /// Mean pseudo-likelihood loss per neuron over all training patterns, weighted where they have weights.
    pub loss: f64,
    /// What descent lowers: the loss plus (l2 / 2) |J_i|^2 + l1 |J_i|_1, mean over neurons.
    pub objective: f64,
    /// Mean over neurons of |J_i|_2.
    pub row_norm: f64,
    /// lambda' times the mean row norm, lambda' = lambda / 2.
    pub lambda_eff: f64,
    /// |J - J^T|_F / |J|_F.
    pub asymmetry: f64,
    /// Mean of (J - J^T)^2.
    pub asymmetry_msd: f64,
    /// | |J| J_H / |J_H| - J |_F / |J|_F, J_H the Hebb couplings of the training patterns.
    pub hebb_distance: Option<f64>,
    pub stability: StabilitySummary,
    pub overlap: Overlaps,
    /// Fraction of the sampled training patterns that are exact fixed points.
    pub fixed_fraction: f64,
    pub learned_features: Option<FeatureCount>,
    pub gap: Option<Gap>,
}

impl Observables {
    /// Names of the columns of a table of observables.
    pub const COLUMNS: [&'static str; 19] = [
        "loss",
        "objective",
        "row_norm",
        "lambda_eff",
        "asymmetry",
        "asymmetry_msd",
        "hebb_distance",
        "stability_mean",
        "stability_min",
        "stability_negative_fraction",
        "overlap_train",
        "overlap_test",
        "overlap_features",
        "overlap_random",
        "fixed_fraction",
        "learned_features_0.9",
        "learned_features_0.99",
        "gap_train_minus_test",
        "gap_one_minus_test",
    ];

    /// The values under [`COLUMNS`](Self::COLUMNS), as text that reads back exactly; empty where there is none.
    pub fn values(&self) -> Vec<String> {
        let count = |count: Option<usize>| count.map(|count| count as f64);
        let values = [
            Some(self.loss),
            Some(self.objective),
            Some(self.row_norm),
            Some(self.lambda_eff),
            Some(self.asymmetry),
            Some(self.asymmetry_msd),
            self.hebb_distance,
            Some(self.stability.mean),
            Some(self.stability.min),
            Some(self.stability.negative_fraction),
            Some(self.overlap.train),
            self.overlap.test,
            self.overlap.features,
            Some(self.overlap.random),
            Some(self.fixed_fraction),
            count(self.learned_features.map(|count| count.at_0_9)),
            count(self.learned_features.map(|count| count.at_0_99)),
            self.gap.map(|gap| gap.train_minus_test),
            self.gap.map(|gap| gap.one_minus_test),
        ];
        values.iter().map(|value| value.map_or(String::new(), |value| value.to_string())).collect()
    }
}

impl<'a> Evaluation<'a> {
    /// Overlaps are taken over the first `n_states` training and test patterns and as many random states (of stream
    /// `seed`), and over all features, after `n_steps` parallel steps. `parameters` are those whose loss is measured, with the
    /// weights of the data.
    ///
    /// # Errors
    /// If interrupted, memory for the random states is missing, or the training set is too large for exact Hebb counts.
    pub fn new(
        data: &'a DataSet,
        parameters: &PseudoLikelihood,
        n_states: usize,
        n_steps: u64,
        seed: u64,
        execution: &Execution,
    ) -> Result<Self> {
        let train = &data.train;
        let mut starts = Vec::new();
        let mut n_starts = 0;
        let mut sample = |states: &SpinMatrix, n_states: usize| {
            if states.n_spins() != train.n_spins() {
                let expected = format!("N = {} as of the training patterns", train.n_spins());
                return Err(Error::shape("states", expected, format!("N = {}", states.n_spins())));
            }
            let n_rows = n_states.min(states.n_rows());
            (0..n_rows).for_each(|row| starts.extend_from_slice(states.row(row)));
            n_starts += n_rows;
            Ok(n_starts - n_rows..n_starts)
        };
        let train_sample = sample(train, n_states)?;
        let test_sample = data.test.as_ref().map(|test| sample(test, n_states)).transpose()?;
        let features = data.features.as_ref().map(|features| sample(features, usize::MAX)).transpose()?;
        let random_sample = sample(&random_states(n_states, train.n_spins(), seed)?, n_states)?;
        Ok(Self {
            train,
            starts: SpinMatrix::from_words(n_starts, train.n_spins(), starts)?,
            train_sample,
            test_sample,
            features,
            random_sample,
            weights: data.weights.as_deref(),
            lambda: parameters.lambda,
            l2: parameters.l2,
            l1: parameters.l1,
            hebb_norm: squared_hebb_norm(train, execution)?.sqrt(),
            dynamics: ParallelDynamics { stop: Stop::After(n_steps), ties: Ties::Keep },
        })
    }

    /// The training patterns, with their weights.
    fn problem(&self) -> Result<Problem<'a>> {
        let problem = Problem::from(self.train);
        self.weights.map_or(Ok(problem), |weights| problem.with_weights(weights))
    }

    /// The training patterns, all of them.
    pub fn train(&self) -> &'a SpinMatrix {
        self.train
    }
}

/// Measures couplings.
///
/// # Errors
/// If sizes do not fit together, or interrupted.
pub fn observe(
    couplings: &Couplings,
    evaluation: &Evaluation<'_>,
    execution: &Execution,
) -> Result<Observables> {
    let loss_of = [evaluation.lambda, evaluation.l2, evaluation.l1];
    let Measured { observables, margins, norm } =
        measure_rows(couplings, evaluation.problem()?, loss_of, execution)?;
    let RowObservables { loss, objective, row_norm, lambda_eff, stability } = observables;
    let asymmetry = couplings.asymmetry(execution)?;
    let cosine = margins.hebb_product / (norm * evaluation.hebb_norm);

    let starts = &evaluation.starts;
    let recall = evaluation.dynamics.run(couplings, starts, starts, execution)?;
    let final_overlaps = overlaps(execution.isa(), &recall.states, starts)?;
    let of = |kind: &Range<usize>| &final_overlaps[kind.clone()];

    let train = mean(of(&evaluation.train_sample));
    let test = evaluation.test_sample.as_ref().map(of).map(mean);
    let features = evaluation.features.as_ref().map(of);
    let random = mean(of(&evaluation.random_sample));
    Ok(Observables {
        loss,
        objective,
        row_norm,
        lambda_eff,
        asymmetry: asymmetry.ratio,
        asymmetry_msd: asymmetry.mean_square,
        hebb_distance: cosine.is_finite().then(|| (2.0 - 2.0 * cosine).max(0.0).sqrt()),
        stability,
        overlap: Overlaps { train, test, features: features.map(mean), random },
        fixed_fraction: fixed_fraction(&recall.fates[evaluation.train_sample.clone()]),
        learned_features: features
            .map(|m| FeatureCount { at_0_9: learned_features(m, 0.9), at_0_99: learned_features(m, 0.99) }),
        gap: test.map(|test| Gap { train_minus_test: train - test, one_minus_test: 1.0 - test }),
    })
}

/// What a recall came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecallSummary {
    /// Number of states.
    pub states: usize,
    /// Mean final overlap with the uncorrupted vectors.
    pub overlap_mean: f64,
    /// Mean of the largest overlap over the steps; none if no step was made.
    pub overlap_max_mean: Option<f64>,
    /// Standard deviation of the final overlaps over the states.
    pub overlap_std: f64,
    /// Fraction of starts that are fixed points themselves; none if no step was made.
    pub fixed_fraction: Option<f64>,
    /// Fraction of trajectories that ended in a fixed point.
    pub converged_fraction: f64,
    /// Fraction that ended in a cycle of period 2 or more.
    pub cycle_fraction: f64,
    /// Fraction that reached neither in the steps made.
    pub unsettled_fraction: f64,
    /// Largest period seen, 1 for fixed points; none if nothing settled.
    pub period_max: Option<u64>,
    /// Mean number of steps before the fixed point or cycle, or of all steps where neither was reached.
    pub steps_mean: f64,
}

/// Summarises a recall against the uncorrupted vectors `reference`.
///
/// # Errors
/// If the shapes differ.
pub fn recall_summary(
    recall: &Recall,
    reference: &SpinMatrix,
    execution: &Execution,
) -> Result<RecallSummary> {
    let overlaps = overlaps(execution.isa(), &recall.states, reference)?;
    Ok(RecallSummary::new(&overlaps, &recall.fates, &recall.best_overlaps))
}

impl RecallSummary {
    /// From final overlaps, fates and largest overlaps on the way, one of each a state; not a number without a state.
    pub fn new(overlaps: &[f64], fates: &[Fate], best_overlaps: &[f64]) -> Self {
        let overlap_mean = mean(overlaps);
        let deviations: Vec<f64> = overlaps.iter().map(|m| (m - overlap_mean).powi(2)).collect();
        let fraction = |holds: &dyn Fn(&Fate) -> bool| {
            mean(&fates.iter().map(|fate| f64::from(u8::from(holds(fate)))).collect::<Vec<_>>())
        };
        let best = mean(best_overlaps);
        RecallSummary {
            states: overlaps.len(),
            overlap_mean,
            overlap_max_mean: best.is_finite().then_some(best),
            overlap_std: mean(&deviations).sqrt(),
            fixed_fraction: best.is_finite().then(|| fixed_fraction(fates)),
            converged_fraction: fraction(&|fate| fate.period == Some(1)),
            cycle_fraction: fraction(&|fate| fate.period.is_some_and(|period| period > 1)),
            unsettled_fraction: fraction(&|fate| fate.period.is_none()),
            period_max: fates.iter().filter_map(|fate| fate.period).max(),
            steps_mean: mean(&fates.iter().map(|fate| fate.steps as f64).collect::<Vec<_>>()),
        }
    }
}

/// Fraction of starts that are fixed points.
pub fn fixed_fraction(fates: &[Fate]) -> f64 {
    let fixed = fates.iter().filter(|fate| fate.steps == 0 && fate.period == Some(1)).count();
    fixed as f64 / fates.len() as f64
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
