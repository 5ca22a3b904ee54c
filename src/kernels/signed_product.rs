//! The signed product, bits times weights: C[m][16] += sum_k s_mk w_k[16] with s = +-1 from bits.
//!
//! Local fields (w = couplings, s = patterns), gradients (w = residuals, s = transposed patterns), batched recall and
//! integer Hebb counts are all this product. It is the method of the four Russians:
//!
//! ```text
//! for each block of 64 columns:
//!     for each group of 8 columns: tabulate all signed sums t of its 8 rows of weights
//!     for each state m:
//!         for each group: C[m] += table[group][the state's 8 bits]
//! ```
//!
//! so a state costs one load and one addition per 8 columns and no multiplication. What the real code adds:
//!
//! 1. A full table (256 entries, 16 KiB) lives in L2 and its lookups are bound by L2-to-L1 lines; a *split* table holds
//!    the two halves of the tree (16 + 16 entries, 2 KiB) in L1 and adds them at the lookup: the same sum in the same
//!    order, bound by L1 loads instead. With many states a block takes [`WIDE`] groups from full tables and the rest from
//!    split ones, so that both ports work; with few states all are split, because a full table costs 256 additions.
//! 2. Bits are block-major, one word of 64 columns per state, so the inner loop reads them in sequence.
//! 3. The table index is the rotated word masked to `byte * 64`, already a byte offset.
//! 4. The last block may have fewer groups; a group past the last column is skipped.
//! 5. States go in tiles of [`TILE`], so that accumulators and tables share L2.

use super::lanes::{Element, Lanes, Vector};

/// Columns in a block: the bits of a word.
pub(super) const BLOCK: usize = 64;
/// Columns in a group.
pub(super) const GROUP: usize = 8;
/// Groups in a block.
const GROUPS: usize = BLOCK / GROUP;
/// Entries of a full table.
const FULL: usize = 1 << GROUP;
/// Entries of half a split table.
const HALF: usize = 1 << (GROUP / 2);
/// Of the groups of a whole block, how many use full tables when states are many.
const WIDE: usize = 5;
/// The rest of them.
const NARROW: usize = GROUPS - WIDE;
/// From this number of states on, full tables pay for their construction.
const MANY_STATES: usize = 768;
/// States whose accumulators are taken through all blocks together.
const TILE: usize = 4096;

/// Scratch space for the tables of one block. Contents between calls mean nothing.
pub struct Tables<T>(Vec<Lanes<T>>); // [GROUPS][FULL]

impl<T: Element> Tables<T> {
    /// 128 KiB of scratch: one per thread.
    pub fn new() -> Self {
        Self(vec![Lanes::ZERO; GROUPS * FULL])
    }
}

impl<T: Element> Default for Tables<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The product over whole slices; `signs` is `[weights.len().div_ceil(64)][stride]`, of which the first
/// `products.len()` states of each block are used.
#[inline(always)]
pub(super) fn run<V: Vector>(
    signs: &[u64],
    stride: usize,
    weights: &[Lanes<V::Element>],      // [k][16]
    products: &mut [Lanes<V::Element>], // [m][16]
    tables: &mut Tables<V::Element>,
) {
    let max_full = if products.len() >= MANY_STATES { WIDE } else { 0 };
    for (tile, products) in products.chunks_mut(TILE).enumerate() {
        for (block, weights) in weights.chunks(BLOCK).enumerate() {
            let n_groups = weights.len().div_ceil(GROUP);
            let n_full = n_groups.min(max_full);
            let (full, split) = tables.0.split_at_mut(n_full * FULL);
            tabulate::<V>(weights, full, split);

            let signs = &signs[block * stride + tile * TILE..][..products.len()];
            match (n_full, n_groups - n_full) {
                (WIDE, NARROW) => look_up::<V, WIDE, NARROW>(signs, full, split, products),
                (0, 8) => look_up::<V, 0, 8>(signs, full, split, products),
                (n_full, n_split) => look_up_few::<V>(signs, n_full, n_split, full, split, products),
            }
        }
    }
}

/// Fills `full` tables for the first groups of a block of weights and `split` ones for the rest.
#[inline(always)]
fn tabulate<V: Vector>(
    weights: &[Lanes<V::Element>],   // [k <= 64][16]
    full: &mut [Lanes<V::Element>],  // [groups][256]
    split: &mut [Lanes<V::Element>], // [groups][16 + 16], or longer
) {
    let mut full = full.chunks_exact_mut(FULL);
    let mut split = split.chunks_exact_mut(2 * HALF);
    for weights in weights.chunks(GROUP) {
        let mut columns = [Lanes::ZERO; GROUP];
        columns[..weights.len()].copy_from_slice(weights);
        let mut halves = [Lanes::ZERO; 2 * HALF];
        let (low, high) = halves.split_at_mut(HALF);
        tabulate_half::<V>(&columns[..GROUP / 2], low);
        tabulate_half::<V>(&columns[GROUP / 2..], high);
        if let Some(table) = full.next() {
            for (entries, high) in table.chunks_exact_mut(HALF).zip(&*high) {
                let high = V::load(high);
                for (entry, low) in entries.iter_mut().zip(&*low) {
                    V::load(low).add(high).store(entry);
                }
            }
        } else if let Some(table) = split.next() {
            table.copy_from_slice(&halves);
        }
    }
}

/// All 16 signed sums (+-w0 +- w1) + (+-w2 +- w3); bit b of the index is the sign of w_b, 1 for plus.
#[inline(always)]
fn tabulate_half<V: Vector>(w: &[Lanes<V::Element>], table: &mut [Lanes<V::Element>]) {
    let low = pair_sums::<V>(&w[0], &w[1]);
    let high = pair_sums::<V>(&w[2], &w[3]);
    for (entries, high) in table.chunks_exact_mut(low.len()).zip(high) {
        for (entry, low) in entries.iter_mut().zip(low) {
            low.add(high).store(entry);
        }
    }
}

/// -a - b, a - b, -a + b, a + b.
#[inline(always)]
fn pair_sums<V: Vector>(a: &Lanes<V::Element>, b: &Lanes<V::Element>) -> [V; 4] {
    let (a, b) = (V::load(a), V::load(b));
    [a.neg().add(b.neg()), a.add(b.neg()), a.neg().add(b), a.add(b)]
}

/// Adds a block to every state: `N_FULL` groups by full tables, then `N_SPLIT` by split ones.
#[inline(always)]
fn look_up<V: Vector, const N_FULL: usize, const N_SPLIT: usize>(
    signs: &[u64], // [m]
    full: &[Lanes<V::Element>],
    split: &[Lanes<V::Element>],
    products: &mut [Lanes<V::Element>], // [m][16]
) {
    let (full, split) = (&full[..N_FULL * FULL], &split[..N_SPLIT * 2 * HALF]);
    for (&word, product) in signs.iter().zip(products) {
        let mut sum = V::load(product);
        for group in 0..N_FULL {
            sum = sum.add(full_sum(full, group, word, group));
        }
        for group in 0..N_SPLIT {
            sum = sum.add(split_sum(split, group, word, N_FULL + group));
        }
        sum.store(product);
    }
}

/// The same for a last block of few groups, whose number is not known in advance.
#[inline(always)]
fn look_up_few<V: Vector>(
    signs: &[u64], // [m]
    n_full: usize,
    n_split: usize,
    full: &[Lanes<V::Element>],
    split: &[Lanes<V::Element>],
    products: &mut [Lanes<V::Element>], // [m][16]
) {
    let (full, split) = (&full[..n_full * FULL], &split[..n_split * 2 * HALF]);
    for (&word, product) in signs.iter().zip(products) {
        let mut sum = V::load(product);
        for group in 0..n_full {
            sum = sum.add(full_sum(full, group, word, group));
        }
        for group in 0..n_split {
            sum = sum.add(split_sum(split, group, word, n_full + group));
        }
        sum.store(product);
    }
}

/// The signed sum of the state's `group`-th group of columns, from full table `table`.
#[inline(always)]
fn full_sum<V: Vector>(tables: &[Lanes<V::Element>], table: usize, word: u64, group: usize) -> V {
    entry(&tables[table * FULL..][..FULL], word, group * GROUP)
}

/// The same from split table `table`.
#[inline(always)]
fn split_sum<V: Vector>(tables: &[Lanes<V::Element>], table: usize, word: u64, group: usize) -> V {
    let (low, high) = tables[table * 2 * HALF..][..2 * HALF].split_at(HALF);
    entry::<V>(low, word, group * GROUP).add(entry(high, word, group * GROUP + GROUP / 2))
}

/// The entry of `table` that the bits of `word` from `bit` on name; the table's length is a power of two.
#[inline(always)]
fn entry<V: Vector>(table: &[Lanes<V::Element>], word: u64, bit: usize) -> V {
    const SHIFT: u32 = size_of::<Lanes<f32>>().trailing_zeros();
    debug_assert!(table.len().is_power_of_two());
    // The bits, rotated to where they count whole entries: a byte offset without a shift or a scale.
    let offset = word.rotate_right((bit as u32 + u64::BITS - SHIFT) % u64::BITS) as usize
        & ((table.len() - 1) << SHIFT);
    // SAFETY: `offset` is a multiple of the entry's 64 bytes and less than `table.len()` of them.
    V::load(unsafe { &*table.as_ptr().byte_add(offset) })
}
