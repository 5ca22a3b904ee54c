//! What `attractor inspect` measures of recalled Potts states.

use std::path::Path;

use attractor::Result;
use attractor::analysis::sequence_facts;
use attractor::potts::{PottsRecall, recall_summary};
use serde_json::json;

use super::Facts;
use super::states::recall_facts;

pub(super) fn facts(path: &Path) -> Result<Facts> {
    let (starts, recall) = PottsRecall::open(path)?;
    // Final states are compared with their starts: what the starts were made from is not in the file.
    let summary = recall_summary(&recall, &starts)?;
    let ends = sequence_facts(&recall.states, None)?;
    let mut facts = vec![("columns", json!(starts.n_columns())), ("q", json!(starts.n_letters()))];
    facts.extend(recall_facts(&summary, &recall.fates));
    facts.extend([
        ("distinct_ends", json!(recall.states.n_rows() - ends.duplicates)),
        ("mean_identity_of_ends", json!(ends.mean_identity)),
    ]);
    Ok(facts)
}
