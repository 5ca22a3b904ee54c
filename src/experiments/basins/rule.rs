//! The rules that are compared, each as an experiment uses it.

use serde::{Deserialize, Serialize};

use crate::analysis::stabilities;
use crate::couplings::Couplings;
use crate::error::Result;
use crate::execution::Execution;
use crate::experiments::cost::Cost;
use crate::experiments::trajectory::train_to;
use crate::learning::{
    Initial, MaxStability, Perceptron, PseudoInverse, PseudoLikelihood, Trainer, hebb, max_stability,
    perceptron, storkey,
};
use crate::report::{Color, Style};
use crate::spins::SpinMatrix;

/// A learning rule with its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rule {
    /// Gradient descent from Hebb, in the units of arXiv:2507.05147: lambda', lr', epochs.
    PseudoLikelihood {
        lambda: f64,
        lr: f64,
        epochs: u64,
    },
    MaxStability,
    Perceptron {
        kappa: f64,
    },
    PseudoInverse,
    Storkey,
    Hebb,
}

/// Relative gap of the margins of max-stability.
const MARGIN_TOLERANCE: f64 = 1e-4;

impl Rule {
    /// The rules of the comparison; pseudo-likelihood with this many epochs.
    pub(super) fn all(epochs: u64) -> Vec<Self> {
        vec![
            Self::PseudoLikelihood { lambda: 0.1, lr: 10.0, epochs },
            Self::MaxStability,
            Self::Perceptron { kappa: 0.7 },
            Self::Perceptron { kappa: 0.1 },
            Self::Perceptron { kappa: 0.0 },
            Self::PseudoInverse,
            Self::Storkey,
            Self::Hebb,
        ]
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::PseudoLikelihood { .. } => "pseudo-likelihood".to_owned(),
            Self::MaxStability => "max-stability".to_owned(),
            Self::Perceptron { kappa } => format!("perceptron {kappa}"),
            Self::PseudoInverse => "pseudo-inverse".to_owned(),
            Self::Storkey => "storkey".to_owned(),
            Self::Hebb => "hebb".to_owned(),
        }
    }

    pub(super) fn color(self) -> Color {
        match self {
            Self::PseudoLikelihood { .. } => Color::TRAIN,
            Self::MaxStability => Color::Black,
            Self::Perceptron { kappa } if kappa > 0.5 => Color::nth(1),
            Self::Perceptron { kappa } if kappa > 0.0 => Color::nth(2),
            Self::Perceptron { .. } => Color::nth(3),
            Self::PseudoInverse => Color::nth(4),
            Self::Storkey => Color::nth(5),
            Self::Hebb => Color::Black,
        }
    }

    /// Hebb shares a colour, and is dashed.
    pub(super) fn style(self) -> Style {
        if self == Self::Hebb { Style::Dashed } else { Style::Line }
    }

    /// The published curve of the same rule.
    pub(super) fn published(self) -> Option<&'static str> {
        match self {
            Self::PseudoLikelihood { .. } => Some("PL"),
            Self::MaxStability => Some("perc_kmax"),
            Self::Perceptron { kappa } => match kappa {
                0.7 => Some("perc_k0.7"),
                0.1 => Some("perc_k0.1"),
                0.0 => Some("perc_k0.0"),
                _ => None,
            },
            _ => None,
        }
    }

    /// What learning P patterns of N spins takes.
    pub(super) fn cost(self, n_patterns: usize, n_spins: usize) -> Cost {
        match self {
            Self::PseudoLikelihood { lambda, lr, epochs } => {
                let parameters = PseudoLikelihood::in_paper_units(lambda, lr, n_spins);
                Cost::descent(&parameters, n_patterns, n_spins, epochs)
            }
            Self::MaxStability => Cost::largest_margins(n_patterns, n_spins),
            Self::Perceptron { .. } => Cost::margins(n_patterns, n_spins),
            Self::PseudoInverse | Self::Storkey | Self::Hebb => {
                // Products of patterns, neurons and neurons, and at most as many numbers as three J.
                let (n, p) = (n_spins as f64, n_patterns as f64);
                Cost { memory_bytes: 12.0 * n * n + 4.0 * p * p, work: n * n * p, ..Cost::default() }
            }
        }
    }

    /// Couplings of the rows of `patterns`.
    pub(super) fn learn(self, patterns: &SpinMatrix, execution: &Execution) -> Result<Couplings> {
        match self {
            Self::PseudoLikelihood { lambda, lr, epochs } => {
                let parameters = PseudoLikelihood::in_paper_units(lambda, lr, patterns.n_spins());
                let mut trainer = Trainer::new(patterns, parameters, &Initial::Hebb, 1.0, execution)?;
                train_to(&mut trainer, epochs, execution)?;
                Ok(trainer.into_couplings())
            }
            Self::MaxStability => {
                let parameters = MaxStability { tolerance: MARGIN_TOLERANCE, ..MaxStability::default() };
                Ok(max_stability(patterns, &parameters, execution)?.couplings)
            }
            Self::Perceptron { kappa } => {
                Ok(perceptron(patterns, &Perceptron::new(kappa), execution)?.couplings)
            }
            Self::PseudoInverse => {
                PseudoInverse { ridge: 0.0, self_coupling: false }.couplings(patterns, execution)
            }
            Self::Storkey => storkey(patterns, execution),
            Self::Hebb => hebb(patterns, execution),
        }
    }
}

/// What the first step does to stored patterns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Storage {
    /// Fraction of patterns that are fixed points.
    pub(super) fixed: f64,
    /// Fraction of spins that the first step flips.
    pub(super) negative: f64,
    /// Smallest stability.
    pub(super) least: f64,
    /// Mean over neurons of the smallest stability.
    pub(super) mean_least: f64,
    /// Mean |J_i|.
    pub(super) row_norm: f64,
}

impl Storage {
    pub(super) fn of(couplings: &Couplings, patterns: &SpinMatrix, execution: &Execution) -> Result<Self> {
        let norms = couplings.row_norms(execution)?;
        let measured = stabilities(couplings, patterns, &norms, execution)?;
        let n_spins = patterns.n_spins();
        // A tie keeps the spin, so a pattern is fixed unless a stability is negative.
        let is_fixed = |mu: &usize| (0..n_spins).all(|neuron| measured.of_neuron(neuron)[*mu] >= 0.0);
        let n_fixed = (0..patterns.n_rows()).filter(is_fixed).count();
        Ok(Self {
            fixed: n_fixed as f64 / patterns.n_rows() as f64,
            negative: measured.negative_fraction(),
            least: measured.margins().fold(f64::INFINITY, f64::min),
            mean_least: measured.margins().sum::<f64>() / n_spins as f64,
            row_norm: norms.iter().sum::<f64>() / n_spins as f64,
        })
    }
}
