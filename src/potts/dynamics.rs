//! Zero-temperature dynamics of Potts spins: a column takes the letter of its largest field; among several largest fields the
//! letter that is there, else the lowest.
//!
//! Parallel steps update all columns at once, sequential ones (sweeps) one after another. States know nothing of one another, so
//! a thread takes a block of them through all steps. A state that recurs is recognised by a 128-bit hash, where the map from step
//! to step is always the same one; a fixed point exactly.

use std::collections::HashMap;

use super::couplings::PottsCouplings;
use super::lookup::{LookupTables, lookup_bytes};

use crate::dynamics::{Fate, Stop, SweepOrder, Update};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{Isa, Letters, fields_of_letters, largest_letters};
use crate::random::{permutation, stream};
use crate::spins::Sequences;

/// Zero-temperature dynamics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PottsDynamics {
    /// When trajectories end.
    pub stop: Stop,
    /// Order of the updates: a sweep of sequential ones is a step.
    pub update: Update,
}

/// The result of a recall, one entry a state, in the order of the starts.
#[derive(Clone, Debug, PartialEq)]
pub struct PottsRecall {
    /// Final states: after [`Stop::After`] that many steps; else where the trajectory settled (for a cycle, the state at which
    /// it was recognised) or stopped.
    pub states: Sequences,
    /// How each got there.
    pub fates: Vec<Fate>,
    /// Largest overlap with the reference over the steps made, the start not counted.
    pub best_overlaps: Vec<f64>,
}

/// States that a thread takes through all steps, at most: fields of a column fit L2.
const BLOCK: usize = 256;
/// Bytes of a step that a trajectory remembers: an entry and a byte in a table that may have just doubled.
const BYTES_PER_STEP: u64 = 2 * (size_of::<([u8; 16], u64)>() as u64 + 1);

/// A state on its way.
struct Trajectory {
    member: usize, // its index within the block
    seen: HashMap<[u8; 16], u64>,
    /// The step after which a state in a cycle is the final one.
    leaves_at: u64,
}

/// What becomes of the states of a block.
struct Block<'a> {
    states: &'a mut [u8], // [m][L]
    fates: &'a mut [Fate],
    best_overlaps: &'a mut [f64],
    reference: &'a [u8],
}

impl PottsDynamics {
    /// Runs every row of `starts`; overlaps on the way are taken with the same row of `reference`.
    ///
    /// # Errors
    /// If the shapes do not fit together, memory for the tables of J is missing, or interrupted.
    pub fn run(
        &self,
        couplings: &PottsCouplings,
        starts: &Sequences,
        reference: &Sequences,
        execution: &Execution,
    ) -> Result<PottsRecall> {
        self.run_on(&LookupTables::of(couplings, execution)?, starts, reference, execution)
    }

    /// The same, on tables.
    pub(super) fn run_on(
        &self,
        lookup: &LookupTables,
        starts: &Sequences,
        reference: &Sequences,
        execution: &Execution,
    ) -> Result<PottsRecall> {
        let shape = |columns, letters| format!("{columns} columns of {letters} letters");
        for (what, states) in [("starting states", starts), ("reference states", reference)] {
            if (states.n_columns(), states.n_letters()) != (lookup.n_columns(), lookup.n_letters()) {
                let expected =
                    format!("{} as in the couplings", shape(lookup.n_columns(), lookup.n_letters()));
                return Err(Error::shape(what, expected, shape(states.n_columns(), states.n_letters())));
            }
        }
        if reference.n_rows() != starts.n_rows() {
            let expected = format!("{} as there are starts", starts.n_rows());
            return Err(Error::shape("reference states", expected, reference.n_rows().to_string()));
        }
        let (n_states, n_columns) = (starts.n_rows(), starts.n_columns());
        let mut states = starts.letters().to_vec();
        let mut fates = vec![Fate { steps: self.stop.limit(), period: None }; n_states];
        let mut best_overlaps = vec![f64::NEG_INFINITY; n_states];
        let block = self.block(lookup, execution);
        let tasks = states
            .chunks_mut(block * n_columns)
            .zip(fates.chunks_mut(block))
            .zip(best_overlaps.chunks_mut(block))
            .zip(reference.letters().chunks(block * n_columns))
            .map(|(((states, fates), best_overlaps), reference)| Block {
                states,
                fates,
                best_overlaps,
                reference,
            });
        execution.progress().begin("recall", n_states as u64);
        execution.for_each(
            tasks,
            || vec![0.0; block * lookup.lanes()],
            |fields, block| self.run_block(lookup, block, fields, execution),
        )?;
        execution.progress().end();
        let states = Sequences::new(n_columns, starts.n_letters(), states)?;
        Ok(PottsRecall { states, fates, best_overlaps })
    }

    /// States that a thread takes through all steps: as many as the memory beside the tables of J holds the trajectories of,
    /// however long they are. Results do not depend on it.
    fn block(&self, lookup: &LookupTables, execution: &Execution) -> usize {
        let tables = lookup_bytes(lookup.n_columns(), lookup.n_letters()) as u64;
        let of_thread = execution.memory().budget().saturating_sub(tables) / 2 / execution.n_threads() as u64;
        let n_states = of_thread / self.stop.limit().saturating_mul(BYTES_PER_STEP).max(1);
        n_states.clamp(1, BLOCK as u64) as usize
    }

    fn run_block(
        &self,
        lookup: &LookupTables,
        block: Block<'_>,
        fields: &mut [f32],
        execution: &Execution,
    ) -> Result<()> {
        let n_columns = lookup.n_columns();
        let Block { states: finals, fates, best_overlaps, reference } = block;
        let limit = self.stop.limit();
        let recurs = !matches!(self.update, Update::Sequential(SweepOrder::Random { .. }));
        let mut moving: Vec<Trajectory> = finals
            .chunks_exact(n_columns)
            .enumerate()
            .map(|(member, state)| Trajectory {
                member,
                seen: HashMap::from([(hash(state), 0)]),
                leaves_at: limit,
            })
            .collect();
        let mut states = finals.to_vec();
        for step in 1..=limit {
            if moving.is_empty() {
                break;
            }
            execution.check_cancelled()?;
            let before = states.clone();
            self.step(lookup, step, &before, &mut states, fields, execution.isa());
            let n_moving = moving.len();
            let mut keep = Vec::with_capacity(n_moving);
            for (row, state) in states.chunks_exact(n_columns).enumerate() {
                let Trajectory { member, seen, leaves_at } = &mut moving[row];
                let target = &reference[*member * n_columns..][..n_columns];
                best_overlaps[*member] = best_overlaps[*member].max(Sequences::overlap(state, target));
                let fate = &mut fates[*member];
                if fate.period.is_none() {
                    if *state == before[row * n_columns..][..n_columns] {
                        *fate = Fate { steps: step - 1, period: Some(1) };
                        *leaves_at = step;
                    } else if recurs {
                        if let Some(&entered) = seen.get(&hash(state)) {
                            let period = step - entered;
                            *fate = Fate { steps: entered, period: Some(period) };
                            *leaves_at = match self.stop {
                                Stop::After(steps) => step + (steps - step) % period,
                                Stop::Settled { .. } => step,
                            };
                        } else {
                            seen.insert(hash(state), step);
                        }
                    }
                }
                keep.push(step < *leaves_at);
                if !keep[row] {
                    finals[*member * n_columns..][..n_columns].copy_from_slice(state);
                }
            }
            if keep.contains(&false) {
                let mut rows = keep.iter();
                moving.retain(|_| rows.next() == Some(&true));
                let kept = states.chunks_exact(n_columns).zip(&keep).filter(|(_, keep)| **keep);
                states = kept.flat_map(|(state, _)| state).copied().collect();
                execution.progress().advance((n_moving - moving.len()) as u64);
            }
        }
        for (state, trajectory) in states.chunks_exact(n_columns).zip(&moving) {
            finals[trajectory.member * n_columns..][..n_columns].copy_from_slice(state);
        }
        execution.progress().advance(moving.len() as u64);
        Ok(())
    }

    /// One step of all states, `[m][L]`, which equal `before` at first.
    fn step(
        &self,
        lookup: &LookupTables,
        step: u64,
        before: &[u8],
        states: &mut [u8],
        fields: &mut [f32],
        isa: Isa,
    ) {
        let n_columns = lookup.n_columns();
        let mut column_of = vec![0; before.len() / n_columns];
        let mut update = |states: &mut [u8], from: Option<&[u8]>, column: usize| {
            let letters =
                Letters { letters: from.unwrap_or(states), n_columns, n_letters: lookup.n_letters() };
            let fields = &mut fields[..column_of.len() * lookup.lanes()];
            let (table, theta) = lookup.column(column);
            fields_of_letters(isa, letters, table, theta, fields);
            largest_letters(isa, letters, column, fields, &mut column_of);
            for (target, &letter) in states[column..].iter_mut().step_by(n_columns).zip(&column_of) {
                *target = letter;
            }
        };
        match self.update {
            Update::Parallel => (0..n_columns).for_each(|column| update(states, Some(before), column)),
            Update::Sequential(SweepOrder::Ascending) => {
                (0..n_columns).for_each(|column| update(states, None, column));
            }
            Update::Sequential(SweepOrder::Random { seed }) => {
                let order = permutation(&mut stream(seed, "sweep order", &[step]), n_columns);
                order.into_iter().for_each(|column| update(states, None, column));
            }
        }
    }
}

/// 128 bits that two distinct states of a trajectory share with probability 2^-128.
fn hash(state: &[u8]) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&blake3::hash(state).as_bytes()[..16]);
    short
}
