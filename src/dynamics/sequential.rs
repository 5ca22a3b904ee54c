//! Sequential dynamics: x_i <- sign(h_i(x)) for one spin after another, a sweep over all of them at a time, until each state is
//! fixed.
//!
//! With symmetric couplings no update raises the energy -x.Jx / 2 - theta.x, so every trajectory ends in a fixed point. With
//! asymmetric ones, sweeps in the same order may enter a cycle; sweeps in random order are never the same map twice, so of
//! them fixed points alone are recognised.

use super::batch::{Course, Recurrence};
use super::field::Ties;
use super::recall::{Dynamics, Recall, Stop};
use super::sweep::{SweepOrder, Sweeps};
use crate::couplings::Couplings;
use crate::error::Result;
use crate::execution::Execution;
use crate::spins::SpinMatrix;

/// Sequential zero-temperature dynamics; a step is a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequentialDynamics {
    /// When trajectories end.
    pub stop: Stop,
    /// What a spin with zero field does.
    pub ties: Ties,
    /// In which order a sweep updates the spins.
    pub order: SweepOrder,
}

impl Dynamics for SequentialDynamics {
    fn run_clamped(
        &self,
        couplings: &Couplings,
        starts: &SpinMatrix,
        reference: &SpinMatrix,
        clamped: Option<&SpinMatrix>,
        execution: &Execution,
    ) -> Result<Recall> {
        let recurrence = match self.order {
            SweepOrder::Ascending => Recurrence::Cycle,
            SweepOrder::Random { .. } => Recurrence::FixedPoint,
        };
        let course = Course { starts, reference, clamped, stop: self.stop, recurrence };
        course.check(couplings)?;
        let rule = (self.order, self.ties, None);
        let sweeps = |clamped| Sweeps::new(couplings, rule, clamped, execution);
        course.follow(sweeps, couplings, execution)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::{Fate, random_states};
    use crate::kernels::{Isa, fields_of_one_state};
    use crate::random::{gaussian, permutation, stream};
    use rand_core::Rng;

    /// Gaussian couplings, whose fields are seldom small; +-0.1, whose fields nearly cancel and round to either side of
    /// 0; small integers, exact and often tied. Not symmetric.
    fn couplings(n: usize, kind: usize, with_theta: bool) -> Couplings {
        let mut rng = stream(kind as u64, "sequential test", &[n as u64]);
        let mut draw = || {
            let sign = if rng.next_u64() >> 63 == 1 { 1.0 } else { -1.0 };
            [gaussian(&mut rng) as f32, 0.1 * sign, sign][kind]
        };
        let mut rows: Vec<f32> = (0..n * n).map(|_| draw()).collect();
        rows.iter_mut().step_by(n + 1).for_each(|diagonal| *diagonal = 0.0);
        let theta = with_theta.then(|| (0..n).map(|_| draw()).collect());
        let couplings = Couplings::from_rows(n, rows).unwrap();
        match theta {
            Some(theta) => couplings.with_theta(theta).unwrap(),
            None => couplings,
        }
    }

    /// One sweep, spin by spin. Whether a spin flipped.
    fn plain_sweep(
        couplings: &Couplings,
        order: &[usize],
        ties: Ties,
        state: &mut SpinMatrix,
        held: Option<&SpinMatrix>,
        row: usize,
    ) -> bool {
        let n = couplings.n_spins();
        let mut moved = false;
        for &i in order {
            let mut field = [0.0];
            fields_of_one_state(Isa::Scalar, state.row(row), couplings.rows(i..i + 1), n, &mut field);
            let field = field[0] + couplings.theta().map_or(0.0, |theta| theta[i]);
            let is_up = state.spin(row, i) == 1;
            let wants_up = field > 0.0 || field == 0.0 && (ties == Ties::Up || is_up);
            if wants_up != is_up && held.is_none_or(|held| held.spin(row, i) == -1) {
                state.flip(row, i);
                moved = true;
            }
        }
        moved
    }

    #[test]
    fn states_are_those_of_the_plain_loop() {
        for (n, m, kind) in [
            (1, 3, 0),
            (15, 40, 1),
            (16, 1, 2),
            (83, 20, 0),
            (83, 20, 1),
            (83, 20, 2),
            (130, 2, 0),
            (257, 33, 0),
            (257, 1, 1),
            (200, 600, 1),
        ] {
            let couplings = couplings(n, kind, m == 20);
            let starts = random_states(m, n, 7).unwrap();
            let held = (m == 33).then(|| random_states(m, n, 8).unwrap());
            for order in [SweepOrder::Ascending, SweepOrder::Random { seed: 3 }] {
                for (ties, n_sweeps, n_threads) in [(Ties::Keep, 5, 1), (Ties::Up, 2, 2), (Ties::Keep, 12, 2)]
                {
                    let mut expected = starts.clone();
                    let mut moved = vec![false; m];
                    for sweep in 1..=n_sweeps {
                        let order = match order {
                            SweepOrder::Ascending => (0..n).collect(),
                            SweepOrder::Random { seed } => {
                                permutation(&mut stream(seed, "sweep order", &[sweep]), n)
                            }
                        };
                        for (row, moved) in moved.iter_mut().enumerate() {
                            *moved = plain_sweep(&couplings, &order, ties, &mut expected, held.as_ref(), row);
                        }
                    }
                    for isa in [Isa::detect(), Isa::Scalar] {
                        let pool = crate::execution::thread_pool(n_threads).unwrap();
                        let execution = Execution::new(pool, isa).unwrap();
                        let dynamics = SequentialDynamics { stop: Stop::After(n_sweeps), ties, order };
                        let recall = dynamics
                            .run_clamped(&couplings, &starts, &starts, held.as_ref(), &execution)
                            .unwrap();
                        assert!(
                            recall.states == expected,
                            "N = {n}, {m} states, kind {kind}, {order:?}, {ties:?}"
                        );
                        for (fate, &moved) in recall.fates.iter().zip(&moved) {
                            assert!(!moved || fate.period != Some(1), "a fixed state moved");
                        }
                    }
                }
            }
        }
    }

    /// Enough states and spins that sweeps go by whole sums at first, then by difference, then with few states.
    #[test]
    fn late_sweeps_by_difference_are_those_of_the_plain_loop() {
        let (n, m) = (300, 90);
        let execution = Execution::with_threads(2).unwrap();
        let patterns = random_states(20, n, 1).unwrap();
        let couplings = crate::learning::hebb(&patterns, &execution).unwrap();
        // Thirds make every sum round.
        let thirds = couplings.values().iter().map(|value| value / 3.0).collect();
        let couplings = Couplings::from_rows(n, thirds).unwrap();
        let starts = random_states(m, n, 2).unwrap();
        for order in [SweepOrder::Ascending, SweepOrder::Random { seed: 5 }] {
            let stop = Stop::Settled { limit: 100 };
            let dynamics = SequentialDynamics { stop, ties: Ties::Keep, order };
            let recall = dynamics.run(&couplings, &starts, &starts, &execution).unwrap();
            let mut expected = starts.clone();
            let mut longest = 0;
            for row in 0..m {
                let mut n_sweeps = 0;
                loop {
                    let positions = match order {
                        SweepOrder::Ascending => (0..n).collect(),
                        SweepOrder::Random { seed } => {
                            permutation(&mut stream(seed, "sweep order", &[n_sweeps + 1]), n)
                        }
                    };
                    if !plain_sweep(&couplings, &positions, Ties::Keep, &mut expected, None, row) {
                        break;
                    }
                    n_sweeps += 1;
                }
                longest = longest.max(n_sweeps);
                assert_eq!(recall.fates[row], Fate { steps: n_sweeps, period: Some(1) });
                assert_eq!(recall.states.row(row), expected.row(row));
            }
            assert!(longest > 3, "{longest} sweeps");
        }
    }

    /// Two neurons that pursue each other: sweeps in ascending order go round in a cycle.
    #[test]
    fn cycles_of_asymmetric_couplings_are_found() {
        let execution = Execution::with_threads(1).unwrap();
        let couplings = Couplings::from_rows(2, vec![0.0, 1.0, -1.0, 0.0]).unwrap();
        let starts = random_states(8, 2, 1).unwrap();
        let stop = Stop::Settled { limit: 100 };
        let dynamics = SequentialDynamics { stop, ties: Ties::Keep, order: SweepOrder::Ascending };
        let recall = dynamics.run(&couplings, &starts, &starts, &execution).unwrap();
        // After a sweep x_1 = x_2's old value and x_2 = -x_1: (a, b) -> (b, -b) -> (-b, b) -> ...
        for fate in recall.fates {
            assert_eq!(fate.period, Some(2));
            assert!(fate.steps <= 1);
        }
    }
}
