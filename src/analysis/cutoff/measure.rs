//! One draw of a manifold measured: features enough to see the cutoff, their margins, their fate under the dynamics.

use std::time::Instant;

use super::counts::FeatureCounts;
use super::last_overlaps::{last_overlaps, state_bytes};
use super::moments::{MarginMoments, feature_moments};
use super::point::{CutoffPoint, Effort, FeatureRow};
use super::prediction::{MAX_PREDICTED, counted_ranks, predicted_features};
use crate::analysis::matrix_free::{FeatureStates, MatrixFreeHebb, Plan};
use crate::datasets::{Manifold, ManifoldParameters, PatternStream};
use crate::error::{Error, Result};
use crate::execution::Execution;

/// How many features are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Three times the predicted cutoff, and twice as many again while the cutoff is not seen.
    Predicted,
    /// The first so many.
    First(usize),
}

/// What a caller chooses about a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeasureOptions {
    pub kept: Kept,
    /// Parallel steps from each feature for its last overlap; 0 for none.
    pub n_steps: usize,
    /// Memory allowed, in bytes; none for any amount.
    pub memory: Option<u64>,
}

/// Measures one draw, that of `parameters.seed`.
///
/// # Errors
/// If parameters are out of range, the memory allowed is too little or missing, or interrupted.
pub fn measure(
    parameters: &ManifoldParameters,
    options: MeasureOptions,
    execution: &Execution,
) -> Result<CutoffPoint> {
    let begun = Instant::now();
    let (n_spins, n_patterns, n_features) =
        (parameters.n_spins, parameters.n_patterns, parameters.n_features);
    check(parameters, options.kept)?;
    let manifold = Manifold::new(parameters.clone())?;
    let least = match options.kept {
        Kept::First(count) => count,
        Kept::Predicted => 1,
    };
    // What is known before patterns are drawn; they may all be equal.
    estimated_bytes(parameters, options, least, 1, execution.n_threads())?;
    let stream = PatternStream::new(&manifold, execution)?;
    let counts = FeatureCounts::new(&stream, counted_ranks(parameters, options.kept), execution)?;
    let mut hebb = MatrixFreeHebb::new(&stream, options.memory, execution)?;
    let mut n_measured = match options.kept {
        Kept::First(_) => least,
        Kept::Predicted => predicted_features(parameters, &counts),
    };
    let check_memory = |n_measured: usize, hebb: &MatrixFreeHebb<'_>| {
        estimated_bytes(parameters, options, n_measured, hebb.n_columns(), execution.n_threads())
    };
    check_memory(n_measured, &hebb)?;
    let mut moments = feature_moments(&hebb, FeatureStates { first_rank: 1, count: n_measured })?;
    while options.kept == Kept::Predicted
        && (n_measured as u64) < n_features
        && !is_cutoff_seen(&moments, n_spins)
    {
        let more = n_measured.min(MAX_PREDICTED.saturating_sub(n_measured)) as u64;
        let more = more.min(n_features - n_measured as u64) as usize;
        if more == 0 {
            execution.progress().note(&format!(
                "note: the cutoff lies past feature {n_measured} at N = {n_spins}, eta = {}; ask for more features to see it",
                parameters.exponent
            ));
            break;
        }
        check_memory(n_measured + more, &hebb)?;
        let states = FeatureStates { first_rank: n_measured as u64 + 1, count: more };
        moments.extend(feature_moments(&hebb, states)?);
        n_measured += more;
    }
    let mut n_states = n_measured as u64;
    let last = match options.n_steps {
        0 => vec![None; n_measured],
        n_steps => {
            let states = state_bytes(n_spins, n_measured);
            hebb.set_budget(options.memory.map(|allowed| allowed.saturating_sub(states)));
            let (overlaps, n_updates) = last_overlaps(&hebb, n_measured, n_steps)?;
            n_states += n_updates;
            overlaps.into_iter().map(Some).collect()
        }
    };
    let (overlap_seconds, field_seconds) = hebb.pass_seconds();
    let row = |(index, (moments, last)): (usize, (&MarginMoments, Option<f64>))| FeatureRow {
        count: counts.count(index as u64 + 1),
        signal: moments.mean(n_spins),
        variance: moments.variance(n_spins),
        one_step: moments.one_step_overlap(n_spins),
        last,
    };
    Ok(CutoffPoint {
        n_spins,
        n_patterns,
        n_features,
        n_active: parameters.n_active,
        exponent: parameters.exponent,
        seed: parameters.seed,
        squares: counts.counted().squares,
        subset_squares: counts.counted().subset_squares.clone(),
        features: moments.iter().zip(last).enumerate().map(row).collect(),
        n_steps: options.n_steps,
        effort: Effort {
            n_columns: hebb.n_columns(),
            products: n_spins as f64 * hebb.n_columns() as f64 * n_states as f64,
            overlap_seconds,
            field_seconds,
            seconds: begun.elapsed().as_secs_f64(),
        },
    })
}

/// Checks parameters and how many features are asked for.
fn check(parameters: &ManifoldParameters, kept: Kept) -> Result<()> {
    Manifold::new(parameters.clone())?;
    let n_features = parameters.n_features;
    match kept {
        Kept::First(count) if count == 0 || count as u64 > n_features => {
            Err(Error::parameter("ranks", format!("1..={n_features}, the features"), count))
        }
        _ => Ok(()),
    }
}

/// Memory that a measurement of `n_measured` features takes, of patterns of which `n_columns` differ up to sign.
///
/// # Errors
/// If parameters are out of range, or the memory allowed is too little: says how much is needed.
pub fn estimated_bytes(
    parameters: &ManifoldParameters,
    options: MeasureOptions,
    n_measured: usize,
    n_columns: usize,
    n_threads: usize,
) -> Result<u64> {
    check(parameters, options.kept)?;
    let states = if options.n_steps > 0 { state_bytes(parameters.n_spins, n_measured) } else { 0 };
    let counting = FeatureCounts::bytes(
        parameters.n_patterns,
        parameters.n_active,
        counted_ranks(parameters, options.kept),
    );
    let Some(allowed) = options.memory else {
        return Ok(
            counting.max(Plan::new(parameters, n_columns, n_threads, n_measured, None)?.bytes() + states)
        );
    };
    // Blocks shrink to what is left beside the states.
    let least =
        Plan::new(parameters, n_columns, n_threads, 1, None)?.bytes().saturating_add(states).max(counting);
    if least > allowed {
        let last = if states > 0 {
            format!(" and last overlaps of {n_measured} feature(s), or no steps")
        } else {
            String::new()
        };
        let expected = format!(
            "at least {} MiB for N = {}, P = {} on {n_threads} threads{last}",
            least.div_ceil(1 << 20),
            parameters.n_spins,
            parameters.n_patterns
        );
        return Err(Error::parameter("memory", expected, format!("{} MiB", allowed >> 20)));
    }
    Ok(counting.max(
        Plan::new(parameters, n_columns, n_threads, n_measured, Some(allowed - states))?.bytes() + states,
    ))
}

/// Whether the last eighth of the features have lost their signal, and one at least fails an overlap of 0.9.
fn is_cutoff_seen(moments: &[MarginMoments], n_spins: usize) -> bool {
    let last = &moments[moments.len() - moments.len().div_ceil(8)..];
    let signal: f64 = last.iter().map(|moments| moments.mean(n_spins)).sum();
    let noise: f64 = last.iter().map(|moments| moments.variance(n_spins)).sum();
    signal < (noise * last.len() as f64).sqrt()
        && last.iter().any(|moments| moments.one_step_overlap(n_spins) < 0.9)
}
