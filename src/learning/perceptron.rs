//! The perceptron rule with a margin kappa: E. Gardner, J. Phys. A 21, 257 (1988), section 5, which proves that it ends
//! wherever couplings of a larger margin exist.
//!
//! Sweeps visit the patterns in order; where xi_i h_i <= kappa |J_i|, J_ij += (1/N) xi_i xi_j. So
//! J_i = (1/N) sum_mu a_mu xi_i^mu xi^mu with integers a >= 0, which are all that a sweep works on. A neuron is done when a
//! sweep leaves it alone. If no couplings reach kappa it never is; for kappa > 0 the upper end of its [margin](super::margins) then
//! falls below kappa sooner or later, and proves it. For kappa = 0 it only tends to 0, and the limit of sweeps ends it.

use super::margins::{Ask, LearnedMargins, Outcome, PanelProblem, PanelRule, check_sweeps, learn};
use super::problem::Problem;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{CorrectedPanel, Correction, Isa, LANES, Lanes, Visits, correct};

/// Parameters of the perceptron rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Perceptron {
    /// The margin that every stability is to exceed. Finite, 0 or above.
    pub kappa: f64,
    /// Largest number of sweeps over the patterns, 1 to 2^24.
    pub max_sweeps: u64,
}

impl Perceptron {
    /// At most 10 000 sweeps.
    pub fn new(kappa: f64) -> Self {
        Self { kappa, max_sweeps: 10_000 }
    }

    /// Checks every parameter against its range.
    ///
    /// # Errors
    /// Names the first parameter outside its range.
    pub fn check(&self) -> Result<()> {
        if !(self.kappa >= 0.0 && self.kappa.is_finite()) {
            return Err(Error::parameter("kappa", "a finite number, 0 or above", self.kappa));
        }
        check_sweeps(self.max_sweeps)
    }

    fn judge(&self, lower: f64, upper: f64) -> Outcome {
        if lower > self.kappa {
            Outcome::Reached
        } else if upper <= self.kappa {
            Outcome::Impossible
        } else {
            Outcome::Unfinished
        }
    }
}

/// Couplings in which every stability of the patterns of `problem` exceeds kappa, where the rule gets there. Stored values are
/// the integers sum_mu a_mu xi_i xi_j, the scale is 1/N. [`Outcome::Reached`] is a margin above kappa,
/// [`Outcome::Impossible`] an upper end of at most kappa. Progress advances by 1 a panel of 16 neurons.
///
/// # Errors
/// If a parameter is out of range, there are no patterns or fewer than 2 spins; if there are weights or a mask; if memory for J or the overlaps of the
/// patterns is missing; if interrupted.
pub fn perceptron<'a>(
    problem: impl Into<Problem<'a>>,
    parameters: &Perceptron,
    execution: &Execution,
) -> Result<LearnedMargins> {
    let problem = problem.into();
    let patterns = problem.patterns();
    parameters.check()?;
    let ask = Ask {
        name: format!("{parameters:?}"),
        kappa: parameters.kappa,
        max_sweeps: parameters.max_sweeps,
        integers: true,
        judge: |lower, upper| parameters.judge(lower, upper),
    };
    let n_spins = patterns.n_spins() as f32;
    let rule = || Correcting {
        step: Correction { kappa: parameters.kappa, n_spins, learning: 0 },
        panel: CorrectedPanel {
            sum: Lanes::ZERO,
            squared_norm: [0.0; LANES],
            threshold: Lanes::ZERO,
            changed: 0,
        },
    };
    learn(&problem, &ask, rule, execution)
}

struct Correcting {
    step: Correction,
    panel: CorrectedPanel,
}

impl PanelRule for Correcting {
    fn begin(&mut self, learning: u16, _: &[Lanes<f32>]) {
        self.step.learning = learning;
        self.panel.changed = 0;
    }

    fn visit(&mut self, isa: Isa, visits: Visits, a: &mut [Lanes<f32>], products: &mut [Lanes<f32>]) {
        correct(isa, visits, self.step, a, products, &mut self.panel);
    }

    fn stops(&mut self, problem: &PanelProblem, _: u64, learning: u16, _: &[Lanes<f32>]) -> u16 {
        let mut stops = problem.contradicted | !self.panel.changed;
        for lane in 0..LANES {
            let upper = self.panel.squared_norm[lane].max(0.0).sqrt() / f64::from(self.panel.sum.0[lane]);
            if upper <= self.step.kappa {
                stops |= 1 << lane;
            }
        }
        stops & learning
    }
}

#[cfg(test)]
mod tests {
    use super::super::margins::oracle;
    use super::super::{MaxStability, max_stability};
    use super::*;
    use crate::dynamics::random_states;
    use crate::spins::SpinMatrix;

    fn learn(patterns: &SpinMatrix, kappa: f64, max_sweeps: u64) -> LearnedMargins {
        let execution = Execution::with_threads(2).unwrap();
        perceptron(patterns, &Perceptron { kappa, max_sweeps }, &execution).unwrap()
    }

    /// At load 0.4, whose largest margin is 1.24; integers, so no tolerance.
    #[test]
    fn couplings_are_the_integers_of_plain_loops_and_exceed_the_margin() {
        for (n, p, kappa) in [(100, 40, 0.1), (100, 40, 0.7), (66, 26, 0.0), (19, 7, 0.7)] {
            let patterns = random_states(p, n, 1).unwrap();
            let learned = learn(&patterns, kappa, 1000);
            assert_eq!(learned.couplings.scale(), 1.0 / n as f64);
            for (i, neuron) in learned.neurons.iter().enumerate() {
                let (row, sweeps) = oracle::perceptron(&patterns, i, kappa, 1000);
                let found = &learned.couplings.values()[i * n..][..n];
                assert!(found.iter().zip(&row).all(|(&x, &y)| x == y as f32), "neuron {i} of {n}");
                assert_eq!((neuron.outcome, neuron.sweeps, neuron.below), (Outcome::Reached, sweeps, 0));
                let stabilities = oracle::stabilities(&learned.couplings, &patterns, i);
                let least = stabilities.into_iter().fold(f64::INFINITY, f64::min);
                assert!(neuron.lower > kappa && (neuron.lower - least).abs() < 1e-12 * least.abs().max(1.0));
                let norm = row.iter().map(|&x| (x as f64).powi(2)).sum::<f64>().sqrt() / n as f64;
                assert!((neuron.row_norm / norm - 1.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_margin_out_of_reach_is_proven_to_be() {
        let (n, p, kappa) = (60, 24, 2.0);
        let patterns = random_states(p, n, 2).unwrap();
        let execution = Execution::with_threads(2).unwrap();
        let precise = MaxStability { tolerance: 1e-5, ..MaxStability::default() };
        let best = max_stability(&patterns, &precise, &execution).unwrap();
        let learned = learn(&patterns, kappa, 10_000);
        assert!(best.neurons.iter().all(|best| best.upper < kappa), "the case is meant to be impossible");
        for (neuron, best) in learned.neurons.iter().zip(&best.neurons) {
            assert_eq!(neuron.outcome, Outcome::Impossible, "{neuron:?}");
            // The ends of integers are exact.
            assert!(neuron.upper <= kappa && neuron.upper >= best.lower && neuron.lower <= best.upper);
        }
    }

    #[test]
    fn what_does_not_reach_kappa_is_counted() {
        let (n, p) = (30, 90);
        let patterns = random_states(p, n, 3).unwrap();
        let learned = learn(&patterns, 0.0, 50);
        for (i, neuron) in learned.neurons.iter().enumerate() {
            let found = oracle::stabilities(&learned.couplings, &patterns, i);
            assert_eq!(neuron.below, found.iter().filter(|&&stability| stability <= 0.0).count());
            assert_eq!((neuron.outcome, neuron.sweeps), (Outcome::Unfinished, 50), "{neuron:?}");
            assert!(neuron.lower < 0.0 && neuron.upper > 0.0);
        }
        assert_eq!(learned.summary().unfinished, n);
    }

    #[test]
    fn opposite_patterns_at_a_neuron_prove_it_hopeless() {
        let patterns = SpinMatrix::from_signs(2, 3, &[1, 1, 1, 1, 1, -1]).unwrap();
        let learned = learn(&patterns, 0.0, 100);
        let outcomes: Vec<_> = learned.neurons.iter().map(|neuron| neuron.outcome).collect();
        assert_eq!(outcomes, [Outcome::Reached, Outcome::Reached, Outcome::Impossible]);
        assert_eq!(learned.neurons[2].upper, 0.0);
    }

    #[test]
    fn parameters_outside_their_ranges_are_refused() {
        for kappa in [-0.1, f64::NAN, f64::INFINITY] {
            assert!(Perceptron::new(kappa).check().is_err(), "kappa {kappa}");
        }
        for max_sweeps in [0, (1 << 24) + 1] {
            assert!(Perceptron { kappa: 0.0, max_sweeps }.check().is_err(), "{max_sweeps} sweeps");
        }
    }
}
