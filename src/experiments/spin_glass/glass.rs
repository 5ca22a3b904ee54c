//! One glass: its states, what is learned from them at every load, and what its own couplings keep.

use super::SpinGlassConfig;
use super::records::{Found, Point, Records};
use crate::analysis::{Evaluation, couplings_of_bonds, inverse_ising, overlaps};
use crate::datasets::spin_glass::Bonds;
use crate::datasets::{DataSet, Provenance};
use crate::dynamics::{Dynamics, ParallelDynamics, Stop, Ties};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::experiments::run_directory::RunDirectory;
use crate::experiments::trajectory::trajectory_with;
use crate::learning::{Initial, Trainer};

/// What was measured on a glass, which is a sample of the experiment.
pub(super) struct Glass {
    pub(super) sample: u64,
    /// One a load.
    pub(super) points: Vec<Point>,
    /// Mean final overlap of unseen states under the true couplings.
    pub(super) truth: f64,
    /// How its states were made, and what speaks for their equilibrium.
    pub(super) provenance: Provenance,
}

/// Measures what of a glass is not `found`, and keeps it.
///
/// # Errors
/// If memory is missing, a file cannot be read or written, or interrupted.
pub(super) fn measure_glass(
    config: &SpinGlassConfig,
    sample: u64,
    found: Found,
    records: &Records<'_>,
    directory: &mut RunDirectory,
    execution: &Execution,
) -> Result<Glass> {
    let kept = if found.has_states { records.states(sample)? } else { None };
    let states = match kept {
        Some(states) => states,
        None => {
            let (mut states, evidence) = config.glass(sample).generate(execution)?;
            for doubt in evidence.doubts() {
                execution.progress().note(&format!("warning: {}{doubt}", config.label(sample)));
            }
            records.keep_states(sample, &mut states)?;
            states
        }
    };
    directory.holds(&records.states_name(sample))?;
    let Some(bonds) = &states.bonds else {
        return Err(Error::shape("samples", "the bonds that they are of", "none"));
    };
    let mut points = Vec::new();
    for (&n_patterns, kept) in config.patterns.iter().zip(found.points) {
        let point = match kept {
            Some(point) => point,
            None => {
                let point = measure(config, sample, &states, bonds, n_patterns, execution)?;
                records.keep(sample, &point)?;
                point
            }
        };
        directory.holds(&records.name(sample, n_patterns))?;
        points.push(point);
    }
    let truth = final_overlap_of_truth(config, &states, bonds, execution)?;
    Ok(Glass { sample, points, truth, provenance: states.provenance })
}

/// Trains on the first `n_patterns` states and measures.
fn measure(
    config: &SpinGlassConfig,
    sample: u64,
    states: &DataSet,
    bonds: &Bonds,
    n_patterns: usize,
    execution: &Execution,
) -> Result<Point> {
    let data = DataSet { test: states.test.clone(), ..DataSet::from_train(states.train.head(n_patterns)) };
    let (parameters, seed) = (config.learning(sample), config.seed_of(sample));
    let evaluation = Evaluation::new(&data, &parameters, config.n_states, config.n_steps, seed, execution)?;
    let mut trainer = Trainer::new(&data.train, parameters, &Initial::Uniform, 1.0, execution)?;
    let compare =
        |couplings: &_| inverse_ising(couplings, bonds, config.lambda, config.temperature, execution);
    let observed = trajectory_with(&mut trainer, &evaluation, &[config.epochs], execution, compare)?;
    let Some((observed, inverse)) = observed.into_iter().next() else {
        return Err(Error::parameter("epochs", "one point of observation", "none"));
    };
    let observables = observed.observables;
    Ok(Point {
        n_patterns,
        train: observables.overlap.train,
        test: observables.overlap.test.unwrap_or(f64::NAN),
        random: observables.overlap.random,
        fixed_fraction: observables.fixed_fraction,
        loss: observables.loss,
        lambda_eff: observables.lambda_eff,
        asymmetry: observables.asymmetry,
        gamma: inverse.gamma,
        gamma_bonds: inverse.gamma_bonds,
        gamma_absent: inverse.gamma_absent,
        slope: inverse.slope,
    })
}

/// Mean final overlap of unseen states under the true couplings.
fn final_overlap_of_truth(
    config: &SpinGlassConfig,
    states: &DataSet,
    bonds: &Bonds,
    execution: &Execution,
) -> Result<f64> {
    let couplings = couplings_of_bonds(bonds)?;
    let starts = states.test.as_ref().unwrap_or(&states.train).head(config.n_states);
    let dynamics = ParallelDynamics { stop: Stop::After(config.n_steps), ties: Ties::Keep };
    let recall = dynamics.run(&couplings, &starts, &starts, execution)?;
    let overlaps = overlaps(execution.isa(), &recall.states, &starts)?;
    Ok(overlaps.iter().sum::<f64>() / overlaps.len() as f64)
}
