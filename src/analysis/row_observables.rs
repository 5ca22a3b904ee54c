//! What rows of J say without the others: what is observed of a shard, and of the whole J among other things.

use serde::{Deserialize, Serialize};

use super::margins::{MarginStatistics, margin_statistics};
use crate::couplings::Couplings;
use crate::error::Result;
use crate::execution::{Execution, Progress};
use crate::learning::{Problem, PseudoLikelihood};

/// Stabilities xi_i h_i / |J_i| of the training patterns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StabilitySummary {
    pub mean: f64,
    pub min: f64,
    pub negative_fraction: f64,
}

/// One evaluation of the rows of couplings, each for itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RowObservables {
    /// Mean pseudo-likelihood loss per neuron over all training patterns, weighted where they have weights.
    pub loss: f64,
    /// What descent lowers: the loss plus (l2 / 2) |J_i|^2 + l1 |J_i|_1, mean over neurons.
    pub objective: f64,
    /// Mean over neurons of |J_i|_2.
    pub row_norm: f64,
    /// lambda' times the mean row norm, lambda' = lambda / 2.
    pub lambda_eff: f64,
    pub stability: StabilitySummary,
}

/// What else the rows came to, for those who go on with it.
pub(super) struct Measured {
    pub(super) observables: RowObservables,
    pub(super) margins: MarginStatistics,
    /// |J|_F over the rows.
    pub(super) norm: f64,
}

/// Measures the rows that there are. `parameters` are those of the loss: lambda, l2, l1.
///
/// # Errors
/// If sizes do not fit together, or interrupted.
pub fn observe_rows<'a>(
    couplings: &Couplings,
    problem: impl Into<Problem<'a>>,
    parameters: &PseudoLikelihood,
    execution: &Execution,
) -> Result<RowObservables> {
    let PseudoLikelihood { lambda, l2, l1, .. } = *parameters;
    Ok(measure_rows(couplings, problem.into(), [lambda, l2, l1], execution)?.observables)
}

/// The same, with all that it comes from.
pub(super) fn measure_rows(
    couplings: &Couplings,
    problem: Problem<'_>,
    [lambda, l2, l1]: [f64; 3],
    execution: &Execution,
) -> Result<Measured> {
    let norms = couplings.row_norms(execution)?;
    let margins = margin_statistics(couplings, problem, lambda, &norms, execution)?;
    let norm = norms.iter().map(|norm| norm * norm).sum::<f64>().sqrt();
    let row_norm = norms.iter().sum::<f64>() / norms.len() as f64;
    let magnitudes = match l1 {
        0.0 => 0.0,
        _ => couplings.sum_of_magnitudes(execution)?,
    };
    let decay = l1 * magnitudes + 0.5 * l2 * norm * norm;
    let observables = RowObservables {
        loss: margins.loss,
        objective: margins.loss + decay / norms.len() as f64,
        row_norm,
        lambda_eff: lambda / 2.0 * row_norm,
        stability: StabilitySummary {
            mean: margins.mean_stability,
            min: margins.min_stability,
            negative_fraction: margins.negative_fraction,
        },
    };
    Ok(Measured { observables, margins, norm })
}

/// Tells the user where descent went up between two evaluations, (epoch, objective) each.
pub fn note_rising_loss(progress: &dyn Progress, (earlier, before): (u64, f64), (epoch, now): (u64, f64)) {
    if now > before {
        progress.note(&format!(
            "note: the loss rose from {before:.4} at epoch {earlier} to {now:.4} at epoch {epoch}; a smaller lr may help"
        ));
    }
}
