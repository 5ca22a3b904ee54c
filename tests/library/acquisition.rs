//! The experiment on the order of learning, at a tiny size: its files agree with each other, and do not depend on threads.

use std::collections::BTreeMap;
use std::path::Path;

use attractor::error::Result;
use attractor::execution::Execution;
use attractor::experiments::{FeatureLearningConfig, Manifest, Options, run_acquisition, run_gap};
use attractor::storage::{Overwrite, Table};

fn config() -> FeatureLearningConfig {
    FeatureLearningConfig {
        n_spins: 60,
        n_features: 20,
        exponents: vec![1.0, 2.0],
        loads: vec![0.5, 2.0],
        epochs: vec![0, 3, 20],
        n_states: 15,
        n_steps: 10,
        ..FeatureLearningConfig::new(true, 5)
    }
}

fn run(config: &FeatureLearningConfig, folder: &Path, n_threads: usize) -> Result<Manifest> {
    run_acquisition(config, &options(folder), &Execution::with_threads(n_threads).unwrap())
}

fn options(folder: &Path) -> Options {
    Options { quick: true, command: "test".into(), ..Options::new(folder, Overwrite::Refuse) }
}

/// The rows of a table, each by column.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let table = Table::read(path).unwrap();
    let row = |row: &Vec<String>| table.columns().iter().cloned().zip(row.iter().cloned()).collect();
    table.rows().iter().map(row).collect()
}

#[test]
fn tables_agree_with_each_other_at_any_thread_count() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let manifest = run(&config(), &one, 1).unwrap();
    assert_eq!(manifest.files, run(&config(), &two, 2).unwrap().files);
    // What a run that was stopped has not measured is measured; the rest is found.
    let left_over = "points/n60-eta2-load0.5-seed5-draw1.json";
    std::fs::remove_file(two.join(left_over)).unwrap();
    assert_eq!(manifest.files, run(&config(), &two, 1).unwrap().files);

    let (table, features) = (rows(&one.join("table.csv")), rows(&one.join("features.csv")));
    // 2 eta, 2 draws; 2 loads and 3 epochs, or 20 features.
    assert_eq!((table.len(), features.len()), (4 * 6, 4 * 20));
    let number = |row: &BTreeMap<String, String>, column: &str| row[column].parse::<f64>().unwrap();
    for (table, features) in table.chunks(6).zip(features.chunks(20)) {
        // L features a pattern, P = 120 of them.
        assert_eq!(features.iter().map(|row| number(row, "count")).sum::<f64>(), 360.0);
        for (at_last, first, row) in [
            ("learned_at_last", "first_patterns", &table[5]),
            ("hebb_learned_at_last", "hebb_first_patterns", &table[3]),
        ] {
            let learned = features.iter().filter(|row| row[at_last] == "1");
            assert_eq!(learned.clone().count() as f64, number(row, "learned_final_0.9"));
            let used: f64 = learned.clone().map(|row| number(row, "count")).sum();
            assert!((used / 360.0 - number(row, "learned_share")).abs() < 1e-12);
            // What is learned at the largest load is learned at some load first.
            assert!(learned.clone().all(|row| !row[first].is_empty()));
        }
        // Hebb is epoch 0.
        let by_hebb = features.iter().filter(|row| row["hebb_learned_at_last"] == "1");
        assert!(by_hebb.clone().all(|row| row["first_epoch"] == "0"));
        for row in table {
            let gaps = number(row, "gap_one_minus_test") - number(row, "gap_train_minus_test");
            assert!((gaps - 1.0 + number(row, "overlap_train")).abs() < 1e-12);
            assert_eq!(row["rule"] == "hebb", row["epoch"] == "0");
        }
    }
    assert!(manifest.results.contains_key("learned_features_at_eta_1"));
    assert!(manifest.results.values().all(|value| value.is_finite()));
}

#[test]
fn gaps_are_explained_from_the_same_measurements() {
    let folder = tempfile::tempdir().unwrap();
    let (acquired, explained) = (folder.path().join("acquisition"), folder.path().join("gap"));
    let measured = run(&config(), &acquired, 2).unwrap().files;
    let execution = Execution::with_threads(1).unwrap();
    let manifest = run_gap(&config(), &options(&explained), &execution).unwrap();
    assert_eq!(manifest.files["table.csv"], measured["table.csv"]);
    let parts: Vec<f64> =
        rows(&explained.join("explained.csv")).iter().map(|row| row["explained"].parse().unwrap()).collect();
    assert!(parts.len() > 50 && parts.iter().all(|part| (0.0..=1.0).contains(part)));
    assert!(manifest.results.contains_key("one_minus_test_explained_by_learned_features_at_all_eta"));
    assert!(manifest.results.values().all(|value| value.is_finite()));
}

#[test]
fn parameters_out_of_range_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("new");
    for (config, message) in [
        (
            FeatureLearningConfig { loads: vec![2.0, 1.0], ..config() },
            "loads: expected 1 or more numbers, ascending from above 0",
        ),
        (FeatureLearningConfig { loads: vec![0.0, 1.0], ..config() }, "loads: "),
        (FeatureLearningConfig { exponents: vec![], ..config() }, "exponents: "),
        (FeatureLearningConfig { epochs: vec![1, 2], ..config() }, "epochs: "),
        (FeatureLearningConfig { n_samples: 0, ..config() }, "samples: "),
        (FeatureLearningConfig { n_states: 0, ..config() }, "states: "),
        (FeatureLearningConfig { n_active: 21, ..config() }, "active: "),
        (FeatureLearningConfig { lr: f64::NAN, ..config() }, "lr: "),
    ] {
        let error = run(&config, &output, 1).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
        assert!(!output.exists());
    }
}
