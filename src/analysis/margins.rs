//! One pass over the margins xi_i h_i of all patterns and neurons, fields theta_i of the neurons themselves included: loss,
//! stabilities, and alignment with Hebb.

use crate::couplings::{Couplings, PANEL};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{Finish, Lanes, Source, Tables, local_fields_with, losses, margins};
use crate::learning::{PatternBits, Problem};
use crate::spins::SpinMatrix;

/// Statistics of the margins of P patterns at N neurons.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarginStatistics {
    /// Mean over neurons of (1 / (lambda P)) sum_mu log(1 + exp(-lambda xi h)), without the l2 term.
    pub loss: f64,
    /// Mean of the stabilities xi_i h_i / |J_i|_2; those of a neuron without couplings count as 0.
    pub mean_stability: f64,
    /// Smallest stability.
    pub min_stability: f64,
    /// Fraction of stabilities below 0: spins that the first step flips.
    pub negative_fraction: f64,
    /// J . J_H = (1/N) sum_mu sum_i xi_i h_i, the inner product with the Hebb couplings of the patterns.
    pub hebb_product: f64,
}

/// Statistics of the margins at one neuron.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NeuronStatistics {
    /// (1 / (lambda P)) sum_mu w_mu log(1 + exp(-lambda xi h)), weights of mean 1, without l1 and l2 terms.
    pub loss: f64,
    /// Mean of the stabilities; 0 without couplings.
    pub mean_stability: f64,
    /// Smallest stability.
    pub min_stability: f64,
    /// Fraction of stabilities below 0.
    pub negative_fraction: f64,
    /// sum_mu xi_i h_i.
    margin_sum: f64,
}

/// Statistics of the margins of the patterns of `problem`, one entry a row of the couplings; `row_norms` are their |J_i|_2.
///
/// # Errors
/// If sizes do not fit together or there are no patterns, `lambda` is not finite and positive, or interrupted.
pub fn neuron_statistics<'a>(
    couplings: &Couplings,
    problem: impl Into<Problem<'a>>,
    lambda: f64,
    row_norms: &[f64],
    execution: &Execution,
) -> Result<Vec<NeuronStatistics>> {
    let problem = problem.into();
    let patterns = problem.patterns();
    check_shapes(couplings, patterns, row_norms)?;
    if !(lambda > 0.0 && lambda.is_finite()) {
        return Err(Error::parameter("lambda", "a finite positive number", lambda));
    }
    let weights = problem.relative_weights();
    let (p, scale) = (patterns.n_rows() as f64, couplings.scale());
    let mut neurons = vec![NeuronStatistics::default(); couplings.neurons().len()];
    for_each_panel(couplings, patterns, neurons.chunks_mut(PANEL), execution, |first, margins, neurons| {
        for (lane, neuron) in neurons.iter_mut().enumerate() {
            let (mut sum, mut least, mut n_negative) = (0.0, f64::INFINITY, 0u64);
            for lanes in &*margins {
                let margin = f64::from(lanes.0[lane]);
                sum += margin;
                least = least.min(margin);
                n_negative += u64::from(margin < 0.0);
            }
            let norm = row_norms[first + lane];
            let per_norm = if norm > 0.0 { scale / norm } else { 0.0 };
            neuron.margin_sum = sum * scale;
            neuron.mean_stability = sum * per_norm / p;
            neuron.min_stability = least * per_norm;
            neuron.negative_fraction = n_negative as f64 / p;
        }
        losses(execution.isa(), (lambda * scale) as f32, margins);
        for (lane, neuron) in neurons.iter_mut().enumerate() {
            let losses = margins.iter().map(|lanes| f64::from(lanes.0[lane]));
            let sum: f64 = match &weights {
                None => losses.sum(),
                Some(weights) => losses.zip(weights).map(|(loss, &weight)| loss * f64::from(weight)).sum(),
            };
            neuron.loss = sum / (lambda * p);
        }
    })?;
    Ok(neurons)
}

/// The same, over all neurons whose couplings there are.
///
/// # Errors
/// As [`neuron_statistics`].
pub fn margin_statistics<'a>(
    couplings: &Couplings,
    problem: impl Into<Problem<'a>>,
    lambda: f64,
    row_norms: &[f64],
    execution: &Execution,
) -> Result<MarginStatistics> {
    let problem = problem.into();
    let neurons = neuron_statistics(couplings, problem, lambda, row_norms, execution)?;
    let n = neurons.len() as f64;
    let mut statistics = MarginStatistics {
        loss: 0.0,
        mean_stability: 0.0,
        min_stability: f64::INFINITY,
        negative_fraction: 0.0,
        hebb_product: 0.0,
    };
    for neuron in &neurons {
        statistics.loss += neuron.loss / n;
        statistics.mean_stability += neuron.mean_stability / n;
        statistics.min_stability = statistics.min_stability.min(neuron.min_stability);
        statistics.negative_fraction += neuron.negative_fraction / n;
        statistics.hebb_product += neuron.margin_sum / n;
    }
    if let Some(theta) = couplings.theta() {
        // The share of theta in the margins is not one of J: sum_mu xi_i theta_i.
        let patterns = problem.patterns();
        let sums = couplings.neurons().map(|neuron| {
            let sum = |sum: i64, pattern| sum + i64::from(patterns.spin(pattern, neuron));
            (0..patterns.n_rows()).fold(0, sum)
        });
        let shares = theta.iter().zip(sums).map(|(&theta, sum)| f64::from(theta) * sum as f64);
        statistics.hebb_product -= shares.sum::<f64>() * couplings.scale() / n;
    }
    // The margins count J_ii, the Hebb couplings have no diagonal.
    let own = |neuron| f64::from(couplings.rows(neuron..neuron + 1)[neuron]);
    let trace = couplings.neurons().map(own).sum::<f64>() * couplings.scale();
    statistics.hebb_product -= trace * problem.patterns().n_rows() as f64 / n;
    Ok(statistics)
}

/// Refuses patterns and norms that do not fit the couplings, and a set without patterns.
pub(super) fn check_shapes(couplings: &Couplings, patterns: &SpinMatrix, row_norms: &[f64]) -> Result<()> {
    let (n_spins, n_patterns) = (couplings.n_spins(), patterns.n_rows());
    let n_norms = couplings.neurons().len();
    if patterns.n_spins() != n_spins || row_norms.len() != n_norms || n_patterns == 0 {
        let expected = format!("at least 1 pattern of N = {n_spins} spins, as in the couplings");
        let found = format!("{n_patterns} of N = {}", patterns.n_spins());
        return Err(Error::shape("patterns", expected, found));
    }
    Ok(())
}

/// Gives `work` the place of each panel's first row among those of the couplings, its margins `[mu][16]` in units of the stored values, to use as scratch, and its
/// one of `results`.
pub(super) fn for_each_panel<R: Send>(
    couplings: &Couplings,
    patterns: &SpinMatrix,
    results: impl Iterator<Item = R> + Send,
    execution: &Execution,
    work: impl Fn(usize, &mut [Lanes<f32>], R) + Sync,
) -> Result<()> {
    let bits = PatternBits::new(patterns);
    let (n_spins, n_patterns) = (couplings.n_spins(), patterns.n_rows());
    let (first, panels) = (couplings.neurons().start, couplings.row_range().panels());
    let scratch = || (vec![Lanes::ZERO; n_patterns], Tables::new());
    execution.for_each(panels.zip(results), scratch, |(fields, tables), (index, result)| {
        let source = Source::Rows { values: couplings.panel(index), n_columns: n_spins };
        let theta = couplings.panel_theta(index);
        let (isa, signs) = (execution.isa(), bits.pattern_signs());
        local_fields_with(isa, signs, source, theta.as_ref(), fields, Finish::Keep, tables);
        let (signs, shift) = bits.panel_signs(index);
        margins(execution.isa(), signs, shift, fields);
        work(index * PANEL - first, fields, result);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::random_states;
    use crate::learning::{Initial, hebb, initial_couplings, squared_hebb_norm};

    #[test]
    fn statistics_equal_plain_f64_loops() {
        let execution = Execution::with_threads(2).unwrap();
        let (n, p, lambda) = (37, 70, 0.7);
        let patterns = random_states(p, n, 1).unwrap();
        let couplings = initial_couplings(&Initial::Random, 1.0, &patterns, 2, &execution).unwrap();
        let norms = couplings.row_norms(&execution).unwrap();
        let found = margin_statistics(&couplings, &patterns, lambda, &norms, &execution).unwrap();

        let j = |i: usize, k: usize| f64::from(couplings.values()[i * n + k]);
        let (mut loss, mut stabilities) = (0.0, Vec::new());
        for (i, norm) in norms.iter().enumerate() {
            for mu in 0..p {
                let spin = |k| f64::from(patterns.spin(mu, k));
                let margin = spin(i) * (0..n).map(|k| j(i, k) * spin(k)).sum::<f64>();
                loss += (-lambda * margin).exp().ln_1p() / (lambda * (n * p) as f64);
                stabilities.push(margin / norm);
            }
        }
        let mean = stabilities.iter().sum::<f64>() / (n * p) as f64;
        let least = stabilities.iter().copied().fold(f64::INFINITY, f64::min);
        let negative = stabilities.iter().filter(|&&s| s < 0.0).count() as f64 / (n * p) as f64;
        // Fields carry f32 rounding of a few eps.
        assert!((found.loss - loss).abs() < 1e-6 * loss);
        assert!((found.mean_stability - mean).abs() < 1e-6);
        assert!((found.min_stability - least).abs() < 1e-5);
        assert!((found.negative_fraction - negative).abs() < 1e-12);
    }

    #[test]
    fn hebb_product_of_hebb_is_its_squared_norm() {
        let execution = Execution::with_threads(1).unwrap();
        let patterns = random_states(50, 40, 3).unwrap();
        let couplings = hebb(&patterns, &execution).unwrap();
        let norms = couplings.row_norms(&execution).unwrap();
        let found = margin_statistics(&couplings, &patterns, 1.0, &norms, &execution).unwrap();
        let squared = squared_hebb_norm(&patterns, &execution).unwrap();
        assert!((found.hebb_product / squared - 1.0).abs() < 1e-12);
        // Self-coupling has no part in it; counts and their sums are exact.
        let diagonal: Vec<f32> = (0..40).map(|i| (i * i) as f32).collect();
        let couplings = couplings.with_self_coupling(&diagonal).unwrap();
        let norms = couplings.row_norms(&execution).unwrap();
        let own = margin_statistics(&couplings, &patterns, 1.0, &norms, &execution).unwrap();
        assert!((own.hebb_product / squared - 1.0).abs() < 1e-12);
    }
}
