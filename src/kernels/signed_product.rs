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
//! 1. A *full* table has 256 entries (16 KiB, eight of them in L2) and costs 256 additions; a *split* table holds the two
//!    halves of the tree (16 + 16 entries, 2 KiB, in L1) and adds them at the lookup: the same sum in the same order, with
//!    twice the loads. Full tables serve many states, split ones few. Mixing both in a block, to use the ports of L1 and L2
//!    at once, was measured on a Zen 1 core with 4096 states and columns: 63 GMAC/s with 8 full groups of 8, then 59, 57, 56,
//!    55 with 6, 5, 4, 2 (OpenBLAS sgemm 18 to 20); one kind at a time it is.
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
    let is_many = products.len() >= MANY_STATES;
    for (tile, products) in products.chunks_mut(TILE).enumerate() {
        for (block, weights) in weights.chunks(BLOCK).enumerate() {
            let n_groups = weights.len().div_ceil(GROUP);
            let n_full = if is_many { n_groups } else { 0 };
            let (full, split) = tables.0.split_at_mut(n_full * FULL);
            tabulate::<V>(weights, full, split);

            let signs = &signs[block * stride + tile * TILE..][..products.len()];
            match (is_many, n_groups) {
                (true, GROUPS) => look_up_full::<V>(signs, GROUPS, full, products),
                (true, n_groups) => look_up_full::<V>(signs, n_groups, full, products),
                (false, GROUPS) => look_up_split::<V>(signs, GROUPS, split, products),
                (false, n_groups) => look_up_split::<V>(signs, n_groups, split, products),
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

/// Adds a block to every state, by full tables. Inlined once for whole blocks, where the loop over groups unrolls, and
/// once for a last block of fewer.
#[inline(always)]
fn look_up_full<V: Vector>(
    signs: &[u64], // [m]
    n_groups: usize,
    tables: &[Lanes<V::Element>],       // [groups][256]
    products: &mut [Lanes<V::Element>], // [m][16]
) {
    let tables = &tables[..n_groups * FULL];
    for (&word, product) in signs.iter().zip(products) {
        let mut sum = V::load(product);
        for group in 0..n_groups {
            sum = sum.add(entry(&tables[group * FULL..][..FULL], word, group * GROUP));
        }
        sum.store(product);
    }
}

/// The same by split tables.
#[inline(always)]
fn look_up_split<V: Vector>(
    signs: &[u64], // [m]
    n_groups: usize,
    tables: &[Lanes<V::Element>],       // [groups][16 + 16]
    products: &mut [Lanes<V::Element>], // [m][16]
) {
    let tables = &tables[..n_groups * 2 * HALF];
    for (&word, product) in signs.iter().zip(products) {
        let mut sum = V::load(product);
        for group in 0..n_groups {
            let (low, high) = tables[group * 2 * HALF..][..2 * HALF].split_at(HALF);
            let low = entry::<V>(low, word, group * GROUP);
            sum = sum.add(low.add(entry(high, word, group * GROUP + GROUP / 2)));
        }
        sum.store(product);
    }
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
