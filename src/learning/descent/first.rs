//! Where a problem starts: initial couplings as it and the parameters allow them.

use super::super::initial::{Initial, fill_with_initial};
use super::super::problem::Problem;
use super::super::pseudo_likelihood::PseudoLikelihood;
use crate::couplings::Couplings;
use crate::error::Result;
use crate::execution::Execution;

/// Initial couplings: no forbidden ones, fields where they are learned, symmetric where they stay so.
pub(in super::super) fn first_couplings(
    problem: &Problem<'_>,
    parameters: &PseudoLikelihood,
    initial: &Initial,
    init_scale: f64,
    execution: &Execution,
) -> Result<Couplings> {
    let (n_spins, rows) = (problem.patterns().n_spins(), problem.rows());
    let mut couplings = Couplings::zero_rows(n_spins, rows, execution.memory())?;
    if parameters.theta || initial.has_theta() {
        couplings = couplings.with_theta(vec![0.0; rows.len()])?;
    }
    fill_with_first(&mut couplings, problem, parameters, initial, init_scale, execution)?;
    Ok(couplings)
}

/// The same into `couplings`, which are zero and have fields if they are to have any.
pub(super) fn fill_with_first(
    couplings: &mut Couplings,
    problem: &Problem<'_>,
    parameters: &PseudoLikelihood,
    initial: &Initial,
    init_scale: f64,
    execution: &Execution,
) -> Result<()> {
    fill_with_initial(couplings, initial, init_scale, problem.patterns(), parameters.seed, execution)?;
    if let Some(mask) = problem.mask() {
        let neurons = couplings.neurons();
        for (i, row) in neurons.zip(couplings.values_mut().chunks_exact_mut(mask.n_spins())) {
            for (j, coupling) in row.iter_mut().enumerate() {
                if !mask.allows(i, j) {
                    *coupling = 0.0;
                }
            }
        }
    }
    if parameters.symmetric {
        couplings.symmetrize(|coupling| coupling, execution)?;
    }
    Ok(())
}
