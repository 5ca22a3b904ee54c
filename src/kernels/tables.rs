//! Tables of all signed sums of a group of 8 columns, and how a state's byte looks its sum up.
//!
//! Three kinds hold the same sums of the same tree (see the [module](super)) and trade memory against work:
//!
//! | kind | entries | a lookup is |
//! |---|---|---|
//! | [`Full`] | 256, 16 KiB | one load and addition a lane |
//! | [`Half`] | the 128 with a plus for the last column, 8 KiB | the same, and the sign of the last column multiplied in |
//! | [`Split`] | both halves of the tree, 16 + 16, 2 KiB | two loads and additions a lane |
//!
//! Negating every term of the tree negates its sum exactly (rounding is symmetric), and +-1 times an entry is exact, so all
//! three give the same bits. A sum of 0 may have the other sign in a half table; added to an accumulator that began at
//! +0 and therefore never is -0, that changes nothing.

use super::lanes::{SignedVector, Vector};

/// Columns in a group.
pub(super) const GROUP: usize = 8;
/// Signed sums of half a group.
const HALF_SUMS: usize = 1 << (GROUP / 2);
/// log2 of the bytes of a row of weights.
const ROW_SHIFT: u32 = 6;

/// Byte offsets of a table's entries, from the bits that name them.
///
/// Built from values the compiler cannot see through: knowing that the rotated bits are masked away it would make two
/// instructions of each rotation.
#[derive(Clone, Copy)]
pub(super) struct Masks {
    full: usize,
    half: usize,
    split: usize,
}

impl Masks {
    #[inline(always)]
    pub(super) fn new() -> Self {
        let mask = |entries: usize| std::hint::black_box((entries - 1) << ROW_SHIFT);
        Self { full: mask(1 << GROUP), half: mask(1 << (GROUP - 1)), split: mask(HALF_SUMS) }
    }
}

/// A state's word of 64 columns, ready for lookups.
#[derive(Clone, Copy)]
pub(super) struct Word<S> {
    bits: u64,
    /// In each byte whose top bit is 0 the other bits flipped: the index of the opposite sum.
    folded: u64,
    signs: S,
}

/// How one half of a block's groups is tabulated; see the module.
pub(super) trait Table<V: Vector> {
    /// Rows of a group's table.
    const ROWS: usize;
    /// Signs of a word that lookups want.
    type Signs: Copy;

    fn word(bits: &u64) -> Word<Self::Signs>;
    /// Fills a table of [`Table::ROWS`] rows from the group's columns.
    fn fill(columns: [V; GROUP], table: &mut [V::Row]);
    /// `sum` plus the entry that byte `group` names.
    fn add(sum: V, table: &[V::Row], word: Word<Self::Signs>, group: usize, masks: Masks) -> V;
}

/// All 256 sums.
pub(super) struct Full;
/// The 128 sums with a plus for the last column.
pub(super) struct Half;
/// The 16 sums of either half of the group.
pub(super) struct Split;

impl<V: Vector> Table<V> for Full {
    const ROWS: usize = 1 << GROUP;
    type Signs = ();

    #[inline(always)]
    fn word(bits: &u64) -> Word<()> {
        Word { bits: *bits, folded: 0, signs: () }
    }
    #[inline(always)]
    fn fill(columns: [V; GROUP], table: &mut [V::Row]) {
        combine::<V>(columns, 0, table);
    }
    #[inline(always)]
    fn add(sum: V, table: &[V::Row], word: Word<()>, group: usize, masks: Masks) -> V {
        debug_assert_eq!(table.len(), <Self as Table<V>>::ROWS);
        // SAFETY: 8 bits name one of 256 rows.
        sum.add(unsafe { entry(table, word.bits, group * GROUP, masks.full) })
    }
}

impl<V: SignedVector> Table<V> for Half {
    const ROWS: usize = 1 << (GROUP - 1);
    type Signs = V::Signs;

    #[inline(always)]
    fn word(bits: &u64) -> Word<V::Signs> {
        let clear = !bits & 0x8080_8080_8080_8080;
        Word { bits: *bits, folded: bits ^ (clear - (clear >> 7)), signs: V::signs(bits) }
    }
    #[inline(always)]
    fn fill(columns: [V; GROUP], table: &mut [V::Row]) {
        combine::<V>(columns, HALF_SUMS / 2, table);
    }
    #[inline(always)]
    fn add(sum: V, table: &[V::Row], word: Word<V::Signs>, group: usize, masks: Masks) -> V {
        debug_assert_eq!(table.len(), <Self as Table<V>>::ROWS);
        // SAFETY: 7 bits name one of 128 rows.
        let entry = unsafe { entry(table, word.folded, group * GROUP, masks.half) };
        sum.add_signed(entry, word.signs, group)
    }
}

impl<V: Vector> Table<V> for Split {
    const ROWS: usize = 2 * HALF_SUMS;
    type Signs = ();

    #[inline(always)]
    fn word(bits: &u64) -> Word<()> {
        Word { bits: *bits, folded: 0, signs: () }
    }
    #[inline(always)]
    fn fill([a, b, c, d, e, f, g, h]: [V; GROUP], table: &mut [V::Row]) {
        let (low, high) = table.split_at_mut(HALF_SUMS);
        half_sums([a, b, c, d], low);
        half_sums([e, f, g, h], high);
    }
    #[inline(always)]
    fn add(sum: V, table: &[V::Row], word: Word<()>, group: usize, masks: Masks) -> V {
        let (low, high) = table.split_at(HALF_SUMS);
        debug_assert_eq!(high.len(), HALF_SUMS);
        // SAFETY: 4 bits name one of 16 rows.
        let (low, high): (V, V) = unsafe {
            (
                entry(low, word.bits, group * GROUP, masks.split),
                entry(high, word.bits, group * GROUP + GROUP / 2, masks.split),
            )
        };
        sum.add(low.add(high))
    }
}

/// Tables of `weights`, at most 4 groups; `tables` is `[groups][T::ROWS]`.
#[inline(always)]
pub(super) fn tabulate<V: Vector, T: Table<V>>(weights: &[V::Row], tables: &mut [V::Row]) {
    for (weights, table) in weights.chunks(GROUP).zip(tables.chunks_exact_mut(T::ROWS)) {
        let mut columns = [V::load(&V::MISSING); GROUP];
        for (column, row) in columns.iter_mut().zip(weights) {
            *column = V::load(row);
        }
        T::fill(columns, table);
    }
}

/// All 16 signed sums (+-w0 +- w1) + (+-w2 +- w3); bit b of the index is the sign of w_b, 1 for plus.
#[inline(always)]
fn half_sums<V: Vector>([a, b, c, d]: [V; GROUP / 2], table: &mut [V::Row]) {
    let (low, high) = (pair_sums(a, b), pair_sums(c, d));
    for (rows, high) in table.chunks_exact_mut(low.len()).zip(high) {
        for (row, low) in rows.iter_mut().zip(low) {
            low.add(high).store(row);
        }
    }
}

/// -a - b, a - b, -a + b, a + b.
#[inline(always)]
fn pair_sums<V: Vector>(a: V, b: V) -> [V; 4] {
    [a.opposite().add(b.opposite()), a.add(b.opposite()), a.opposite().add(b), a.add(b)]
}

/// `table[h][l] = low[l] + high[from + h]` with the sums of both halves of the group.
#[inline(always)]
fn combine<V: Vector>([a, b, c, d, e, f, g, h]: [V; GROUP], from: usize, table: &mut [V::Row]) {
    let (mut low, mut high) = ([V::ZERO; HALF_SUMS], [V::ZERO; HALF_SUMS]);
    half_sums([a, b, c, d], &mut low);
    half_sums([e, f, g, h], &mut high);
    for (rows, high) in table.chunks_exact_mut(HALF_SUMS).zip(&high[from..]) {
        let high = V::load(high);
        for (row, low) in rows.iter_mut().zip(&low) {
            V::load(low).add(high).store(row);
        }
    }
}

/// The entry of `table` that the bits of `word` from `bit` on name.
///
/// # Safety
/// `mask` is a number of whole rows, less than `table` has.
#[inline(always)]
unsafe fn entry<V: Vector>(table: &[V::Row], word: u64, bit: usize, mask: usize) -> V {
    const { assert!(size_of::<V::Row>() == 1 << ROW_SHIFT) };
    // The bits, rotated to where they count whole rows: a byte offset without a shift or a scale.
    let offset = word.rotate_right((bit as u32 + u64::BITS - ROW_SHIFT) % u64::BITS) as usize & mask;
    // SAFETY: the caller's.
    V::load(unsafe { &*table.as_ptr().byte_add(offset) })
}
