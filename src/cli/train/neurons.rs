//! The table of neurons.

use std::path::Path;

use attractor::analysis::neuron_statistics;
use attractor::couplings::Couplings;
use attractor::learning::{GradientNorm, gradient_norms};
use attractor::storage::Table;

use super::Rule;
use super::run::Run;

impl Run<'_> {
    /// A row a neuron: what its couplings come to, and what the rule says of it.
    pub(super) fn write_neurons(&self, couplings: &Couplings, path: &Path) -> anyhow::Result<()> {
        let norms = couplings.row_norms(self.execution)?;
        let lambda = self.parameters.lambda;
        let neurons = neuron_statistics(couplings, self.problem, lambda, &norms, self.execution)?;
        let mut columns: Vec<(&str, Vec<String>)> = vec![
            ("neuron", couplings.neurons().map(|neuron| neuron.to_string()).collect()),
            ("row_norm", norms.iter().map(f64::to_string).collect()),
            ("loss", neurons.iter().map(|neuron| neuron.loss.to_string()).collect()),
            ("stability_mean", neurons.iter().map(|neuron| neuron.mean_stability.to_string()).collect()),
            ("stability_min", neurons.iter().map(|neuron| neuron.min_stability.to_string()).collect()),
            (
                "stability_negative_fraction",
                neurons.iter().map(|neuron| neuron.negative_fraction.to_string()).collect(),
            ),
        ];
        if let Some(theta) = couplings.theta() {
            columns.push(("theta", theta.iter().map(f32::to_string).collect()));
        }
        if self.options.rule == Rule::PseudoLikelihood {
            let gradients = gradient_norms(couplings, self.problem, self.parameters, self.execution)?;
            columns.push(("gradient_norm", gradients.iter().map(|g| g.norm.to_string()).collect()));
            let relative = |g: &GradientNorm| match g.relative.is_finite() {
                true => g.relative.to_string(),
                false => String::new(),
            };
            columns.push(("gradient_norm_over_that_at_zero", gradients.iter().map(relative).collect()));
        }
        columns.extend(self.neuron_columns.iter().cloned());
        let mut table = Table::new(columns.iter().map(|(name, _)| *name));
        for row in 0..norms.len() {
            table.push(columns.iter().map(|(_, values)| values[row].clone()).collect());
        }
        table.write(path, self.options.common.overwrite())?;
        Ok(())
    }
}
