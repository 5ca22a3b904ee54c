//! What `attractor inspect` measures of recalled Potts states.

use std::path::Path;

use attractor::Result;
use attractor::analysis::{fixed_fraction, sequence_facts};
use attractor::potts::{PottsRecall, recall_summary};
use serde_json::json;

use super::Facts;

pub(super) fn facts(path: &Path) -> Result<Facts> {
    let (starts, recall) = PottsRecall::open(path)?;
    // Final states are compared with their starts: what the starts were made from is not in the file.
    let summary = recall_summary(&recall, &starts)?;
    let ends = sequence_facts(&recall.states, None)?;
    Ok(vec![
        ("columns", json!(starts.n_columns())),
        ("q", json!(starts.n_letters())),
        ("states", json!(summary.states)),
        ("overlap_with_start_mean", json!(summary.overlap_mean)),
        ("overlap_with_start_std", json!(summary.overlap_std)),
        ("fixed_fraction", json!(fixed_fraction(&recall.fates))),
        ("converged_fraction", json!(summary.converged_fraction)),
        ("cycle_fraction", json!(summary.cycle_fraction)),
        ("unsettled_fraction", json!(summary.unsettled_fraction)),
        ("period_max", json!(summary.period_max)),
        ("steps_mean", json!(summary.steps_mean)),
        ("distinct_ends", json!(recall.states.n_rows() - ends.duplicates)),
        ("mean_identity_of_ends", json!(ends.mean_identity)),
    ])
}
