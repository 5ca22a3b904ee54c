//! A run that is stopped, in whatever way, goes on and ends with the files of one that was not.

#![cfg(unix)]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::Program;
use attractor::couplings::Couplings;
use attractor::execution::Execution;

pub const DATA: &str = "generate random --n 200 --patterns 150 -o data";

/// Starts the program and waits until its table has rows of epochs past 0.
pub fn begun(program: &Program, arguments: &str) -> Child {
    let child = program.process(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    let n_lines = |table: Vec<u8>| table.iter().filter(|&&byte| byte == b'\n').count();
    // The header, and the rows of epochs 0, 1 and 2. Other files of the run come and go.
    while std::fs::read(program.path("metrics.csv")).map_or(0, n_lines) < 4 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no epoch is done");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Options under which the arrays of `arguments` are files.
pub fn out_of_core(program: &Program, arguments: &str) -> String {
    let estimate = program.run(&format!("{arguments} --dry-run --json --threads 2"));
    let estimate: serde_json::Value = serde_json::from_slice(&estimate.stdout).unwrap();
    let bytes = |name: &str| estimate[name].as_u64().unwrap();
    format!("--threads 2 --memory {}", bytes("memory_bytes") - bytes("array_bytes") / 2)
}

#[test]
fn stopped_runs_end_with_the_files_of_whole_ones() {
    let cases = [
        ("", false, "-INT"),
        ("", true, "-KILL"),
        ("--init uniform --route gram", true, "-INT"),
        ("--momentum 0.5 --fields", true, "-TERM"),
        ("--momentum 0.5 --fields", false, "-KILL"),
        ("--batch 40", false, "-TERM"),
        ("--batch 40", true, "-KILL"),
        ("--variant symmetrized", false, "-KILL"),
        ("--variant symmetric", true, "-INT"),
    ];
    for (options, is_large, name) in cases {
        let program = Program::new();
        program.run(DATA);
        let run = format!(
            "train data -o J --epochs 40 --eval-every 1 --eval-states 1 --snapshots 3,39 --checkpoint 0s {options}"
        );
        let memory = if is_large { out_of_core(&program, &run) } else { String::new() };
        let run = format!("{run} {memory}");
        let child = begun(&program, &run);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        if name != "-KILL" {
            assert_eq!(output.status.code(), Some(130), "{message}");
            assert!(
                message.contains("interrupted") && message.contains("attractor resume J.run"),
                "{message}"
            );
        }
        assert!(!program.path("J").exists() && program.path("J.run").is_dir());
        // Begun anew it would be lost.
        let refused = program.command(&run).output().unwrap();
        assert!(!refused.status.success());

        program.run("resume J.run --quiet --threads 1");
        let resumed = program.files();
        let names: Vec<_> = resumed.keys().map(String::as_str).collect();
        assert_eq!(names, ["J", "J-epoch-3.safetensors", "J-epoch-39.safetensors", "data", "metrics.csv"]);
        assert!(!program.path("J.run").exists());
        let whole = Program::new();
        whole.run(DATA);
        whole.run(&run);
        for (file, content) in whole.files() {
            assert!(content == resumed[&file], "{file} of {run} stopped by {name}");
        }
    }
}

/// What a stopped run keeps are couplings like any others.
#[test]
fn kept_couplings_are_those_of_a_shorter_run() {
    let program = Program::new();
    program.run(DATA);
    let child = begun(&program, "train data -o J --epochs 1000000000 --eval-every 1 --eval-states 1");
    signal(&child, "-INT");
    child.wait_with_output().unwrap();
    let state = std::fs::read(program.path("J.run/descent.json")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    let (epoch, slot) = (state["epoch"].as_u64().unwrap(), state["generation"].as_str().unwrap());
    assert!(epoch >= 2);
    program.run(&format!("train data -o whole --epochs {epoch} --eval-states 1"));
    let execution = Execution::with_threads(1).unwrap();
    let open = |name: &str| Couplings::open(&program.path(name), &execution).unwrap();
    let kept = open(&format!("J.run/generation-{slot}.safetensors"));
    assert_eq!(kept.values(), open("whole").values());
}

/// While a run goes on nobody else writes; on changed data it does not go on.
#[test]
fn second_writers_and_changed_inputs_are_refused() {
    let program = Program::new();
    program.run(DATA);
    let mut child = begun(&program, "train data -o J --epochs 1000000000 --eval-every 1 --eval-states 1");
    for arguments in ["resume J.run", "resume J", "train data -o J --force --epochs 1"] {
        let refused = program.command(arguments).output().unwrap();
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && message.contains("no other run"), "{arguments}: {message}");
    }
    // A checkpoint on demand, and on it goes.
    signal(&child, "-USR1");
    let asked = Instant::now();
    while !program.path("J.run/descent.json").exists() {
        assert!(asked.elapsed() < Duration::from_secs(60), "no checkpoint");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(child.try_wait().unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();

    program.run("generate random --n 200 --patterns 150 -o data --seed 1 --force");
    let refused = program.command("resume J").output().unwrap();
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && message.contains("BLAKE3"), "{message}");
    for (arguments, expected) in
        [("resume data", "run.json"), ("resume nothing", "run.json"), ("resume J --seed 3", "seed")]
    {
        let refused = program.command(arguments).output().unwrap();
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && message.contains(expected), "{arguments}: {message}");
    }
    // What is left of a run whose record is gone stands in nobody's way.
    std::fs::create_dir(program.path("other.run")).unwrap();
    for file in ["other.run/.lock", "other.run/generation-a.safetensors"] {
        std::fs::write(program.path(file), "").unwrap();
    }
    program.run("train data -o other --epochs 1 --eval-states 1");
    assert!(!program.path("other.run").exists());
    // What is not wanted is dropped.
    program.run("train data -o J --force --epochs 1 --eval-states 1");
    assert!(!program.path("J.run").exists());
}

/// Rules that learn panel by panel go on with the panels that are missing.
#[test]
fn panels_of_a_killed_run_are_not_learned_again() {
    for rule in
        ["--rule max-stability --tolerance 1e-5", "--solver lbfgs --l2 1e-4 --fields --tolerance 1e-6"]
    {
        let program = Program::new();
        program.run("generate random --n 600 --patterns 200 -o data");
        let run = format!("train data -o J --eval-states 1 --per-neuron neurons.csv --checkpoint 0s {rule}");
        let mut child = program.process(&run).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let log = program.path("J.run/panels.jsonl");
        let begun = Instant::now();
        let lines = || std::fs::read_to_string(&log).map_or(0, |log| log.lines().count());
        while lines() < 3 {
            assert!(begun.elapsed() < Duration::from_secs(60), "no panel is done");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // A log whose data are lost is not believed.
        if rule.contains("lbfgs") {
            let path = program.path("J.run/couplings.safetensors");
            let mut content = std::fs::read(&path).unwrap();
            content[20_000..].iter_mut().for_each(|byte| *byte ^= 1);
            std::fs::write(&path, content).unwrap();
        }
        program.run("resume J --quiet");
        let whole = Program::new();
        whole.run("generate random --n 600 --patterns 200 -o data");
        whole.run(&run);
        let resumed = program.files();
        for (file, content) in whole.files() {
            assert!(content == resumed[&file], "{file} of {rule}");
        }
    }
}
