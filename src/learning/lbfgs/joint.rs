//! One problem, J = J^T: vectors of all panels, `[panel][j][16]`, with theta as one more column of each. Scalars are sums over
//! panels in their order, the same in all lanes, so symmetric vectors stay symmetric to the bit.

use super::super::panel_gradient::{NeuronFit, PanelGradient};
use super::super::problem::{Batch, Problem};
use super::super::pseudo_likelihood::PseudoLikelihood;
use super::panels::{add, dot, first_step, panel_gradient};
use super::search::{Scalars, Space, Vector, search};
use super::{Lbfgs, Optimum};
use crate::couplings::{Couplings, PANEL, n_panels, panel_rows};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{LANES, Lanes, deinterleave, interleave};

struct JointSpace<'a> {
    problem: &'a Problem<'a>,
    batch: &'a Batch,
    parameters: &'a PseudoLikelihood,
    execution: &'a Execution,
    fixed_theta: Option<&'a Couplings>,
    rows: Vector, // gradients of the rows, before they meet those of the columns
    n_columns: usize,
}

pub(super) fn optimum(
    problem: &Problem<'_>,
    parameters: &PseudoLikelihood,
    solver: &Lbfgs,
    mut couplings: Couplings,
    execution: &Execution,
) -> Result<Optimum> {
    let n_spins = couplings.n_spins();
    let n_columns = n_spins + usize::from(parameters.theta);
    let mut point = Vec::new();
    let len = n_panels(n_spins) * n_columns;
    if point.try_reserve_exact(len).is_err() {
        return Err(Error::parameter("n", "memory for a copy of J in every vector of the search", n_spins));
    }
    point.resize(len, Lanes::ZERO);
    for (index, panel) in point.chunks_exact_mut(n_columns).enumerate() {
        interleave(execution.isa(), couplings.panel(index), &mut panel[..n_spins]);
        if parameters.theta {
            panel[n_spins] = couplings.panel_theta(index).unwrap_or(Lanes::ZERO);
        }
    }
    let batch = problem.full_batch();
    let given = if parameters.theta { None } else { Some(&couplings) };
    let rows = point.clone();
    let mut space =
        JointSpace { problem, batch: &batch, parameters, execution, fixed_theta: given, rows, n_columns };
    // The norm of all rows is sqrt(N) that of one.
    let solver = Lbfgs { max_norm: solver.max_norm * (n_spins as f64).sqrt(), ..*solver };
    execution.progress().begin("lbfgs (all neurons together)", 0);
    let ends = search(&mut space, &solver, first_step(parameters), &mut point)?;
    execution.progress().end();
    for ((_, mut rows), panel) in couplings.panels_mut().zip(point.chunks_exact(n_columns)) {
        deinterleave(execution.isa(), &panel[..n_spins], rows.values);
        if parameters.theta {
            rows.set_theta(Some(&panel[n_spins]));
        }
    }
    Ok(Optimum { couplings, searches: vec![ends[0]] })
}

impl JointSpace<'_> {
    /// Sums over panels, the same for all lanes.
    fn total(panels: &[Scalars]) -> Scalars {
        [panels.iter().flatten().sum(); LANES]
    }
}

impl Space for JointSpace<'_> {
    fn active(&self) -> [bool; LANES] {
        [true; LANES]
    }

    fn has_optimum(&self) -> [bool; LANES] {
        [self.parameters.l2 as f32 > 0.0; LANES]
    }

    fn gradient(&mut self, point: &Vector, gradient: &mut Vector) -> Result<[NeuronFit; LANES]> {
        const NONE: NeuronFit = NeuronFit { separates: true, square: 0.0 };
        let (problem, batch, parameters) = (self.problem, self.batch, self.parameters);
        let (n_columns, given, isa) = (self.n_columns, self.fixed_theta, self.execution.isa());
        let n_spins = batch.bits.n_spins();
        let mut fits = vec![[NONE; LANES]; n_panels(n_spins)];
        let panels = self.rows.chunks_exact_mut(n_columns).zip(&mut fits);
        let panels = panels.zip(point.chunks_exact(n_columns)).enumerate();
        let scratch = || PanelGradient::new(problem, parameters.lambda, batch.bits.n_patterns(), isa);
        self.execution.for_each(panels, scratch, |source, (index, ((rows, fits), point))| {
            let theta = given.and_then(|couplings| couplings.panel_theta(index));
            *fits = panel_gradient(source, parameters, batch, index, theta.as_ref(), point, rows);
            fits[panel_rows(index, n_spins).len()..].fill(NONE);
            Ok(())
        })?;
        let rows = &self.rows;
        let panels = gradient.chunks_exact_mut(n_columns).enumerate();
        self.execution.for_each(
            panels,
            || (),
            |(), (index, panel)| {
                for (j, lanes) in panel[..n_spins].iter_mut().enumerate() {
                    // Column j of these rows is row j's columns of them.
                    let other = &rows[j / PANEL * n_columns + index * PANEL..];
                    let own = &rows[index * n_columns + j];
                    for (lane, value) in lanes.0.iter_mut().enumerate() {
                        let is_neuron = index * PANEL + lane < n_spins;
                        *value = if is_neuron { 0.5 * (own.0[lane] + other[lane].0[j % PANEL]) } else { 0.0 };
                    }
                }
                panel[n_spins..].copy_from_slice(&rows[index * n_columns..][n_spins..n_columns]);
                Ok(())
            },
        )?;
        let separates = fits.iter().flatten().all(|fit| fit.separates);
        let square = fits.iter().flatten().map(|fit| fit.square).sum();
        Ok([NeuronFit { separates, square }; LANES])
    }

    fn dot(&self, a: &Vector, b: &Vector) -> Result<Scalars> {
        let mut sums = vec![[0.0; LANES]; a.len().div_ceil(self.n_columns)];
        let panels = a.chunks_exact(self.n_columns).zip(b.chunks_exact(self.n_columns)).zip(&mut sums);
        self.execution.for_each(
            panels,
            || (),
            |(), ((a, b), sums)| {
                *sums = dot(a, b);
                Ok(())
            },
        )?;
        Ok(Self::total(&sums))
    }

    fn add(&self, target: &mut Vector, factor: &Scalars, source: &Vector) -> Result<()> {
        let panels = target.chunks_exact_mut(self.n_columns).zip(source.chunks_exact(self.n_columns));
        self.execution.for_each(
            panels,
            || (),
            |(), (target, source)| {
                add(target, factor, source);
                Ok(())
            },
        )
    }
}
