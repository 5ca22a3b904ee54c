//! Every stability Delta_i^mu = xi_i^mu h_i(xi^mu) / |J_i|_2, to make distributions of.

use super::margins::{check_shapes, for_each_panel};
use crate::couplings::{Couplings, PANEL};
use crate::error::Result;
use crate::execution::{Array, Execution};
use crate::spins::SpinMatrix;

/// The stabilities of P patterns at N neurons.
#[derive(Debug)]
pub struct Stabilities {
    n_patterns: usize,
    values: Array<f32>, // [n_spins][n_patterns]
}

/// The stabilities of the rows of `patterns`; `row_norms` are the |J_i|_2 of the couplings. Those of a neuron without
/// couplings are 0. Takes 4 N P bytes, in a file where the memory of `execution` does not hold them.
///
/// # Errors
/// If sizes do not fit together, there are no patterns or only the couplings of a shard, memory is missing, or interrupted.
pub fn stabilities(
    couplings: &Couplings,
    patterns: &SpinMatrix,
    row_norms: &[f64],
    execution: &Execution,
) -> Result<Stabilities> {
    couplings.check_whole()?;
    check_shapes(couplings, patterns, row_norms)?;
    let (n_spins, n_patterns) = (couplings.n_spins(), patterns.n_rows());
    let n_values = n_spins.saturating_mul(n_patterns);
    let mut values: Array<f32> =
        execution.memory().zeros(n_values, "the stabilities of all spins and patterns")?;
    let panels = values.chunks_mut(PANEL * n_patterns);
    for_each_panel(couplings, patterns, panels, execution, |first, margins, values| {
        for (lane, values) in values.chunks_mut(n_patterns).enumerate() {
            let norm = row_norms[first + lane];
            let per_norm = if norm > 0.0 { couplings.scale() / norm } else { 0.0 };
            for (value, margins) in values.iter_mut().zip(&*margins) {
                *value = (f64::from(margins.0[lane]) * per_norm) as f32;
            }
        }
    })?;
    Ok(Stabilities { n_patterns, values })
}

impl Stabilities {
    /// Those of neuron i, one a pattern.
    ///
    /// # Panics
    /// If there is no such neuron.
    pub fn of_neuron(&self, neuron: usize) -> &[f32] {
        &self.values[neuron * self.n_patterns..(neuron + 1) * self.n_patterns]
    }

    /// All of them, neuron by neuron.
    pub fn values(&self) -> impl ExactSizeIterator<Item = f64> + Clone + '_ {
        self.values.iter().map(|&value| f64::from(value))
    }

    /// Mean.
    pub fn mean(&self) -> f64 {
        self.values().sum::<f64>() / self.values.len() as f64
    }

    /// The margin of each neuron: its smallest stability.
    pub fn margins(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        let least = |values: &[f32]| f64::from(values.iter().copied().fold(f32::INFINITY, f32::min));
        self.values.chunks(self.n_patterns).map(least)
    }

    /// Fraction below 0: spins of the patterns that the first step flips.
    pub fn negative_fraction(&self) -> f64 {
        self.values.iter().filter(|&&value| value < 0.0).count() as f64 / self.values.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::margin_statistics;
    use super::*;
    use crate::dynamics::random_states;
    use crate::learning::hebb;

    #[test]
    fn stabilities_equal_plain_f64_loops_and_the_statistics() {
        let execution = Execution::with_threads(2).unwrap();
        let (n, p) = (37, 21);
        let patterns = random_states(p, n, 1).unwrap();
        let couplings = hebb(&patterns, &execution).unwrap();
        let norms = couplings.row_norms(&execution).unwrap();
        let found = stabilities(&couplings, &patterns, &norms, &execution).unwrap();
        assert_eq!(found.values().len(), n * p);
        for (i, &norm) in norms.iter().enumerate() {
            for (mu, &value) in found.of_neuron(i).iter().enumerate() {
                // Hebb fields are integers before the scale: one rounding to f32 is left.
                let count = |k: usize| f64::from(couplings.values()[i * n + k]);
                let field: f64 = (0..n).map(|k| count(k) * f64::from(patterns.spin(mu, k))).sum();
                let expected = f64::from(patterns.spin(mu, i)) * field * couplings.scale() / norm;
                assert!((f64::from(value) - expected).abs() <= 1e-7 * expected.abs());
            }
        }
        let statistics = margin_statistics(&couplings, &patterns, 1.0, &norms, &execution).unwrap();
        let least = found.margins().fold(f64::INFINITY, f64::min);
        assert!((found.mean() - statistics.mean_stability).abs() < 1e-7);
        assert!((least - statistics.min_stability).abs() < 1e-6);
        assert!((found.negative_fraction() - statistics.negative_fraction).abs() < 1e-12);
    }

    #[test]
    fn neurons_without_couplings_have_stability_0_and_misfits_are_refused() {
        let execution = Execution::with_threads(1).unwrap();
        let patterns = random_states(3, 5, 1).unwrap();
        let couplings = Couplings::zeros(5).unwrap();
        let norms = couplings.row_norms(&execution).unwrap();
        let found = stabilities(&couplings, &patterns, &norms, &execution).unwrap();
        assert!(found.values().all(|value| value == 0.0) && found.margins().len() == 5);
        let other = random_states(3, 6, 1).unwrap();
        assert!(stabilities(&couplings, &other, &norms, &execution).is_err());
        assert!(stabilities(&couplings, &SpinMatrix::all_down(0, 5), &norms, &execution).is_err());
    }
}
