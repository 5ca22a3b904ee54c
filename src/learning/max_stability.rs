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
    Ask, LearnedMargins, Outcome, PanelRule, Problem, check_sweeps, coefficient_sums, learn,
};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{Isa, LANES, Lanes, Relaxation, RelaxedPanel, Visits, relax};
use crate::spins::SpinMatrix;

/// Parameters of max-stability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxStability {
    /// Largest part of a neuron's margin that may be missing, (upper - lower) / upper. Above 0, below 1; f32 reaches about
    /// 1e-5.
    pub tolerance: f64,
    /// Largest number of sweeps over the patterns, 1 to 2^24.
    pub max_sweeps: u64,
    /// A neuron whose margin is proven to be below this is given up: its patterns cannot be separated, or hardly. 0 or
    /// above.
    pub least_margin: f64,
    /// Over-relaxation omega. Above 0, below 2; 1 steps to the optimum of each coefficient.
    pub relaxation: f64,
}

impl Default for MaxStability {
    fn default() -> Self {
        Self { tolerance: 1e-3, max_sweeps: 10_000, least_margin: 1e-3, relaxation: 1.0 }
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
        if !(self.relaxation > 0.0 && self.relaxation < 2.0) {
            return Err(Error::parameter("relaxation", "a number above 0 and below 2", self.relaxation));
        }
        Ok(())
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

/// Couplings of largest margin for the rows of `patterns`; the smallest margin of a neuron is about 1, so |J_i| is about
/// 1 / kappa_i. [`Outcome::Reached`] is a gap within the tolerance, [`Outcome::Impossible`] a margin below
/// [`least_margin`](MaxStability::least_margin). Progress advances by 1 a panel of 16 neurons.
///
/// # Errors
/// If a parameter is out of range, there are no patterns or fewer than 2 spins; if memory for J or the overlaps of the
/// patterns is missing; if interrupted.
pub fn max_stability(
    patterns: &SpinMatrix,
    parameters: &MaxStability,
    execution: &Execution,
) -> Result<LearnedMargins> {
    parameters.check()?;
    let ask = Ask {
        kappa: f64::NEG_INFINITY,
        max_sweeps: parameters.max_sweeps,
        integers: false,
        judge: |lower, upper| parameters.judge(lower, upper),
    };
    let n_spins = patterns.n_spins() as f64;
    let rule = || Relaxing {
        parameters,
        step: Relaxation { n_spins: n_spins as f32, rate: Lanes::ZERO },
        panel: RelaxedPanel { sum: Lanes::ZERO, deepest: Lanes::ZERO },
        last_check: 0,
    };
    learn(patterns, &ask, rule, execution)
}

/// Of the tolerance, the part that is used while a panel learns: margins computed from the stored rows are rounded once more.
const SAFETY: f64 = 0.9;

struct Relaxing<'a> {
    parameters: &'a MaxStability,
    step: Relaxation,
    panel: RelaxedPanel,
    /// The sweep after which both ends were last computed.
    last_check: u64,
}

impl PanelRule for Relaxing<'_> {
    fn begin(&mut self, learning: u16, a: &[Lanes<f32>]) {
        let rate = (self.parameters.relaxation / (f64::from(self.step.n_spins) - 1.0)) as f32;
        self.step.rate =
            Lanes(std::array::from_fn(|lane| if learning >> lane & 1 == 1 { rate } else { 0.0 }));
        self.panel.sum = Lanes(coefficient_sums(a).map(|sum| sum as f32));
        self.panel.deepest = Lanes([f32::NEG_INFINITY; LANES]);
    }

    fn visit(&mut self, isa: Isa, visits: Visits, a: &mut [Lanes<f32>], products: &mut [Lanes<f32>]) {
        relax(isa, visits, &self.step, a, products, &mut self.panel);
    }

    fn stops(&mut self, problem: &Problem, sweep: u64, learning: u16, a: &[Lanes<f32>]) -> u16 {
        let contradicted = problem.contradicted & learning;
        // The ends take as long as a sweep. They are computed where the margins met in this sweep say that a neuron is done,
        // and often enough to find those that never will be.
        let enough = -((1.0 - self.parameters.tolerance) * f64::from(self.step.n_spins)) as f32;
        let is_done = |lane: usize| learning >> lane & 1 == 1 && self.panel.deepest.0[lane] <= enough;
        let wait = if (0..LANES).any(is_done) { self.last_check / 8 } else { self.last_check.max(8) };
        if sweep <= self.last_check + wait {
            return contradicted;
        }
        self.last_check = sweep;
        let strict = MaxStability { tolerance: SAFETY * self.parameters.tolerance, ..*self.parameters };
        let mut stops = contradicted;
        for (lane, sums) in problem.sums(a).into_iter().enumerate() {
            let norm = sums.squared_norm.max(0.0).sqrt();
            if norm > 0.0 && strict.judge(sums.least / norm, norm / sums.sum) != Outcome::Unfinished {
                stops |= 1 << lane;
            }
        }
        stops & learning
    }
}
