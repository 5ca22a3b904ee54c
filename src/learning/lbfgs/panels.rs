//! N problems: the panel's vectors, `[j][16]`, with theta as one more column where it is learned. Panels are independent tasks.

use super::super::panel_gradient::{NeuronFit, PanelGradient};
use super::super::panelwise::learn_panels;
use super::super::problem::{Batch, Problem};
use super::super::pseudo_likelihood::PseudoLikelihood;
use super::super::run_hash::run_hash;
use super::search::{Scalars, Space, Vector, search};
use super::{Lbfgs, Optimum};
use crate::couplings::{Couplings, panel_rows};
use crate::error::Result;
use crate::execution::Execution;
use crate::kernels::{LANES, Lanes, deinterleave, interleave};

struct PanelSpace<'a> {
    index: usize,
    batch: &'a Batch,
    parameters: &'a PseudoLikelihood,
    gradient: PanelGradient<'a>,
    execution: &'a Execution,
    /// Fields that are given, not learned.
    fixed_theta: Option<Lanes<f32>>,
}

pub(super) fn optimum(
    problem: &Problem<'_>,
    parameters: &PseudoLikelihood,
    solver: &Lbfgs,
    couplings: Couplings,
    first: &str,
    execution: &Execution,
) -> Result<Optimum> {
    let n_spins = couplings.n_spins();
    let batch = problem.full_batch();
    let n_patterns = batch.bits.n_patterns();
    execution.progress().begin("lbfgs", problem.rows().panels().len() as u64);
    let scratch = || (vec![Lanes::ZERO; n_spins + usize::from(parameters.theta)], None);
    let run = run_hash(problem, &format!("{parameters:?} {solver:?} from {first}"));
    let (couplings, searches) =
        learn_panels(couplings, &run, execution, scratch, |(point, space), index, rows| {
            let isa = execution.isa();
            interleave(isa, rows.values, &mut point[..n_spins]);
            let theta = rows.theta_lanes();
            if parameters.theta {
                point[n_spins] = theta.unwrap_or(Lanes::ZERO);
            }
            let space = space.get_or_insert_with(|| PanelSpace {
                index,
                batch: &batch,
                parameters,
                gradient: PanelGradient::new(problem, parameters.lambda, n_patterns, isa),
                execution,
                fixed_theta: None,
            });
            space.index = index;
            space.fixed_theta = theta.filter(|_| !parameters.theta);
            let ends = search(space, solver, first_step(parameters), point)?;
            deinterleave(isa, &point[..n_spins], rows.values);
            if parameters.theta {
                rows.set_theta(Some(&point[n_spins]));
            }
            Ok(ends[..panel_rows(index, n_spins).len()].to_vec())
        })?;
    execution.progress().end();
    Ok(Optimum { couplings, searches: searches.concat() })
}

/// One over the curvature of random patterns at J = 0.
pub(super) fn first_step(parameters: &PseudoLikelihood) -> f64 {
    1.0 / (parameters.lambda / 4.0 + parameters.l2)
}

/// The gradient of panel `index` at `point`, and how well each lane fits the patterns.
pub(super) fn panel_gradient(
    source: &mut PanelGradient<'_>,
    parameters: &PseudoLikelihood,
    batch: &Batch,
    index: usize,
    fixed_theta: Option<&Lanes<f32>>,
    point: &[Lanes<f32>],
    gradient: &mut [Lanes<f32>],
) -> [NeuronFit; LANES] {
    let n_spins = batch.bits.n_spins();
    let theta = if parameters.theta { Some(&point[n_spins]) } else { fixed_theta };
    let per_pattern = -1.0 / batch.bits.n_patterns() as f32;
    let decay = parameters.l2 as f32;
    let (pull, pull_theta) = source.pull(batch, index, &point[..n_spins], theta);
    // Lanes past the last neuron hold no problem.
    let n_rows = panel_rows(index, n_spins).len();
    for ((gradient, pull), point) in gradient.iter_mut().zip(pull).zip(point) {
        for lane in 0..n_rows {
            gradient.0[lane] = per_pattern * pull.0[lane] + decay * point.0[lane];
        }
        gradient.0[n_rows..].fill(0.0);
    }
    if let (true, Some(pull)) = (parameters.theta, pull_theta) {
        gradient[n_spins] = Lanes(pull.0.map(|pull| per_pattern * pull));
        gradient[n_spins].0[n_rows..].fill(0.0);
    }
    source.fit(batch)
}

impl Space for PanelSpace<'_> {
    fn active(&self) -> [bool; LANES] {
        let n_rows = panel_rows(self.index, self.batch.bits.n_spins()).len();
        std::array::from_fn(|lane| lane < n_rows)
    }

    /// With l2, unless theta, which has none, gets a spin right that is the same in all patterns.
    fn has_optimum(&self) -> [bool; LANES] {
        let (bits, weights) = (&self.batch.bits, self.batch.weights.as_deref());
        let counts = |mu: usize| weights.is_none_or(|weights| weights[mu] > 0.0);
        let (words, shift) = bits.panel_signs(self.index);
        let words = words.iter().enumerate().filter(|(mu, _)| counts(*mu)).map(|(_, word)| word >> shift);
        let (all, any) = words.fold((u64::MAX, 0), |(all, any), word| (all & word, any | word));
        let is_constant = |lane: usize| all >> lane & 1 == any >> lane & 1;
        std::array::from_fn(|lane| {
            self.parameters.l2 as f32 > 0.0 && !(self.parameters.theta && is_constant(lane))
        })
    }

    fn gradient(&mut self, point: &Vector, gradient: &mut Vector) -> Result<[NeuronFit; LANES]> {
        self.execution.check_cancelled()?;
        let (parameters, theta) = (self.parameters, self.fixed_theta.as_ref());
        let source = &mut self.gradient;
        Ok(panel_gradient(source, parameters, self.batch, self.index, theta, point, gradient))
    }

    fn dot(&self, a: &Vector, b: &Vector) -> Result<Scalars> {
        Ok(dot(a, b))
    }

    fn add(&self, target: &mut Vector, factor: &Scalars, source: &Vector) -> Result<()> {
        add(target, factor, source);
        Ok(())
    }
}

/// a . b of every lane, in f64, in ascending order.
pub(super) fn dot(a: &[Lanes<f32>], b: &[Lanes<f32>]) -> Scalars {
    let mut sums = [0.0f64; LANES];
    for (a, b) in a.iter().zip(b) {
        for (sum, (&a, &b)) in sums.iter_mut().zip(a.0.iter().zip(&b.0)) {
            *sum += f64::from(a) * f64::from(b);
        }
    }
    sums
}

/// target += factor * source, every lane with its own factor.
pub(super) fn add(target: &mut [Lanes<f32>], factor: &Scalars, source: &[Lanes<f32>]) {
    let factor = factor.map(|factor| factor as f32);
    for (target, source) in target.iter_mut().zip(source) {
        for ((target, source), factor) in target.0.iter_mut().zip(source.0).zip(factor) {
            *target += factor * source;
        }
    }
}
