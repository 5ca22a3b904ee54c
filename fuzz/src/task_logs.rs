//! The log of panels that are finished, by which runs go on that were stopped between panels.

use std::path::Path;
use std::sync::LazyLock;

use attractor::dynamics::random_states;
use attractor::execution::{Execution, Memory};
use attractor::learning::{Initial, Lbfgs, Perceptron, PseudoLikelihood, Trainer, optimum, perceptron};
use attractor::spins::SpinMatrix;
use attractor::{Error, Result};
use serde_json::Value;

use super::Folder;
use super::unfinished::{Files, files_of, filled_in, folder_of, keeping, learned, stopping};

/// Three panels of neurons, the last of which is not full.
static PATTERNS: LazyLock<SpinMatrix> = LazyLock::new(|| random_states(6, 36, 1).unwrap());
/// Panels that are finished where runs stop.
const FINISHED: u64 = 2;

/// Couplings and fields to the bit, and all else that is known of them.
type Learned = ((Vec<u32>, Option<Vec<u32>>), String);
type Rule = fn(Execution, &Path) -> Result<Learned>;

/// What learns panel by panel, and the name of its log.
const RULES: [(&str, Rule); 3] =
    [("panels.jsonl", by_lbfgs), ("panels.jsonl", by_perceptron), ("segment.jsonl", by_descent)];

/// A run that was stopped, whose log is changed.
struct Run {
    log: &'static str,
    rule: Rule,
    left: Files,
    /// What an input names: the run, and hash and result of each finished panel.
    values: Vec<(String, String)>,
    /// What it comes to.
    whole: Learned,
}

static RUNS: LazyLock<Vec<Run>> = LazyLock::new(|| RULES.map(|(log, rule)| Run::new(log, rule)).into());

/// In place of the log, in the folder of each: it comes to the same end.
pub(super) fn task_log(content: &[u8]) {
    for run in RUNS.iter() {
        let folder = run.folder_with(content);
        assert!(run.go_on(&folder, keeping(&folder.path(""))).unwrap() == run.whole, "other couplings");
        // What has been finished now is found by another run.
        if let Ok(log) = std::fs::read(folder.path(run.log)) {
            assert!(run.go_on(&folder, keeping(&folder.path(""))).unwrap() == run.whole);
            assert_eq!(std::fs::read(folder.path(run.log)).unwrap(), log);
        }
    }
}

/// Whether both panels of this log are found, in the folder of each run.
pub fn are_found(content: &[u8]) -> bool {
    RUNS.iter().all(|run| {
        let folder = run.folder_with(content);
        let before = std::fs::read(folder.path(run.log)).unwrap();
        run.stop(&folder);
        // A panel that was not would be written down once more.
        std::fs::read(folder.path(run.log)).unwrap() == before
    })
}

impl Run {
    fn new(log: &'static str, rule: Rule) -> Self {
        let (stopped, whole) = (Folder::new(), Folder::new());
        let whole = rule(keeping(&whole.path("")), &whole.path("")).unwrap();
        let mut run = Self { log, rule, left: Files::new(), values: Vec::new(), whole };
        run.stop(&stopped);
        run.left = files_of(&stopped);
        let text = std::fs::read_to_string(stopped.path(log)).unwrap();
        let mut lines = text.lines();
        run.values.push(("RUN".to_owned(), lines.next().unwrap().to_owned()));
        for (index, line) in lines.enumerate() {
            let task: Value = serde_json::from_str(line).unwrap();
            run.values.push((format!("HASH{index}"), task["blake3"].as_str().unwrap().to_owned()));
            run.values.push((format!("RESULT{index}"), task["result"].to_string()));
        }
        run
    }

    fn go_on(&self, folder: &Folder, execution: Execution) -> Result<Learned> {
        (self.rule)(execution, &folder.path(""))
    }

    /// Goes on until so many panels are finished.
    fn stop(&self, folder: &Folder) {
        let stopped = self.go_on(folder, stopping(&folder.path(""), FINISHED));
        assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
    }

    /// The folder that was left, but for the log.
    fn folder_with(&self, content: &[u8]) -> Folder {
        let folder = folder_of(&self.left);
        folder.file(self.log, &filled_in(content, &self.values));
        folder
    }
}

fn by_lbfgs(execution: Execution, _: &Path) -> Result<Learned> {
    let parameters = PseudoLikelihood { theta: true, l2: 0.1, ..PseudoLikelihood::new(0.5, 1.0) };
    let solver = Lbfgs { max_iterations: 3, ..Lbfgs::new(0.5) };
    let optimum = optimum(&*PATTERNS, &parameters, &solver, &Initial::Zero, 1.0, &execution)?;
    Ok((learned(&optimum.couplings), format!("{:?}", optimum.searches)))
}

fn by_perceptron(execution: Execution, _: &Path) -> Result<Learned> {
    let margins = perceptron(&*PATTERNS, &Perceptron { kappa: 0.5, max_sweeps: 5 }, &execution)?;
    Ok((learned(&margins.couplings), format!("{:?}", margins.neurons)))
}

/// In files, within its first segment.
fn by_descent(execution: Execution, folder: &Path) -> Result<Learned> {
    let execution = execution.with_memory(Memory::limited(0, Some(folder)));
    let parameters = PseudoLikelihood { theta: true, momentum: 0.5, ..PseudoLikelihood::new(0.5, 0.5) };
    let mut trainer = Trainer::new(&*PATTERNS, parameters, &Initial::Zero, 1.0, &execution)?;
    trainer.advance_to(2)?;
    Ok((learned(trainer.couplings()), String::new()))
}
