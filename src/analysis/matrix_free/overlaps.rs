//! First pass: overlaps q_mu = sum_j xi_j x_j of every pattern with a block of states, times the number of patterns that a
//! column stands for.

use std::ops::Range;

use super::hebb::MatrixFreeHebb;
use super::plan::{BLOCK_STEP, Plan};
use super::states::StateSource;
use crate::datasets::{FeatureStretch, PatternWriter};
use crate::error::{Error, Result};
use crate::kernels::{CountScratch, Counts, LANES, Lanes, differing_bits};
use crate::spins::{WORD, transpose_64x64};

/// Overlaps as the second pass takes them, `[chunk][panel][column of the chunk][16 states]`; zero where there is no
/// column or state.
pub(super) struct PatternOverlaps {
    chunk: usize,
    n_panels: usize,
    values: Vec<Lanes<i32>>,
}

impl PatternOverlaps {
    /// Those of one chunk of columns with 16 states, `[column][16]`.
    pub(super) fn weights(&self, chunk: usize, panel: usize) -> &[Lanes<i32>] {
        &self.values[(chunk * self.n_panels + panel) * self.chunk..][..self.chunk]
    }
}

struct Scratch {
    writer: PatternWriter,
    row: Vec<u64>,       // [n_words]
    signs: Vec<u64>,     // [n_words][column of the chunk]
    counts: Vec<Counts>, // [column of the chunk]
    kernel: CountScratch,
}

/// Overlaps of the states `block` of `states` with all patterns.
pub(super) fn pattern_overlaps(
    hebb: &MatrixFreeHebb<'_>,
    plan: Plan,
    states: &impl StateSource,
    block: Range<usize>,
) -> Result<PatternOverlaps> {
    let (stream, execution) = (hebb.stream(), hebb.execution());
    let (n_spins, n_columns) = (stream.n_spins(), hebb.n_columns());
    let n_sets = block.len().div_ceil(BLOCK_STEP);
    let n_panels = n_sets * (BLOCK_STEP / LANES);
    let mut values = Vec::new();
    let n_lanes = plan.n_chunks(n_columns) * n_panels * plan.chunk;
    if values.try_reserve_exact(n_lanes).is_err() {
        let expected = format!("memory for {n_columns} x {} overlaps", block.len());
        return Err(Error::shape("overlaps of patterns and states", expected, "less"));
    }
    values.resize(n_lanes, Lanes::ZERO);
    let mut features = FeatureStretch::new(stream);
    let mut state_columns: Vec<u64> = Vec::new(); // [set][site], a bit a state
    for (first_word, n_words) in Plan::stretches(n_spins, plan.overlap_words) {
        let n_sites = (n_spins - first_word * WORD).min(n_words * WORD);
        features.move_to_with(execution, first_word, n_words)?;
        state_columns.clear();
        state_columns.resize(n_sets * n_words * WORD, 0);
        execution.for_each(
            state_columns.chunks_exact_mut(n_words * WORD).enumerate(),
            || vec![0; BLOCK_STEP * n_words],
            |rows, (set, columns)| {
                let members = block.clone().skip(set * BLOCK_STEP).take(BLOCK_STEP);
                let n_members = members.len();
                for (state, words) in members.zip(rows.chunks_exact_mut(n_words)) {
                    states.write(state, &features, words);
                }
                for (word, columns) in columns.as_chunks_mut::<WORD>().0.iter_mut().enumerate() {
                    for (state, column) in columns.iter_mut().enumerate() {
                        *column = if state < n_members { rows[state * n_words + word] } else { 0 };
                    }
                    transpose_64x64(columns);
                }
                Ok(())
            },
        )?;

        let scratch = || Scratch {
            writer: PatternWriter::default(),
            row: vec![0; n_words],
            signs: vec![0; n_words * plan.chunk],
            counts: vec![Lanes::ZERO; plan.chunk],
            kernel: CountScratch::new(),
        };
        let chunks = values.chunks_exact_mut(n_panels * plan.chunk).enumerate();
        execution.for_each(chunks, scratch, |scratch, (chunk, values)| {
            let first = chunk * plan.chunk;
            let n_here = plan.chunk.min(n_columns - first);
            let signs = &mut scratch.signs[..n_words * n_here];
            for row in 0..n_here {
                let pattern = hebb.columns().get(first + row).pattern;
                scratch.writer.write(stream, pattern, &features, &mut scratch.row);
                for (word, &bits) in scratch.row.iter().enumerate() {
                    signs[word * n_here + row] = bits;
                }
            }
            for (set, columns) in state_columns.chunks_exact(n_words * WORD).enumerate() {
                let counts = &mut scratch.counts[..n_here];
                counts.fill(Lanes::ZERO);
                let columns = &columns[..n_sites];
                differing_bits(execution.isa(), signs, n_here, columns, counts, &mut scratch.kernel);
                let n_states = BLOCK_STEP.min(block.len() - set * BLOCK_STEP);
                for (panel, lanes) in (0..n_states).step_by(LANES).enumerate() {
                    let n_lanes = LANES.min(n_states - lanes);
                    let panel = set * (BLOCK_STEP / LANES) + panel;
                    let targets = &mut values[panel * plan.chunk..][..n_here];
                    for (target, differing) in targets.iter_mut().zip(&*counts) {
                        let differing = &differing.0[lanes..][..n_lanes];
                        for (q, &d) in target.0.iter_mut().zip(differing) {
                            *q += n_sites as i32 - 2 * i32::from(d);
                        }
                    }
                }
            }
            hebb.count_overlap_work(n_sites, n_here, block.len());
            Ok(())
        })?;
    }
    for (chunk, values) in values.chunks_exact_mut(n_panels * plan.chunk).enumerate() {
        let first = chunk * plan.chunk;
        for row in 0..plan.chunk.min(n_columns - first) {
            let weight = hebb.columns().get(first + row).weight;
            for panel in 0..n_panels {
                values[panel * plan.chunk + row].0.iter_mut().for_each(|q| *q *= weight);
            }
        }
    }
    Ok(PatternOverlaps { chunk: plan.chunk, n_panels, values })
}
