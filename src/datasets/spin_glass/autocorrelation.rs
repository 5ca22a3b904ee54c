//! How long a chain remembers: integrated autocorrelation times, and how long a run must be for them.
//!
//! tau = 1/2 + sum_t rho(t) over lags up to 6 tau (Madras and Sokal 1988). Two memories are followed: that of the energy,
//! rho(t) = <dE(s) dE(s + t)> / <dE^2>, and that of the state, by squared overlaps with what it was,
//! rho(t) = sum_k (<q_k^2(t)> - <q_k'^2(t)>) / (1 - <q'^2>), where q_k is the overlap of the replica's state at temperature k with its start
//! at the temperature of the samples, and q_k' that with another replica's start. A state that is exchanged leaves the samples'
//! temperature and may come back, so memory counts wherever it is. The square is blind to a flip of all spins, which leaves
//! every energy as it is.

use super::bonds::Bonds;
use super::replicas::Model;
use super::statistics::{Mean, squared_overlap};
use super::tempering::{Run, SWEEPS, Walkers};
use crate::error::Result;
use crate::execution::Execution;
use crate::spins::SpinMatrix;

/// Lags up to this multiple of tau are summed.
const WINDOW: f64 = 6.0;
/// A run is long enough for a time of which it has this many.
const TIMES: f64 = 20.0;
/// Steps of the first attempt; each later one has twice as many.
const STEPS: u64 = 64;
/// Blocks that are watched.
const N_BLOCKS: usize = 2;

/// How long chains at the temperature of the samples remember, in sweeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    /// Integrated autocorrelation time of the energy.
    pub energy: f64,
    /// The same of the state, at whatever temperature it is.
    pub overlap: f64,
    /// Sweeps from the starts until both kinds of starts agreed over a run of 20 of these times.
    pub sweeps: u64,
    /// Whether they did.
    pub settled: bool,
}

impl Memory {
    /// The longer of both times.
    pub fn longest(&self) -> f64 {
        self.energy.max(self.overlap)
    }
}

/// What is kept of a block.
struct Watched {
    origin: SpinMatrix,
    energies: Vec<Vec<f64>>, // [step][replica]
    memory: Vec<f64>, // [step], squared overlap with the own origin less that with another's, all temperatures
    others: Vec<Vec<f64>>, // [time][pair], squared overlap of two replicas of one kind of start
}

/// Watches chains for 64 steps, after as many before, then 128, 256, ... until they have settled or the next attempt would pass `max_sweeps`.
pub(super) fn measure_memory(
    bonds: &Bonds,
    model: &Model,
    betas: &[f64],
    max_sweeps: u64,
    seed: u64,
    execution: &Execution,
) -> Result<Memory> {
    let mut run = Run::new(bonds, model, betas, N_BLOCKS, "autocorrelation", seed)?;
    let mut n_steps = STEPS;
    let mut n_done = STEPS;
    // States at the very start are no states of equilibrium: what becomes of them says nothing of its memory.
    watch(&mut run, betas.len(), STEPS, execution)?;
    loop {
        let watched = watch(&mut run, betas.len(), n_steps, execution)?;
        n_done += n_steps;
        let sweeps = n_done * SWEEPS;
        let (energy, overlap) = (energy_time(&watched), overlap_time(&watched));
        let longest = energy.max(overlap);
        let settled = n_steps as f64 >= TIMES * longest && starts_agree(&watched);
        if settled || (n_done + 2 * n_steps) * SWEEPS > max_sweeps {
            let in_sweeps = |steps: f64| steps * SWEEPS as f64;
            return Ok(Memory { energy: in_sweeps(energy), overlap: in_sweeps(overlap), sweeps, settled });
        }
        n_steps *= 2;
    }
}

fn watch(
    run: &mut Run<'_>,
    n_temperatures: usize,
    n_steps: u64,
    execution: &Execution,
) -> Result<Vec<Watched>> {
    let isa = execution.isa();
    let begin = |walkers: &Walkers<'_>| Watched {
        origin: walkers.states(0),
        energies: Vec::new(),
        memory: Vec::new(),
        others: Vec::new(),
    };
    let mut watched: Vec<_> = run.blocks().iter().map(begin).collect();
    execution.progress().begin("autocorrelation", n_steps * N_BLOCKS as u64);
    let done = run.advance(
        n_steps,
        &mut watched,
        |step, walkers, watched| {
            watched.energies.push(walkers.energies(0).to_vec());
            let states = walkers.states(0);
            let memory = (0..n_temperatures)
                .map(|temperature| excess_overlap(isa, &walkers.states(temperature), &watched.origin));
            watched.memory.push(memory.sum());
            // Pairs change little from step to step; sixteen times show them.
            if 2 * step >= n_steps && step % (n_steps / 32) == 0 {
                watched.others.push(squared_overlaps_of_pairs(isa, &states));
            }
        },
        execution,
    );
    execution.progress().end();
    done.map(|()| watched)
}

/// Squared overlap of each replica with its own origin less that with the next origin of its kind, mean over replicas.
fn excess_overlap(isa: crate::kernels::Isa, states: &SpinMatrix, origin: &SpinMatrix) -> f64 {
    let n = states.n_rows();
    let excess = |row| {
        squared_overlap(isa, states, row, origin, row)
            - squared_overlap(isa, states, row, origin, (row + 2) % n)
    };
    (0..n).map(excess).sum::<f64>() / n as f64
}

/// The squared overlaps of replicas r and r + 2, four replicas after four: random starts and quenched ones in turn.
pub(super) fn squared_overlaps_of_pairs(isa: crate::kernels::Isa, states: &SpinMatrix) -> Vec<f64> {
    let pairs = (0..states.n_rows() / 4).flat_map(|four| [4 * four, 4 * four + 1]);
    pairs.map(|row| squared_overlap(isa, states, row, states, row + 2)).collect()
}

fn energy_time(watched: &[Watched]) -> f64 {
    let n_steps = watched[0].energies.len();
    let all = || watched.iter().flat_map(|block| block.energies.iter().flatten());
    let mean = all().sum::<f64>() / all().count() as f64;
    let covariance = |lag: usize| {
        let mut sum = 0.0;
        for block in watched {
            for (now, later) in block.energies.iter().zip(&block.energies[lag..]) {
                sum += now.iter().zip(later).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
            }
        }
        sum / ((n_steps - lag) * watched.len() * watched[0].energies[0].len()) as f64
    };
    let variance = covariance(0);
    integrated(n_steps / 2, |lag| if variance > 0.0 { covariance(lag) / variance } else { 0.0 })
}

fn overlap_time(watched: &[Watched]) -> f64 {
    let n_steps = watched[0].memory.len();
    let pairs = || watched.iter().flat_map(|block| block.others.iter().flatten());
    let others = pairs().sum::<f64>() / pairs().count().max(1) as f64;
    let left = |lag: usize| {
        let memory = watched.iter().map(|block| block.memory[lag - 1]).sum::<f64>() / watched.len() as f64;
        if others < 1.0 { memory / (1.0 - others) } else { 0.0 }
    };
    integrated(n_steps, left)
}

/// 1/2 + sum of `rho` from lag 1 on, up to 6 times itself or `n_lags`.
fn integrated(n_lags: usize, rho: impl Fn(usize) -> f64) -> f64 {
    let mut time = 0.5;
    for lag in 1..=n_lags {
        time += rho(lag);
        if lag as f64 >= WINDOW * time {
            break;
        }
    }
    time.max(0.5)
}

/// Whether chains from random and quenched states have energies and mutual overlaps that agree.
fn starts_agree(watched: &[Watched]) -> bool {
    let of_kind = |rows: fn(&Watched) -> &Vec<Vec<f64>>, kind: usize| {
        let mut means = Vec::new();
        for block in watched {
            let rows = rows(block);
            let n = rows.first().map_or(0, Vec::len);
            let mean = |column: usize| rows.iter().map(|row| row[column]).sum::<f64>() / rows.len() as f64;
            means.extend((kind..n).step_by(2).map(mean));
        }
        Mean::of(&means)
    };
    let agree = |rows: fn(&Watched) -> &Vec<Vec<f64>>| of_kind(rows, 0).agrees(of_kind(rows, 1));
    agree(|block| &block.energies) && agree(|block| &block.others)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// rho(t) = r^t: tau = 1/2 + r / (1 - r), less the tail beyond 6 tau, e^-6 of it or so.
    #[test]
    fn exponential_memories_have_their_time() {
        for r in [0.0, 0.5, 0.9, 0.99] {
            let expected = 0.5 + r / (1.0 - r);
            let found = integrated(10_000, |lag| libm::pow(r, lag as f64));
            assert!((found / expected - 1.0).abs() < 0.02, "{r}: {found}, {expected}");
        }
        assert_eq!(integrated(100, |_| -1.0), 0.5);
    }
}
