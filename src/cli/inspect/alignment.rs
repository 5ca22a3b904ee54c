//! What `attractor inspect` measures of an alignment.

use attractor::Result;
use attractor::analysis::{sequence_facts, unseen_sequence_facts, weight_facts};
use attractor::datasets::Alignment;
use serde_json::json;

use super::Facts;

pub fn facts(alignment: &Alignment) -> Result<Facts> {
    let gap = alignment.alphabet.gap();
    let measured = sequence_facts(&alignment.train, gap)?;
    let mut facts = vec![
        ("L", json!(alignment.n_columns())),
        ("q", json!(alignment.n_letters())),
        ("P", json!(alignment.n_sequences())),
    ];
    if let Some(weights) = &alignment.weights {
        let measured = weight_facts(weights);
        facts.push(("M_eff", json!(measured.sum)));
        facts.push(("weights_sum_squared_by_sum_of_squares", json!(measured.effective_number)));
    }
    facts.extend([
        ("mean_identity", json!(measured.mean_identity)),
        ("entropy_per_column_bits", json!(measured.entropy_per_column)),
        ("gap_fraction", json!(measured.gap_fraction)),
        ("conserved_columns", json!(measured.conserved_columns)),
        ("empty_columns", json!(measured.empty_columns)),
        ("duplicates", json!(measured.duplicates)),
    ]);
    if let Some(test) = &alignment.test {
        let (own, beside) = (sequence_facts(test, gap)?, unseen_sequence_facts(&alignment.train, test)?);
        facts.extend([
            ("test", json!(test.n_rows())),
            ("test_mean_identity", json!(own.mean_identity)),
            ("test_mean_identity_with_train", json!(beside.mean_identity_with_train)),
            ("test_entropy_per_column_bits", json!(own.entropy_per_column)),
            ("test_gap_fraction", json!(own.gap_fraction)),
            ("test_duplicates", json!(own.duplicates)),
            ("test_in_train", json!(beside.in_train)),
        ]);
    }
    Ok(facts)
}
