//! Samples of a small family: what is kept of them, and what they come to.

use std::path::Path;

use super::*;
use crate::datasets::Alphabet;
use crate::random::{permutation, stream};

fn tiny() -> ProteinsConfig {
    ProteinsConfig {
        sequences: vec![2, 8],
        n_test: 3,
        lambda: 0.2,
        lr: 1.0,
        epochs: 3,
        fields: false,
        n_states: 6,
        n_steps: 3,
        n_samples: 1,
        seed: 0,
    }
}

/// Twelve sequences of five letters in six columns, near two ancestors.
fn family() -> Alignment {
    let letters = (0..12u64).flat_map(|row| {
        let mut letters: Vec<u8> = (0..6).map(|column| (column * (1 + row as u8 % 2)) % 5).collect();
        letters[permutation(&mut stream(row, "mutation", &[]), 6)[0]] = 4;
        letters
    });
    let sequences = Sequences::new(6, 5, letters.collect()).unwrap();
    Alignment::from_train(sequences, Alphabet::nucleotide())
}

fn run(folder: &Path, n_samples: u64, n_threads: usize) -> Result<Manifest> {
    let config = ProteinsConfig { n_samples, ..tiny() };
    let options = Options::new(folder, Overwrite::Refuse);
    run_proteins(&config, &family(), &options, &Execution::with_threads(n_threads).unwrap())
}

fn table(folder: &Path, name: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn the_first_split_of_seed_0_is_that_of_seed_0_and_every_sample_has_its_own() {
    let (config, family) = (ProteinsConfig { n_samples: 2, ..tiny() }, family());
    let order = permutation(&mut stream(0, "order of sequences", &[]), 12);
    let split = |sample| Split::new(&config, &family, sample).unwrap();
    assert_eq!(split(0).train.letters(), family.train.select(&order[..8]).letters());
    assert_eq!(split(0).test.letters(), family.train.select(&order[8..11]).letters());
    assert_ne!(split(1).train.letters(), split(0).train.letters());
}

/// A kept load that says 0.125 where a run would find another norm is taken as it is; so the first sample is not measured
/// again.
#[test]
fn a_second_sample_joins_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("points/p8-sample0.json");
    run(folder.path(), 1, 1).unwrap();
    assert!(table(folder.path(), "comparison.csv").iter().all(|row| row[4].is_empty()));
    let mut content: serde_json::Value = serde_json::from_slice(&std::fs::read(&kept).unwrap()).unwrap();
    content["observed"][0]["column_norm"] = 0.125.into();
    std::fs::write(&kept, content.to_string()).unwrap();
    let before = std::fs::read(&kept).unwrap();

    let manifest = run(folder.path(), 2, 1).unwrap();
    assert_eq!(std::fs::read(&kept).unwrap(), before);
    let rows = table(folder.path(), "table.csv");
    assert_eq!(rows.len(), 2 * 2 * VARIANTS.len());
    let asymmetric = |sample: &str| {
        let is_it = |row: &&Vec<String>| row[..3] == ["asymmetric", sample, "8"];
        rows.iter().find(is_it).unwrap()
    };
    let (first, second) = (asymmetric("0"), asymmetric("1"));
    assert!(first.contains(&"0.125".to_owned()));
    // The loss.
    assert_ne!(first[4], second[4]);
    let place = 4 + PottsObservables::COLUMNS.iter().position(|&name| name == "overlap_test").unwrap();
    let [first, second] = [first, second].map(|row| row[place].parse::<f64>().unwrap());
    let compared = table(folder.path(), "comparison.csv");
    let row = compared.iter().find(|row| row[..3] == ["test", "asymmetric", &(8.0 / 6.0).to_string()]);
    let [mean, error] = [3, 4].map(|column| row.unwrap()[column].parse::<f64>().unwrap());
    // Of two values the standard error is half of their distance.
    assert!((mean - (first + second) / 2.0).abs() < 1e-12);
    assert!((error - (first - second).abs() / 2.0).abs() < 1e-12);
    assert!(manifest.summary.contains("means of 2 samples, with standard errors of at most"));
}

/// Differences are those of the rows of comparison.csv that have a published value.
#[test]
fn differences_from_the_other_family_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = run(folder.path(), 2, 1).unwrap();
    let compared = table(folder.path(), "comparison.csv");
    let rows = compared.iter().filter(|row| row[..2] == ["train", "symmetrized"] && !row[5].is_empty());
    let number = |text: &String| text.parse::<f64>().unwrap();
    let largest = rows.map(|row| (number(&row[3]) - number(&row[5])).abs()).fold(0.0, f64::max);
    let result = manifest.results["largest_difference_train_symmetrized"];
    assert!((result - largest).abs() < 1e-12);
    assert!(manifest.results.contains_key("mean_difference_test_symmetric"));
    let line = "train, symmetrized, beside another family: differs from arXiv:2507.05147 by at most";
    assert!(manifest.summary.contains(line), "{}", manifest.summary);
}

/// Loads that are missing are measured again, on two threads: the same table.
#[test]
fn a_run_that_goes_on_has_the_table_of_one_that_was_not_stopped() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 2, 1).unwrap();
    let whole = table(folder.path(), "table.csv");
    for name in ["p2-sample1.json", "p8-sample0.json"] {
        std::fs::remove_file(folder.path().join("points").join(name)).unwrap();
    }
    run(folder.path(), 2, 2).unwrap();
    assert_eq!(table(folder.path(), "table.csv"), whole);
}

#[test]
fn points_of_another_sample_or_of_other_parameters_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 1, 1).unwrap();
    let points = folder.path().join("points");
    std::fs::copy(points.join("p2-sample0.json"), points.join("p2-sample1.json")).unwrap();
    let error = run(folder.path(), 2, 1).unwrap_err().to_string();
    assert!(error.contains("sample 1, P = 2") && error.contains("found a point of sample 0"), "{error}");

    let refused = |config: &ProteinsConfig| {
        let options = Options::new(folder.path(), Overwrite::Refuse);
        let execution = Execution::with_threads(1).unwrap();
        run_proteins(config, &family(), &options, &execution).unwrap_err().to_string()
    };
    let error = refused(&ProteinsConfig { epochs: 4, ..tiny() });
    assert!(error.contains("epochs = 4"), "{error}");
    std::fs::remove_file(folder.path().join("config.toml")).unwrap();
    let error = refused(&ProteinsConfig { epochs: 4, ..tiny() });
    assert!(error.contains("\"epochs\":4"), "{error}");
    let error = refused(&ProteinsConfig { n_samples: 0, ..tiny() });
    assert!(error.contains("n_samples: expected from 1 to 10000"), "{error}");
}
