//! One draw of a manifold measured: features enough to see the cutoff, their margins, their fate under the dynamics.

use std::time::Instant;

use super::counts::FeatureCounts;
use super::moments::{MarginMoments, feature_moments};
use super::point::{CutoffPoint, FeatureRow};
use crate::analysis::matrix_free::{FeatureStates, MatrixFreeHebb, Plan, StateSource};
use crate::datasets::{FeatureStretch, Manifold, ManifoldParameters, PatternStream};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::spins::{BlockMajor, WORD};
use crate::theory::{PowerLawSignal, power_sum, signal_and_noise};

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

/// Features are measured in multiples of this many, the columns that are counted together.
const STEP: usize = 32;
/// Predicted features are at most this many: beyond, a user is to ask for them.
const MAX_PREDICTED: usize = 4096;
/// Frequencies of the first ranks are counted; those past them follow the power law.
const COUNTED_RANKS: u64 = 16;
/// The full law's cutoff is at most about this many times the poster's.
const PREFACTOR: f64 = 2.0;

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
    let n_features = parameters.n_features;
    check_kept(options.kept, n_features)?;
    let manifold = Manifold::new(parameters.clone())?;
    Plan::new(parameters, execution.n_threads(), 1, options.memory)?;
    let stream = PatternStream::new(&manifold, execution)?;
    let counts = FeatureCounts::new(&stream);
    let hebb = MatrixFreeHebb::new(&stream, options.memory, execution)?;
    let mut n_measured = match options.kept {
        Kept::First(count) => count,
        Kept::Predicted => predicted_features(parameters, &counts),
    };
    check_memory(parameters, options, n_measured, execution.n_threads())?;
    let mut moments = feature_moments(&hebb, FeatureStates { first_rank: 1, count: n_measured })?;
    while options.kept == Kept::Predicted
        && (n_measured as u64) < n_features
        && !is_cutoff_seen(&moments, parameters.n_spins)
    {
        if n_measured >= MAX_PREDICTED {
            execution.progress().note(&format!(
                "note: the cutoff lies past feature {n_measured} at N = {}, eta = {}; ask for more features to see it",
                parameters.n_spins, parameters.exponent
            ));
            break;
        }
        let more = (n_measured as u64).min(n_features - n_measured as u64) as usize;
        check_memory(parameters, options, n_measured + more, execution.n_threads())?;
        let states = FeatureStates { first_rank: n_measured as u64 + 1, count: more };
        moments.extend(feature_moments(&hebb, states)?);
        n_measured += more;
    }
    let last = match options.n_steps {
        0 => vec![None; n_measured],
        n_steps => {
            let states = kept_bytes(parameters.n_spins, options, n_measured);
            let left = options.memory.map(|allowed| allowed.saturating_sub(states));
            let hebb = MatrixFreeHebb::new(&stream, left, execution)?;
            last_overlaps(&hebb, n_measured, n_steps)?.into_iter().map(Some).collect()
        }
    };
    let n_spins = parameters.n_spins;
    let row = |(index, (moments, last)): (usize, (&MarginMoments, Option<f64>))| FeatureRow {
        count: counts.count(index as u64 + 1),
        signal: moments.mean(n_spins),
        variance: moments.variance(n_spins),
        one_step: moments.one_step_overlap(n_spins),
        last,
    };
    Ok(CutoffPoint {
        n_spins,
        n_patterns: parameters.n_patterns,
        n_features,
        n_active: parameters.n_active,
        exponent: parameters.exponent,
        seed: parameters.seed,
        squares: counts.counted().squares,
        subset_squares: counts.counted().subset_squares.clone(),
        features: moments.iter().zip(last).enumerate().map(row).collect(),
        seconds: begun.elapsed().as_secs_f64(),
    })
}

fn check_kept(kept: Kept, n_features: u64) -> Result<()> {
    match kept {
        Kept::First(count) if count == 0 || count as u64 > n_features => {
            Err(Error::parameter("kept", format!("1..={n_features}, the features"), count))
        }
        _ => Ok(()),
    }
}

/// Features to measure: three times the rank at which the full law, with counted frequencies, reaches a ratio of 1.
fn predicted_features(parameters: &ManifoldParameters, counts: &FeatureCounts) -> usize {
    let (eta, n_features) = (parameters.exponent, parameters.n_features);
    let counted_ranks = COUNTED_RANKS.min(n_features);
    let rest = power_sum(eta, n_features) - power_sum(eta, counted_ranks);
    let scale = if rest > 0.0 { counts.uses_past(counted_ranks) as f64 / rest } else { 0.0 };
    let ratio = |rank: u64| {
        let count =
            if rank <= counted_ranks { counts.count(rank) as f64 } else { scale * (rank as f64).powf(-eta) };
        signal_and_noise(parameters.n_spins, parameters.n_active, counts.counted(), count).ratio()
    };
    // Past the counted ranks the ratio falls with the rank.
    let (mut stored, mut lost) = (0, n_features + 1);
    while lost - stored > 1 {
        let middle = (stored + lost) / 2;
        if ratio(middle) >= 1.0 { stored = middle } else { lost = middle }
    }
    rounded_up(3 * stored as usize, n_features)
}

/// What [`Kept`] is expected to come to before anything is drawn, from the poster's law and the largest prefactor.
pub fn estimated_features(parameters: &ManifoldParameters, kept: Kept) -> usize {
    match kept {
        Kept::First(count) => count,
        Kept::Predicted => {
            let law = PowerLawSignal::new(parameters.n_spins, parameters.n_features, parameters.exponent);
            let cutoff = law.rank_at(1.0).unwrap_or(f64::INFINITY) * PREFACTOR;
            rounded_up((3.0 * cutoff).min(MAX_PREDICTED as f64) as usize, parameters.n_features)
        }
    }
}

fn rounded_up(count: usize, n_features: u64) -> usize {
    let rounded = count.clamp(STEP, MAX_PREDICTED).next_multiple_of(STEP);
    usize::try_from(n_features).unwrap_or(usize::MAX).min(rounded)
}

/// Memory that a measurement of `n_measured` features takes.
///
/// # Errors
/// If the memory allowed is too little: says how much is needed.
pub fn estimated_bytes(
    parameters: &ManifoldParameters,
    options: MeasureOptions,
    n_measured: usize,
    n_threads: usize,
) -> Result<u64> {
    let states = kept_bytes(parameters.n_spins, options, n_measured);
    let left = options.memory.map(|allowed| allowed.saturating_sub(states));
    Ok(Plan::new(parameters, n_threads, n_measured, left)?.bytes() + states)
}

/// Refuses features whose states, which last overlaps keep in memory, exceed what is allowed beside the blocks.
fn check_memory(
    parameters: &ManifoldParameters,
    options: MeasureOptions,
    n_measured: usize,
    n_threads: usize,
) -> Result<()> {
    let Some(allowed) = options.memory else { return Ok(()) };
    // Blocks shrink to what is left beside the states.
    let needed = Plan::new(parameters, n_threads, 1, None)?.bytes()
        + kept_bytes(parameters.n_spins, options, n_measured);
    if options.n_steps > 0 && needed > allowed {
        let expected = format!(
            "at least {} MiB for last overlaps of {n_measured} features at N = {}, or no steps",
            needed.div_ceil(1 << 20),
            parameters.n_spins
        );
        return Err(Error::parameter("memory", expected, format!("{} MiB", allowed >> 20)));
    }
    Ok(())
}

/// What last overlaps keep: the features, the states that move and their next values.
fn kept_bytes(n_spins: usize, options: MeasureOptions, n_states: usize) -> u64 {
    if options.n_steps == 0 {
        return 0;
    }
    3 * (n_spins.div_ceil(WORD) * size_of::<u64>() * n_states) as u64
}

/// Whether the last eighth of the features have lost their signal, and one at least fails an overlap of 0.9.
fn is_cutoff_seen(moments: &[MarginMoments], n_spins: usize) -> bool {
    let last = &moments[moments.len() - moments.len().div_ceil(8)..];
    let signal: f64 = last.iter().map(|moments| moments.mean(n_spins)).sum();
    let noise: f64 = last.iter().map(|moments| moments.variance(n_spins)).sum();
    signal < (noise * last.len() as f64).sqrt()
        && last.iter().any(|moments| moments.one_step_overlap(n_spins) < 0.9)
}

/// Overlaps of the first features with where parallel dynamics takes them, matrix-free.
fn last_overlaps(hebb: &MatrixFreeHebb<'_>, n_states: usize, n_steps: usize) -> Result<Vec<f64>> {
    let n_spins = hebb.stream().n_spins();
    let n_words = n_spins.div_ceil(WORD);
    let starts = {
        let features = FeatureStates { first_rank: 1, count: n_states };
        let mut starts = BlockMajor::all_down(n_states, n_spins);
        let mut stretch = FeatureStretch::new(hebb.stream());
        let mut words = [0];
        for word in 0..n_words {
            stretch.move_to(word, 1);
            for state in 0..n_states {
                features.write(state, &stretch, &mut words);
                starts.words_mut()[word * n_states + state] = words[0];
            }
        }
        starts
    };
    let mut overlaps = vec![1.0; n_states];
    let mut members: Vec<usize> = (0..n_states).collect();
    let mut states = starts.clone();
    for _ in 0..n_steps {
        if members.is_empty() {
            break;
        }
        let next = hebb.parallel_update(&states)?;
        let mut moved = vec![false; members.len()];
        let mut differing = vec![0u64; members.len()];
        for word in 0..n_words {
            let (now, before, start) = (next.block(word), states.block(word), starts.block(word));
            for (row, &member) in members.iter().enumerate() {
                moved[row] |= now[row] != before[row];
                differing[row] += u64::from((now[row] ^ start[member]).count_ones());
            }
        }
        for (&member, &differing) in members.iter().zip(&differing) {
            overlaps[member] = 1.0 - 2.0 * differing as f64 / n_spins as f64;
        }
        // Fixed points stay where they are.
        states = next;
        if moved.contains(&false) {
            states.retain_rows(&moved);
            let mut moved = moved.iter();
            members.retain(|_| moved.next() == Some(&true));
        }
    }
    Ok(overlaps)
}
