//! Files and unfinished runs of earlier format versions stay readable.

use std::path::Path;

use crate::harness::Program;
use attractor::couplings::Couplings;
use attractor::execution::Execution;
use attractor::storage::{Container, Integrity};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/version-1");

/// The fixtures in a folder of their own.
fn copied(program: &Program) {
    std::fs::create_dir(program.path("J.run")).unwrap();
    for file in
        ["data", "metrics.csv", "J.run/descent.json", "J.run/generation-b.safetensors", "J.run/run.json"]
    {
        std::fs::copy(Path::new(FIXTURES).join(file), program.path(file)).unwrap();
    }
}

#[test]
fn containers_of_version_1_are_read() {
    let program = Program::new();
    copied(&program);
    let execution = Execution::with_threads(1).unwrap();
    let open = |file: &str| Container::open_any(&Path::new(FIXTURES).join(file)).unwrap();
    // Those written before containers had a hash.
    for file in ["data", "J-without-hash.safetensors", "states-without-hash.safetensors"] {
        assert_eq!(open(file).integrity(), Integrity::Unhashed);
    }
    program.run("train data -o new --epochs 5 --eval-states 3");
    let old = Couplings::open(&Path::new(FIXTURES).join("J-without-hash.safetensors"), &execution).unwrap();
    let new = Couplings::open(&program.path("new"), &execution).unwrap();
    assert_eq!(old.values(), new.values());
}

#[test]
fn an_unfinished_run_of_version_1_goes_on() {
    let program = Program::new();
    copied(&program);
    // "." is where the program is started, as it was then.
    program.run("resume J.run");
    let resumed = program.files();
    let whole = Program::new();
    copied(&whole);
    std::fs::remove_dir_all(whole.path("J.run")).unwrap();
    std::fs::remove_file(whole.path("metrics.csv")).unwrap();
    whole.run("train data -o J --epochs 400 --eval-every 40 --eval-states 1 --checkpoint 0s --quiet");
    let whole = whole.files();
    assert!(resumed["J"] == whole["J"] && resumed["metrics.csv"] == whole["metrics.csv"]);
}

#[test]
fn folders_of_a_newer_program_are_refused() {
    for file in ["J.run/run.json", "J.run/descent.json"] {
        let program = Program::new();
        copied(&program);
        let path = program.path(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"format_version\": 1", "\"format_version\": 99")).unwrap();
        let refused = program.command("resume J.run").output().unwrap();
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && message.contains("newer program"), "{message}");
        // Nothing is lost.
        assert!(program.path("J.run/generation-b.safetensors").exists());
    }
}
