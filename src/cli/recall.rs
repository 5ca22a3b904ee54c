//! `attractor recall`: run the dynamics from chosen starts and say where it ends.

mod potts;

use std::path::{Path, PathBuf};
use std::time::Instant;

use attractor::analysis::{RecallSummary, overlaps, recall_summary};
use attractor::datasets::DataSet;
use attractor::dynamics::{BYTES_PER_STATE, at_overlap, n_flips, random_states};
use attractor::execution::Execution;
use attractor::potts::PottsCouplings;
use attractor::spins::SpinMatrix;
use attractor::storage::{Container, Description};
use attractor::{Error, Result};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::estimate::Estimate;
use super::inputs::couplings_and_data;
use super::options::Common;
use super::provenance::provenance;
use super::text::{listing, name_of, short, short_or_dash};
use super::updates::Moves;

#[derive(Args)]
pub struct Recall {
    /// Couplings, of spins or Potts spins; or a folder of shards
    couplings: PathBuf,
    /// Data set, or alignment, with the states to start from
    data: PathBuf,
    /// Which states to start from
    #[arg(long, value_enum, default_value_t = From::Train)]
    from: From,
    /// Overlap of the starts with these states, by random flips
    #[arg(long, default_value_t = 1.0)]
    overlap: f64,
    /// Use only the first so many states (and that many random ones)
    #[arg(long)]
    states: Option<usize>,
    /// Write starts, final states and fates to this file
    #[arg(long, short)]
    output: Option<PathBuf>,
    #[command(flatten)]
    moves: Moves,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    Train,
    Test,
    Features,
    Random,
}

/// Random starts where no number is asked for.
const DEFAULT_RANDOM_STATES: usize = 1000;

/// What a summary says of states that settle, and nothing of others.
pub const UNTIL_SETTLED: [&str; 4] =
    ["fixed_fraction", "converged_fraction", "cycle_fraction", "unsettled_fraction"];

impl Recall {
    pub fn run(self) -> anyhow::Result<()> {
        let execution = self.common.execution()?;
        let outputs: Vec<&Path> = self.output.iter().map(PathBuf::as_path).collect();
        self.common.check_outputs(&outputs, &[&self.couplings, &self.data])?;
        let is_folder = self.couplings.is_dir();
        if !is_folder && Container::open_any(&self.couplings)?.kind() == PottsCouplings::KIND {
            return self.run_on_alignment(&execution);
        }
        let (couplings, data) = couplings_and_data(&self.couplings, &self.data, &self.common, &execution)?;
        let n_spins = data.n_spins();
        n_flips(n_spins, self.overlap)?;
        let part = self.part(data)?;
        let n_states = match &part {
            Some(part) => self.states.unwrap_or(usize::MAX).min(part.n_rows()),
            None => self.states.unwrap_or(DEFAULT_RANDOM_STATES),
        };
        if n_states == 0 {
            return Err(Error::parameter("states", "at least 1", 0).into());
        }
        let dynamics = self.moves.dynamics(self.common.seed)?;
        let estimate = self.estimate(n_states, n_spins, &execution);
        if !self.common.admits(&estimate, self.output.as_deref(), &execution)? {
            return Ok(());
        }
        // The uncorrupted states.
        let reference = match part {
            Some(part) => part.head(n_states),
            None => random_states(n_states, n_spins, self.common.seed)?,
        };
        let starts = at_overlap(&reference, self.overlap, self.common.seed)?;
        let begun = Instant::now();
        let recall = dynamics.run(&couplings, &starts, &reference, &execution)?;
        let seconds = begun.elapsed().as_secs_f64();
        let summary = recall_summary(&recall, &reference, &execution)?;
        if let Some(output) = &self.output {
            let description = self.describe()?;
            recall.write(output, &starts, &description, self.common.overwrite())?;
        }
        let starts = overlaps(execution.isa(), &starts, &reference)?;
        self.report(&starts, &summary, seconds)
    }

    /// How the file of states came about.
    fn describe(&self) -> Result<Description> {
        let mut description = provenance(&[("couplings", &self.couplings), ("data", &self.data)])?;
        description.insert("overlap".into(), self.overlap.to_string());
        description.insert("seed".into(), self.common.seed.to_string());
        description.insert("from".into(), name_of(self.from));
        self.moves.describe(&mut description);
        Ok(description)
    }

    /// Prints the summary; `starts` are the overlaps of the starts.
    fn report(&self, starts: &[f64], summary: &RecallSummary, seconds: f64) -> anyhow::Result<()> {
        let initial = starts.iter().sum::<f64>() / starts.len() as f64;
        let mut document = serde_json::to_value(summary)?;
        if self.moves.is_thermal() {
            for name in UNTIL_SETTLED {
                document[name] = json!(null);
            }
        }
        document["seconds"] = json!(seconds);
        document["initial_overlap"] = json!(initial);
        document["output"] = json!(self.output);
        let percent = |fraction: f64| format!("{:.1} %", 100.0 * fraction);
        let mut lines = vec![
            ("states", summary.states.to_string()),
            ("initial overlap", short(initial)),
            (
                "final overlap",
                format!("{} +- {} (std)", short(summary.overlap_mean), short(summary.overlap_std)),
            ),
            ("largest overlap on the way", short_or_dash(summary.overlap_max_mean)),
        ];
        if !self.moves.is_thermal() {
            lines.extend([
                ("starts that are fixed points", summary.fixed_fraction.map_or("-".into(), percent)),
                ("ended in a fixed point", percent(summary.converged_fraction)),
                ("ended in a cycle", percent(summary.cycle_fraction)),
                ("not settled", percent(summary.unsettled_fraction)),
                ("longest period", summary.period_max.map_or("-".into(), |period| period.to_string())),
            ]);
        }
        lines.extend([
            ("steps before settling, or made", short(summary.steps_mean)),
            ("seconds", short(seconds)),
        ]);
        let text = listing(lines);
        self.common.print(&document, &text)
    }

    /// The part of the data to start from; none for random states.
    fn part(&self, data: DataSet) -> Result<Option<SpinMatrix>> {
        let (states, name) = match self.from {
            From::Train => (Some(data.train), "patterns"),
            From::Test => (data.test, "test examples"),
            From::Features => (data.features, "features"),
            From::Random => return Ok(None),
        };
        match states {
            Some(states) => Ok(Some(states)),
            None => Err(Error::format(&self.data, format!("{name} to start from"), "none")),
        }
    }

    fn estimate(&self, n_states: usize, n_spins: usize, execution: &Execution) -> Estimate {
        let (n_states, n_spins) = (n_states as f64, n_spins as f64);
        // Six copies of the states in bits, and the hashes by which cycles are recognised.
        let memory = n_states * (6.0 * n_spins / 8.0 + BYTES_PER_STATE as f64)
            + execution.n_threads() as f64 * 64.0 * (n_spins + 4096.0);
        let disk = if self.output.is_some() { n_states * n_spins / 4.0 } else { 0.0 };
        // Settling takes some ten steps, unless a number is given.
        let work = self.moves.steps().unwrap_or(10) as f64 * n_states * n_spins * n_spins;
        Estimate::new(memory, disk, work, execution)
            .with_arrays(self.common.loaded_bytes(n_spins))
            .with_remembered_fields(n_states, n_spins)
    }
}
