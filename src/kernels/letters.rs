//! Potts spins: fields of all q letters of a column, and what training and recall do with them.
//!
//! A column's couplings are a lookup table, `[(j, b)][lanes]`: what letter b in column j adds to the field of each of the
//! column's own letters, side by side in q lanes and as many as fill vectors of 8. The field of every letter of the column is
//! one lookup and one vector addition a column j, without a multiplication:
//!
//! ```text
//! h_m[a] = theta_a + sum_j table[(j, x_mj)][a]           canonical order: from theta, j ascending
//! G[(j, b)][a] += sum_m [x_mj = b] r_m[a]                canonical order: m ascending from 0, in blocks that the caller makes
//! ```
//!
//! The column's own rows of the table are 0 and so take no exception. Lanes past q hold 0 in tables and minus infinity in
//! theta: they are never the largest and have no share in a softmax.
//!
//! # What bounds it
//!
//! At q = 21 a lookup is three 32-byte loads and three additions: two loads a cycle make 1.5 cycles. The pull loads and stores
//! three vectors; one store a cycle makes 3 cycles. Both go through as many columns at a time as L1 holds tables of
//! ([`TILE_BYTES`]), so that lookups never wait for L2, and read and write sums or residuals once a tile.
//! A softmax is about q / 8 exponentials, once for all columns.

use super::lanes::Arithmetic;
use super::logistic::exp_of_negative;

/// Letters in a vector.
pub const LETTER_LANES: usize = 8;
/// Rows of sequences whose pull is summed on its own: few enough that f32 sums stay good, and that residuals stay in L2.
pub const PULL_ROWS: usize = 512;
/// Tables of the columns that are gone through together: most of L1.
const TILE_BYTES: usize = 24 << 10;

/// Lanes of a column of q letters: whole vectors.
pub fn letter_lanes(n_letters: usize) -> usize {
    n_letters.next_multiple_of(LETTER_LANES)
}

/// Rows of letters, `[m][n_columns]`, each below `n_letters`.
#[derive(Clone, Copy)]
pub struct Letters<'a> {
    pub letters: &'a [u8],
    pub n_columns: usize,
    pub n_letters: usize,
}

impl Letters<'_> {
    /// Floats in a row of lanes.
    pub(super) fn lanes(&self) -> usize {
        letter_lanes(self.n_letters)
    }

    /// Rows.
    pub(super) fn n_rows(&self) -> usize {
        self.letters.len() / self.n_columns
    }

    /// Columns whose tables are gone through together.
    pub(super) fn tile_columns(&self) -> usize {
        (TILE_BYTES / (size_of::<f32>() * self.n_letters * self.lanes())).clamp(1, self.n_columns)
    }

    /// Letters of one column.
    #[inline(always)]
    fn of_column(&self, column: usize) -> impl Iterator<Item = usize> {
        self.letters[column..].iter().step_by(self.n_columns).map(|&letter| usize::from(letter))
    }
}

/// Eight letters of a column in registers.
pub(super) trait LetterVector: Arithmetic {
    fn load(letters: &[f32; LETTER_LANES]) -> Self;
    fn store(self, letters: &mut [f32; LETTER_LANES]);
    /// ((x0 + x4) + (x2 + x6)) + ((x1 + x5) + (x3 + x7)).
    fn sum(self) -> f32;
    /// The largest of the eight.
    fn largest(self) -> f32;
    /// Bit l set where lane l equals that of `other`.
    fn equal_mask(self, other: Self) -> u8;
}

/// W vectors: the lanes of a column.
type Row<const W: usize> = [[f32; LETTER_LANES]; W];

/// Factors that leave out one lane, or none.
const ALL_BUT: [[f32; LETTER_LANES]; LETTER_LANES + 1] = {
    let mut factors = [[1.0; LETTER_LANES]; LETTER_LANES + 1];
    let mut lane = 0;
    while lane < LETTER_LANES {
        factors[lane][lane] = 0.0;
        lane += 1;
    }
    factors
};

/// `values` as rows of W vectors.
#[inline(always)]
fn rows<const W: usize>(values: &[f32]) -> &[Row<W>] {
    values.as_chunks::<LETTER_LANES>().0.as_chunks::<W>().0
}

#[inline(always)]
fn rows_mut<const W: usize>(values: &mut [f32]) -> &mut [Row<W>] {
    values.as_chunks_mut::<LETTER_LANES>().0.as_chunks_mut::<W>().0
}

#[inline(always)]
fn load<V: LetterVector, const W: usize>(row: &Row<W>) -> [V; W] {
    let mut vectors = [V::splat(0.0); W];
    for (vector, values) in vectors.iter_mut().zip(row) {
        *vector = V::load(values);
    }
    vectors
}

#[inline(always)]
fn store<V: LetterVector, const W: usize>(vectors: [V; W], row: &mut Row<W>) {
    for (vector, values) in vectors.into_iter().zip(row) {
        vector.store(values);
    }
}

/// Calls a kernel of W vectors for the number of lanes.
macro_rules! of_width {
    ($lanes:expr, $kernel:ident, $vector:ty, $arguments:tt) => {
        match $lanes / LETTER_LANES {
            1 => $kernel::<$vector, 1> $arguments,
            2 => $kernel::<$vector, 2> $arguments,
            3 => $kernel::<$vector, 3> $arguments,
            4 => $kernel::<$vector, 4> $arguments,
            5 => $kernel::<$vector, 5> $arguments,
            6 => $kernel::<$vector, 6> $arguments,
            7 => $kernel::<$vector, 7> $arguments,
            _ => $kernel::<$vector, 8> $arguments,
        }
    };
}

#[inline(always)]
pub(super) fn fields<V: LetterVector>(letters: Letters, table: &[f32], theta: &[f32], fields: &mut [f32]) {
    of_width!(letters.lanes(), fields_of, V, (letters, table, theta, fields));
}

#[inline(always)]
fn fields_of<V: LetterVector, const W: usize>(
    letters: Letters,
    table: &[f32],
    theta: &[f32],
    fields: &mut [f32],
) {
    let (table, fields) = (rows::<W>(table), rows_mut::<W>(fields));
    fields.fill(rows::<W>(theta)[0]);
    let (n_letters, n_together) = (letters.n_letters, letters.tile_columns());
    for (tile, first) in table.chunks(n_together * n_letters).zip((0..).step_by(n_together)) {
        for (sequence, field) in letters.letters.chunks_exact(letters.n_columns).zip(&mut *fields) {
            let mut sums = load::<V, W>(field);
            for (table, &letter) in tile.chunks_exact(n_letters).zip(&sequence[first..]) {
                let entries = load::<V, W>(&table[usize::from(letter)]);
                for (sum, entry) in sums.iter_mut().zip(entries) {
                    *sum = sum.add(entry);
                }
            }
            store(sums, field);
        }
    }
}

#[inline(always)]
pub(super) fn pull<V: LetterVector>(
    letters: Letters,
    residuals: &[f32],
    pull: &mut [f32],
    scratch: &mut [f32],
) {
    of_width!(letters.lanes(), pull_of, V, (letters, residuals, pull, scratch));
}

#[inline(always)]
fn pull_of<V: LetterVector, const W: usize>(
    letters: Letters,
    residuals: &[f32],
    pull: &mut [f32],
    scratch: &mut [f32],
) {
    let (residuals, pull, scratch) = (rows::<W>(residuals), rows_mut::<W>(pull), rows_mut::<W>(scratch));
    let (n_letters, n_together) = (letters.n_letters, letters.tile_columns());
    for (total, first) in pull.chunks_mut(n_together * n_letters).zip((0..).step_by(n_together)) {
        let tile = &mut scratch[..total.len()];
        tile.fill([[0.0; LETTER_LANES]; W]);
        for (sequence, residual) in letters.letters.chunks_exact(letters.n_columns).zip(residuals) {
            let residual = load::<V, W>(residual);
            for (table, &letter) in tile.chunks_exact_mut(n_letters).zip(&sequence[first..]) {
                let entry = &mut table[usize::from(letter)];
                let mut sums = load::<V, W>(entry);
                for (sum, residual) in sums.iter_mut().zip(residual) {
                    *sum = sum.add(residual);
                }
                store(sums, entry);
            }
        }
        for (total, block) in total.iter_mut().zip(&*tile) {
            let mut sums = load::<V, W>(total);
            for (sum, block) in sums.iter_mut().zip(load::<V, W>(block)) {
                *sum = sum.add(block);
            }
            store(sums, total);
        }
    }
}

/// Weights of the letters over that of the one with the largest field, exp(lambda (h - h_max)), 0 past the last letter; and
/// the largest field.
#[inline(always)]
fn weights_of<V: LetterVector, const W: usize>(
    n_letters: usize,
    lambda: f32,
    fields: &Row<W>,
) -> ([V; W], f32) {
    let mut weights = load::<V, W>(fields);
    let mut most = weights[0];
    for &field in &weights[1..] {
        most = most.max(field);
    }
    let largest = most.largest();
    for weight in &mut weights {
        *weight = exp_of_negative(weight.sub(V::splat(largest)).mul(V::splat(lambda)));
    }
    let mut is_letter = [1.0; LETTER_LANES];
    is_letter[n_letters - (W - 1) * LETTER_LANES..].fill(0.0);
    weights[W - 1] = weights[W - 1].mul(V::load(&is_letter));
    (weights, largest)
}

/// Takes one letter's weight out, and returns the sum of the others.
#[inline(always)]
fn leave_out<V: LetterVector, const W: usize>(weights: &mut [V; W], letter: usize) -> f32 {
    let mut sum = V::splat(0.0);
    for (index, weight) in weights.iter_mut().enumerate() {
        let lane = letter.wrapping_sub(index * LETTER_LANES).min(LETTER_LANES);
        *weight = weight.mul(V::load(&ALL_BUT[lane]));
        sum = sum.add(*weight);
    }
    sum.sum()
}

#[inline(always)]
pub(super) fn residuals<V: LetterVector>(
    letters: Letters,
    column: usize,
    lambda: f32,
    weights: Option<&[f32]>,
    fields: &mut [f32],
) {
    of_width!(letters.lanes(), residuals_of, V, (letters, column, lambda, weights, fields));
}

/// The letter that is there gets the sum of the others' shares, which keeps its digits where it is near 0.
#[inline(always)]
fn residuals_of<V: LetterVector, const W: usize>(
    letters: Letters,
    column: usize,
    lambda: f32,
    weights: Option<&[f32]>,
    fields: &mut [f32],
) {
    for (m, (letter, row)) in letters.of_column(column).zip(rows_mut::<W>(fields)).enumerate() {
        let (mut shares, _) = weights_of::<V, W>(letters.n_letters, lambda, row);
        store(shares, row);
        let own = row.as_flattened()[letter];
        let others = leave_out(&mut shares, letter);
        let weight = weights.map_or(1.0, |weights| weights[m]);
        let factor = weight / (others + own);
        for share in &mut shares {
            *share = share.mul(V::splat(-factor));
        }
        store(shares, row);
        row.as_flattened_mut()[letter] = others * factor;
    }
}

#[inline(always)]
pub(super) fn losses<V: LetterVector>(
    letters: Letters,
    column: usize,
    lambda: f32,
    fields: &[f32],
    losses: &mut [[f32; 2]],
) {
    of_width!(letters.lanes(), losses_of, V, (letters, column, lambda, fields, losses));
}

#[inline(always)]
fn losses_of<V: LetterVector, const W: usize>(
    letters: Letters,
    column: usize,
    lambda: f32,
    fields: &[f32],
    losses: &mut [[f32; 2]],
) {
    for ((letter, row), loss) in letters.of_column(column).zip(rows::<W>(fields)).zip(losses) {
        let (mut shares, largest) = weights_of::<V, W>(letters.n_letters, lambda, row);
        *loss = [lambda * (largest - row.as_flattened()[letter]), leave_out(&mut shares, letter)];
    }
}

#[inline(always)]
pub(super) fn largest<V: LetterVector>(letters: Letters, column: usize, fields: &[f32], next: &mut [u8]) {
    of_width!(letters.lanes(), largest_of, V, (letters, column, fields, next));
}

#[inline(always)]
fn largest_of<V: LetterVector, const W: usize>(
    letters: Letters,
    column: usize,
    fields: &[f32],
    next: &mut [u8],
) {
    for ((letter, row), next) in letters.of_column(column).zip(rows::<W>(fields)).zip(next) {
        let fields = load::<V, W>(row);
        let mut most = fields[0];
        for &field in &fields[1..] {
            most = most.max(field);
        }
        let largest = V::splat(most.largest());
        let mut mask = 0u64;
        for (index, field) in fields.into_iter().enumerate() {
            mask |= u64::from(field.equal_mask(largest)) << (index * LETTER_LANES);
        }
        let stays = mask >> letter & 1 == 1;
        *next = if stays { letter as u8 } else { mask.trailing_zeros() as u8 };
    }
}
