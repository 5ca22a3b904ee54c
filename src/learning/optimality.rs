//! How far couplings are from an optimum of the pseudo-likelihood: the gradient at each neuron.

use super::panel_gradient::PanelGradient;
use super::problem::Problem;
use super::pseudo_likelihood::PseudoLikelihood;
use crate::couplings::{Couplings, PANEL};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{Lanes, deinterleave, interleave};

/// The gradient of the objective at one neuron.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GradientNorm {
    /// |g_i|_2 over the allowed couplings, and theta where it is learned; with l1 the shortest subgradient.
    pub norm: f64,
    /// The same over that at J_i = 0 without l1; 0 where both are 0.
    pub relative: f64,
}

/// The gradient at every neuron whose couplings there are. Where J is symmetric it is that of the joint problem, (g_ij + g_ji) / 2.
///
/// # Errors
/// If sizes do not fit together, a parameter is out of range, memory for a copy of J is missing, or interrupted.
pub fn gradient_norms<'a>(
    couplings: &Couplings,
    problem: impl Into<Problem<'a>>,
    parameters: &PseudoLikelihood,
    execution: &Execution,
) -> Result<Vec<GradientNorm>> {
    let problem = problem.into();
    parameters.check(problem)?;
    let n_spins = problem.patterns().n_spins();
    if couplings.n_spins() != n_spins {
        let expected = format!("N = {n_spins} as in the patterns");
        return Err(Error::shape("couplings", expected, format!("N = {}", couplings.n_spins())));
    }
    let now = norms(couplings, &problem, parameters, execution)?;
    if parameters.symmetric {
        couplings.check_whole()?;
    }
    let zero = zeros_like(couplings, execution)?;
    let plain = PseudoLikelihood { l1: 0.0, ..parameters.clone() };
    let at_zero = norms(&zero, &problem, &plain, execution)?;
    let relative = |(norm, zero): (f64, f64)| if norm == 0.0 { 0.0 } else { norm / zero };
    Ok(now
        .into_iter()
        .zip(at_zero)
        .map(|(norm, zero)| GradientNorm { norm, relative: relative((norm, zero)) })
        .collect())
}

/// Zeros with fields for the same neurons.
fn zeros_like(couplings: &Couplings, execution: &Execution) -> Result<Couplings> {
    let zeros = Couplings::zero_rows(couplings.n_spins(), couplings.row_range(), execution.memory())?;
    zeros.with_theta(vec![0.0; couplings.neurons().len()])
}

/// |g_i|_2 of every neuron.
fn norms(
    couplings: &Couplings,
    problem: &Problem<'_>,
    parameters: &PseudoLikelihood,
    execution: &Execution,
) -> Result<Vec<f64>> {
    let (n_spins, scale, isa) = (couplings.n_spins(), couplings.scale() as f32, execution.isa());
    let batch = problem.full_batch();
    let n_patterns = batch.bits.n_patterns();
    let mut gradient = zeros_like(couplings, execution)?;
    let scratch = || {
        let source = PanelGradient::new(problem, parameters.lambda, n_patterns, isa);
        (source, vec![Lanes::ZERO; n_spins], vec![Lanes::ZERO; n_spins])
    };
    execution.for_each(gradient.panels_mut(), scratch, |scratch, (index, mut rows)| {
        let (source, panel, gradient) = scratch;
        interleave(isa, couplings.panel(index), panel);
        panel.iter_mut().for_each(|lanes| *lanes = Lanes(lanes.0.map(|coupling| coupling * scale)));
        let theta = couplings.panel_theta(index).map(|theta| Lanes(theta.0.map(|theta| theta * scale)));
        let (pull, pull_theta) = source.pull(&batch, index, panel, theta.as_ref());
        let (per_pattern, decay) = (-1.0 / n_patterns as f32, parameters.l2 as f32);
        for ((gradient, pull), panel) in gradient.iter_mut().zip(pull).zip(&*panel) {
            *gradient = Lanes(std::array::from_fn(|lane| per_pattern * pull.0[lane] + decay * panel.0[lane]));
        }
        deinterleave(isa, gradient, rows.values);
        if parameters.theta {
            rows.set_theta(pull_theta.map(|pull| Lanes(pull.0.map(|pull| per_pattern * pull))).as_ref());
        }
        Ok(())
    })?;
    if parameters.symmetric {
        gradient.symmetrize(|value| value, execution)?;
    }
    let neurons = couplings.neurons();
    let mut norms = vec![0.0; neurons.len()];
    let l1 = parameters.l1;
    let panels = couplings.row_range().panels().zip(norms.chunks_mut(PANEL));
    execution.for_each(
        panels,
        || (),
        |(), (panel, norms)| {
            let rows = gradient.panel(panel).chunks_exact(n_spins);
            for (neuron, (row, norm)) in (panel * PANEL..).zip(rows.zip(norms)) {
                let couplings = couplings.rows(neuron..neuron + 1);
                let allowed =
                    |j: usize| j != neuron && problem.mask().is_none_or(|mask| mask.allows(neuron, j));
                let square = |j: usize| {
                    let (slope, coupling) = (f64::from(row[j]), f64::from(couplings[j]));
                    let slope = match coupling {
                        0.0 => slope - slope.clamp(-l1, l1),
                        coupling => slope + l1 * coupling.signum(),
                    };
                    slope * slope
                };
                let theta = f64::from(gradient.theta().map_or(0.0, |theta| theta[neuron - neurons.start]));
                let squares: f64 = (0..n_spins).filter(|&j| allowed(j)).map(square).sum();
                *norm = (squares + theta * theta).sqrt();
            }
            Ok(())
        },
    )?;
    Ok(norms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::random_states;
    use crate::learning::{Initial, Mask, initial_couplings};

    /// Against plain f64 sums, with weights, theta, mask, l1 and l2, rows alone and joint. 1e-6 of a norm is some f32
    /// roundings.
    #[test]
    fn gradients_are_their_definition() {
        let execution = Execution::with_threads(2).unwrap();
        let (n, p) = (21, 30);
        let patterns = random_states(p, n, 1).unwrap();
        let weights: Vec<f32> = (0..p).map(|mu| (mu % 3) as f32).collect();
        let mask = Mask::erdos_renyi(n, 0.6, 2).unwrap();
        let problem = Problem::from(&patterns).with_weights(&weights).unwrap().with_mask(&mask).unwrap();
        let mut couplings = initial_couplings(&Initial::Random, 1.0, &patterns, 3, &execution).unwrap();
        for (i, row) in couplings.values_mut().chunks_exact_mut(n).enumerate() {
            row.iter_mut().enumerate().for_each(|(j, x)| *x = if mask.allows(i, j) { *x } else { 0.0 });
        }
        let theta: Vec<f32> = (0..n).map(|i| 0.1 * i as f32 - 1.0).collect();
        let couplings = couplings.with_theta(theta.clone()).unwrap();
        let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        for (symmetric, l1) in [(false, 0.0), (false, 0.02), (true, 0.0)] {
            let parameters =
                PseudoLikelihood { l2: 0.3, l1, theta: true, symmetric, ..PseudoLikelihood::new(0.7, 1.0) };
            let found = gradient_norms(&couplings, problem, &parameters, &execution).unwrap();
            let j = |i: usize, k: usize| f64::from(couplings.values()[i * n + k]);
            let pull = |i: usize, k: Option<usize>| -> f64 {
                let term = |mu: usize| {
                    let spin = |k| f64::from(patterns.spin(mu, k));
                    let field = (0..n).map(|k| j(i, k) * spin(k)).sum::<f64>() + f64::from(theta[i]);
                    let residual = 1.0 / (1.0 + (0.7 * spin(i) * field).exp());
                    f64::from(weights[mu]) / total * spin(i) * k.map_or(1.0, spin) * residual
                };
                (0..p).map(term).sum()
            };
            let slope = |i: usize, k: usize| 0.3 * j(i, k) - pull(i, Some(k));
            for (i, found) in found.iter().enumerate() {
                let mut squares = pull(i, None).powi(2);
                for k in (0..n).filter(|&k| mask.allows(i, k)) {
                    let slope = if symmetric { 0.5 * (slope(i, k) + slope(k, i)) } else { slope(i, k) };
                    squares += (slope + l1 * j(i, k).signum()).powi(2);
                }
                assert!((found.norm / squares.sqrt() - 1.0).abs() < 1e-6, "{i}: {}", found.norm);
            }
        }
    }
}
