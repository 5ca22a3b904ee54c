//! Parallel dynamics: x_i <- sign(h_i(x)) for all spins at once, many states in a batch, until each has settled.
//!
//! With symmetric couplings every trajectory ends in a fixed point or a cycle of period 2; with asymmetric ones cycles
//! may be longer. A state that recurs is recognised by a 128-bit hash of the trajectory's states (two distinct states
//! of a trajectory of T steps collide with probability about T^2 / 2^128); a fixed point is recognised exactly.

use super::batch::{Clamped, Course, Mover, Recurrence};
use super::by_difference::RememberedFields;
use super::field::{Ties, parallel_update};
use super::recall::{Dynamics, Recall, Stop};
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

struct ParallelUpdates<'a> {
    couplings: &'a Couplings,
    ties: Ties,
    clamped: Clamped,
    /// Whether there are steps enough to gain from remembered fields: a third is the first that could.
    may_remember: bool,
    /// As soon as there are few enough states.
    fields: Option<RememberedFields>,
    execution: &'a Execution,
}

impl Mover for ParallelUpdates<'_> {
    fn step(&mut self, _: u64, states: &BlockMajor, _: &[usize]) -> Result<BlockMajor> {
        if self.fields.is_none() && self.may_remember {
            self.fields = RememberedFields::new(self.couplings, states.n_rows(), self.execution)?;
        }
        let next = match &mut self.fields {
            Some(fields) => fields.parallel_update(self.couplings, states, self.ties, self.execution),
            None => parallel_update(self.couplings, states, self.ties, self.execution),
        }?;
        Ok(self.clamped.restored(next))
    }

    fn retain(&mut self, keep: &[bool]) {
        if let Some(fields) = &mut self.fields {
            fields.retain(keep);
        }
        self.clamped.retain(keep);
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
        let course = Course { starts, reference, clamped, stop: self.stop, recurrence: Recurrence::Cycle };
        course.check(couplings)?;
        let updates = |clamped| {
            let (ties, may_remember) = (self.ties, self.stop.limit() > 2);
            Ok(ParallelUpdates { couplings, ties, clamped, may_remember, fields: None, execution })
        };
        course.follow(updates, couplings, execution)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::couplings::PANEL;
    use crate::dynamics::{Fate, random_states};
    use crate::execution::Memory;
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
    fn states_do_not_depend_on_the_memory_for_fields() {
        let (n, m) = (300, 40);
        let execution = || Execution::with_threads(2).unwrap();
        let couplings = couplings(n, true, 3);
        let starts = random_states(m, n, 8).unwrap();
        let dynamics = ParallelDynamics { stop: Stop::Settled { limit: 1000 }, ties: Ties::Keep };
        let expected = dynamics.run(&couplings, &starts, &starts, &execution()).unwrap();
        // None are remembered, those of the last states, and all.
        for (n_states, fit) in [(0, [false; 2]), (m / 4, [true, false]), (m, [true; 2])] {
            let bytes = (n.next_multiple_of(PANEL) * n_states * size_of::<f32>()) as u64;
            let execution = execution().with_memory(Memory::limited(bytes, None));
            let fits = |m: usize| RememberedFields::new(&couplings, m, &execution).unwrap().is_some();
            assert_eq!([fits(m / 4), fits(m)], fit);
            assert_eq!(dynamics.run(&couplings, &starts, &starts, &execution).unwrap(), expected);
        }
        let steps = |index: usize| expected.fates[index].steps;
        assert!((0..m).any(|index| steps(index) != steps(0)));
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
