//! Parallel dynamics: x_i <- sign(h_i(x)) for all spins at once, many states in a batch, until each has settled.
//!
//! With symmetric couplings every trajectory ends in a fixed point or a cycle of period 2; with asymmetric ones cycles
//! may be longer. A state that recurs is recognised by a 128-bit hash of the trajectory's states (two distinct states
//! of a trajectory of T steps collide with probability about T^2 / 2^128); a fixed point is recognised exactly.

use std::collections::HashMap;

use super::by_difference::RememberedFields;
use super::field::{Ties, parallel_update};
use super::recall::{Clamped, Dynamics, Fate, Recall, Stop, check_sizes, distances, store};
use crate::couplings::Couplings;
use crate::error::Result;
use crate::execution::Execution;
use crate::spins::{BlockMajor, SpinMatrix};

/// Parallel zero-temperature dynamics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParallelDynamics {
    /// When trajectories end.
    pub stop: Stop,
    /// What a spin with zero field does.
    pub ties: Ties,
}

/// The states still moving.
struct Batch {
    states: BlockMajor,
    reference: BlockMajor,
    members: Vec<usize>, // their index among all states
    /// When each state of the trajectory was seen.
    seen: Vec<HashMap<u128, u64>>,
    /// The step after which a state in a cycle is the final one.
    leaves_at: Vec<u64>,
    fields: Option<RememberedFields>,
    clamped: Option<Clamped>,
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
        if let Some(fields) = &mut self.fields {
            fields.retain(keep);
        }
        if let Some(clamped) = &mut self.clamped {
            clamped.retain(keep);
        }
    }
}

impl Dynamics for ParallelDynamics {
    fn run_clamped(
        &self,
        couplings: &Couplings,
        starts: &SpinMatrix,
        reference: &SpinMatrix,
        clamped: Option<&SpinMatrix>,
        execution: &Execution,
    ) -> Result<Recall> {
        check_sizes(couplings, starts, reference, clamped)?;
        let limit = self.stop.limit();
        let (n_states, n_spins) = (starts.n_rows(), starts.n_spins());
        let mut recall = Recall {
            states: starts.clone(),
            fates: vec![Fate { steps: limit, period: None }; n_states],
            best_overlaps: vec![f64::NEG_INFINITY; n_states],
        };
        let states = BlockMajor::from_rows(starts);
        let mut batch = Batch {
            // A third step is the first that could gain.
            fields: (limit > 2 && RememberedFields::fit(n_states, n_spins, execution.n_threads()))
                .then(|| RememberedFields::new(&states)),
            seen: hashes(&states).into_iter().map(|hash| HashMap::from([(hash, 0)])).collect(),
            states,
            reference: BlockMajor::from_rows(reference),
            clamped: clamped.map(|held| Clamped::new(held, starts)),
            members: (0..n_states).collect(),
            leaves_at: vec![limit; n_states],
        };
        execution.progress().begin("recall", n_states as u64);
        for step in 1..=limit {
            if batch.members.is_empty() {
                break;
            }
            let n_moving = batch.members.len();
            let mut next = match &mut batch.fields {
                Some(fields) => fields.parallel_update(couplings, &batch.states, self.ties, execution),
                None => parallel_update(couplings, &batch.states, self.ties, execution),
            }?;
            if let Some(clamped) = &batch.clamped {
                clamped.restore(&mut next);
            }
            self.settle(step, &mut batch, next, &mut recall);
            execution.progress().advance((n_moving - batch.members.len()) as u64);
        }
        execution.progress().end();
        for (row, &member) in batch.members.iter().enumerate() {
            store(&mut recall.states, member, &batch.states, row);
        }
        Ok(recall)
    }
}

impl ParallelDynamics {
    /// Takes the batch to `next`, its states at `step`; those that are done leave.
    fn settle(&self, step: u64, batch: &mut Batch, next: BlockMajor, recall: &mut Recall) {
        let n_spins = next.n_columns() as f64;
        let moved = distances(&batch.states, &next);
        let errors = distances(&batch.reference, &next);
        let hashes = hashes(&next);
        batch.states = next;
        let mut keep = vec![true; batch.members.len()];
        for row in 0..batch.members.len() {
            let member = batch.members[row];
            let overlap = 1.0 - 2.0 * errors[row] as f64 / n_spins;
            recall.best_overlaps[member] = recall.best_overlaps[member].max(overlap);
            let fate = &mut recall.fates[member];
            if fate.period.is_none() {
                if moved[row] == 0 {
                    *fate = Fate { steps: step - 1, period: Some(1) };
                    batch.leaves_at[row] = step;
                } else if let Some(&entered) = batch.seen[row].get(&hashes[row]) {
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
            keep[row] = step < batch.leaves_at[row];
            if !keep[row] {
                store(&mut recall.states, member, &batch.states, row);
            }
        }
        if keep.contains(&false) {
            batch.retain(&keep);
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::random_states;
    use crate::random::{gaussian, stream};

    /// Integer couplings, so that ties occur, symmetric or not.
    fn couplings(n: usize, symmetric: bool, seed: u64) -> Couplings {
        let mut rng = stream(seed, "dynamics test", &[]);
        let mut rows = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                if i != j {
                    rows[i * n + j] = (2.0 * gaussian(&mut rng)).round() as f32;
                }
                if symmetric && j < i {
                    rows[i * n + j] = rows[j * n + i];
                }
            }
        }
        Couplings::from_rows(n, rows).unwrap()
    }

    fn all_states(n: usize) -> SpinMatrix {
        SpinMatrix::from_words(1 << n, n, (0..1 << n).collect()).unwrap()
    }

    /// Fields in f64; exact for integer couplings.
    fn field(couplings: &Couplings, state: u64, i: usize) -> f64 {
        let n = couplings.n_spins();
        let spin = |j: usize| if state >> j & 1 == 1 { 1.0 } else { -1.0 };
        (0..n).map(|j| f64::from(couplings.values()[i * n + j]) * spin(j)).sum()
    }

    fn next_state(couplings: &Couplings, state: u64, ties: Ties) -> u64 {
        (0..couplings.n_spins()).fold(0, |next, i| {
            let h = field(couplings, state, i);
            let tie = ties == Ties::Up || state >> i & 1 == 1;
            next | u64::from(h > 0.0 || h == 0.0 && tie) << i
        })
    }

    fn energy(couplings: &Couplings, state: u64) -> f64 {
        let spin = |i: usize| if state >> i & 1 == 1 { 1.0 } else { -1.0 };
        -0.5 * (0..couplings.n_spins()).map(|i| spin(i) * field(couplings, state, i)).sum::<f64>()
    }

    #[test]
    fn all_states_of_twelve_spins_follow_the_enumerated_map() {
        let n = 12;
        for (symmetric, n_threads, ties) in
            [(true, 1, Ties::Keep), (false, 2, Ties::Keep), (true, 2, Ties::Up), (false, 1, Ties::Up)]
        {
            let execution = Execution::with_threads(n_threads).unwrap();
            let couplings = couplings(n, symmetric, 4);
            let starts = all_states(n);
            let map: Vec<u64> = (0..1 << n).map(|state| next_state(&couplings, state, ties)).collect();
            let iterate = |state: u64, steps: u64| (0..steps).fold(state, |state, _| map[state as usize]);
            for steps in [0, 1, 2, 7] {
                let dynamics = ParallelDynamics { stop: Stop::After(steps), ties };
                let recall = dynamics.run(&couplings, &starts, &starts, &execution).unwrap();
                for state in 0..1 << n {
                    assert_eq!(recall.states.row(state as usize)[0], iterate(state, steps), "{steps} steps");
                }
            }
            let dynamics = ParallelDynamics { stop: Stop::Settled { limit: 10_000 }, ties };
            let recall = dynamics.run(&couplings, &starts, &starts, &execution).unwrap();
            for state in 0..1u64 << n {
                let Fate { steps, period: Some(period) } = recall.fates[state as usize] else {
                    panic!("4096 states leave no room for 10000 distinct ones");
                };
                let settled = iterate(state, steps);
                assert_eq!(recall.states.row(state as usize)[0], settled);
                // The least period, entered at the least step.
                assert_eq!(iterate(settled, period), settled);
                assert!((1..period).all(|p| iterate(settled, p) != settled));
                assert!(steps == 0 || iterate(state, steps - 1) != iterate(state, steps - 1 + period));
                assert!(!symmetric || period <= 2, "period {period}");
            }
        }
    }

    /// A plain sequential loop on the same fields: the energy of symmetric couplings never rises.
    #[test]
    fn energy_never_rises_in_sequential_order() {
        let couplings = couplings(12, true, 9);
        for start in 0..1u64 << 12 {
            let mut state = start;
            let mut last = energy(&couplings, state);
            for step in 0..36 {
                let i = step % 12;
                let h = field(&couplings, state, i);
                if h != 0.0 {
                    state = state & !(1 << i) | u64::from(h > 0.0) << i;
                }
                let now = energy(&couplings, state);
                assert!(now <= last);
                last = now;
            }
        }
    }

    #[test]
    fn a_single_state_moves_as_in_a_batch() {
        let execution = Execution::with_threads(2).unwrap();
        let n = 150;
        let couplings = couplings(n, false, 5);
        let starts = random_states(9, n, 6).unwrap();
        let dynamics = ParallelDynamics { stop: Stop::After(20), ties: Ties::Keep };
        let together = dynamics.run(&couplings, &starts, &starts, &execution).unwrap();
        for row in 0..9 {
            let start = starts.select(&[row]);
            let alone = dynamics.run(&couplings, &start, &start, &execution).unwrap();
            assert_eq!(alone.states.row(0), together.states.row(row));
            assert_eq!(alone.fates[0], together.fates[row]);
            assert_eq!(alone.best_overlaps[0], together.best_overlaps[row]);
        }
    }

    #[test]
    fn sizes_must_fit() {
        let execution = Execution::with_threads(1).unwrap();
        let couplings = couplings(5, true, 1);
        let dynamics = ParallelDynamics { stop: Stop::After(1), ties: Ties::Keep };
        let (five, six) = (random_states(2, 5, 1).unwrap(), random_states(2, 6, 1).unwrap());
        assert!(dynamics.run(&couplings, &six, &six, &execution).is_err());
        assert!(dynamics.run(&couplings, &five, &five.head(1), &execution).is_err());
        let none = five.head(0);
        assert_eq!(dynamics.run(&couplings, &none, &none, &execution).unwrap().fates.len(), 0);
    }
}
