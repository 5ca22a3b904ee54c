//! Many states that move together: what has settled leaves the batch.
//!
//! Where the memory does not hold the [trails](super::trail) of all, some states are postponed: they begin again when others are
//! through. States move independently of one another, so results do not depend on it.

use super::recall::{Fate, Recall, Stop};
use super::trail::{Trails, hashes};
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
    /// Of states not known to be in a cycle, where cycles are looked for.
    trails: Trails,
    /// The step after which a state in a cycle is the final one.
    leaves_at: Vec<u64>,
}

impl Batch {
    /// Puts the later half of the states with trails off. Which rows stay.
    fn postpone(&self, postponed: &mut Vec<usize>) -> Vec<bool> {
        let rows: Vec<usize> = (0..self.members.len()).filter(|&row| self.trails.has(row)).collect();
        let mut keep = vec![true; self.members.len()];
        for &row in &rows[rows.len() / 2..] {
            keep[row] = false;
            postponed.push(self.members[row]);
        }
        keep
    }

    fn retain(&mut self, keep: &[bool]) {
        fn filter<T>(items: &mut Vec<T>, keep: &[bool]) {
            let mut keep = keep.iter();
            items.retain(|_| keep.next() == Some(&true));
        }
        self.states.retain_rows(keep);
        self.reference.retain_rows(keep);
        filter(&mut self.members, keep);
        filter(&mut self.leaves_at, keep);
        self.trails.retain(keep);
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

    /// Takes the starts to their ends under `couplings`, by movers that `new_mover` makes for what is held of a batch.
    pub(super) fn follow<M: Mover>(
        &self,
        new_mover: impl Fn(Clamped) -> Result<M>,
        couplings: &Couplings,
        execution: &Execution,
    ) -> Result<Recall> {
        let n_states = self.starts.n_rows();
        let mut recall = Recall {
            states: self.starts.clone(),
            fates: vec![Fate { steps: self.stop.limit(), period: None }; n_states],
            best_overlaps: vec![f64::NEG_INFINITY; n_states],
        };
        let mut members: Vec<usize> = (0..n_states).collect();
        let mut n_at_once = n_states;
        execution.progress().begin("recall", n_states as u64);
        while !members.is_empty() {
            let mut later = members.split_off(n_at_once.min(members.len()));
            let n_begun = members.len();
            let mut mover = new_mover(Clamped::new(self.clamped, self.starts, &members))?;
            let postponed = self.follow_members(members, &mut mover, &mut recall, couplings, execution)?;
            // As many as there was memory for, or more, if there was for all.
            n_at_once = match postponed.len() {
                0 => n_begun.saturating_mul(2),
                n_postponed => n_begun - n_postponed,
            };
            later.extend(postponed);
            members = later;
        }
        execution.progress().end();
        Ok(recall)
    }

    /// Takes some of the states to their ends. Which of them are postponed for want of memory: never all.
    fn follow_members(
        &self,
        members: Vec<usize>,
        mover: &mut impl Mover,
        recall: &mut Recall,
        couplings: &Couplings,
        execution: &Execution,
    ) -> Result<Vec<usize>> {
        let limit = self.stop.limit();
        let states = of_members(self.starts, &members);
        let mut batch = Batch {
            trails: match self.recurrence {
                Recurrence::Cycle => Trails::new(&states),
                _ => Trails::none(members.len()),
            },
            states,
            reference: of_members(self.reference, &members),
            leaves_at: vec![limit; members.len()],
            members,
        };
        let mut postponed = Vec::new();
        for step in 1..=limit {
            if batch.members.is_empty() {
                break;
            }
            couplings.check_files()?;
            while !batch.trails.make_room(execution.memory()) {
                let keep = batch.postpone(&mut postponed);
                batch.retain(&keep);
                mover.retain(&keep);
            }
            let n_moving = batch.members.len();
            let next = mover.step(step, &batch.states, &batch.members)?;
            let keep = self.settle(step, &mut batch, next, recall);
            if keep.contains(&false) {
                batch.retain(&keep);
                mover.retain(&keep);
            }
            execution.progress().advance((n_moving - batch.members.len()) as u64);
        }
        for (row, &member) in batch.members.iter().enumerate() {
            store(&mut recall.states, member, &batch.states, row);
        }
        Ok(postponed)
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
                } else if self.recurrence == Recurrence::Cycle
                    && let Some(entered) = batch.trails.visit(row, hashes[row], step)
                {
                    let period = step - entered;
                    *fate = Fate { steps: entered, period: Some(period) };
                    batch.leaves_at[row] = match self.stop {
                        Stop::After(steps) => step + (steps - step) % period,
                        Stop::Settled { .. } => step,
                    };
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
    /// Of the states of these numbers.
    fn new(held: Option<&SpinMatrix>, starts: &SpinMatrix, members: &[usize]) -> Self {
        let hold = |held| Held { spins: of_members(held, members), starts: of_members(starts, members) };
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

/// The rows of these numbers, in ascending order if they are all.
fn of_members(states: &SpinMatrix, members: &[usize]) -> BlockMajor {
    match members.len() == states.n_rows() {
        true => BlockMajor::from_rows(states),
        false => BlockMajor::from_rows(&states.select(members)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::random_states;
    use crate::execution::Memory;
    use std::cell::{Cell, RefCell};

    const N_SPINS: usize = 20;

    /// Counts up to 999 and goes on at 500.
    struct Counter<'a> {
        clamped: Clamped,
        /// The most states at step 500.
        n_late: &'a Cell<usize>,
    }

    impl Mover for Counter<'_> {
        fn step(&mut self, step: u64, states: &BlockMajor, members: &[usize]) -> Result<BlockMajor> {
            // What is held of a state is its number, here.
            let held: Vec<u64> = members.iter().map(|&member| member as u64).collect();
            assert_eq!(self.clamped.held().unwrap().words(), held);
            if step == 500 {
                self.n_late.set(self.n_late.get().max(members.len()));
            }
            let mut next = states.clone();
            next.words_mut().iter_mut().for_each(|word| *word = if *word == 999 { 500 } else { *word + 1 });
            Ok(next)
        }

        fn retain(&mut self, keep: &[bool]) {
            self.clamped.retain(keep);
        }
    }

    #[test]
    fn little_memory_postpones_states_and_changes_nothing() {
        let n_states = 200;
        let starts = SpinMatrix::from_words(n_states, N_SPINS, (0..n_states as u64).map(|k| 5 * k).collect());
        let (starts, held) = (
            starts.unwrap(),
            SpinMatrix::from_words(n_states, N_SPINS, (0..n_states as u64).collect()).unwrap(),
        );
        let reference = random_states(n_states, N_SPINS, 1).unwrap();
        let couplings = Couplings::from_rows(N_SPINS, vec![0.0; N_SPINS * N_SPINS]).unwrap();
        for stop in [Stop::Settled { limit: 10_000 }, Stop::After(1300), Stop::Settled { limit: 600 }] {
            let follow = |memory: Memory| {
                let execution = Execution::with_threads(1).unwrap().with_memory(memory.clone());
                let (n_late, begun) = (Cell::new(0), RefCell::new(Vec::new()));
                let counter = |clamped: Clamped| {
                    begun.borrow_mut().push(clamped.held().map_or(0, BlockMajor::n_rows));
                    Ok(Counter { clamped, n_late: &n_late })
                };
                let (starts, reference, clamped) = (&starts, &reference, Some(&held));
                let course = Course { starts, reference, clamped, stop, recurrence: Recurrence::Cycle };
                let recall = course.follow(counter, &couplings, &execution).unwrap();
                assert_eq!(memory.left(), memory.budget(), "what is taken is given back");
                (recall, n_late.get(), begun.into_inner())
            };
            let (expected, n_late, begun) = follow(Memory::unlimited());
            assert_eq!((n_late, begun), (n_states, vec![n_states]));
            // Trails of 500 states have 1024 places of 33 bytes: seven of them and what is free; or a single one.
            for (budget, most) in [(200_000, 7), (0, 2)] {
                let (found, n_late, begun) = follow(Memory::limited(budget, None));
                assert_eq!(found, expected);
                assert!((1..=most).contains(&n_late), "{n_late} states with {budget} bytes");
                assert!(begun.len() > n_states / most / 2, "{begun:?}");
            }
            if stop != (Stop::Settled { limit: 600 }) {
                for (row, fate) in expected.fates.iter().enumerate() {
                    let steps = 500u64.saturating_sub(5 * row as u64);
                    assert_eq!(*fate, Fate { steps, period: Some(500) });
                    let at = |step: u64| match 5 * row as u64 + step {
                        value @ ..1000 => value,
                        value => 500 + (value - 500) % 500,
                    };
                    let last = if let Stop::After(made) = stop { made } else { steps };
                    assert_eq!(expected.states.row(row), [at(last)], "start {row}");
                }
            }
        }
    }
}
