//! `attractor bench`: how fast this machine does the work, beside what it could do.

mod cutoff;
mod recall;

use std::hint::black_box;
use std::time::Instant;

use attractor::couplings::Couplings;
use attractor::datasets::Random;
use attractor::dynamics::{LocalFields, random_states};
use attractor::execution::Execution;
use attractor::kernels::machine;
use attractor::learning::{Initial, PseudoLikelihood, Route, Trainer, hebb, initial_couplings};
use attractor::spins::BlockMajor;
use attractor::{Error, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::estimate::Estimate;
use super::options::Common;
use super::text::short;
use super::train::RouteOption;

#[derive(Args)]
pub struct Bench {
    /// What to time [default: all]
    #[arg(value_enum)]
    names: Vec<Work>,
    /// Number of spins N; of cutoff sixteen times as many
    #[arg(long, default_value_t = 4096)]
    n: usize,
    /// Number of patterns P of an epoch and of hebb; of cutoff four times as many
    #[arg(long, default_value_t = 4096)]
    patterns: usize,
    /// What an epoch works on
    #[arg(long, value_enum, default_value_t = RouteOption::Automatic)]
    route: RouteOption,
    /// Number of states [default: 4096 of fields, 1000 of recall and sweeps, 256 of cutoff]
    #[arg(long)]
    states: Option<usize>,
    /// Timed runs of each; the median is shown
    #[arg(long, default_value_t = 5)]
    runs: usize,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Work {
    /// Local fields of many states
    Fields,
    /// A full-batch epoch of pseudo-likelihood
    Epoch,
    /// Hebb couplings
    Hebb,
    /// A parallel step of one state, and recall of many to convergence
    Recall,
    /// The same recall by sequential sweeps, and a few states of it by a plain loop over spins
    Sweeps,
    /// Hebbian fields of features without couplings, beside the kernels alone
    Cutoff,
}

/// One line of the result.
#[derive(Serialize)]
struct Timing {
    name: &'static str,
    shape: String,
    threads: usize,
    /// Median of the timed runs.
    seconds: f64,
    rate: f64,
    unit: &'static str,
    /// What the machine could do at most, or the kernel alone, in the same unit.
    bound: f64,
    share_of_bound: f64,
}

/// Signed multiply-adds that one vector addition does, over the multiply-adds of one fused operation: eight columns a lane.
const COLUMNS_PER_ADDITION: f64 = 8.0;

/// Hebb counts are added as bytes, four to an f32.
const BYTES_PER_LANE: f64 = 4.0;

/// Rates of the machine, measured in this run.
struct Machine {
    multiply_adds: f64, // G / s
    read: f64,          // GB / s
}

impl Machine {
    fn measure(execution: &Execution, runs: usize) -> Self {
        let repeats = 2_000_000;
        let seconds = fastest(runs, || {
            execution.pool().broadcast(|_| black_box(machine::multiply_adds(execution.isa(), repeats)));
        });
        let work = machine::multiply_adds(execution.isa(), repeats) as f64;
        let multiply_adds = work * execution.n_threads() as f64 / seconds / 1e9;

        // Larger than any cache in reach.
        let words = vec![1u64; 32 << 20];
        let part = words.len() / execution.n_threads();
        let seconds = fastest(runs, || {
            execution
                .pool()
                .broadcast(|thread| black_box(machine::read(&words[thread.index() * part..][..part])));
        });
        Self { multiply_adds, read: (part * execution.n_threads() * 8) as f64 / seconds / 1e9 }
    }

    fn signed_bound(&self) -> f64 {
        COLUMNS_PER_ADDITION * self.multiply_adds
    }
}

/// The times of `runs` calls after one that does not count, sorted.
fn times(runs: usize, mut work: impl FnMut()) -> Vec<f64> {
    work();
    let mut seconds: Vec<f64> = (0..runs)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds
}

/// What is quoted of work.
fn median(runs: usize, work: impl FnMut()) -> f64 {
    times(runs, work)[runs / 2]
}

/// What is quoted of the machine: the least disturbed run says what it can do.
fn fastest(runs: usize, work: impl FnMut()) -> f64 {
    times(runs, work)[0]
}

impl Bench {
    pub fn run(self) -> anyhow::Result<()> {
        for (name, value) in
            [("n", self.n), ("patterns", self.patterns), ("states", self.field_states()), ("runs", self.runs)]
        {
            if value == 0 {
                return Err(Error::parameter(name, "at least 1", 0).into());
            }
        }
        let execution = self.common.execution()?;
        let estimate = self.estimate(&execution);
        if !self.common.admits(&estimate, Some(&std::env::temp_dir().join("bench")), &execution)? {
            return Ok(());
        }
        let machine = Machine::measure(&execution, self.runs);
        let wanted = |work| self.names.is_empty() || self.names.contains(&work);
        let mut timings = Vec::new();
        if wanted(Work::Fields) {
            timings.push(self.fields(&machine, &execution)?);
        }
        if wanted(Work::Epoch) {
            timings.push(self.epoch(&machine, &execution)?);
        }
        if wanted(Work::Hebb) {
            timings.push(self.hebb(&machine, &execution)?);
        }
        if wanted(Work::Recall) {
            timings.push(self.one_state(&machine, &execution)?);
            timings.push(self.recall(&machine, &execution)?);
        }
        if wanted(Work::Sweeps) {
            timings.extend(self.sweeps(&machine, &execution)?);
        }
        if wanted(Work::Cutoff) {
            timings.extend(self.cutoff(&execution)?);
        }
        let mut text = format!(
            "{} thread(s), {}: {} GMAC/s of fused multiply-adds, reads {} GB/s\n\n",
            execution.n_threads(),
            execution.isa().name(),
            short(machine.multiply_adds),
            short(machine.read)
        );
        text += &format!(
            "{:12} {:36} {:>10} {:>10} {:8} {:>14}\n",
            "work", "shape", "seconds", "rate", "", "of the bound"
        );
        for timing in &timings {
            text += &format!(
                "{:12} {:36} {:>10} {:>10} {:8} {:>12.0} %\n",
                timing.name,
                timing.shape,
                short(timing.seconds),
                short(timing.rate),
                timing.unit,
                100.0 * timing.share_of_bound
            );
        }
        self.common.print(&timings, &text)
    }

    fn field_states(&self) -> usize {
        self.states.unwrap_or(4096)
    }

    fn recall_states(&self) -> usize {
        self.states.unwrap_or(1000)
    }

    /// Of all parts: the largest memory and file, the sum of the times.
    fn estimate(&self, execution: &Execution) -> Estimate {
        let (n, p, states) = (self.n as f64, self.patterns as f64, self.field_states() as f64);
        let memory = 2.0 * 4.0 * n * n + (p + 8.0 * states) * n / 2.0 + 256.0 * states + (256 << 20) as f64;
        let work = (self.runs as f64 + 1.0) * n * n * (2.5 * p + 6.0 * states);
        let recalls = self.names.is_empty() || self.names.contains(&Work::Recall);
        Estimate::new(memory, if recalls { 4.0 * n * n } else { 0.0 }, work, execution)
    }

    fn timing(
        &self,
        name: &'static str,
        shape: String,
        execution: &Execution,
        seconds: f64,
        giga_units: f64,
        (unit, bound): (&'static str, f64),
    ) -> Timing {
        let rate = giga_units / seconds;
        Timing {
            name,
            shape,
            threads: execution.n_threads(),
            seconds,
            rate,
            unit,
            bound,
            share_of_bound: rate / bound,
        }
    }

    fn couplings(&self, execution: &Execution) -> Result<Couplings> {
        initial_couplings(&Initial::Random, 1.0, &random_states(1, self.n, 0)?, self.common.seed, execution)
    }

    fn fields(&self, machine: &Machine, execution: &Execution) -> Result<Timing> {
        let couplings = self.couplings(execution)?;
        let states = BlockMajor::from_rows(&random_states(self.field_states(), self.n, self.common.seed)?);
        let mut fields = LocalFields::new(&couplings, &states, execution)?;
        let mut failed = Ok(());
        let seconds = median(self.runs, || failed = fields.update(&couplings, &states, execution));
        failed?;
        let work = self.field_states() as f64 * (self.n as f64).powi(2) / 1e9;
        let shape = format!("{} states, N = {}", self.field_states(), self.n);
        Ok(self.timing("fields", shape, execution, seconds, work, ("GMAC/s", machine.signed_bound())))
    }

    fn epoch(&self, machine: &Machine, execution: &Execution) -> Result<Timing> {
        let patterns = random_states(self.patterns, self.n, self.common.seed)?;
        let parameters = PseudoLikelihood { route: self.route.into(), ..PseudoLikelihood::new(0.2, 1.0) };
        let route = parameters.route(&patterns);
        let mut trainer = Trainer::new(&patterns, parameters, &Initial::Zero, 1.0, execution)?;
        // Couplings have two generations; both are to be in memory.
        trainer.advance_to(1)?;
        let mut failed = Ok(());
        // On the Gram route couplings are made once for many epochs, as in a run.
        let epochs = if route == Route::Gram { 50 } else { 1 };
        let seconds =
            median(self.runs, || failed = trainer.advance_to(trainer.epoch() + epochs)) / epochs as f64;
        failed?;
        let (n, p) = (self.n as f64, self.patterns as f64);
        let (route, work, bound) = match route {
            Route::Gram => ("Gram", p * p * n / 1e9, machine.multiply_adds),
            _ => ("direct", 2.0 * p * n * n / 1e9, machine.signed_bound()),
        };
        let shape = format!("P = {}, N = {}, {route}", self.patterns, self.n);
        Ok(self.timing("epoch", shape, execution, seconds, work, ("GMAC/s", bound)))
    }

    fn hebb(&self, machine: &Machine, execution: &Execution) -> Result<Timing> {
        let random = Random { n_spins: self.n, n_patterns: self.patterns, n_test: 0, seed: self.common.seed };
        let patterns = random.generate(execution)?.train;
        let mut failed = Ok(());
        let seconds = median(self.runs, || failed = hebb(&patterns, execution).map(drop));
        failed?;
        // One triangle is counted; the other is its mirror image.
        let work = 0.5 * self.patterns as f64 * (self.n as f64).powi(2) / 1e9;
        let shape = format!("P = {}, N = {}", self.patterns, self.n);
        let bound = BYTES_PER_LANE * machine.signed_bound();
        Ok(self.timing("hebb", shape, execution, seconds, work, ("GMAC/s", bound)))
    }
}
