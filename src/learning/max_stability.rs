//! Couplings of largest margin, to any precision that f32 allows: what W. Krauth, M. Mezard, J. Phys. A 20, L745 (1987)
//! define and J. K. Anlauf, M. Biehl, Europhys. Lett. 10, 687 (1989) reach by the AdaTron.
//!
//! Neuron i maximises sum_mu a_mu - (1/2) sum_mu,nu a_mu Q_mu,nu a_nu over a >= 0, where m = Q a are its margins: the dual of
//! the smallest |J_i| whose margins are all at least 1. Sweeps step to the optimum of one coefficient after the other,
//!
//! ```text
//! a_mu = max(0, a_mu + omega (1 - m_mu) N / (N - 1))
//! ```
//!
//! with over-relaxation omega; every sweep raises the dual for 0 < omega < 2. The [margins](super::margins) bracket the
//! largest one at any time.

use super::margins::{
    Ask, LearnedMargins, Outcome, PanelProblem, PanelRule, check_sweeps, coefficient_sums, learn,
};
use super::problem::Problem;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{Isa, LANES, Lanes, Relaxation, RelaxedPanel, Visits, relax};

/// Parameters of max-stability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxStability {
    /// Largest part of a neuron's margin that may be missing, (upper - lower) / upper. Above 0, below 1; f32 reaches about
    /// 3e-6, at margins kappa below 1 about kappa^-2 times that; a neuron whose gap stops shrinking there rests.
    pub tolerance: f64,
    /// Largest number of sweeps over the patterns, 1 to 2^24.
    pub max_sweeps: u64,
    /// A neuron whose margin is proven to be below this is given up: its patterns cannot be separated, or hardly. 0 or
    /// above.
    pub least_margin: f64,
    /// Over-relaxation omega, above 0 and below 2; 1 steps to the optimum of each coefficient. None takes the one that suits
    /// random patterns at this load.
    pub relaxation: Option<f64>,
}

impl Default for MaxStability {
    fn default() -> Self {
        Self { tolerance: 1e-3, max_sweeps: 10_000, least_margin: 1e-3, relaxation: None }
    }
}

impl MaxStability {
    /// Checks every parameter against its range.
    ///
    /// # Errors
    /// Names the first parameter outside its range.
    pub fn check(&self) -> Result<()> {
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            return Err(Error::parameter("tolerance", "a number above 0 and below 1", self.tolerance));
        }
        check_sweeps(self.max_sweeps)?;
        if !(self.least_margin >= 0.0 && self.least_margin.is_finite()) {
            return Err(Error::parameter("least-margin", "a finite number, 0 or above", self.least_margin));
        }
        match self.relaxation {
            Some(omega) if !(omega > 0.0 && omega < 2.0) => {
                Err(Error::parameter("relaxation", "a number above 0 and below 2", omega))
            }
            _ => Ok(()),
        }
    }

    /// Omega at the load P / N: 2 / (1 + (1 - c^(1/2))^(1/2)) with c = alpha (1 - alpha / 4), which is close to the load of
    /// the patterns that bear the margin, so that (1 - c^(1/2))^2 is about the smallest eigenvalue of their Q.
    fn relaxation_at(&self, load: f64) -> f64 {
        self.relaxation.unwrap_or_else(|| {
            let bearing = load.min(2.0) * (1.0 - load.min(2.0) / 4.0);
            (2.0 / (1.0 + (1.0 - bearing.sqrt()).max(0.0).sqrt())).min(LARGEST_RELAXATION)
        })
    }

    /// The margin of a neuron is known well enough, or known to be too small.
    fn judge(&self, lower: f64, upper: f64) -> Outcome {
        if upper == 0.0 || upper < self.least_margin {
            Outcome::Impossible
        } else if upper - lower <= self.tolerance * upper {
            Outcome::Reached
        } else {
            Outcome::Unfinished
        }
    }
}

/// Couplings of largest margin for the patterns of `problem`; the smallest margin of a neuron is about 1, so |J_i| is about
/// 1 / kappa_i. [`Outcome::Reached`] is a gap within the tolerance, [`Outcome::Impossible`] a margin below
/// [`least_margin`](MaxStability::least_margin). Progress advances by 1 a panel of 16 neurons.
///
/// # Errors
/// If a parameter is out of range, there are no patterns or fewer than 2 spins; if there are weights or a mask; if memory for J or the overlaps of the
/// patterns is missing; if interrupted.
pub fn max_stability<'a>(
    problem: impl Into<Problem<'a>>,
    parameters: &MaxStability,
    execution: &Execution,
) -> Result<LearnedMargins> {
    let problem = problem.into();
    let patterns = problem.patterns();
    parameters.check()?;
    let ask = Ask {
        name: format!("{parameters:?}"),
        kappa: f64::NEG_INFINITY,
        max_sweeps: parameters.max_sweeps,
        integers: false,
        judge: |lower, upper| parameters.judge(lower, upper),
    };
    let n_spins = patterns.n_spins() as f64;
    let omega = parameters.relaxation_at(patterns.n_rows() as f64 / n_spins);
    let rule = || Relaxing {
        parameters,
        omega,
        step: Relaxation { n_spins: n_spins as f32, rate: Lanes::ZERO },
        panel: RelaxedPanel { sum: Lanes::ZERO, deepest: Lanes::ZERO },
        last_check: 0,
        best: [(f64::INFINITY, 0); LANES],
    };
    learn(&problem, &ask, rule, execution)
}

/// Where loads come near capacity, steps as long as their smallest eigenvalue asks for would not settle.
const LARGEST_RELAXATION: f64 = 1.6;

/// Gaps below this may be what rounding leaves.
const SMALL_GAP: f64 = 1e-2;
/// A gap times this is a smaller one.
const IMPROVED: f64 = 0.9;

/// What stored rows may lose of a margin by rounding, beside what coefficients have; taken off the tolerance, up to half of
/// it, while a panel learns.
const ROUNDING: f64 = 5e-6;

struct Relaxing<'a> {
    parameters: &'a MaxStability,
    omega: f64,
    step: Relaxation,
    panel: RelaxedPanel,
    /// The sweep after which both ends were last computed.
    last_check: u64,
    /// The gap last seen to shrink, and after which sweep.
    best: [(f64, u64); LANES],
}

impl Relaxing<'_> {
    /// Whether rounding keeps a neuron from a smaller gap: it is small, and twice as many sweeps have not made it less.
    fn has_stalled(&mut self, lane: usize, gap: f64, sweep: u64) -> bool {
        let (best, since) = &mut self.best[lane];
        if gap > SMALL_GAP || gap < IMPROVED * *best {
            (*best, *since) = (gap, sweep);
        }
        sweep > 2 * *since + 16
    }
}

impl PanelRule for Relaxing<'_> {
    fn begin(&mut self, learning: u16, a: &[Lanes<f32>]) {
        let rate = (self.omega / (f64::from(self.step.n_spins) - 1.0)) as f32;
        self.step.rate =
            Lanes(std::array::from_fn(|lane| if learning >> lane & 1 == 1 { rate } else { 0.0 }));
        self.panel.sum = Lanes(coefficient_sums(a).map(|sum| sum as f32));
        self.panel.deepest = Lanes([f32::NEG_INFINITY; LANES]);
    }

    fn visit(&mut self, isa: Isa, visits: Visits, a: &mut [Lanes<f32>], products: &mut [Lanes<f32>]) {
        relax(isa, visits, &self.step, a, products, &mut self.panel);
    }

    fn stops(&mut self, problem: &PanelProblem, sweep: u64, learning: u16, a: &[Lanes<f32>]) -> u16 {
        let contradicted = problem.contradicted & learning;
        // The ends take as long as a sweep. They are computed where the margins met in this sweep say that a neuron is done,
        // and often enough to find those that never will be.
        let enough = -((1.0 - self.parameters.tolerance) * f64::from(self.step.n_spins)) as f32;
        let is_done = |lane: usize| learning >> lane & 1 == 1 && self.panel.deepest.0[lane] <= enough;
        let wait = if (0..LANES).any(is_done) { self.last_check / 8 } else { (self.last_check / 2).max(8) };
        if sweep <= self.last_check + wait {
            return contradicted;
        }
        self.last_check = sweep;
        let tolerance = self.parameters.tolerance;
        let strict =
            MaxStability { tolerance: (tolerance - ROUNDING).max(0.5 * tolerance), ..*self.parameters };
        let mut stops = contradicted;
        for (lane, sums) in problem.sums(a).into_iter().enumerate() {
            let norm = sums.squared_norm.max(0.0).sqrt();
            if norm == 0.0 {
                continue;
            }
            let (lower, upper) = (sums.least / norm, norm / sums.sum);
            let is_known = strict.judge(lower, upper) != Outcome::Unfinished;
            if is_known || self.has_stalled(lane, (upper - lower) / upper, sweep) {
                stops |= 1 << lane;
            }
        }
        stops & learning
    }
}

#[cfg(test)]
mod tests {
    use super::super::margins::NeuronMargin;
    use super::super::margins::oracle::{largest_margin, stabilities};
    use super::*;
    use crate::dynamics::random_states;
    use crate::spins::SpinMatrix;

    fn learn(patterns: &SpinMatrix, parameters: MaxStability) -> LearnedMargins {
        let execution = Execution::with_threads(2).unwrap();
        max_stability(patterns, &parameters, &execution).unwrap()
    }

    fn precise() -> MaxStability {
        MaxStability { tolerance: 1e-5, ..MaxStability::default() }
    }

    /// Both ends lie within the tolerance of `expected`, and a tenth of it for the rounding of a row to f32.
    fn assert_margin(neuron: &NeuronMargin, expected: f64, tolerance: f64, what: &str) {
        assert_eq!(neuron.outcome, Outcome::Reached, "{what}: {neuron:?}");
        for end in [neuron.lower, neuron.upper] {
            assert!(
                (end / expected - 1.0).abs() < 1.1 * tolerance,
                "{what}: {neuron:?}, expected {expected}"
            );
        }
    }

    #[test]
    fn one_pattern_has_the_margin_of_its_length() {
        for n in [2, 3, 17, 100] {
            let learned = learn(&random_states(1, n, 3).unwrap(), precise());
            for neuron in &learned.neurons {
                assert_margin(neuron, ((n - 1) as f64).sqrt(), 1e-5, &format!("N = {n}"));
            }
        }
    }

    /// |z| is equal for both, so the best row is along z + z': kappa^2 = (N - 1 + z.z') / 2, z.z' = xi_i xi_i' K - 1.
    #[test]
    fn two_patterns_have_the_margin_of_their_sum() {
        for n in [5, 40, 129] {
            let patterns = random_states(2, n, 8).unwrap();
            let product = |i| f64::from(patterns.spin(0, i) * patterns.spin(1, i));
            let overlap: f64 = (0..n).map(product).sum();
            for (i, neuron) in learn(&patterns, precise()).neurons.iter().enumerate() {
                let expected = ((n as f64 - 2.0 + product(i) * overlap) / 2.0).sqrt();
                assert_margin(neuron, expected, 1e-5, &format!("neuron {i} of {n}"));
            }
        }
    }

    /// Orthogonal patterns have z.z' = -1 for all pairs, so all a are equal: kappa = sqrt((N - P) / P), that of the
    /// pseudo-inverse.
    #[test]
    fn orthogonal_patterns_have_the_margin_of_the_pseudo_inverse() {
        let n = 64;
        for p in [2, 7, 32, 50] {
            let bools: Vec<bool> =
                (0..p * n).map(|x: usize| ((x / n) & (x % n)).count_ones().is_multiple_of(2)).collect();
            let patterns = SpinMatrix::from_bools(p, n, &bools).unwrap();
            let learned = learn(&patterns, precise());
            for neuron in &learned.neurons {
                assert_margin(neuron, ((n - p) as f64 / p as f64).sqrt(), 1e-5, &format!("P = {p}"));
                assert_eq!(neuron.support, p);
            }
        }
    }

    #[test]
    fn margins_are_those_of_plain_f64_loops_and_lie_on_the_support() {
        // The last has margins down to 0.17, where sums of f32 are kappa^-2 = 35 times the margin they add up to.
        for (n, p, tolerance) in [(41, 16, 1e-5), (70, 61, 1e-5), (35, 40, 1e-4)] {
            let patterns = random_states(p, n, 2).unwrap();
            let learned = learn(&patterns, MaxStability { tolerance, ..MaxStability::default() });
            for (i, neuron) in learned.neurons.iter().enumerate() {
                let expected = largest_margin(&patterns, i);
                assert_margin(neuron, expected, tolerance, &format!("neuron {i} of {n}, P = {p}"));
                let found = stabilities(&learned.couplings, &patterns, i);
                let least = found.into_iter().fold(f64::INFINITY, f64::min);
                // Margins are sums of f32 in blocks.
                assert!((least - neuron.lower).abs() < 1e-6, "neuron {i} of {n}");
                let upper = n as f64 * neuron.row_norm / neuron.coefficient_sum;
                assert!((neuron.upper / upper - 1.0).abs() < 1e-12, "neuron {i} of {n}");
            }
        }
    }

    /// After any number of sweeps, at any relaxation; 1e-6 is the rounding of a row to f32.
    #[test]
    fn both_ends_bracket_the_largest_margin() {
        let (n, p) = (33, 25);
        let patterns = random_states(p, n, 4).unwrap();
        let expected: Vec<f64> = (0..n).map(|i| largest_margin(&patterns, i)).collect();
        for (max_sweeps, relaxation) in [(1, 1.0), (2, 1.7), (3, 0.4), (10, 1.2)] {
            let parameters = MaxStability { max_sweeps, relaxation: Some(relaxation), ..precise() };
            let learned = learn(&patterns, parameters);
            for (neuron, expected) in learned.neurons.iter().zip(&expected) {
                assert!(neuron.lower <= expected + 1e-6 && neuron.upper >= expected - 1e-6, "{neuron:?}");
                assert_eq!(neuron.sweeps, max_sweeps);
            }
            assert!(learned.summary().unfinished > 0);
        }
    }

    #[test]
    fn neurons_rest_where_rounding_leaves_no_smaller_gap() {
        let parameters = MaxStability { tolerance: 1e-9, ..MaxStability::default() };
        for neuron in &learn(&random_states(40, 60, 9).unwrap(), parameters).neurons {
            assert_eq!(neuron.outcome, Outcome::Unfinished);
            // Some tens of sweeps converge; the limit is 10 000.
            assert!(neuron.sweeps < 1000, "{neuron:?}");
            // What f32 leaves of a margin: see the tolerance.
            let gap = neuron.gap().unwrap();
            assert!(gap.abs() < 1e-5 * neuron.upper.powi(-2).max(1.0), "{neuron:?}");
        }
    }

    #[test]
    fn patterns_beyond_capacity_are_found_out() {
        let patterns = random_states(120, 40, 6).unwrap();
        let parameters = MaxStability { least_margin: 0.02, ..MaxStability::default() };
        let learned = learn(&patterns, parameters);
        for neuron in &learned.neurons {
            assert_eq!(neuron.outcome, Outcome::Impossible, "{neuron:?}");
            assert!(neuron.lower < 0.0 && neuron.upper < 0.02);
        }
        assert_eq!(learned.summary().impossible, 40);
    }

    #[test]
    fn a_neuron_between_two_patterns_that_differ_in_it_is_given_up_alone() {
        let (n, odd) = (50, 20);
        let mut patterns = random_states(10, n, 7).unwrap();
        let first: Vec<bool> = (0..n).map(|i| patterns.spin(0, i) == 1).collect();
        for (i, &up) in first.iter().enumerate() {
            if (patterns.spin(7, i) == 1) != (up ^ (i == odd)) {
                patterns.flip(7, i);
            }
        }
        let learned = learn(&patterns, precise());
        for (i, neuron) in learned.neurons.iter().enumerate() {
            if i == odd {
                assert_eq!((neuron.outcome, neuron.upper, neuron.sweeps), (Outcome::Impossible, 0.0, 1));
                assert!(neuron.lower <= 0.0 && neuron.gap().is_none());
            } else {
                assert_margin(neuron, largest_margin(&patterns, i), 1e-5, &format!("neuron {i}"));
            }
        }
    }

    #[test]
    fn parameters_outside_their_ranges_are_refused() {
        let good = MaxStability::default();
        assert!(good.check().is_ok());
        for bad in [
            MaxStability { tolerance: 0.0, ..good },
            MaxStability { tolerance: 1.0, ..good },
            MaxStability { tolerance: f64::NAN, ..good },
            MaxStability { max_sweeps: 0, ..good },
            MaxStability { max_sweeps: (1 << 24) + 1, ..good },
            MaxStability { least_margin: -1e-9, ..good },
            MaxStability { least_margin: f64::NAN, ..good },
            MaxStability { relaxation: Some(0.0), ..good },
            MaxStability { relaxation: Some(2.0), ..good },
            MaxStability { relaxation: Some(f64::NAN), ..good },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
