//! What `attractor inspect` measures of a data set.

use attractor::Result;
use attractor::analysis::{
    class_counts, mean_overlap_within_classes, spin_facts, unseen_spin_facts, weight_facts,
};
use attractor::datasets::DataSet;
use serde_json::{Map, Value, json};

use super::Facts;

pub fn facts(data: &DataSet) -> Result<Facts> {
    let measured = spin_facts(&data.train)?;
    let mut facts = vec![
        ("N", json!(data.n_spins())),
        ("P", json!(data.n_patterns())),
        ("load", json!(data.load())),
        ("mean_overlap", json!(measured.mean_overlap)),
        ("magnetisation", json!(measured.magnetisation)),
        ("entropy_per_spin_bits", json!(measured.entropy_per_spin)),
        ("constant_spins", json!(measured.constant_spins)),
        ("duplicates", json!(measured.duplicates)),
        ("duplicates_up_to_sign", json!(measured.duplicates_up_to_sign)),
    ];
    if let Some(labels) = &data.train_labels {
        facts.push(("mean_overlap_within_class", json!(mean_overlap_within_classes(&data.train, labels)?)));
        facts.push(("classes", classes(labels)));
    }
    if let Some(weights) = &data.weights {
        let measured = weight_facts(weights);
        facts.push(("weights_sum", json!(measured.sum)));
        facts.push(("weights_sum_squared_by_sum_of_squares", json!(measured.effective_number)));
    }
    if let Some(test) = &data.test {
        let (own, beside) = (spin_facts(test)?, unseen_spin_facts(&data.train, test)?);
        facts.extend([
            ("test", json!(test.n_rows())),
            ("test_mean_overlap", json!(own.mean_overlap)),
            ("test_mean_overlap_with_train", json!(beside.mean_overlap_with_train)),
            ("test_magnetisation", json!(own.magnetisation)),
            ("test_entropy_per_spin_bits", json!(own.entropy_per_spin)),
            ("test_duplicates", json!(own.duplicates)),
            ("test_in_train", json!(beside.in_train)),
            ("test_in_train_up_to_sign", json!(beside.in_train_up_to_sign)),
        ]);
    }
    if let Some(labels) = &data.test_labels {
        facts.push(("test_classes", classes(labels)));
    }
    if let Some(features) = &data.features {
        facts.push(("features", json!(features.n_rows())));
    }
    Ok(facts)
}

/// How many rows each class has, by its number.
fn classes(labels: &[u8]) -> Value {
    let counts = class_counts(labels).into_iter().map(|(class, count)| (class.to_string(), json!(count)));
    Value::Object(counts.collect::<Map<_, _>>())
}
