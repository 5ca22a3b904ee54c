//! The signed product, bits times weights: C[m][16] += sum_k s_mk w_k[16] with s = +-1 from bits.
//!
//! Local fields (w = couplings, s = patterns), gradients (w = residuals, s = transposed patterns), batched recall, integer
//! Hebb fields and, with bytes for weights, counts of differing bits are all this product. It is the method of the four
//! Russians:
//!
//! ```text
//! for each block of 64 columns:
//!     for each group of 8 columns: tabulate all signed sums t of its 8 rows of weights
//!     for each state m:
//!         for each group: C[m] += table[group][the state's 8 bits]
//! ```
//!
//! so a state costs one lookup and addition per 8 columns and no multiplication. What the real code adds:
//!
//! 1. Three kinds of [tables](super::tables). Each half of a block has its kind, chosen by the number of states alone.
//! 2. Bits are block-major, one word of 64 columns per state, so the inner loop reads them in sequence.
//! 3. The last block may have fewer groups; a group past the last column is skipped.
//! 4. States go in tiles of at most [`TILE`], so that accumulators and tables share L2.
//! 5. The first block starts from zero without reading C. In the last one, states are taken in chunks that stay in L1 while
//!    what follows (threshold, residuals, streaming out) is done to them.
//!
//! # The choice of tables
//!
//! G signed multiply-adds a second of one thread of a 3.2 GHz Zen 3 core (32 KiB L1, 512 KiB L2), 4096 columns, best of 40
//! to 640 runs, table building included; OpenBLAS sgemm does 44 to 46 there:
//!
//! | groups (full, half, split) | 256 states | 512 | 1024 | 2048 | 4096 |
//! |---|---|---|---|---|---|
//! | 8, 0, 0 | 88 | 123 | 155 | 176 | 188 |
//! | 7, 0, 1 | 93 | 130 | 161 | 183 | 195 |
//! | 4, 4, 0 | 104 | 140 | **172** | **193** | **206** |
//! | 0, 8, 0 | 119 | 149 | 172 | 185 | 192 |
//! | 0, 4, 4 | 131 | **154** | 171 | 177 | 179 |
//! | 0, 0, 8 | **138** | 148 | 154 | 155 | 151 |
//!
//! Full tables are bound by the lines that L2 hands to L1 (25 of its 32 bytes a cycle; 245 with every lookup in L1), split
//! ones by two 32-byte loads a cycle, half ones by instructions; four full and four half groups balance the first and the
//! last. That machine has
//! a lower speed, too, perhaps of a shared core, at which 8, 0, 0 leads (147 against 130); in whole programs, alternating,
//! 4, 4, 0 took 0.95 to 0.97 of its time for an epoch and 1.02 to 1.10 for fields.
//!
//! Measured and lost: tables of 8 lanes (156 at best, with four groups in L1), indices as 16-bit offsets or bytes in memory
//! (176, 181), 128 columns a pass (167), states sorted by their first byte with its entry in registers (182), prefetching
//! accumulators (190), tiles of 2048 states (0.83 to 0.96 of 4096), two states at a time (as 8, 0, 0), indices by `pdep` and `bextr` (187 to 192), five groups of 8 and
//! four of 6 (198, in another order of additions).

use super::lanes::Vector;
use super::tables::{Full, GROUP, Masks, Split, Table, tabulate};

/// Columns in a block: the bits of a word.
pub(super) const BLOCK: usize = 64;
/// Groups in half a block.
const GROUPS: usize = BLOCK / GROUP / 2;
/// States whose accumulators are taken through all blocks together.
pub(super) const TILE: usize = 4096;
/// From this number of states on, full tables of integers pay for their construction.
const MANY_STATES: usize = 1024;
/// States that stay in L1 while the last block and what follows are done to them.
const CHUNK: usize = 128;

/// Scratch space for the tables of one block. Contents between calls mean nothing.
pub(super) struct Scratch<R> {
    tables: Vec<R>,  // [2 GROUPS][256]
    columns: Vec<R>, // [BLOCK]
}

impl<R: Copy> Scratch<R> {
    /// 132 KiB: one per thread.
    pub(super) fn new(zero: R) -> Self {
        Self { tables: vec![zero; 2 * (GROUPS << GROUP)], columns: vec![zero; BLOCK] }
    }
}

/// The bits of M states, block-major: bit c of word `[b][m]` is the sign of state m in column 64 b + c, 1 for plus.
#[derive(Clone, Copy)]
pub struct Signs<'a> {
    /// `[n_columns.div_ceil(64)][stride]`.
    pub words: &'a [u64],
    /// Words of a block.
    pub stride: usize,
    /// Those of a block that are used, M.
    pub n_states: usize,
}

/// Where weights come from.
pub(super) trait Columns<V: Vector> {
    /// Number of columns.
    fn n_columns(&self) -> usize;
    /// The weights of a block's columns: 64, or fewer in the last; they may be made in `scratch`.
    fn block<'s>(&'s self, block: usize, scratch: &'s mut [V::Row]) -> &'s [V::Row];
}

/// Weights as the kernel wants them, `[k][16]`.
pub(super) struct Interleaved<'a, R>(pub(super) &'a [R]);

impl<V: Vector> Columns<V> for Interleaved<'_, V::Row> {
    #[inline(always)]
    fn n_columns(&self) -> usize {
        self.0.len()
    }
    #[inline(always)]
    fn block<'s>(&'s self, block: usize, _: &'s mut [V::Row]) -> &'s [V::Row] {
        let first = block * BLOCK;
        &self.0[first..self.0.len().min(first + BLOCK)]
    }
}

/// What is done to sums while they are in L1.
///
/// (A trait, not a closure: a closure may not be inlined into an entry point, and would then lack its instruction set.)
pub(super) trait Epilogue<R> {
    /// Takes the complete sums of the states from `first` on, `[m][16]`, or full ones (see [`Vector::BLOCKS_PER_SUM`]).
    fn finish(&mut self, first: usize, sums: &mut [R]);
}

/// Sums stay as they are.
pub(super) struct Keep;

impl<R> Epilogue<R> for Keep {
    #[inline(always)]
    fn finish(&mut self, _: usize, _: &mut [R]) {}
}

/// What sums begin with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Zero,
    /// What `sums` holds; none of it is -0.
    Sums,
}

/// The product with tables of kind `L` for the lower half of each block and `H` for the upper one.
///
/// `sums` has room for all states, or for [`TILE`] of them and is used again for each tile.
#[inline(always)]
pub(super) fn run<V: Vector, L: Table<V>, H: Table<V>>(
    signs: Signs,
    columns: &impl Columns<V>,
    start: Start,
    sums: &mut [V::Row], // [m][16]
    scratch: &mut Scratch<V::Row>,
    epilogue: &mut impl Epilogue<V::Row>,
) {
    let masks = Masks::new();
    let n_blocks = columns.n_columns().div_ceil(BLOCK);
    let n_tiles = signs.n_states.div_ceil(TILE).max(1);
    let tile_len = signs.n_states.div_ceil(n_tiles).max(1);
    let in_place = sums.len() >= signs.n_states;
    let Scratch { tables, columns: block_columns } = scratch;
    let (low_tables, high_tables) = tables.split_at_mut(GROUPS << GROUP);
    for first in (0..signs.n_states).step_by(tile_len) {
        let n = tile_len.min(signs.n_states - first);
        let sums = &mut sums[if in_place { first } else { 0 }..][..n];
        if n_blocks == 0 {
            if start == Start::Zero {
                sums.fill(V::ZERO);
            }
            epilogue.finish(first, sums);
        }
        for block in 0..n_blocks {
            let weights = columns.block(block, block_columns);
            let (low, high) = weights.split_at(weights.len().min(BLOCK / 2));
            tabulate::<V, L>(low, low_tables);
            tabulate::<V, H>(high, high_tables);
            let tables = (&*low_tables, &*high_tables);
            let n_groups = (low.len().div_ceil(GROUP), high.len().div_ceil(GROUP));

            let from_zero = start == Start::Zero && block % V::BLOCKS_PER_SUM == 0;
            let is_last = block + 1 == n_blocks || (block + 1) % V::BLOCKS_PER_SUM == 0;
            let chunk = if is_last { CHUNK } else { n };
            let words = &signs.words[block * signs.stride + first..][..n];
            for (index, (words, sums)) in words.chunks(chunk).zip(sums.chunks_mut(chunk)).enumerate() {
                match (n_groups, from_zero) {
                    ((GROUPS, GROUPS), true) => {
                        look_up::<V, L, H, true>(words, (GROUPS, GROUPS), tables, masks, sums);
                    }
                    ((GROUPS, GROUPS), false) => {
                        look_up::<V, L, H, false>(words, (GROUPS, GROUPS), tables, masks, sums);
                    }
                    (n_groups, true) => look_up::<V, L, H, true>(words, n_groups, tables, masks, sums),
                    (n_groups, false) => look_up::<V, L, H, false>(words, n_groups, tables, masks, sums),
                }
                if is_last {
                    epilogue.finish(first + index * chunk, sums);
                }
            }
        }
    }
}

/// Adds a block to every state. Inlined for whole blocks, where the loops over groups unroll, and for a last block of fewer.
#[inline(always)]
fn look_up<V: Vector, L: Table<V>, H: Table<V>, const FROM_ZERO: bool>(
    words: &[u64], // [m]
    (n_low, n_high): (usize, usize),
    (low, high): (&[V::Row], &[V::Row]), // [groups][ROWS] each
    masks: Masks,
    sums: &mut [V::Row], // [m][16]
) {
    let (low, high) = (&low[..n_low * L::ROWS], &high[..n_high * H::ROWS]);
    let zero = V::ZERO;
    for (bits, row) in words.iter().zip(sums) {
        let mut sum = V::load(if FROM_ZERO { &zero } else { row });
        let word = L::word(bits);
        for group in 0..n_low {
            sum = L::add(sum, &low[group * L::ROWS..][..L::ROWS], word, group, masks);
        }
        let word = H::word(bits);
        for group in 0..n_high {
            sum = H::add(sum, &high[group * H::ROWS..][..H::ROWS], word, GROUPS + group, masks);
        }
        sum.store(row);
    }
}

/// `C += ...` for weights that lie interleaved, exact integers: full tables where states are many.
#[inline(always)]
pub(super) fn accumulate<V: Vector>(
    signs: Signs,
    weights: &[V::Row],
    products: &mut [V::Row],
    scratch: &mut Scratch<V::Row>,
) {
    let columns = Interleaved(weights);
    if signs.n_states >= MANY_STATES {
        run::<V, Full, Full>(signs, &columns, Start::Sums, products, scratch, &mut Keep);
    } else {
        run::<V, Split, Split>(signs, &columns, Start::Sums, products, scratch, &mut Keep);
    }
}
