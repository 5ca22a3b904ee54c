//! The perceptron rule with a margin kappa: E. Gardner, J. Phys. A 21, 257 (1988), section 5, which proves that it ends
//! wherever couplings of a larger margin exist.
//!
//! Sweeps visit the patterns in order; where xi_i h_i <= kappa |J_i|, J_ij += (1/N) xi_i xi_j. So
//! J_i = (1/N) sum_mu a_mu xi_i^mu xi^mu with integers a >= 0, which are all that a sweep works on. A neuron is done when a
//! sweep leaves it alone. If no couplings reach kappa it never is; the upper end of its [margin](super::margins) then falls
//! below kappa sooner or later, and proves it.

use super::margins::{Ask, LearnedMargins, Outcome, PanelRule, Problem, check_sweeps, learn};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{CorrectedPanel, Correction, Isa, LANES, Lanes, Visits, correct};
use crate::spins::SpinMatrix;

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

/// Couplings in which every stability of the rows of `patterns` exceeds kappa, where the rule gets there. Stored values are
/// the integers sum_mu a_mu xi_i xi_j, the scale is 1/N. [`Outcome::Reached`] is a margin above kappa,
/// [`Outcome::Impossible`] an upper end of at most kappa. Progress advances by 1 a panel of 16 neurons.
///
/// # Errors
/// If a parameter is out of range, there are no patterns or fewer than 2 spins; if memory for J or the overlaps of the
/// patterns is missing; if interrupted.
pub fn perceptron(
    patterns: &SpinMatrix,
    parameters: &Perceptron,
    execution: &Execution,
) -> Result<LearnedMargins> {
    parameters.check()?;
    let ask = Ask {
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
    learn(patterns, &ask, rule, execution)
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

    fn stops(&mut self, problem: &Problem, _: u64, learning: u16, _: &[Lanes<f32>]) -> u16 {
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
