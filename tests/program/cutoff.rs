//! `attractor cutoff` as a program: runs that go on where they were stopped, and what it refuses.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::harness::Program;
use crate::refusal::refused;
use attractor::analysis::overlaps;
use attractor::couplings::Couplings;
use attractor::datasets::DataSet;
use attractor::dynamics::{Dynamics, ParallelDynamics, Stop, Ties};
use attractor::execution::Execution;
use attractor::storage::FolderLock;
use serde_json::Value;

/// Contents of the files in a folder of the program's.
fn contents(program: &Program, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(program.path(folder)) else { return BTreeMap::new() };
    let files = entries.map(|entry| entry.unwrap()).filter(|entry| entry.file_type().unwrap().is_file());
    files
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

fn tables(program: &Program, folder: &str) -> BTreeMap<String, Vec<u8>> {
    contents(program, folder).into_iter().filter(|(name, _)| name.ends_with(".csv")).collect()
}

/// Same tables, bit for bit.
fn assert_same_tables(program: &Program, a: &str, b: &str) {
    let (a, b) = (tables(program, a), tables(program, b));
    assert_eq!(a.keys().collect::<Vec<_>>(), ["features.csv", "fits.csv", "table.csv"]);
    assert!(a == b, "tables differ");
}

const SMALL: &str = "cutoff --n 100,230 --patterns 200 --exponent 1,1.5 --steps 3";

/// Neither threads, nor instruction sets, nor blocks of memory change a table.
#[test]
fn tables_do_not_depend_on_the_machine() {
    let mut program = Program::new();
    program.run(&format!("{SMALL} --draws 3 --threads 2 -o two"));
    program.run(&format!("{SMALL} --draws 3 --threads 1 --memory 128MiB -o one"));
    assert_same_tables(&program, "one", "two");
    program.isa = Some("scalar");
    program.run(&format!("{SMALL} --draws 3 --threads 2 -o scalar"));
    assert_same_tables(&program, "scalar", "two");
}

/// Draws that are there are not measured again: their files, times included, stay as they are, and all is as if measured
/// at once.
#[test]
fn finished_draws_are_kept() {
    let program = Program::new();
    program.run(&format!("{SMALL} --draws 2 -o run"));
    let before = contents(&program, "run/points");
    assert_eq!(before.len(), 2 * 2 * 2);
    program.run(&format!("{SMALL} --draws 4 -o run"));
    let after = contents(&program, "run/points");
    assert_eq!(after.len(), 2 * 2 * 4);
    assert!(before.iter().all(|(name, content)| after[name] == *content));
    program.run(&format!("{SMALL} --draws 4 -o whole"));
    assert_same_tables(&program, "run", "whole");
    // With --force they are measured again: the times differ, if nothing else.
    program.run(&format!("{SMALL} --draws 4 --force -o run"));
    assert!(contents(&program, "run/points") != after);
    assert_same_tables(&program, "run", "whole");
}

/// Killed between any two instructions, the next run goes on and ends with the same tables.
#[cfg(unix)]
#[test]
fn a_killed_run_goes_on() {
    let program = Program::new();
    let arguments = "cutoff --n 300 --patterns 3000 --draws 40 --threads 1";
    let mut child = program.process(&format!("{arguments} -o run")).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while contents(&program, "run/points").len() < 3 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no draw is done");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left = contents(&program, "run/points");
    assert!(left.len() < 40, "it was done before it could be killed");
    program.run(&format!("{arguments} -o run"));
    let whole: Vec<&String> = left.keys().filter(|name| name.ends_with(".json")).collect();
    let after = contents(&program, "run/points");
    assert!(whole.iter().all(|&name| after[name] == left[name]));
    assert_eq!(after.len(), 40, "a temporary stayed behind");
    program.run(&format!("{arguments} -o whole"));
    assert_same_tables(&program, "run", "whole");
}

#[test]
fn another_run_in_the_same_folder_is_refused() {
    let program = Program::new();
    std::fs::create_dir(program.path("run")).unwrap();
    let lock = FolderLock::take(&program.path("run/.cutoff.lock")).unwrap();
    refused(&program, &format!("{SMALL} -o run"), &["run", "no other run writes into"]);
    drop(lock);
    program.run(&format!("{SMALL} --draws 1 -o run"));
}

/// A file that is damaged, cut, or of other options is named, and stays as it is.
#[test]
fn draws_that_do_not_fit_are_refused() {
    let program = Program::new();
    program.run("cutoff --n 100 --patterns 200 --draws 1 -o run");
    let name = contents(&program, "run/points").into_keys().next().unwrap();
    let path = program.path("run/points").join(&name);
    let whole = std::fs::read_to_string(&path).unwrap();
    let again = "cutoff --n 100 --patterns 200 --draws 1 -o run";
    refused(&program, &format!("{again} --steps 2"), &[&name, "steps 2", "found 0", "--force"]);
    refused(&program, &format!("{again} --ranks 5"), &[&name, "ranks 5", "as predicted"]);
    let damaged = [
        (whole[..whole.len() / 2].to_owned(), "a finished draw"),
        (String::new(), "a finished draw"),
        ("[1, 2]".to_owned(), "a finished draw"),
        (whole.replace("\"format\":1", "\"format\":2"), "format 1"),
        (whole.replace("\"n_spins\":100", "\"n_spins\":101"), "N 100"),
        (whole.replace("\"n_patterns\":200", "\"n_patterns\":20"), "P 200"),
    ];
    for (content, expected) in damaged {
        assert_ne!(content, whole);
        std::fs::write(&path, &content).unwrap();
        refused(&program, again, &[&name, expected]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }
    // A refusal leaves all of the folder as it was.
    let before = contents(&program, "run");
    refused(&program, again, &[&name]);
    assert!(contents(&program, "run") == before, "the run directory changed");
    program.run(&format!("{again} --force"));
    // Killed within a comparison with stored couplings.
    std::fs::create_dir(program.path("run/points/.couplings.x1.tmp")).unwrap();
    program.run(&format!("{again} --check-couplings"));
    assert_eq!(contents(&program, "run/points").len(), 1);
    assert!(!program.path("run/points/.couplings.x1.tmp").exists());
    // Draws that are not asked for are named.
    let output = program.run("cutoff --n 101 --patterns 200 --draws 1 -o run");
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 finished draws more"));
}

/// Folders with files of others are left alone.
#[test]
fn files_of_others_are_not_replaced() {
    let program = Program::new();
    std::fs::create_dir(program.path("mine")).unwrap();
    std::fs::write(program.path("mine/table.csv"), "mine").unwrap();
    for more in ["", "--dry-run"] {
        refused(&program, &format!("{SMALL} -o mine {more}"), &["table.csv", "--force"]);
    }
    assert_eq!(std::fs::read(program.path("mine/table.csv")).unwrap(), b"mine");
    // Nor where their folders have the names of ours.
    std::fs::create_dir(program.path("mine/points")).unwrap();
    std::fs::write(program.path("mine/.notes.x.tmp"), "mine").unwrap();
    refused(&program, &format!("{SMALL} -o mine"), &["table.csv", "--force"]);
    std::fs::remove_file(program.path("mine/table.csv")).unwrap();
    program.run(&format!("{SMALL} --draws 1 -o mine"));
    assert!(program.path("mine/.notes.x.tmp").exists());
    std::fs::write(program.path("file"), "").unwrap();
    refused(&program, &format!("{SMALL} -o file"), &["file"]);
}

#[test]
fn options_out_of_range() {
    let program = Program::new();
    let cases: [(&str, &[&str]); 21] = [
        ("--n 100 --exponent -0.5", &["exponent: ", ">= 0", "found -0.5"]),
        ("--n 100 --exponent nan", &["exponent: ", "found NaN"]),
        ("--n 0", &["n: ", "found 0"]),
        ("--n 100,100", &["n: ", "every size once", "found 100"]),
        ("--n 3000000000", &["n: ", "less than 2^31"]),
        ("--n 1000000 --patterns 2000000000000", &["patterns: ", "2^126"]),
        ("--n 100 --patterns 0", &["patterns: ", "found 0"]),
        ("--n 100 --patterns-per-spin 0", &["patterns-per-spin: ", "above 0"]),
        ("--n 100 --patterns-per-spin nan", &["patterns-per-spin: ", "above 0", "NaN"]),
        ("--n 100 --features-per-spin -1", &["features-per-spin: ", "above 0"]),
        ("--n 100 --features 5 --features-per-spin 1", &["--features-per-spin"]),
        ("--n 100 --patterns 5 --patterns-per-spin 1", &["--patterns-per-spin"]),
        ("--n 100 --features 2", &["active: ", "1..=2", "found 3"]),
        ("--n 100 --active 0", &["active: ", "found 0"]),
        ("--n 100 --features 20 --ranks 21", &["ranks: ", "1..=20", "found 21"]),
        ("--n 100 --ranks 0", &["ranks: ", "found 0"]),
        ("--n 100 --draws 0", &["draws: ", "1 or more", "found 0"]),
        ("--n 100,200,300 --draws 1,2", &["draws: ", "or 3, one for each N", "2 numbers"]),
        ("--n 1000000 --patterns 100000 --memory 20MiB", &["memory: ", "at least", "MiB", "found 20 MiB"]),
        ("--n 100 --patterns 10 --memory 20MiB", &["memory: ", "at least", "figures", "found 20 MiB"]),
        (
            "--n 65536 --patterns 30000 --memory 200MiB --check-couplings",
            &["memory: ", "at least", "found 200 MiB"],
        ),
    ];
    for (options, words) in cases {
        refused(&program, &format!("cutoff {options}"), words);
        refused(&program, &format!("cutoff {options} --dry-run"), words);
    }
}

/// A uniform law, a single spin, a single pattern, even numbers of features: all have points; a slope needs a decay.
#[test]
fn degenerate_manifolds_have_points() {
    for options in [
        "--n 90,180 --patterns 60 --exponent 0",
        "--n 1 --patterns 60 --features 3",
        "--n 70 --patterns 1",
        "--n 64 --patterns 60 --active 4",
    ] {
        let program = Program::new();
        let output = program.run(&format!("cutoff {options} --draws 2 --steps 2 --json"));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let points = document["points"].as_array().unwrap();
        assert!(points.len() >= 2, "{options}");
        for point in points {
            let n = |key: &str| point[key].as_array().unwrap().len();
            assert!(n("snr") > 0 && n("snr") == n("one_step") && n("snr") == n("final"), "{options}");
        }
        assert!(document["fits"].is_array(), "{options}");
    }
}

/// The seed of a draw makes its data with `generate manifold` too: P_k and one-step overlaps are those of its file.
#[test]
fn a_draw_is_the_data_set_of_its_seed() {
    let program = Program::new();
    let output =
        program.run("cutoff --n 150 --patterns 90 --features 40 --exponent 1 --draws 1 --steps 1 --json");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let point = &document["points"][0];
    let seed = &point["seed"];
    program.run(&format!(
        "generate manifold --n 150 --patterns 90 --features 40 --exponent 1 --seed {seed} -o data"
    ));
    program.run("train data --rule hebb -o J");
    let n_measured = point["final"].as_array().unwrap().len();
    assert_eq!(n_measured, 32, "more features are stored than are measured");
    let execution = Execution::with_threads(1).unwrap();
    let couplings = Couplings::open(&program.path("J"), &execution).unwrap();
    let features = DataSet::open(&program.path("data")).unwrap().features.unwrap();
    let step = ParallelDynamics { stop: Stop::After(1), ties: Ties::Keep };
    let states = step.run(&couplings, &features, &features, &execution).unwrap().states;
    for (rank, overlap) in
        overlaps(execution.isa(), &states, &features).unwrap().into_iter().enumerate().take(n_measured)
    {
        for key in ["one_step", "final"] {
            let found = point[key][rank].as_f64().unwrap();
            assert!((found - overlap).abs() < 1e-12, "{key} of feature {}", rank + 1);
        }
    }
}
