//! The local fields of a single state, straight from rows of couplings: flip signs and add, bound by memory reads.
//!
//! Rows are row-major, so a vector holds the 8 columns of one group. Two horizontal additions give the tree of the
//! canonical order for four rows at once; the same sums in the same order as the signed product. Four sums stay in one
//! register, and rows are fetched [`AHEAD`] of their use: the fetches of four rows are what a core can keep in flight.

use super::lanes::prefetch;

/// Eight neighbouring columns of a row in registers.
pub(super) trait Octet: Copy {
    /// Four sums in registers.
    type Sums: Copy;
    /// Signs of eight columns in registers.
    type Signs: Copy;

    /// Loads 8 columns.
    fn load(columns: &[f32; 8]) -> Self;
    /// Column c is negated where bit c of `byte` is 0.
    fn signs(byte: u8) -> Self::Signs;
    /// With these signs.
    fn signed(self, signs: Self::Signs) -> Self;
    /// Sums of nothing.
    fn zero() -> Self::Sums;
    /// Adds each of four rows' tree sum ((x0 + x1) + (x2 + x3)) + ((x4 + x5) + (x6 + x7)).
    fn add_trees(sums: Self::Sums, rows: [Self; 4]) -> Self::Sums;
    /// Out of registers.
    fn sums(sums: Self::Sums) -> [f32; 4];
}

/// Rows handled together.
const ROWS: usize = 4;
/// Columns in a group.
const GROUP: usize = 8;
/// Columns between a fetch and its use: 2 KiB.
const AHEAD: usize = 512;

/// `fields[i] = sum_k s_k rows[i][k]`; rows are `[fields.len()][n_columns]`, `state` is packed.
#[inline(always)]
pub(super) fn run<V: Octet>(state: &[u64], rows: &[f32], n_columns: usize, fields: &mut [f32]) {
    let n_whole = n_columns / GROUP;
    let byte = |group: usize| (state[group / 8] >> (group % 8 * 8)) as u8;
    for (fields, rows) in fields.chunks_mut(ROWS).zip(rows.chunks(ROWS * n_columns)) {
        // A last, partial set of rows repeats its first row; the repeats are not stored.
        let row = |index: usize| {
            let index = if index < fields.len() { index } else { 0 };
            &rows[index * n_columns..][..n_columns]
        };
        let rows: [&[f32]; ROWS] = std::array::from_fn(row);
        let mut sums = V::zero();
        for group in 0..n_whole {
            if group % 2 == 0 {
                // One cache line is two groups. Beyond a row lies the next, or nothing, which a fetch may name.
                rows.iter().for_each(|row| prefetch(row.as_ptr().wrapping_add(group * GROUP + AHEAD)));
            }
            sums = V::add_trees(sums, signed::<V>(rows, group, V::signs(byte(group))));
        }
        if !n_columns.is_multiple_of(GROUP) {
            let signs = V::signs(byte(n_whole));
            let mut padded = [[0.0; GROUP]; ROWS];
            for (padded, row) in padded.iter_mut().zip(rows) {
                padded[..n_columns % GROUP].copy_from_slice(&row[n_whole * GROUP..]);
            }
            sums = V::add_trees(sums, signed::<V>(padded.each_ref().map(|row| &row[..]), 0, signs));
        }
        fields.copy_from_slice(&V::sums(sums)[..fields.len()]);
    }
}

/// The columns of one group of four rows, with their signs.
#[inline(always)]
fn signed<V: Octet>(rows: [&[f32]; ROWS], group: usize, signs: V::Signs) -> [V; ROWS] {
    let [a, b, c, d] = rows.map(|row| row[group * GROUP..].first_chunk().expect("8 columns"));
    [V::load(a).signed(signs), V::load(b).signed(signs), V::load(c).signed(signs), V::load(d).signed(signs)]
}
