//! Options of the margin rules, what they turn into, and what is said of the margins they reach.

use attractor::Result;
use attractor::execution::Execution;
use attractor::learning::{
    LearnedMargins, MarginSummary, MaxStability, NeuronMargin, Perceptron, Problem, max_stability, perceptron,
};
use clap::Args;
use serde_json::json;

use super::super::text::{short, short_or_dash};
use super::Rule;
use super::run::Run;

#[derive(Args)]
#[command(next_help_heading = "Options of perceptron and max-stability")]
pub struct MarginOptions {
    /// perceptron: margin that every stability is to exceed, in units of |J_i| [default: 0]
    #[arg(long)]
    kappa: Option<f64>,
    /// max-stability: give up a neuron whose margin is proven to be below this [default: 0.001]
    #[arg(long)]
    least_margin: Option<f64>,
    /// Largest number of sweeps over the patterns [default: 10000]
    #[arg(long)]
    max_sweeps: Option<u64>,
}

/// The entries of what became of neurons, for the couplings' file: numbers that add up over shards.
pub const COUNTS: [&str; 3] = ["neurons_reached", "neurons_impossible", "neurons_unfinished"];

/// A margin rule with its parameters.
pub enum MarginRule {
    Perceptron(Perceptron),
    MaxStability(MaxStability),
}

impl MarginOptions {
    /// Every option, whether it was given, and the rules that take it.
    pub fn given(&self) -> [(&'static str, bool, &'static [Rule]); 3] {
        [
            ("kappa", self.kappa.is_some(), &[Rule::Perceptron]),
            ("least-margin", self.least_margin.is_some(), &[Rule::MaxStability]),
            ("max-sweeps", self.max_sweeps.is_some(), &[Rule::Perceptron, Rule::MaxStability]),
        ]
    }

    /// The parameters, if `rule` is a margin rule; checked.
    ///
    /// # Errors
    /// Names the first parameter outside its range.
    pub fn rule(&self, rule: Rule, tolerance: Option<f64>) -> Result<Option<MarginRule>> {
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
                    tolerance: tolerance.unwrap_or(default.tolerance),
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
    pub fn learn(&self, problem: Problem<'_>, execution: &Execution) -> Result<LearnedMargins> {
        match self {
            Self::Perceptron(parameters) => perceptron(problem, parameters, execution),
            Self::MaxStability(parameters) => max_stability(problem, parameters, execution),
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
        entries.push(("max_sweeps", max_sweeps.to_string()));
        let counts = [summary.reached, summary.impossible, summary.unfinished];
        entries.extend(COUNTS.into_iter().zip(counts.map(|count| count.to_string())));
        entries
    }

    /// What is asked of a neuron, and what is proven of one that cannot be served.
    fn aims(&self) -> (String, String) {
        match self {
            Self::Perceptron(parameters) => (format!("above {}", parameters.kappa), "cannot be".to_owned()),
            Self::MaxStability(parameters) => (
                format!("within {} of the largest", parameters.tolerance),
                format!("have none above {}", parameters.least_margin),
            ),
        }
    }
}

impl Run<'_> {
    /// Couplings by a margin rule, and what is known of their margins.
    pub(super) fn hold_margins(&mut self, rule: &MarginRule) -> anyhow::Result<()> {
        let problem = self.options.without_weights(self.problem.patterns())?;
        let LearnedMargins { couplings, neurons } = rule.learn(problem, self.execution)?;
        let summary = MarginSummary::new(&neurons);
        self.describe_as(rule.description(&summary));
        if let (MarginRule::Perceptron(Perceptron { kappa, .. }), true) = (rule, summary.impossible > 0) {
            self.execution.progress().note(&format!(
                "note: at {} of {} neurons no couplings reach kappa = {}; the proof ends their search, wherever it is. The \
                 least margin is at most {}; --rule max-stability finds the largest",
                summary.impossible,
                neurons.len(),
                short(*kappa),
                short(summary.lowest_upper)
            ));
        }
        self.add_margins(rule, &summary)?;
        let column = |value: fn(&NeuronMargin) -> String| neurons.iter().map(value).collect::<Vec<_>>();
        self.neuron_columns.extend([
            ("margin", column(|neuron| neuron.lower.to_string())),
            ("margin_at_most", column(|neuron| neuron.upper.to_string())),
            ("coefficient_sum", column(|neuron| neuron.coefficient_sum.to_string())),
            ("support", column(|neuron| neuron.support.to_string())),
            ("below", column(|neuron| neuron.below.to_string())),
            ("sweeps", column(|neuron| neuron.sweeps.to_string())),
            ("outcome", column(|neuron| neuron.outcome.name().to_owned())),
        ]);
        self.finish(couplings)
    }

    fn add_margins(&mut self, rule: &MarginRule, summary: &MarginSummary) -> anyhow::Result<()> {
        let MarginSummary { reached, impossible, unfinished, sweeps, .. } = *summary;
        let (aim, proof) = rule.aims();
        let mut text = format!(
            "mean {}, at most {}; least {}, at most {}",
            short(summary.mean_lower),
            short(summary.mean_upper),
            short(summary.lowest),
            short(summary.lowest_upper)
        );
        text += &match rule {
            MarginRule::Perceptron(_) => format!("; {} stabilities missed it", summary.below),
            MarginRule::MaxStability(_) => format!("; largest gap {}", short_or_dash(summary.largest_gap)),
        };
        let neurons =
            format!("{reached} {aim}, {impossible} {proof}, {unfinished} unfinished; up to {sweeps} sweeps");
        self.results.extend([
            ("margins", text, serde_json::to_value(summary)?),
            (
                "neurons",
                neurons,
                json!({ "reached": reached, "impossible": impossible, "unfinished": unfinished }),
            ),
        ]);
        Ok(())
    }
}
