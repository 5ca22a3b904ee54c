//! An interrupted run saves what it has.

#![cfg(unix)]

mod program;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use attractor::couplings::Couplings;
use attractor::execution::Execution;
use program::Program;

/// Starts a training run that takes days, interrupts it once its table has rows of epochs past 0, and returns its
/// exit code and messages.
fn interrupted_training(program: &Program, options: &str) -> (Option<i32>, String) {
    let arguments = format!("train data -o J --epochs 1000000000 --eval-every 1 --eval-states 1 {options}");
    let child = Command::new(env!("CARGO_BIN_EXE_attractor"))
        .current_dir(program.path(""))
        .args(arguments.split_whitespace())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let n_lines = |table: Vec<u8>| table.iter().filter(|&&byte| byte == b'\n').count();
    // The header, and the rows of epochs 0, 1 and 2. Other files of the run come and go.
    while std::fs::read(program.path("metrics.csv")).map_or(0, n_lines) < 4 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no epoch is done");
        std::thread::sleep(Duration::from_millis(5));
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn an_interrupted_training_saves_its_couplings() {
    for options in ["", "--batch 7", "--variant symmetrized"] {
        let program = Program::new();
        program.run("generate random --n 60 --patterns 50 -o data");
        let (code, message) = interrupted_training(&program, options);
        assert_eq!(code, Some(130), "{message}");
        assert!(message.contains("J") && message.contains("interrupted"), "{message}");

        // No temporary stays behind.
        assert!(program.files().keys().eq(["J", "data", "metrics.csv"]));

        let execution = Execution::with_threads(1).unwrap();
        // Opening checks that all values are finite.
        let couplings = Couplings::open(&program.path("J"), &execution).unwrap();
        assert_eq!(couplings.description()["status"], "interrupted");
        // Cancelled work is not resumed to symmetrise what is saved, and the file says so.
        assert_eq!(couplings.description()["variant"], "asymmetric");
        let epoch: u64 = couplings.description()["epoch"].parse().unwrap();
        assert!(epoch >= 2, "{epoch}");
        // They are those of a run that ends at that epoch.
        let rest = options.replace("--variant symmetrized", "");
        program.run(&format!("train data -o whole --epochs {epoch} --eval-states 1 {rest}"));
        let whole = Couplings::open(&program.path("whole"), &execution).unwrap();
        assert_eq!(whole.values(), couplings.values());
    }
}
