//! What the margin rules share: rows in the span of the patterns, sweeps over the patterns, and what they prove.
//!
//! With a_i >= 0 and z_i^mu = xi_i^mu xi^mu without its spin i,
//!
//! ```text
//! J_i = (1/N) sum_mu a_i^mu z_i^mu,    m_mu = xi_i^mu h_i^mu = J_i . z_i^mu = (xi_i^mu (K b)_mu - A) / N
//! b_mu = xi_i^mu a_i^mu,    A = sum_mu a_i^mu,    K = X X^T,    |J_i|^2 = (1/N) sum_mu a_i^mu m_mu
//! ```
//!
//! so a sweep over all patterns takes P^2 real products a neuron. The margin of a neuron is its smallest stability,
//! kappa_i = min_mu m_mu / |J_i|. Any a >= 0 bounds what other couplings can reach: for every row u with |u| = 1 the smallest
//! of the u . z^mu is at most their mean with weights a,
//!
//! ```text
//! min_mu m_mu / |J_i|  <=  kappa_max  <=  |sum_mu a_i^mu z_i^mu| / A  =  N |J_i| / A
//! ```
//!
//! Both ends are equal at the optimum: there a > 0 only where the margin is smallest (W. Krauth, M. Mezard, J. Phys. A 20,
//! L745 (1987)). Where no couplings reach a positive margin, some a makes the sum vanish and the upper end falls to 0. Two
//! patterns that differ in spin i alone are the plainest case: their z_i are opposite, so kappa_max <= 0 with no further
//! computation.
//!
//! The ends are computed from the stored row: margins by f32 sums of 64 columns added in f64, the norm in f64, A in f64. The
//! upper end takes |J_i| for the norm of the exact sum, from which the stored one differs by the rounding of f32, about
//! 1e-7 of it.

mod certificate;
mod contradictions;
#[cfg(test)]
pub(super) mod oracle;
mod panels;

pub(super) use panels::{Ask, PanelProblem, PanelRule, coefficient_sums, learn};

use crate::couplings::Couplings;
use crate::error::{Error, Result};
use crate::kernels::{DenseRows, Lanes};
use serde::{Deserialize, Serialize};

/// What became of a neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The margin that was asked for is reached.
    Reached,
    /// It is proven that no couplings reach it.
    Impossible,
    /// Neither is known after the last sweep allowed.
    Unfinished,
}

impl Outcome {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Impossible => "impossible",
            Self::Unfinished => "unfinished",
        }
    }
}

/// What is known of a neuron's margin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeuronMargin {
    /// Smallest stability xi_i h_i / |J_i| of the stored row: the margin. 0 without couplings.
    pub lower: f64,
    /// No couplings of this neuron have a larger margin.
    pub upper: f64,
    /// |J_i| of the stored row.
    pub row_norm: f64,
    /// A = sum_mu a_i^mu, from which upper = N |J_i| / A; 0 is the upper end too where two patterns contradict each other.
    pub coefficient_sum: f64,
    /// Patterns with a_i^mu > 0.
    pub support: usize,
    /// Stabilities that do not exceed the margin asked for; 0 for max-stability.
    pub below: usize,
    /// Sweeps over the patterns.
    pub sweeps: u64,
    /// What became of it.
    pub outcome: Outcome,
}

impl NeuronMargin {
    /// (upper - lower) / upper, the part of the largest margin that may be missing; none where the upper end is 0. The
    /// rounding of f32 may make it as low as about -1e-6.
    pub fn gap(&self) -> Option<f64> {
        (self.upper > 0.0).then(|| (self.upper - self.lower) / self.upper)
    }
}

/// Couplings and what is known of the margin of each neuron.
#[derive(Debug)]
pub struct LearnedMargins {
    /// The couplings.
    pub couplings: Couplings,
    /// One a neuron that learned.
    pub neurons: Vec<NeuronMargin>,
}

/// Numbers over all neurons.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct MarginSummary {
    /// Neurons that reach what was asked for.
    pub reached: usize,
    /// Neurons for which it is proven impossible.
    pub impossible: usize,
    /// Neurons of which neither is known.
    pub unfinished: usize,
    /// Stabilities that do not exceed the margin asked for.
    pub below: usize,
    /// Smallest stability.
    pub lowest: f64,
    /// Mean over neurons of the margin, and of its upper end.
    pub mean_lower: f64,
    pub mean_upper: f64,
    /// Smallest upper end: what no couplings exceed at all neurons.
    pub lowest_upper: f64,
    /// Largest (upper - lower) / upper of the neurons that have one and are not given up.
    pub largest_gap: Option<f64>,
    /// Largest number of sweeps of a neuron.
    pub sweeps: u64,
}

impl MarginSummary {
    /// The numbers over `neurons`, at least one.
    pub fn new(neurons: &[NeuronMargin]) -> Self {
        let count = |outcome| neurons.iter().filter(|neuron| neuron.outcome == outcome).count();
        let least = |value: fn(&NeuronMargin) -> f64| neurons.iter().map(value).fold(f64::INFINITY, f64::min);
        let mean =
            |value: fn(&NeuronMargin) -> f64| neurons.iter().map(value).sum::<f64>() / neurons.len() as f64;
        Self {
            reached: count(Outcome::Reached),
            impossible: count(Outcome::Impossible),
            unfinished: count(Outcome::Unfinished),
            below: neurons.iter().map(|neuron| neuron.below).sum(),
            lowest: least(|neuron| neuron.lower),
            mean_lower: mean(|neuron| neuron.lower),
            mean_upper: mean(|neuron| neuron.upper),
            lowest_upper: least(|neuron| neuron.upper),
            largest_gap: neurons
                .iter()
                .filter(|neuron| neuron.outcome != Outcome::Impossible)
                .filter_map(NeuronMargin::gap)
                .reduce(f64::max),
            sweeps: neurons.iter().map(|neuron| neuron.sweeps).max().unwrap_or(0),
        }
    }
}

impl LearnedMargins {
    /// The numbers over all neurons.
    pub fn summary(&self) -> MarginSummary {
        MarginSummary::new(&self.neurons)
    }
}

/// A coefficient grows by at most 1 a sweep of the perceptron: up to this number of sweeps f32 holds it exactly.
pub(super) const MOST_SWEEPS: u64 = 1 << 24;

/// Refuses a limit of sweeps outside its range.
pub(super) fn check_sweeps(max_sweeps: u64) -> Result<()> {
    if (1..=MOST_SWEEPS).contains(&max_sweeps) {
        Ok(())
    } else {
        Err(Error::parameter("max-sweeps", format!("at least 1, at most {MOST_SWEEPS}"), max_sweeps))
    }
}

/// Sweeps of a margin rule at loads around 0.5, to estimate by; there are more where loads come near what can be stored.
pub const MARGIN_SWEEPS: f64 = 20.0;

/// Bytes that a margin rule takes for P patterns of N spins on `n_threads` threads: couplings, the overlaps of the patterns,
/// packed patterns, and scratch.
pub fn margin_memory(n_spins: usize, n_patterns: usize, n_threads: usize) -> usize {
    let couplings = n_spins.saturating_mul(n_spins).saturating_mul(size_of::<f32>());
    let packed = 2 * n_spins.div_ceil(64).saturating_mul(n_patterns.next_multiple_of(64)) * size_of::<u64>();
    let lanes = n_patterns.saturating_mul(2).saturating_add(n_spins).saturating_mul(size_of::<Lanes<f32>>());
    let scratch = lanes.saturating_add(n_patterns * size_of::<certificate::Sums>()).saturating_add(1 << 18);
    let neurons = n_spins.saturating_mul(size_of::<NeuronMargin>());
    couplings
        .saturating_add(DenseRows::bytes(n_patterns, n_patterns))
        .saturating_add(packed)
        .saturating_add(scratch.saturating_mul(n_threads))
        .saturating_add(neurons)
}

#[cfg(test)]
mod tests {
    use super::super::{MaxStability, Perceptron, max_stability, perceptron};
    use super::*;
    use crate::dynamics::random_states;
    use crate::execution::Execution;
    use crate::kernels::Isa;
    use crate::spins::SpinMatrix;

    #[test]
    fn the_summary_counts_every_neuron_and_keeps_the_extremes() {
        let neuron = |lower, upper, outcome| NeuronMargin {
            lower,
            upper,
            row_norm: 1.0,
            coefficient_sum: 1.0,
            support: 2,
            below: 3,
            sweeps: (10.0 * upper) as u64,
            outcome,
        };
        let neurons = vec![
            neuron(0.5, 1.0, Outcome::Reached),
            neuron(-1.0, 0.0, Outcome::Impossible),
            neuron(0.9, 2.0, Outcome::Unfinished),
        ];
        let summary = LearnedMargins { couplings: Couplings::zeros(3).unwrap(), neurons }.summary();
        assert_eq!((summary.reached, summary.impossible, summary.unfinished), (1, 1, 1));
        assert_eq!((summary.below, summary.sweeps, summary.lowest, summary.lowest_upper), (9, 20, -1.0, 0.0));
        assert!((summary.mean_lower - 0.4 / 3.0).abs() < 1e-15 && (summary.mean_upper - 1.0).abs() < 1e-15);
        assert!((summary.largest_gap.unwrap() - 1.1 / 2.0).abs() < 1e-15);
    }

    /// Sizes around sets, visits, words and panels.
    #[test]
    fn rows_and_ends_have_the_same_bits_on_any_threads_and_instructions() {
        for (n, p) in [(50, 23), (35, 7), (97, 130)] {
            let patterns = random_states(p, n, 5).unwrap();
            let learn = |n_threads, isa| {
                let pool = crate::execution::thread_pool(n_threads).unwrap();
                let execution = Execution::new(pool, isa).unwrap();
                let parameters = MaxStability { max_sweeps: 40, ..MaxStability::default() };
                let learned = max_stability(&patterns, &parameters, &execution).unwrap();
                let parameters = Perceptron { kappa: 0.2, max_sweeps: 30 };
                let other = perceptron(&patterns, &parameters, &execution).unwrap();
                [learned, other].map(|learned| {
                    let bits: Vec<u32> = learned.couplings.values().iter().map(|x| x.to_bits()).collect();
                    (bits, learned.neurons)
                })
            };
            let reference = learn(1, Isa::Scalar);
            for isa in Isa::available() {
                for n_threads in [1, 2] {
                    assert!(learn(n_threads, isa) == reference, "{} N = {n}, P = {p}", isa.name());
                }
            }
        }
    }

    #[test]
    fn nothing_to_learn_is_refused_and_cancelled_work_stops() {
        let execution = Execution::with_threads(2).unwrap();
        for (p, n) in [(0, 5), (5, 0), (5, 1)] {
            let patterns = SpinMatrix::all_down(p, n);
            assert!(max_stability(&patterns, &MaxStability::default(), &execution).is_err(), "{p} of {n}");
            assert!(perceptron(&patterns, &Perceptron::new(0.0), &execution).is_err(), "{p} of {n}");
        }
        execution.cancel().cancel();
        let patterns = random_states(4, 9, 1).unwrap();
        let cancelled = perceptron(&patterns, &Perceptron::new(0.0), &execution);
        assert!(matches!(cancelled, Err(Error::Interrupted)));
    }

    #[test]
    fn the_estimate_of_memory_grows_with_the_squares() {
        let (n, p) = (100_000, 50_000);
        let bytes = margin_memory(n, p, 4) as f64;
        let squares = 4.0 * (n as f64 * n as f64 + p as f64 * p as f64);
        // Packed patterns are 2 N P / 8 bytes, scratch 4 (64 N + 256 P).
        assert!(bytes > squares && bytes < 1.06 * squares, "{bytes:e} {squares:e}");
    }
}
