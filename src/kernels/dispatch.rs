//! The public kernels: check shapes, then run the twin that the caller's [`Isa`] names.

use wide::{f32x8, i32x8, u64x4};

#[cfg(target_arch = "x86_64")]
use super::avx2;
use super::dense_product::{self};
use super::differing_bits::{self, PLANE_WIDTH, Plane};
use super::lanes::{Element, Lanes};
use super::portable::Wide;
use super::scalar::{Plain, PlainBytes, PlainOctet};
use super::signed_product::{self, BLOCK, Tables};
use super::{Isa, logistic, one_state, overlap};

/// Runs one of three twins. An [`Isa`] that this processor lacks falls to the portable one: the bits are the same.
macro_rules! twins {
    ($isa:expr, $avx2:expr, $portable:expr, $scalar:expr) => {
        match $isa {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: guarded by `is_available`, which tests for every feature that the AVX2 twins enable.
            Isa::Avx2 if Isa::Avx2.is_available() => unsafe { $avx2 },
            Isa::Scalar => $scalar,
            _ => $portable,
        }
    };
}

/// The weights that a signed product exists for.
pub trait Weight: Element {
    #[doc(hidden)]
    fn product(
        isa: Isa,
        signs: &[u64],
        stride: usize,
        weights: &[Lanes<Self>],
        products: &mut [Lanes<Self>],
        tables: &mut Tables<Self>,
    );
}

impl Weight for f32 {
    fn product(
        isa: Isa,
        signs: &[u64],
        stride: usize,
        weights: &[Lanes<f32>],
        products: &mut [Lanes<f32>],
        tables: &mut Tables<f32>,
    ) {
        twins!(
            isa,
            avx2::signed_product_f32(signs, stride, weights, products, tables),
            signed_product::run::<Wide<f32x8>>(signs, stride, weights, products, tables),
            signed_product::run::<Plain<f32>>(signs, stride, weights, products, tables)
        );
    }
}

impl Weight for i32 {
    fn product(
        isa: Isa,
        signs: &[u64],
        stride: usize,
        weights: &[Lanes<i32>],
        products: &mut [Lanes<i32>],
        tables: &mut Tables<i32>,
    ) {
        twins!(
            isa,
            avx2::signed_product_i32(signs, stride, weights, products, tables),
            signed_product::run::<Wide<i32x8>>(signs, stride, weights, products, tables),
            signed_product::run::<Plain<i32>>(signs, stride, weights, products, tables)
        );
    }
}

/// `C[m][16] += sum_k s_mk w_k[16]`, s = +-1, in the canonical order of the [module](super).
///
/// `signs` is `[weights.len().div_ceil(64)][stride]` words, of which the first `products.len()` of each block are read;
/// `weights` is `[k][16]`, `products` `[m][16]`. For i32 the caller bounds the sums: sum_k |w_k| plus |C| below 2^31.
///
/// # Panics
/// If `signs` is too short for the shape.
pub fn signed_product<T: Weight>(
    isa: Isa,
    signs: &[u64],
    stride: usize,
    weights: &[Lanes<T>],
    products: &mut [Lanes<T>],
    tables: &mut Tables<T>,
) {
    let n_blocks = weights.len().div_ceil(BLOCK);
    assert!(products.len() <= stride || n_blocks <= 1, "{} states in rows of {stride} words", products.len());
    assert!(
        n_blocks == 0 || (n_blocks - 1) * stride + products.len() <= signs.len(),
        "{} words of signs for {n_blocks} blocks of {stride}",
        signs.len()
    );
    T::product(isa, signs, stride, weights, products, tables);
}

/// The local fields of one state, `fields[i] = sum_k s_k rows[i][k]`, in the canonical order.
///
/// `state` is packed, at least `n_columns` bits; `rows` is row-major, `[fields.len()][n_columns]`.
///
/// # Panics
/// If the lengths do not fit together.
pub fn fields_of_one_state(isa: Isa, state: &[u64], rows: &[f32], n_columns: usize, fields: &mut [f32]) {
    assert!(n_columns <= state.len() * BLOCK, "{n_columns} columns of {} words", state.len());
    assert_eq!(rows.len(), fields.len() * n_columns, "rows of {n_columns} couplings");
    if n_columns == 0 {
        return fields.fill(0.0);
    }
    twins!(
        isa,
        avx2::fields_of_one_state(state, rows, n_columns, fields),
        one_state::run::<f32x8>(state, rows, n_columns, fields),
        one_state::run::<PlainOctet>(state, rows, n_columns, fields)
    );
}

/// `C[m][16] += sum_k K_mk a_k[16]` for real K, in ascending order of k.
///
/// `rows` are sets of 6 interleaved rows of K, `[m.div_ceil(6)][k][6]`, missing rows as anything; `a` is `[k][16]`,
/// `products` `[m][16]`.
///
/// # Panics
/// If the lengths do not fit together.
pub fn dense_product(
    isa: Isa,
    rows: &[[f32; dense_product::ROWS]],
    a: &[Lanes<f32>],
    products: &mut [Lanes<f32>],
) {
    assert_eq!(rows.len(), a.len() * products.len().div_ceil(dense_product::ROWS));
    if a.is_empty() {
        return;
    }
    twins!(
        isa,
        avx2::dense_product(rows, a, products),
        dense_product::run::<Wide<f32x8>>(rows, a, products),
        dense_product::run::<Plain<f32>>(rows, a, products)
    );
}

/// Fields `[m][16]` become residuals: h -> xi sigma(-lambda xi h), where xi of lane l is bit `shift + l` of the word.
pub fn residuals(isa: Isa, signs: &[u64], shift: u32, lambda: f32, fields: &mut [Lanes<f32>]) {
    assert_eq!(signs.len(), fields.len());
    twins!(
        isa,
        avx2::residuals(signs, shift, lambda, fields),
        logistic::residuals::<Wide<f32x8>>(signs, shift, lambda, fields),
        logistic::residuals::<Plain<f32>>(signs, shift, lambda, fields)
    );
}

/// Fields `[m][16]` become margins: h -> xi h, where xi of lane l is bit `shift + l` of the word.
pub fn margins(isa: Isa, signs: &[u64], shift: u32, fields: &mut [Lanes<f32>]) {
    assert_eq!(signs.len(), fields.len());
    twins!(
        isa,
        avx2::margins(signs, shift, fields),
        logistic::margins::<Wide<f32x8>>(signs, shift, fields),
        logistic::margins::<Plain<f32>>(signs, shift, fields)
    );
}

/// Margins `[m][16]` become losses: m -> log(1 + exp(-lambda m)).
pub fn losses(isa: Isa, lambda: f32, margins: &mut [Lanes<f32>]) {
    twins!(
        isa,
        avx2::losses(lambda, margins),
        logistic::losses::<Wide<f32x8>>(lambda, margins),
        logistic::losses::<Plain<f32>>(lambda, margins)
    );
}

/// Zero-temperature update: bits `shift..shift + 16` of `next[m]` become the signs of fields `[m][16]`; where a field
/// is exactly 0, the bit of `ties[m]` is taken.
pub fn threshold(isa: Isa, fields: &[Lanes<f32>], ties: &[u64], shift: u32, next: &mut [u64]) {
    assert!(fields.len() == ties.len() && fields.len() == next.len());
    twins!(
        isa,
        avx2::threshold(fields, ties, shift, next),
        logistic::threshold::<Wide<f32x8>>(fields, ties, shift, next),
        logistic::threshold::<Plain<f32>>(fields, ties, shift, next)
    );
}

/// `counts[i][j]` += places in which column i of block `a` differs from column j of block `b`.
///
/// Blocks are 32 columns as nibble planes, `[k]` of 32 bytes below 16 each: byte c of plane k holds bits 4k..4k+3 of
/// column c. The caller bounds the sums: 4 k plus what is in `counts` below 2^32.
///
/// # Panics
/// If the blocks differ in length.
pub fn differing_bits(isa: Isa, a: &[Plane], b: &[Plane], counts: &mut [[u32; PLANE_WIDTH]; PLANE_WIDTH]) {
    assert_eq!(a.len(), b.len());
    twins!(
        isa,
        avx2::differing_bits(a, b, counts),
        differing_bits::run::<u64x4>(a, b, counts),
        differing_bits::run::<PlainBytes>(a, b, counts)
    );
}

/// Spins in which two packed rows differ; the overlap is 1 - 2 d / N.
///
/// # Panics
/// If the rows differ in length.
pub fn hamming_distance(isa: Isa, a: &[u64], b: &[u64]) -> u64 {
    assert_eq!(a.len(), b.len());
    twins!(
        isa,
        avx2::hamming_distance(a, b),
        overlap::hamming_distance(a, b),
        overlap::hamming_distance(a, b)
    )
}
