//! Options of the margin rules, what they turn into, and what is said of the margins they reach.

use std::path::{Path, PathBuf};

use attractor::Result;
use attractor::execution::Execution;
use attractor::learning::{
    LearnedMargins, MarginSummary, MaxStability, NeuronMargin, Perceptron, max_stability, perceptron,
};
use attractor::spins::SpinMatrix;
use attractor::storage::Table;
use clap::Args;

use super::super::text::{short, short_or_dash};
use super::Rule;

#[derive(Args)]
#[command(next_help_heading = "Options of perceptron and max-stability")]
pub struct MarginOptions {
    /// perceptron: margin that every stability is to exceed, in units of |J_i| [default: 0]
    #[arg(long)]
    kappa: Option<f64>,
    /// max-stability: part of a neuron's largest margin that may be missing [default: 0.001]
    #[arg(long)]
    tolerance: Option<f64>,
    /// max-stability: give up a neuron whose margin is proven to be below this [default: 0.001]
    #[arg(long)]
    least_margin: Option<f64>,
    /// Largest number of sweeps over the patterns [default: 10000]
    #[arg(long)]
    max_sweeps: Option<u64>,
    /// Table of every neuron's margin and its upper end
    #[arg(long, value_name = "FILE")]
    per_neuron: Option<PathBuf>,
}

/// A margin rule with its parameters.
pub enum MarginRule {
    Perceptron(Perceptron),
    MaxStability(MaxStability),
}

impl MarginOptions {
    /// Every option, whether it was given, and the rules that take it.
    pub fn given(&self) -> [(&'static str, bool, &'static [Rule]); 5] {
        const BOTH: &[Rule] = &[Rule::Perceptron, Rule::MaxStability];
        [
            ("kappa", self.kappa.is_some(), &[Rule::Perceptron]),
            ("tolerance", self.tolerance.is_some(), &[Rule::MaxStability]),
            ("least-margin", self.least_margin.is_some(), &[Rule::MaxStability]),
            ("max-sweeps", self.max_sweeps.is_some(), BOTH),
            ("per-neuron", self.per_neuron.is_some(), BOTH),
        ]
    }

    /// The table that was asked for.
    pub fn per_neuron(&self) -> Option<&Path> {
        self.per_neuron.as_deref()
    }

    /// The parameters, if `rule` is a margin rule; checked.
    ///
    /// # Errors
    /// Names the first parameter outside its range.
    pub fn rule(&self, rule: Rule) -> Result<Option<MarginRule>> {
        match rule {
            Rule::Perceptron => {
                let mut parameters = Perceptron::new(self.kappa.unwrap_or(0.0));
                parameters.max_sweeps = self.max_sweeps.unwrap_or(parameters.max_sweeps);
                parameters.check()?;
                Ok(Some(MarginRule::Perceptron(parameters)))
            }
            Rule::MaxStability => {
                let default = MaxStability::default();
                let parameters = MaxStability {
                    tolerance: self.tolerance.unwrap_or(default.tolerance),
                    max_sweeps: self.max_sweeps.unwrap_or(default.max_sweeps),
                    least_margin: self.least_margin.unwrap_or(default.least_margin),
                    relaxation: default.relaxation,
                };
                parameters.check()?;
                Ok(Some(MarginRule::MaxStability(parameters)))
            }
            _ => Ok(None),
        }
    }
}

impl MarginRule {
    /// Learns.
    ///
    /// # Errors
    /// Those of the rule.
    pub fn learn(&self, patterns: &SpinMatrix, execution: &Execution) -> Result<LearnedMargins> {
        match self {
            Self::Perceptron(parameters) => perceptron(patterns, parameters, execution),
            Self::MaxStability(parameters) => max_stability(patterns, parameters, execution),
        }
    }

    /// The parameters and the outcome, as written into the couplings.
    pub fn description(&self, summary: &MarginSummary) -> Vec<(&'static str, String)> {
        let (mut entries, max_sweeps) = match self {
            Self::Perceptron(parameters) => {
                (vec![("kappa", parameters.kappa.to_string())], parameters.max_sweeps)
            }
            Self::MaxStability(parameters) => {
                let tolerance = ("tolerance", parameters.tolerance.to_string());
                (
                    vec![tolerance, ("least_margin", parameters.least_margin.to_string())],
                    parameters.max_sweeps,
                )
            }
        };
        entries.extend([
            ("max_sweeps", max_sweeps.to_string()),
            ("neurons_reached", summary.reached.to_string()),
            ("neurons_impossible", summary.impossible.to_string()),
            ("neurons_unfinished", summary.unfinished.to_string()),
        ]);
        entries
    }

    /// What a reader of the terminal is told.
    pub fn text(&self, summary: &MarginSummary) -> Vec<(&'static str, String)> {
        let MarginSummary { reached, impossible, unfinished, sweeps, .. } = *summary;
        let (aim, proof) = match self {
            Self::Perceptron(parameters) => {
                (format!("above kappa = {}", parameters.kappa), "cannot be".to_owned())
            }
            Self::MaxStability(parameters) => (
                format!("within {} of the largest margin", short(parameters.tolerance)),
                format!("have none above {}", short(parameters.least_margin)),
            ),
        };
        let mut rows = vec![
            (
                "neurons",
                format!(
                    "{reached} {aim}, {impossible} {proof}, {unfinished} unfinished; up to {sweeps} sweeps"
                ),
            ),
            ("margin, mean", format!("{}, at most {}", short(summary.mean_lower), short(summary.mean_upper))),
            ("margin, least", format!("{}, at most {}", short(summary.lowest), short(summary.lowest_upper))),
        ];
        rows.push(match self {
            Self::Perceptron(_) => ("stabilities missed", summary.below.to_string()),
            Self::MaxStability(_) => ("largest gap", short_or_dash(summary.largest_gap)),
        });
        rows
    }
}

/// One row a neuron.
pub fn table(neurons: &[NeuronMargin]) -> Table {
    let mut table = Table::new([
        "neuron",
        "row_norm",
        "margin",
        "margin_upper",
        "coefficient_sum",
        "support",
        "below",
        "sweeps",
        "outcome",
    ]);
    for (index, neuron) in neurons.iter().enumerate() {
        table.push(vec![
            index.to_string(),
            neuron.row_norm.to_string(),
            neuron.lower.to_string(),
            neuron.upper.to_string(),
            neuron.coefficient_sum.to_string(),
            neuron.support.to_string(),
            neuron.below.to_string(),
            neuron.sweeps.to_string(),
            neuron.outcome.name().to_owned(),
        ]);
    }
    table
}
