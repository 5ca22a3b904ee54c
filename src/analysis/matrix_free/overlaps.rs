//! First pass: overlaps q_mu = sum_j xi_j x_j of every pattern with a block of states.

use std::ops::Range;

use super::hebb::MatrixFreeHebb;
use super::plan::{BLOCK_STEP, Plan};
use super::states::StateSource;
use crate::datasets::{FeatureStretch, PatternWriter};
use crate::error::{Error, Result};
use crate::kernels::{LANES, Lanes, PLANE_WIDTH, Plane, differing_bits};
use crate::spins::{WORD, write_nibble_planes};

/// Planes of a word of 64 spins.
const PLANES_A_WORD: usize = WORD / 4;

/// Overlaps as the second pass takes them, `[chunk][panel][pattern of the chunk][16 states]`; zero where there is no
/// pattern or state.
pub(super) struct PatternOverlaps {
    chunk: usize,
    n_panels: usize,
    values: Vec<Lanes<i32>>,
}

impl PatternOverlaps {
    /// Those of one chunk of patterns with 16 states, `[pattern][16]`.
    pub(super) fn weights(&self, chunk: usize, panel: usize) -> &[Lanes<i32>] {
        &self.values[(chunk * self.n_panels + panel) * self.chunk..][..self.chunk]
    }
}

struct Scratch {
    writer: PatternWriter,
    rows: Vec<u64>,     // [32][n_words]
    planes: Vec<Plane>, // [16 n_words]
}

/// Overlaps of the states `block` of `states` with all patterns.
pub(super) fn pattern_overlaps(
    hebb: &MatrixFreeHebb<'_>,
    plan: Plan,
    states: &impl StateSource,
    block: Range<usize>,
) -> Result<PatternOverlaps> {
    let (stream, execution) = (hebb.stream(), hebb.execution());
    let (n_spins, n_patterns) = (stream.n_spins(), stream.n_patterns());
    let n_sets = block.len().div_ceil(BLOCK_STEP);
    let n_panels = n_sets * (BLOCK_STEP / LANES);
    let mut values = Vec::new();
    let n_lanes = plan.n_chunks(n_patterns) * n_panels * plan.chunk;
    if values.try_reserve_exact(n_lanes).is_err() {
        let expected = format!("memory for {n_patterns} x {} overlaps", block.len());
        return Err(Error::shape("overlaps of patterns and states", expected, "less"));
    }
    values.resize(n_lanes, Lanes::ZERO);
    let mut features = FeatureStretch::new(stream);
    let mut state_planes: Vec<Plane> = Vec::new(); // [set][16 n_words]
    for (first_word, n_words) in Plan::stretches(n_spins, plan.overlap_words) {
        let n_planes = n_words * PLANES_A_WORD;
        let n_sites = (n_spins - first_word * WORD).min(n_words * WORD);
        features.move_to_with(execution, first_word, n_words)?;
        state_planes.clear();
        state_planes.resize(n_sets * n_planes, [0; PLANE_WIDTH]);
        execution.for_each(
            state_planes.chunks_exact_mut(n_planes).enumerate(),
            || vec![0; BLOCK_STEP * n_words],
            |rows, (set, planes)| {
                let members = block.clone().skip(set * BLOCK_STEP).take(BLOCK_STEP);
                let rows = &mut rows[..members.len() * n_words];
                for (state, words) in members.zip(rows.chunks_exact_mut(n_words)) {
                    states.write(state, &features, words);
                }
                write_nibble_planes(rows, n_words, planes);
                Ok(())
            },
        )?;

        let scratch = || Scratch {
            writer: PatternWriter::default(),
            rows: vec![0; PLANE_WIDTH * n_words],
            planes: vec![[0; PLANE_WIDTH]; n_planes],
        };
        let chunks = values.chunks_exact_mut(n_panels * plan.chunk).enumerate();
        execution.for_each(chunks, scratch, |scratch, (chunk, values)| {
            let first = chunk * plan.chunk;
            let n_here = plan.chunk.min(n_patterns - first);
            for offset in (0..n_here).step_by(PLANE_WIDTH) {
                let n_rows = PLANE_WIDTH.min(n_here - offset);
                let rows = &mut scratch.rows[..n_rows * n_words];
                for (row, words) in rows.chunks_exact_mut(n_words).enumerate() {
                    scratch.writer.write(stream, first + offset + row, &features, words);
                }
                write_nibble_planes(rows, n_words, &mut scratch.planes);
                for (set, planes) in state_planes.chunks_exact(n_planes).enumerate() {
                    let mut differing = [[0; PLANE_WIDTH]; PLANE_WIDTH];
                    differing_bits(execution.isa(), &scratch.planes, planes, &mut differing);
                    let n_states = BLOCK_STEP.min(block.len() - set * BLOCK_STEP);
                    for (panel, lanes) in (0..n_states).step_by(LANES).enumerate() {
                        let n_lanes = LANES.min(n_states - lanes);
                        let panel = set * (BLOCK_STEP / LANES) + panel;
                        let targets = &mut values[panel * plan.chunk + offset..][..n_rows];
                        for (target, differing) in targets.iter_mut().zip(&differing) {
                            let differing = &differing[lanes..][..n_lanes];
                            for (q, &d) in target.0.iter_mut().zip(differing) {
                                *q += n_sites as i32 - 2 * d as i32;
                            }
                        }
                    }
                }
            }
            hebb.count_overlap_work(n_sites, n_here, block.len());
            Ok(())
        })?;
    }
    Ok(PatternOverlaps { chunk: plan.chunk, n_panels, values })
}
