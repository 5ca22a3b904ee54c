//! `attractor recall`: run the dynamics from chosen starts and say where it ends.

use std::path::PathBuf;
use std::time::Instant;

use attractor::Error;
use attractor::analysis::recall_summary;
use attractor::couplings::Couplings;
use attractor::datasets::DataSet;
use attractor::dynamics::{ParallelDynamics, Stop, Ties, at_overlap, random_states};
use attractor::spins::SpinMatrix;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::common::{Common, listing, provenance, short, short_or_dash};
use super::estimate::Estimate;

#[derive(Args)]
pub struct Recall {
    /// Couplings
    couplings: PathBuf,
    /// Data set with the states to start from
    data: PathBuf,
    /// Which states to start from
    #[arg(long, value_enum, default_value_t = From::Train)]
    from: From,
    /// Overlap of the starts with these states, by random flips
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true)]
    overlap: f64,
    /// Update order
    #[arg(long, value_enum, default_value_t = Dynamics::Parallel)]
    dynamics: Dynamics,
    /// Make exactly this many steps [default: until each state is fixed or in a cycle]
    #[arg(long)]
    steps: Option<u64>,
    /// Give up on states that have not settled after this many steps
    #[arg(long, default_value_t = 1000, conflicts_with = "steps")]
    max_steps: u64,
    /// Use only the first so many states (and that many random ones)
    #[arg(long)]
    states: Option<usize>,
    /// What a spin with zero field does
    #[arg(long, value_enum, default_value_t = TiesOption::Keep)]
    ties: TiesOption,
    /// Write starts, final states and fates to this file
    #[arg(long, short)]
    output: Option<PathBuf>,
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

#[derive(Clone, Copy, ValueEnum)]
enum Dynamics {
    /// All spins at once
    Parallel,
}

#[derive(Clone, Copy, ValueEnum)]
enum TiesOption {
    Keep,
    Up,
}

/// Random starts where no number is asked for.
const DEFAULT_RANDOM_STATES: usize = 1000;

impl Recall {
    pub fn run(self) -> anyhow::Result<()> {
        let execution = self.common.execution()?;
        if let Some(output) = &self.output {
            self.common.check_output(output)?;
        }
        let couplings = Couplings::open(&self.couplings, &execution)?;
        let data = DataSet::open(&self.data)?;
        if data.n_spins() != couplings.n_spins() {
            let expected = format!("N = {} as in {}", couplings.n_spins(), self.couplings.display());
            return Err(Error::format(&self.data, expected, format!("N = {}", data.n_spins())).into());
        }
        let reference = self.reference(data)?;
        let n_states = reference.n_rows();
        let stop = match self.steps {
            Some(steps) => Stop::After(steps),
            None => Stop::Settled { limit: self.max_steps },
        };
        if self.common.dry_run {
            let n_spins = couplings.n_spins() as f64;
            let memory =
                n_states as f64 * n_spins / 2.0 + execution.n_threads() as f64 * 64.0 * (n_spins + 4096.0);
            let disk = if self.output.is_some() { n_states as f64 * n_spins / 4.0 } else { 0.0 };
            // Settling takes some ten steps, unless a number is given.
            let work = self.steps.unwrap_or(10) as f64 * n_states as f64 * n_spins * n_spins;
            let estimate = Estimate::new(memory, disk, work, &execution);
            return self.common.print(&estimate, &estimate.text());
        }
        let starts = at_overlap(&reference, self.overlap, self.common.seed)?;
        let ties = match self.ties {
            TiesOption::Keep => Ties::Keep,
            TiesOption::Up => Ties::Up,
        };
        let Dynamics::Parallel = self.dynamics;
        let begun = Instant::now();
        let recall = ParallelDynamics { stop, ties }.run(&couplings, &starts, &reference, &execution)?;
        let seconds = begun.elapsed().as_secs_f64();
        let summary = recall_summary(&recall, &reference, &execution)?;
        if let Some(output) = &self.output {
            let mut description = provenance(&[("couplings", &self.couplings), ("data", &self.data)])?;
            description.insert("overlap".into(), self.overlap.to_string());
            description.insert("seed".into(), self.common.seed.to_string());
            recall.write(output, &starts, &description, self.common.overwrite())?;
        }
        let mut document = serde_json::to_value(summary)?;
        document["seconds"] = json!(seconds);
        document["initial_overlap"] = json!(self.overlap);
        document["output"] = json!(self.output);
        let percent = |fraction: f64| format!("{:.1} %", 100.0 * fraction);
        let text = listing([
            ("states", n_states.to_string()),
            ("initial overlap", short(self.overlap)),
            (
                "final overlap",
                format!("{} +- {} (std)", short(summary.overlap_mean), short(summary.overlap_std)),
            ),
            ("largest overlap on the way", short_or_dash(summary.overlap_max_mean)),
            ("starts that are fixed points", percent(summary.fixed_fraction)),
            ("ended in a fixed point", percent(summary.converged_fraction)),
            ("ended in a cycle", percent(summary.cycle_fraction)),
            ("longest period", summary.period_max.map_or("-".into(), |period| period.to_string())),
            ("steps before settling", short(summary.steps_mean)),
            ("seconds", short(seconds)),
        ]);
        self.common.print(&document, &text)
    }

    /// The uncorrupted states.
    fn reference(&self, data: DataSet) -> anyhow::Result<SpinMatrix> {
        let n_spins = data.n_spins();
        let states = match self.from {
            From::Train => Some(data.train),
            From::Test => data.test,
            From::Features => data.features,
            From::Random => {
                let count = self.states.unwrap_or(DEFAULT_RANDOM_STATES);
                Some(random_states(count, n_spins, self.common.seed))
            }
        };
        let Some(states) = states else {
            let part = if self.from == From::Test { "test examples" } else { "features" };
            return Err(Error::format(&self.data, format!("{part} to start from"), "none").into());
        };
        let states = self.states.map_or_else(|| states.clone(), |count| states.head(count));
        if states.n_rows() == 0 {
            return Err(Error::parameter("states", "at least 1", 0).into());
        }
        Ok(states)
    }
}
