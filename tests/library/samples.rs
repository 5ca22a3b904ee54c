//! Experiments on several samples: runs that go on, samples that join, means that agree with the tables.

use std::path::Path;

use attractor::error::Result;
use attractor::execution::Execution;
use attractor::experiments::{BasinsConfig, Manifest, Options, TransitionConfig, run_basins, run_transition};
use attractor::storage::{Overwrite, Table};

fn options(folder: &Path) -> Options {
    Options { quick: true, command: "test".into(), ..Options::new(folder, Overwrite::Refuse) }
}

fn execution(n_threads: usize) -> Execution {
    Execution::with_threads(n_threads).unwrap()
}

fn transition(n_samples: u64, folder: &Path, n_threads: usize) -> Result<Manifest> {
    let config = TransitionConfig {
        n_spins: 60,
        n_features: 20,
        loads: vec![0.5, 2.0],
        epochs: vec![0, 3, 20],
        n_states: 15,
        n_steps: 10,
        mnist_patterns: Vec::new(),
        n_samples,
        ..TransitionConfig::new(true, 5)
    };
    run_transition(&config, &options(folder), &execution(n_threads))
}

fn basins(n_samples: u64, folder: &Path) -> Result<Manifest> {
    let config = BasinsConfig {
        n_spins: 40,
        epochs: 20,
        initial_overlaps: vec![0.5, 0.9],
        symmetric_n_spins: 30,
        symmetric_loads: vec![0.5],
        n_samples,
        ..BasinsConfig::new(true, 5)
    };
    run_basins(&config, &options(folder), &execution(2))
}

/// Mean of a column over the rows whose first columns are `place`.
fn mean(table: &Path, column: &str, place: &[(&str, &str)]) -> f64 {
    let table = Table::read(table).unwrap();
    let index = |name: &str| table.columns().iter().position(|column| column == name).unwrap();
    let there = |row: &&Vec<String>| place.iter().all(|(column, value)| row[index(column)] == *value);
    let values: Vec<f64> =
        table.rows().iter().filter(there).map(|row| row[index(column)].parse().unwrap()).collect();
    assert!(!values.is_empty());
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn samples_join_a_finished_transition() {
    let folder = tempfile::tempdir().unwrap();
    let (grown, whole) = (folder.path().join("grown"), folder.path().join("whole"));
    let one = transition(1, &grown, 1).unwrap();
    let two = transition(2, &grown, 2).unwrap();
    for (file, hash) in one.files.iter().filter(|(file, _)| file.starts_with("points/")) {
        assert_eq!(&two.files[file], hash, "{file}");
    }
    assert_eq!(two.files, transition(2, &whole, 1).unwrap().files);
    // What a run that was stopped has not measured is measured.
    std::fs::remove_file(whole.join("points/n60-load2-seed5-sample1.json")).unwrap();
    assert_eq!(two.files, transition(2, &whole, 2).unwrap().files);

    let place = |epoch| [("load", "2"), ("epoch", epoch)];
    for (rule, epoch) in [("hebb", "0"), ("pseudo_likelihood", "20")] {
        for kind in ["train", "test", "features"] {
            let of_table = mean(&grown.join("table.csv"), &format!("overlap_{kind}"), &place(epoch));
            let told = two.results[&format!("{rule}_{kind}_at_load_2")];
            assert!((told - of_table).abs() < 1e-12, "{rule} {kind}: {told}, {of_table}");
        }
    }
    let error = two.results["hebb_train_at_load_2_error"];
    assert!(error > 0.0 && !one.results.contains_key("hebb_train_at_load_2_error"), "{error}");
    // Other parameters are refused, with the folder as it was.
    let other = TransitionConfig { n_spins: 61, n_samples: 2, ..TransitionConfig::new(true, 5) };
    let message = run_transition(&other, &options(&grown), &execution(1)).unwrap_err().to_string();
    assert!(message.contains("the parameters of this run, epochs = [0, 1, "), "{message}");
}

#[test]
fn samples_join_finished_basins() {
    let folder = tempfile::tempdir().unwrap();
    let (grown, whole) = (folder.path().join("grown"), folder.path().join("whole"));
    let one = basins(1, &grown).unwrap();
    let two = basins(2, &grown).unwrap();
    // Eight rules and a load of symmetric couplings.
    let points = one.files.iter().filter(|(file, _)| file.starts_with("points/"));
    assert_eq!(points.clone().count(), 9);
    assert!(points.clone().all(|(file, hash)| two.files[file] == *hash));
    basins(2, &whole).unwrap();
    for file in ["table.csv", "basins.csv", "published.csv", "symmetric.csv"] {
        let read = |folder: &Path| std::fs::read(folder.join(file)).unwrap();
        assert_eq!(read(&grown), read(&whole), "{file}");
    }
    assert!(two.summary.contains("pseudo-likelihood: differs from arXiv:2507.05147"), "{}", two.summary);
}
