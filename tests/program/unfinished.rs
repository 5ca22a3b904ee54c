//! What a killed run leaves behind, and what others do to it meanwhile: nothing is lost, nothing foreign is taken for its own.

#![cfg(unix)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::Program;
use crate::interrupt::{DATA, begun, out_of_core};
use attractor::couplings::Couplings;
use attractor::execution::Execution;

const RUN: &str =
    "train data -o J --epochs 60 --eval-every 1 --eval-states 1 --checkpoint 0s --per-neuron neurons.csv";

/// A folder with a run that was killed after some epochs.
fn killed() -> Program {
    let program = Program::new();
    program.run(DATA);
    let mut child = begun(&program, RUN);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(program.path("J.run").is_dir());
    program
}

/// Runs what must be refused, with `words` in its message.
fn refused(program: &Program, arguments: &str, words: &str) {
    let output = program.command(arguments).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && message.contains(words), "{arguments}: {message}");
}

fn append(path: &Path, text: &str) {
    std::fs::File::options().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn rows_that_a_full_disk_has_cut_are_written_again() {
    let program = killed();
    for table in ["metrics.csv", "J.run/metrics.csv"] {
        append(&program.path(table), "40,0.5,0.2");
    }
    // The table that others read is of no use to a run that goes on.
    std::fs::remove_file(program.path("metrics.csv")).unwrap();
    program.run("resume J --quiet");
    let whole = Program::new();
    whole.run(DATA);
    whole.run(RUN);
    let resumed = program.files();
    for (file, content) in whole.files() {
        assert!(content == resumed[&file], "{file}");
    }
}

#[test]
fn what_others_have_written_meanwhile_is_not_replaced() {
    for table in ["metrics.csv", "neurons.csv"] {
        let program = killed();
        std::fs::write(program.path(table), "epoch,mine\n0,1\n").unwrap();
        refused(&program, "resume J", table);
        assert_eq!(std::fs::read_to_string(program.path(table)).unwrap(), "epoch,mine\n0,1\n");
        program.run("resume J --force --quiet");
        assert!(program.path("J").exists() && !program.path("J.run").exists());
    }
}

#[test]
fn a_run_goes_on_where_it_began_and_nowhere_else() {
    let program = killed();
    let copy = Program::new();
    let copied = Command::new("cp").arg("-r").arg(program.path("J.run")).arg(copy.path("")).status().unwrap();
    assert!(copied.success());
    refused(&copy, "resume J.run", "a copy, or a folder that was moved");
    // Nor does a new run drop the folder that it is to learn from.
    let state = std::fs::read(program.path("J.run/descent.json")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    let kept = format!("J.run/generation-{}.safetensors", state["generation"].as_str().unwrap());
    refused(&program, &format!("train data -o J --init {kept} --force"), "an input outside");
    assert!(program.path(&kept).exists());
    program.run("resume J --quiet");
}

/// An empty folder, and one that a kill has left before it had its name, stand in nobody's way.
#[test]
fn remains_of_kills_are_cleared() {
    let program = Program::new();
    program.run(DATA);
    for remains in ["J.run", ".J.run.1-2.tmp"] {
        std::fs::create_dir(program.path(remains)).unwrap();
    }
    program.run("train data -o J --epochs 1 --eval-states 1");
    assert!(!program.path("J.run").exists() && !program.path(".J.run.1-2.tmp").exists());
}

#[test]
fn a_half_written_generation_is_no_file_of_couplings() {
    let program = Program::new();
    program.run(DATA);
    let run = "train data -o J --epochs 20000 --eval-states 1 --checkpoint 0s";
    let run = format!("{run} {}", out_of_core(&program, run));
    let mut child = program.process(&run).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let log = program.path("J.run/segment.jsonl");
    let begun = Instant::now();
    // What the segment is, and a panel of it; the segment has 13.
    while std::fs::read_to_string(&log).map_or(0, |log| log.lines().count()) < 2 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no panel is done");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let state = std::fs::read(program.path("J.run/descent.json")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    let (own, other) = if state["generation"] == "a" { ("a", "b") } else { ("b", "a") };
    let execution = Execution::with_threads(1).unwrap();
    let open =
        |slot| Couplings::open(&program.path(&format!("J.run/generation-{slot}.safetensors")), &execution);
    assert!(open(own).is_ok());
    assert!(open(other).is_err());
}
