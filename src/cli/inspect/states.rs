//! What `attractor inspect` measures of recalled states.

use std::path::Path;

use attractor::Result;
use attractor::analysis::{RecallSummary, fixed_fraction, recall_summary, spin_facts};
use attractor::dynamics::{Fate, Recall};
use attractor::execution::Execution;
use serde_json::json;

use super::Facts;
use crate::cli::recall::UNTIL_SETTLED;

/// `is_thermal`: the states were recalled at a temperature, where none settles.
pub fn facts(path: &Path, is_thermal: bool, execution: &Execution) -> Result<Facts> {
    let (starts, recall) = Recall::open(path)?;
    // Final states are compared with their starts: what the starts were made from is not in the file.
    let summary = recall_summary(&recall, &starts, execution)?;
    let ends = spin_facts(&recall.states)?;
    let mut facts = vec![("N", json!(starts.n_spins()))];
    facts.extend(recall_facts(&summary, &recall.fates));
    facts.extend([
        ("distinct_ends", json!(recall.states.n_rows() - ends.duplicates)),
        ("mean_overlap_of_ends", json!(ends.mean_overlap)),
    ]);
    if is_thermal {
        facts.retain(|(name, _)| !UNTIL_SETTLED.contains(name));
    }
    Ok(facts)
}

/// Where recalled states went; final states are compared with their starts.
pub(super) fn recall_facts(summary: &RecallSummary, fates: &[Fate]) -> Facts {
    vec![
        ("states", json!(summary.states)),
        ("overlap_with_start_mean", json!(summary.overlap_mean)),
        ("overlap_with_start_std", json!(summary.overlap_std)),
        ("fixed_fraction", json!(fixed_fraction(fates))),
        ("converged_fraction", json!(summary.converged_fraction)),
        ("cycle_fraction", json!(summary.cycle_fraction)),
        ("unsettled_fraction", json!(summary.unsettled_fraction)),
        ("period_max", json!(summary.period_max)),
        ("steps_mean", json!(summary.steps_mean)),
    ]
}
