//! The public kernels of Potts spins: they check shapes, then run the twin that the caller's [`Isa`] names.
//!
//! Arrays of fields and residuals are `[m][lanes]`, tables `[(j, b)][lanes]`, with [`letter_lanes`](super::letter_lanes) floats
//! a row.

use wide::f32x8;

use super::Isa;
#[cfg(target_arch = "x86_64")]
use super::avx2;
use super::dispatch::twins;
use super::letters::{self, Letters};
use super::scalar::PlainOctet;

/// Panics if arrays do not fit the letters.
fn check(letters: Letters, column: usize, fields: &[f32]) {
    assert!(column < letters.n_columns && letters.letters.len().is_multiple_of(letters.n_columns));
    assert!((1..=64).contains(&letters.n_letters), "{} letters in a mask of 64", letters.n_letters);
    assert_eq!(fields.len(), letters.n_rows() * letters.lanes());
}

/// Floats in the table of a column.
fn table_len(letters: Letters) -> usize {
    letters.n_columns * letters.n_letters * letters.lanes()
}

/// Fields of all letters of a column, `h_m[a] = theta_a + sum_j table[(j, x_mj)][a]`, in the canonical order.
///
/// `theta` is `[lanes]`, minus infinity past the last letter.
///
/// # Panics
/// If the lengths do not fit together, or a letter is not below q.
pub fn fields_of_letters(isa: Isa, letters: Letters, table: &[f32], theta: &[f32], fields: &mut [f32]) {
    check(letters, 0, fields);
    assert_eq!(table.len(), table_len(letters));
    assert_eq!(theta.len(), letters.lanes());
    twins!(
        isa,
        avx2::fields_of_letters(letters, table, theta, fields),
        letters::fields::<f32x8>(letters, table, theta, fields),
        letters::fields::<PlainOctet>(letters, table, theta, fields)
    );
}

/// Fields of a column become residuals: h_m -> w_m (delta(a, x) - p_a), p the softmax of lambda h, x the letter that is there.
///
/// # Panics
/// If the lengths do not fit together.
pub fn letter_residuals(
    isa: Isa,
    letters: Letters,
    column: usize,
    lambda: f32,
    weights: Option<&[f32]>,
    fields: &mut [f32],
) {
    check(letters, column, fields);
    assert!(weights.is_none_or(|weights| weights.len() == letters.n_rows()));
    twins!(
        isa,
        avx2::letter_residuals(letters, column, lambda, weights, fields),
        letters::residuals::<f32x8>(letters, column, lambda, weights, fields),
        letters::residuals::<PlainOctet>(letters, column, lambda, weights, fields)
    );
}

/// What -log p_x of the letter that is there is made of, z + log(exp(-z) + s): z = lambda (h_max - h_x), 0 where no other letter
/// has a larger field, and s, the sum of exp(lambda (h - h_max)) over the other letters.
///
/// # Panics
/// If the lengths do not fit together.
pub fn letter_losses(
    isa: Isa,
    letters: Letters,
    column: usize,
    lambda: f32,
    fields: &[f32],
    losses: &mut [[f32; 2]],
) {
    check(letters, column, fields);
    assert_eq!(losses.len(), letters.n_rows());
    twins!(
        isa,
        avx2::letter_losses(letters, column, lambda, fields, losses),
        letters::losses::<f32x8>(letters, column, lambda, fields, losses),
        letters::losses::<PlainOctet>(letters, column, lambda, fields, losses)
    );
}

/// Zero-temperature update of a column: the letter of the largest field; among several, the one that is there, else the lowest.
///
/// # Panics
/// If the lengths do not fit together.
pub fn largest_letters(isa: Isa, letters: Letters, column: usize, fields: &[f32], next: &mut [u8]) {
    check(letters, column, fields);
    assert_eq!(next.len(), letters.n_rows());
    twins!(
        isa,
        avx2::largest_letters(letters, column, fields, next),
        letters::largest::<f32x8>(letters, column, fields, next),
        letters::largest::<PlainOctet>(letters, column, fields, next)
    );
}

/// Floats of scratch that [`letter_pull`] wants.
pub fn pull_scratch(n_columns: usize, n_letters: usize) -> usize {
    let letters = Letters { letters: &[], n_columns, n_letters };
    letters.tile_columns() * n_letters * letters.lanes()
}

/// `pull[(j, b)][a] += sum_m [x_mj = b] residuals_m[a]`, the sum over m ascending from 0.
///
/// # Panics
/// If the lengths do not fit together, or a letter is not below q.
pub fn letter_pull(isa: Isa, letters: Letters, residuals: &[f32], pull: &mut [f32], scratch: &mut [f32]) {
    check(letters, 0, residuals);
    assert_eq!(pull.len(), table_len(letters));
    assert!(scratch.len() >= pull_scratch(letters.n_columns, letters.n_letters));
    twins!(
        isa,
        avx2::letter_pull(letters, residuals, pull, scratch),
        letters::pull::<f32x8>(letters, residuals, pull, scratch),
        letters::pull::<PlainOctet>(letters, residuals, pull, scratch)
    );
}
