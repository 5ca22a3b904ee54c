//! The local fields of a single state, straight from rows of couplings: flip signs and add, bound by memory reads.
//!
//! Rows are row-major, so a vector holds the 8 columns of one group. Two horizontal additions give the tree of the
//! canonical order for four rows at once; the same sums in the same order as the signed product.

/// Eight neighbouring columns of a row in registers.
pub(super) trait Octet: Copy {
    /// Loads 8 columns.
    fn load(columns: &[f32; 8]) -> Self;
    /// Column c negated where bit c of `byte` is 0.
    fn flip_where_clear(self, byte: u8) -> Self;
    /// Each of four rows' tree sum ((x0 + x1) + (x2 + x3)) + ((x4 + x5) + (x6 + x7)).
    fn tree_sums(rows: [Self; 4]) -> [f32; 4];
}

/// Rows handled together.
const ROWS: usize = 4;

/// `fields[i] = sum_k s_k rows[i][k]`; rows are `[fields.len()][n_columns]`, `state` is packed.
#[inline(always)]
pub(super) fn run<V: Octet>(state: &[u64], rows: &[f32], n_columns: usize, fields: &mut [f32]) {
    for (fields, rows) in fields.chunks_mut(ROWS).zip(rows.chunks(ROWS * n_columns)) {
        // A last, partial set of rows repeats its first row; the repeats are not stored.
        let row = |index: usize| {
            let index = if index < fields.len() { index } else { 0 };
            &rows[index * n_columns..][..n_columns]
        };
        let rows: [&[f32]; ROWS] = std::array::from_fn(row);
        let mut sums = [0.0; ROWS];
        let n_whole = n_columns / 8;
        for group in 0..n_whole {
            let byte = (state[group / 8] >> (group % 8 * 8)) as u8;
            let columns = rows.map(|row| V::load(row[group * 8..][..8].try_into().expect("8 columns")));
            add(&mut sums, V::tree_sums(columns.map(|row| row.flip_where_clear(byte))));
        }
        if !n_columns.is_multiple_of(8) {
            let byte = (state[n_whole / 8] >> (n_whole % 8 * 8)) as u8;
            let columns = rows.map(|row| {
                let mut padded = [0.0; 8];
                padded[..n_columns % 8].copy_from_slice(&row[n_whole * 8..]);
                V::load(&padded)
            });
            add(&mut sums, V::tree_sums(columns.map(|row| row.flip_where_clear(byte))));
        }
        fields.copy_from_slice(&sums[..fields.len()]);
    }
}

#[inline(always)]
fn add(sums: &mut [f32; ROWS], terms: [f32; ROWS]) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += term;
    }
}
