//! The Cholesky factor L of w K + s N I, where K = X X^T are the exact overlaps xi^mu . xi^nu of the patterns: what the
//! rules that invert K share.
//!
//! L lies in tiles of 128 x 128 below and on the diagonal, 4 P^2 bytes. Column after column of tiles takes its share of the
//! earlier ones (left-looking), its tiles in parallel, so a run can be stopped between columns. Dense products and
//! triangular solutions are faer's, one thread a tile: the bits do not depend on the number of threads. They may depend on
//! the processor, for which faer chooses its instructions and block sizes.
//!
//! The square of the diagonal entry mu of L is the squared distance of pattern mu from the span of the patterns before it,
//! between 0 and N (for w = 1, s = 0): where rounding cannot tell it from 0, the pattern depends on them.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{
    LltError, LltParams, cholesky_in_place, cholesky_in_place_scratch,
};
use faer::linalg::matmul::matmul;
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::prelude::ReborrowMut;
use faer::{Accum, MatMut, MatRef, Par, Spec};

use super::pair_products::{PAIR_BLOCK, PairProducts};
use super::patterns::PatternBits;
use crate::error::{Error, Result};
use crate::execution::Execution;

/// Side of a tile: 128 KiB, which leaves room in L2 for what it meets.
const TILE: usize = 128;
/// Values of a tile.
const AREA: usize = TILE * TILE;
/// Distance of columns beyond their length, against lengths at a power of two.
const PAD: usize = 8;
/// Pivots are noise below this multiple of the first-order bound of their rounding, P times the unit of f64 times the
/// diagonal of the matrix: the bound holds for well-conditioned patterns, the factor is a margin for others.
const MARGIN: f64 = 8.0;

/// The matrix w K + s N I.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mixture {
    /// w, above 0 or, with a shift, 0.
    pub(super) overlaps: f64,
    /// s, 0 or above.
    pub(super) shift: f64,
}

/// The factor L, in tiles.
pub(super) struct OverlapFactor {
    columns: Vec<Vec<f64>>, // [column][row - column][128][128], each tile column-major
}

impl OverlapFactor {
    /// Bytes for P = `n_patterns`.
    pub(super) fn bytes(n_patterns: usize) -> u64 {
        let n_tiles = n_patterns.div_ceil(TILE) as u64;
        n_tiles * (n_tiles + 1) / 2 * (AREA * size_of::<f64>()) as u64
    }

    /// Factorises the mixture for the patterns of `bits`; `dependent` makes an error of the first pattern that is, to
    /// rounding, a combination of those before it.
    ///
    /// # Errors
    /// That one; if memory is missing; if interrupted.
    pub(super) fn new(
        bits: &PatternBits,
        mixture: Mixture,
        execution: &Execution,
        dependent: impl Fn(usize) -> Error,
    ) -> Result<Self> {
        let mut columns = filled(bits, mixture, execution)?;
        let diagonal = (mixture.overlaps + mixture.shift) * bits.n_spins() as f64;
        let least = MARGIN * bits.n_patterns() as f64 * f64::EPSILON * diagonal;
        execution.progress().begin("factorising overlaps", columns.len() as u64);
        for index in 0..columns.len() {
            let (done, rest) = columns.split_at_mut(index);
            let column = &mut rest[0];
            execution.for_each(
                column.chunks_exact_mut(AREA).enumerate(),
                || (),
                |(), (below, tile)| {
                    for (earlier, done) in done.iter().enumerate() {
                        let (left, right) =
                            (tile_of(done, index + below - earlier), tile_of(done, index - earlier));
                        matmul(matrix(tile), Accum::Add, left, right.transpose(), -1.0, Par::Seq);
                    }
                    Ok(())
                },
            )?;
            let (own, below) = column.split_at_mut(AREA);
            if let Some(pattern) = first_small_pivot(own, least) {
                return Err(dependent(index * TILE + pattern));
            }
            let own = &*own;
            execution.for_each(
                below.chunks_exact_mut(AREA),
                || (),
                |(), tile| {
                    let transpose = matrix(tile).transpose_mut();
                    solve_lower_triangular_in_place(tile_of(own, 0), transpose, Par::Seq);
                    Ok(())
                },
            )?;
            execution.progress().advance(1);
        }
        execution.progress().end();
        Ok(Self { columns })
    }

    /// Values between the columns of right-hand sides, for P = `n_patterns`.
    pub(super) fn stride_for(n_patterns: usize) -> usize {
        n_patterns.div_ceil(TILE) * TILE + PAD
    }

    /// The same, for these patterns.
    pub(super) fn stride(&self) -> usize {
        self.columns.len() * TILE + PAD
    }

    /// Solves L L^T z = x for right-hand sides `[column][stride]`, whose entries past the patterns are 0 and stay 0.
    pub(super) fn solve(&self, columns: &mut [f64]) {
        let (stride, n_rows) = (self.stride(), self.columns.len() * TILE);
        let n_columns = columns.len() / stride;
        let mut all = MatMut::from_column_major_slice_with_stride_mut(columns, n_rows, n_columns, stride);
        for (index, column) in self.columns.iter().enumerate() {
            let (upper, mut lower) = all.rb_mut().split_at_row_mut((index + 1) * TILE);
            let mut own = upper.subrows_mut(index * TILE, TILE);
            solve_lower_triangular_in_place(tile_of(column, 0), own.rb_mut(), Par::Seq);
            for below in 1..column.len() / AREA {
                let rows = lower.rb_mut().subrows_mut((below - 1) * TILE, TILE);
                matmul(rows, Accum::Add, tile_of(column, below), own.as_ref(), -1.0, Par::Seq);
            }
        }
        for (index, column) in self.columns.iter().enumerate().rev() {
            let (upper, lower) = all.rb_mut().split_at_row_mut((index + 1) * TILE);
            let mut own = upper.subrows_mut(index * TILE, TILE);
            for below in 1..column.len() / AREA {
                let rows = lower.as_ref().subrows((below - 1) * TILE, TILE);
                matmul(own.rb_mut(), Accum::Add, tile_of(column, below).transpose(), rows, -1.0, Par::Seq);
            }
            solve_upper_triangular_in_place(tile_of(column, 0).transpose(), own, Par::Seq);
        }
    }
}

/// The lower tiles of the mixture; rows and columns past the patterns are those of the identity.
fn filled(bits: &PatternBits, mixture: Mixture, execution: &Execution) -> Result<Vec<Vec<f64>>> {
    let n_patterns = bits.n_patterns();
    let n_tiles = n_patterns.div_ceil(TILE);
    let mut columns: Vec<Vec<f64>> = Vec::with_capacity(n_tiles);
    for index in 0..n_tiles {
        let (mut column, len) = (Vec::new(), (n_tiles - index) * AREA);
        if column.try_reserve_exact(len).is_err() {
            let expected = format!("memory for the overlaps of {n_patterns} patterns");
            return Err(Error::parameter("patterns", expected, n_patterns));
        }
        column.resize(len, 0.0);
        columns.push(column);
    }
    let shift = mixture.shift * bits.n_spins() as f64;
    let blocks_per_tile = TILE / PAIR_BLOCK;
    let n_blocks = n_patterns.div_ceil(PAIR_BLOCK);
    let tasks = columns.iter_mut().enumerate().map(|(index, column)| {
        let first = index * blocks_per_tile;
        (first..n_blocks.min(first + blocks_per_tile), (index, column))
    });
    PairProducts::new(bits.by_pattern(), bits.by_spin()).for_each_block(
        tasks,
        |block| block * PAIR_BLOCK,
        execution,
        |(index, column), block, first, products| {
            let own = block * PAIR_BLOCK..n_patterns.min((block + 1) * PAIR_BLOCK);
            for (row, products) in (first..).zip(products) {
                let tile = &mut column[(row / TILE - *index) * AREA..][..AREA];
                for (other, &product) in own.clone().zip(products) {
                    let own = if row == other { shift } else { 0.0 };
                    tile[other % TILE * TILE + row % TILE] = mixture.overlaps * f64::from(product) + own;
                }
            }
            Ok(())
        },
    )?;
    // What lies past the patterns is as sound as they are.
    let diagonal = mixture.overlaps * bits.n_spins() as f64 + shift;
    if let Some(last) = columns.last_mut() {
        for past in (n_patterns - 1) % TILE + 1..TILE {
            last[past * TILE + past] = diagonal;
        }
    }
    Ok(columns)
}

/// Factorises a tile on the diagonal; the first pivot that is not above `least`, if any.
fn first_small_pivot(tile: &mut [f64], least: f64) -> Option<usize> {
    let parameters = Spec::<LltParams, f64>::default();
    let mut memory = MemBuffer::new(cholesky_in_place_scratch::<f64>(TILE, Par::Seq, parameters));
    let stack = MemStack::new(&mut memory);
    let factorised = cholesky_in_place(matrix(tile), Default::default(), Par::Seq, stack, parameters);
    let n_positive = match factorised {
        Ok(_) => TILE,
        Err(LltError::NonPositivePivot { index }) => index,
    };
    let is_sound = |pivot: f64| pivot * pivot > least;
    let found = (0..n_positive).find(|&index| !is_sound(tile[index * (TILE + 1)]));
    found.or((n_positive < TILE).then_some(n_positive))
}

fn matrix(tile: &mut [f64]) -> MatMut<'_, f64> {
    MatMut::from_column_major_slice_mut(tile, TILE, TILE)
}

/// Tile `below` a column's first.
fn tile_of(column: &[f64], below: usize) -> MatRef<'_, f64> {
    MatRef::from_column_major_slice(&column[below * AREA..][..AREA], TILE, TILE)
}
