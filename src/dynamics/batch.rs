//! Many states that move together: what has settled leaves the batch.

use std::collections::HashMap;

use super::recall::{Fate, Recall, Stop};
use crate::couplings::Couplings;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::spins::{BlockMajor, SpinMatrix};

/// What moves the states of a batch.
pub(super) trait Mover {
    /// The states after step number `step`, from 1; `members` are their numbers among all states.
    fn step(&mut self, step: u64, states: &BlockMajor, members: &[usize]) -> Result<BlockMajor>;
    /// Only the rows for which `keep` holds are left, in order.
    fn retain(&mut self, keep: &[bool]);
}

/// What it means that a state recurs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Recurrence {
    /// Every step is the same map: a state that does not move is fixed, one seen before is in a cycle.
    Cycle,
    /// Steps differ in the order of updates: a state that does not move is fixed.
    FixedPoint,
    /// Steps are random: nothing.
    Nothing,
}

/// Where trajectories begin, what they are compared with, and when they end.
pub(super) struct Course<'a> {
    pub(super) starts: &'a SpinMatrix,
    pub(super) reference: &'a SpinMatrix,
    pub(super) clamped: Option<&'a SpinMatrix>,
    pub(super) stop: Stop,
    pub(super) recurrence: Recurrence,
}

/// The states still moving.
struct Batch {
    states: BlockMajor,
    reference: BlockMajor,
    members: Vec<usize>, // their index among all states
    /// When each state of the trajectory was seen; nothing where recurrence is not looked for.
    seen: Vec<HashMap<u128, u64>>,
    /// The step after which a state in a cycle is the final one.
    leaves_at: Vec<u64>,
}

impl Batch {
    fn retain(&mut self, keep: &[bool]) {
        fn filter<T>(items: &mut Vec<T>, keep: &[bool]) {
            let mut keep = keep.iter();
            items.retain(|_| keep.next() == Some(&true));
        }
        self.states.retain_rows(keep);
        self.reference.retain_rows(keep);
        filter(&mut self.members, keep);
        filter(&mut self.seen, keep);
        filter(&mut self.leaves_at, keep);
    }
}

impl Course<'_> {
    /// Refuses the couplings of a shard or of a file that has shrunk, and states that do not fit them or one another.
    pub(super) fn check(&self, couplings: &Couplings) -> Result<()> {
        couplings.check_whole()?;
        couplings.check_files()?;
        let n_spins = couplings.n_spins();
        let states = [
            ("starting states", Some(self.starts)),
            ("reference states", Some(self.reference)),
            ("clamped spins", self.clamped),
        ];
        for (what, states) in states {
            let Some(states) = states else { continue };
            if states.n_spins() != n_spins {
                let expected = format!("N = {n_spins} as in the couplings");
                return Err(Error::shape(what, expected, format!("N = {}", states.n_spins())));
            }
            if states.n_rows() != self.starts.n_rows() {
                let expected = format!("{} as there are starts", self.starts.n_rows());
                return Err(Error::shape(what, expected, states.n_rows().to_string()));
            }
        }
        Ok(())
    }

    /// Takes the starts to their ends under `couplings`, which `mover` takes for its steps.
    pub(super) fn follow(
        &self,
        mover: &mut impl Mover,
        couplings: &Couplings,
        execution: &Execution,
    ) -> Result<Recall> {
        let (limit, n_states) = (self.stop.limit(), self.starts.n_rows());
        let mut recall = Recall {
            states: self.starts.clone(),
            fates: vec![Fate { steps: limit, period: None }; n_states],
            best_overlaps: vec![f64::NEG_INFINITY; n_states],
        };
        let states = BlockMajor::from_rows(self.starts);
        let seen = |hash| match self.recurrence {
            Recurrence::Cycle => HashMap::from([(hash, 0)]),
            _ => HashMap::new(),
        };
        let mut batch = Batch {
            seen: hashes(&states).into_iter().map(seen).collect(),
            states,
            reference: BlockMajor::from_rows(self.reference),
            members: (0..n_states).collect(),
            leaves_at: vec![limit; n_states],
        };
        execution.progress().begin("recall", n_states as u64);
        for step in 1..=limit {
            if batch.members.is_empty() {
                break;
            }
            couplings.check_files()?;
            let n_moving = batch.members.len();
            let next = mover.step(step, &batch.states, &batch.members)?;
            let keep = self.settle(step, &mut batch, next, &mut recall);
            if keep.contains(&false) {
                batch.retain(&keep);
                mover.retain(&keep);
            }
            execution.progress().advance((n_moving - batch.members.len()) as u64);
        }
        execution.progress().end();
        for (row, &member) in batch.members.iter().enumerate() {
            store(&mut recall.states, member, &batch.states, row);
        }
        Ok(recall)
    }

    /// Takes the batch to `next`, its states at `step`. Which of them go on.
    fn settle(&self, step: u64, batch: &mut Batch, next: BlockMajor, recall: &mut Recall) -> Vec<bool> {
        let n_spins = next.n_columns() as f64;
        let moved = distances(&batch.states, &next);
        let errors = distances(&batch.reference, &next);
        let hashes = if self.recurrence == Recurrence::Cycle { hashes(&next) } else { Vec::new() };
        batch.states = next;
        let mut keep = vec![true; batch.members.len()];
        for row in 0..batch.members.len() {
            let member = batch.members[row];
            let overlap = 1.0 - 2.0 * errors[row] as f64 / n_spins;
            recall.best_overlaps[member] = recall.best_overlaps[member].max(overlap);
            let fate = &mut recall.fates[member];
            if fate.period.is_none() && self.recurrence != Recurrence::Nothing {
                if moved[row] == 0 {
                    *fate = Fate { steps: step - 1, period: Some(1) };
                    batch.leaves_at[row] = step;
                } else if self.recurrence == Recurrence::Cycle {
                    if let Some(&entered) = batch.seen[row].get(&hashes[row]) {
                        let period = step - entered;
                        *fate = Fate { steps: entered, period: Some(period) };
                        batch.leaves_at[row] = match self.stop {
                            Stop::After(steps) => step + (steps - step) % period,
                            Stop::Settled { .. } => step,
                        };
                    } else {
                        batch.seen[row].insert(hashes[row], step);
                    }
                }
            }
            keep[row] = step < batch.leaves_at[row];
            if !keep[row] {
                store(&mut recall.states, member, &batch.states, row);
            }
        }
        keep
    }
}

/// The spins that are held and the states they come from, if any are.
pub(super) struct Clamped(Option<Held>);

struct Held {
    spins: BlockMajor,
    starts: BlockMajor,
}

impl Clamped {
    pub(super) fn new(held: Option<&SpinMatrix>, starts: &SpinMatrix) -> Self {
        let hold = |held| Held { spins: BlockMajor::from_rows(held), starts: BlockMajor::from_rows(starts) };
        Self(held.map(hold))
    }

    /// Which spins are held.
    pub(super) fn held(&self) -> Option<&BlockMajor> {
        self.0.as_ref().map(|held| &held.spins)
    }

    /// `states` with held spins as they started.
    pub(super) fn restored(&self, mut states: BlockMajor) -> BlockMajor {
        if let Some(Held { spins, starts }) = &self.0 {
            let held = spins.words().iter().zip(starts.words());
            for (word, (held, start)) in states.words_mut().iter_mut().zip(held) {
                *word = *word & !held | start & held;
            }
        }
        states
    }

    /// Keeps the rows for which `keep` holds, in order.
    pub(super) fn retain(&mut self, keep: &[bool]) {
        if let Some(Held { spins, starts }) = &mut self.0 {
            spins.retain_rows(keep);
            starts.retain_rows(keep);
        }
    }
}

/// Copies one state of a batch into its row.
fn store(states: &mut SpinMatrix, member: usize, batch: &BlockMajor, row: usize) {
    for (block, word) in states.row_mut(member).iter_mut().enumerate() {
        *word = batch.block(block)[row];
    }
}

/// Spins in which the rows of two batches differ.
fn distances(a: &BlockMajor, b: &BlockMajor) -> Vec<u64> {
    let mut distances = vec![0; a.n_rows()];
    if !distances.is_empty() {
        let blocks = a.words().chunks_exact(a.n_rows()).zip(b.words().chunks_exact(a.n_rows()));
        for (a, b) in blocks {
            for ((distance, a), b) in distances.iter_mut().zip(a).zip(b) {
                *distance += u64::from((a ^ b).count_ones());
            }
        }
    }
    distances
}

/// A hash of each row: multiply and fold, the high half fed back so that every bit reaches every other.
fn hashes(states: &BlockMajor) -> Vec<u128> {
    const ODD: u128 = 0x2d99_787b_7f4a_7c15_9fb2_1c65_1e98_df25;
    let mut hashes = vec![ODD; states.n_rows()];
    if !hashes.is_empty() {
        for words in states.words().chunks_exact(states.n_rows()) {
            for (hash, &word) in hashes.iter_mut().zip(words) {
                *hash = (*hash ^ u128::from(word)).wrapping_mul(ODD);
                *hash ^= *hash >> 64;
            }
        }
    }
    hashes
}
