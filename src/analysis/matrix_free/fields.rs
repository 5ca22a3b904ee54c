//! Second pass: the margins of a block of states, tile of sites by tile.

use std::ops::Range;

use super::accumulator::Accumulator;
use super::hebb::MatrixFreeHebb;
use super::overlaps::PatternOverlaps;
use super::plan::Plan;
use super::states::StateSource;
use crate::datasets::{FeatureStretch, PatternWriter};
use crate::error::Result;
use crate::kernels::{LANES, Tables};
use crate::spins::{WORD, transpose_64x64};

/// Margins N x_i h_i of up to 16 states on a tile of sites, exact.
pub struct TileMargins<'a> {
    /// The states.
    pub states: Range<usize>,
    /// First site of the tile, a multiple of 64.
    pub first_site: usize,
    /// `[site][16]`; lane l belongs to state `states.start + l`, lanes past the last state mean nothing.
    pub margins: &'a [[i64; LANES]],
}

struct Scratch<'a> {
    features: FeatureStretch<'a>,
    writer: PatternWriter,
    rows: Vec<u64>,                 // [64 patterns][n_words]
    signs: Vec<u64>,                // [chunk / 64][site]
    states: Vec<u64>,               // [state][n_words]
    accumulators: Vec<Accumulator>, // [panel]
    tables: Tables<i32>,
}

/// Hands the margins of the states `block`, whose overlaps are `overlaps`, to `take`, with the item of `outputs` that
/// belongs to the tile.
pub(super) fn block_margins<T: Send>(
    hebb: &MatrixFreeHebb<'_>,
    plan: Plan,
    states: &impl StateSource,
    block: Range<usize>,
    overlaps: &PatternOverlaps,
    outputs: impl Iterator<Item = T> + Send,
    take: impl Fn(&mut T, TileMargins<'_>) + Sync,
) -> Result<()> {
    let (stream, execution) = (hebb.stream(), hebb.execution());
    let (n_spins, n_columns) = (stream.n_spins(), hebb.n_columns());
    let n_panels = block.len().div_ceil(LANES);
    let scratch = || Scratch {
        features: FeatureStretch::new(stream),
        writer: PatternWriter::default(),
        rows: Vec::new(),
        signs: Vec::new(),
        states: Vec::new(),
        accumulators: (0..n_panels).map(|_| Accumulator::new()).collect(),
        tables: Tables::new(),
    };
    let tiles = Plan::stretches(n_spins, plan.field_words).zip(outputs);
    execution.for_each(tiles, scratch, |scratch, ((first_word, n_words), mut output)| {
        let n_sites = n_words * WORD;
        scratch.features.move_to(first_word, n_words);
        scratch.states.resize(block.len() * n_words, 0);
        for (state, words) in block.clone().zip(scratch.states.chunks_exact_mut(n_words)) {
            states.write(state, &scratch.features, words);
        }
        scratch.accumulators.iter_mut().for_each(|accumulator| accumulator.begin(n_sites));
        scratch.signs.resize(plan.chunk / WORD * n_sites, 0);
        for chunk in 0..plan.n_chunks(n_columns) {
            execution.check_cancelled()?;
            let first = chunk * plan.chunk;
            let n_here = plan.chunk.min(n_columns - first);
            write_signs(hebb, scratch, first..first + n_here, n_words);
            for (panel, accumulator) in scratch.accumulators.iter_mut().enumerate() {
                let weights = &overlaps.weights(chunk, panel)[..n_here];
                accumulator.add(execution.isa(), &scratch.signs, weights, &mut scratch.tables);
            }
        }
        let n_used = n_sites.min(n_spins - first_word * WORD);
        for (panel, accumulator) in scratch.accumulators.iter_mut().enumerate() {
            let members = block.start + panel * LANES..block.end.min(block.start + (panel + 1) * LANES);
            let rows = &scratch.states[panel * LANES * n_words..][..members.len() * n_words];
            let margins = &mut accumulator.finish()[..n_used];
            sums_to_margins(rows, n_words, stream.n_patterns() as i64, margins);
            take(&mut output, TileMargins { states: members, first_site: first_word * WORD, margins });
        }
        hebb.count_field_work(n_used, n_columns, block.len());
        Ok(())
    })
}

/// Writes spins of the columns' patterns on the scratch's stretch as the signs of a product: bit of column, word of site.
fn write_signs(hebb: &MatrixFreeHebb<'_>, scratch: &mut Scratch<'_>, columns: Range<usize>, n_words: usize) {
    let n_sites = n_words * WORD;
    scratch.rows.resize(WORD * n_words, 0);
    for (first, signs) in columns.clone().step_by(WORD).zip(scratch.signs.chunks_exact_mut(n_sites)) {
        let n_rows = WORD.min(columns.end - first);
        for (row, words) in scratch.rows.chunks_exact_mut(n_words).take(n_rows).enumerate() {
            let pattern = hebb.columns().get(first + row).pattern;
            scratch.writer.write(hebb.stream(), pattern, &scratch.features, words);
        }
        for (word, signs) in signs.chunks_exact_mut(WORD).enumerate() {
            let mut block = [0; WORD];
            for (target, row) in block.iter_mut().zip(scratch.rows.chunks_exact(n_words)).take(n_rows) {
                *target = row[word];
            }
            transpose_64x64(&mut block);
            signs.copy_from_slice(&block);
        }
    }
}

/// sum_mu q_mu xi_i becomes x_i (sum_mu q_mu xi_i - P x_i); `rows` are the states' words, `[state][n_words]`.
fn sums_to_margins(rows: &[u64], n_words: usize, n_patterns: i64, sums: &mut [[i64; LANES]]) {
    for (word, sums) in sums.chunks_mut(WORD).enumerate() {
        let mut spins = [0; LANES];
        for (spins, row) in spins.iter_mut().zip(rows.chunks_exact(n_words)) {
            *spins = row[word];
        }
        for (site, sums) in sums.iter_mut().enumerate() {
            for (sum, spins) in sums.iter_mut().zip(spins) {
                // 0 for spin +1, -1 for spin -1: the sum or its opposite.
                let negative = (spins >> site & 1) as i64 - 1;
                *sum = (*sum ^ negative) - negative - n_patterns;
            }
        }
    }
}
