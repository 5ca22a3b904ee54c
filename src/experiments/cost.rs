//! What an experiment takes, from its parameters alone: to plan by, and to share threads out among its points.

use std::iter::Sum;

use super::Options;
use super::parameters::Parameters;
use crate::dynamics::BYTES_PER_STATE;
use crate::error::Result;
use crate::execution::Execution;
use crate::learning::{
    MARGIN_SWEEPS, PseudoLikelihood, Route, SEARCH_GRADIENTS, WORK_OF_REAL_PRODUCT, lbfgs_bytes,
    margin_memory,
};

/// States that settle rarely take more than this share of the steps they may.
const SHARE_OF_STEPS: f64 = 1.0 / 3.0;

/// What drawing the figures of an experiment takes, by measurement: up to 117 MiB.
pub(super) const FIGURE_BYTES: u64 = 128 << 20;
/// Tables and figures, as files.
const FILE_BYTES: f64 = 2.0 * 1024.0 * 1024.0;

/// What an experiment, or a point of it, takes from its beginning. An estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Bytes of memory of the part that takes the most.
    pub memory_bytes: f64,
    /// Of these, arrays that may be files.
    pub array_bytes: f64,
    /// Of these, what is taken only where it is left, for points side by side.
    pub optional_bytes: f64,
    /// Bytes of the files it writes.
    pub disk_bytes: f64,
    /// Signed multiply-adds, and what else takes their time.
    pub work: f64,
}

/// Parameters that say what their experiment takes.
pub(super) trait Estimated: Parameters {
    /// From its beginning, run on `execution`.
    ///
    /// # Errors
    /// If a parameter is out of range.
    fn cost(&self, execution: &Execution) -> Result<Cost>;
}

/// What an experiment of these `options` takes.
///
/// # Errors
/// As [`Parameters::varied`].
pub(super) fn cost_of<T: Estimated>(options: &Options, execution: &Execution) -> Result<Cost> {
    T::varied(options)?.cost(execution)
}

impl Cost {
    /// Patterns, or states of any kind, that are there while the rest goes on.
    pub(super) fn states(n_states: usize, n_spins: usize) -> Self {
        // Packed in two ways.
        Self { memory_bytes: 2.0 * n_states as f64 * n_spins as f64 / 8.0, ..Self::default() }
    }

    /// So many epochs of descent on P patterns of N spins.
    pub(super) fn descent(
        parameters: &PseudoLikelihood,
        n_patterns: usize,
        n_spins: usize,
        epochs: u64,
    ) -> Self {
        let (n, p) = (n_spins as f64, n_patterns as f64);
        let route = parameters.plain_route(n_patterns, n_spins);
        let (gram, coefficients) = if route == Route::Gram { (4.0 * p * p, 8.0 * n * p) } else { (0.0, 0.0) };
        // Two generations.
        let arrays = 8.0 * n * n + coefficients;
        Self {
            memory_bytes: arrays + gram,
            array_bytes: arrays,
            work: epochs as f64 * parameters.work_per_epoch(n_spins, n_patterns, n_spins, route),
            ..Self::default()
        }
        .beside(Self::states(n_patterns, n_spins))
    }

    /// The optimum of P patterns of N spins by L-BFGS.
    pub(super) fn search(n_patterns: usize, n_spins: usize, symmetric: bool) -> Self {
        let (n, p) = (n_spins as f64, n_patterns as f64);
        Self {
            memory_bytes: lbfgs_bytes(n_spins, symmetric, 1),
            array_bytes: 4.0 * n * n,
            work: SEARCH_GRADIENTS * 2.0 * n * n * p,
            ..Self::default()
        }
        .beside(Self::states(n_patterns, n_spins))
    }

    /// A margin rule on P patterns of N spins.
    pub(super) fn margins(n_patterns: usize, n_spins: usize) -> Self {
        let (n, p) = (n_spins as f64, n_patterns as f64);
        Self {
            memory_bytes: margin_memory(n_spins, n_patterns, 1) as f64,
            array_bytes: 4.0 * n * n,
            work: WORK_OF_REAL_PRODUCT * n * p * p * MARGIN_SWEEPS,
            ..Self::default()
        }
    }

    /// Max-stability to a small gap, which closes slowly.
    pub(super) fn largest_margins(n_patterns: usize, n_spins: usize) -> Self {
        Self::margins(n_patterns, n_spins).times(10)
    }

    /// An evaluation: recall of at most `n_states` training patterns, as many unseen and random ones, and `n_features`.
    pub(super) fn evaluation(
        n_states: usize,
        n_patterns: usize,
        n_features: u64,
        n_spins: usize,
        n_steps: u64,
    ) -> Self {
        let n_recalled = n_states.min(n_patterns) as f64 + 2.0 * n_states as f64 + n_features as f64;
        Self::recall(n_recalled, n_spins, n_steps)
    }

    /// A recall of `n_states` states of N spins in at most `n_steps` steps.
    pub(super) fn recall(n_states: f64, n_spins: usize, n_steps: u64) -> Self {
        let (n, m) = (n_spins as f64, n_states);
        Self {
            memory_bytes: m * (4.0 * n + 6.0 * n / 8.0 + BYTES_PER_STATE as f64),
            work: m * n * n * (n_steps as f64 * SHARE_OF_STEPS).max(1.0),
            ..Self::default()
        }
    }

    /// The same with tables and figures, which come when all points are there.
    pub(super) fn with_figures(self) -> Self {
        let beside = self.memory_bytes - self.array_bytes - self.optional_bytes;
        let more = (FIGURE_BYTES as f64 - beside).max(0.0);
        Self { memory_bytes: self.memory_bytes + more, disk_bytes: self.disk_bytes + FILE_BYTES, ..self }
    }

    /// One after another, so many times.
    pub(super) fn times(self, n: usize) -> Self {
        let n = n as f64;
        Self { work: n * self.work, disk_bytes: n * self.disk_bytes, ..self }
    }

    /// While something else is in memory.
    pub(super) fn beside(self, other: Self) -> Self {
        Self {
            memory_bytes: self.memory_bytes + other.memory_bytes,
            array_bytes: self.array_bytes + other.array_bytes,
            optional_bytes: self.optional_bytes + other.optional_bytes,
            disk_bytes: self.disk_bytes + other.disk_bytes,
            work: self.work + other.work,
        }
    }

    /// All points of an experiment, as many at a time as `execution` has memory and threads for.
    pub(super) fn of_points(points: impl Iterator<Item = Self>, execution: &Execution) -> Self {
        let mut seen = Seen::default();
        let all: Self = points.inspect(|point| seen.add(*point)).sum();
        let n_more = seen.at_a_time(execution.memory().budget(), execution) - 1;
        let more = n_more as f64 * all.memory_bytes;
        Self { memory_bytes: all.memory_bytes + more, optional_bytes: all.optional_bytes + more, ..all }
    }
}

/// How many points to measure at a time: one of few spins keeps no more than some threads busy, but the largest is not to be left
/// over for one worker while the others have nothing to do; and each has to have `memory` for a largest one.
pub(super) fn n_at_a_time(points: &[Cost], memory: u64, execution: &Execution) -> usize {
    let mut seen = Seen::default();
    points.iter().for_each(|&point| seen.add(point));
    seen.at_a_time(memory, execution)
}

/// What matters of points for how many are measured at a time.
#[derive(Default)]
struct Seen {
    n_points: usize,
    work: f64,
    most_work: f64,
    most_bytes: f64,
}

impl Seen {
    fn add(&mut self, point: Cost) {
        self.n_points += 1;
        self.work += point.work;
        self.most_work = self.most_work.max(point.work);
        self.most_bytes = self.most_bytes.max(point.memory_bytes);
    }

    fn at_a_time(&self, memory: u64, execution: &Execution) -> usize {
        // Of nothing 0 / 0, which is 0 as usize.
        let (by_work, by_memory) =
            ((self.work / self.most_work) as usize, (memory as f64 / self.most_bytes) as usize);
        execution.n_threads().min(self.n_points).min(by_work).min(by_memory).max(1)
    }
}

/// One after another.
impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), |sum, cost| {
            let largest = if cost.memory_bytes > sum.memory_bytes { cost } else { sum };
            let (disk_bytes, work) = (sum.disk_bytes + cost.disk_bytes, sum.work + cost.work);
            Self { disk_bytes, work, ..largest }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::Memory;

    #[test]
    fn what_comes_after_takes_time_and_what_is_beside_takes_memory_too() {
        let parameters = PseudoLikelihood::new(0.2, 0.1);
        let descent = |p| Cost::descent(&parameters, p, 100, 10);
        let all: Cost = [descent(50), descent(200), descent(80)].into_iter().sum();
        assert_eq!(all.memory_bytes, descent(200).memory_bytes);
        assert_eq!(all.array_bytes, 8.0 * 100.0 * 100.0);
        assert_eq!(all.work, descent(50).work + descent(200).work + descent(80).work);
        // Beyond load 1/3: 2 N^2 P an epoch, and a batch's own work.
        assert!(descent(200).work >= 10.0 * 2.0 * 100.0 * 100.0 * 200.0);
        let both = descent(200).beside(Cost::recall(10.0, 100, 30));
        assert_eq!(both.work, descent(200).work + 10.0 * 100.0 * 100.0 * 10.0);
        assert!(both.memory_bytes > descent(200).memory_bytes);
    }

    #[test]
    fn points_side_by_side_leave_no_thread_without_work_and_fit_the_memory() {
        let point = |work| Cost { work, memory_bytes: 10.0, ..Cost::default() };
        let execution =
            |budget| Execution::with_threads(4).unwrap().with_memory(Memory::limited(budget, None));
        let at_a_time = |works: &[f64], budget| {
            let points: Vec<Cost> = works.iter().map(|&work| point(work)).collect();
            n_at_a_time(&points, budget, &execution(budget))
        };
        let drawn = point(2.0).with_figures();
        assert_eq!((drawn.work, drawn.memory_bytes), (2.0, FIGURE_BYTES as f64));
        assert_eq!(at_a_time(&[1.0; 9], 1000), 4);
        assert_eq!(at_a_time(&[1.0; 3], 1000), 3);
        assert_eq!(at_a_time(&[1.0; 9], 25), 2);
        assert_eq!(at_a_time(&[1.0; 9], 5), 1);
        // The largest takes as long as all the others.
        assert_eq!(at_a_time(&[1.0, 2.0, 3.0, 6.0], 1000), 2);
        assert_eq!(at_a_time(&[1.0, 2.0, 3.0, 7.0], 1000), 1);
        assert_eq!([at_a_time(&[], 1000), at_a_time(&[0.0; 2], 1000)], [1, 1]);
        let all = Cost::of_points([1.0; 9].into_iter().map(point), &execution(25));
        assert_eq!((all.work, all.memory_bytes, all.optional_bytes), (9.0, 20.0, 10.0));
    }
}
