//! The public kernels: check shapes, then run the twin that the caller's [`Isa`] names.

use wide::{f32x8, i32x8, u64x4};

#[cfg(target_arch = "x86_64")]
use super::avx2;
use super::counts::{self, Counts};
use super::fields::{self, Finish, Source};
use super::flips::{self, Flips};
use super::lanes::{BYTE_LANES, Element, LANES, Lanes};
use super::portable::Wide;
use super::scalar::{Plain, PlainOctet};
use super::signed_product::{self, BLOCK, Scratch, Signs, TILE};
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
pub(super) use twins;

/// The weights that a signed product exists for.
pub trait Weight: Element {
    #[doc(hidden)]
    fn product(
        isa: Isa,
        signs: Signs<'_>,
        weights: &[Lanes<Self>],
        products: &mut [Lanes<Self>],
        tables: &mut Tables<Self>,
    );
}

impl Weight for f32 {
    fn product(
        isa: Isa,
        signs: Signs,
        weights: &[Lanes<f32>],
        products: &mut [Lanes<f32>],
        Tables(scratch): &mut Tables<f32>,
    ) {
        twins!(
            isa,
            avx2::signed_product_f32(signs, weights, products, scratch),
            fields::accumulate::<Wide<f32x8>>(signs, weights, products, scratch),
            fields::accumulate::<Plain<f32>>(signs, weights, products, scratch)
        );
    }
}

impl Weight for i32 {
    fn product(
        isa: Isa,
        signs: Signs,
        weights: &[Lanes<i32>],
        products: &mut [Lanes<i32>],
        Tables(scratch): &mut Tables<i32>,
    ) {
        twins!(
            isa,
            avx2::signed_product_i32(signs, weights, products, scratch),
            signed_product::accumulate::<Wide<i32x8>>(signs, weights, products, scratch),
            signed_product::accumulate::<Plain<i32>>(signs, weights, products, scratch)
        );
    }
}

/// Scratch space for a product with weights T: 132 KiB, one per thread. Contents between calls mean nothing.
pub struct Tables<T: Element>(Scratch<Lanes<T>>);

impl<T: Element> Tables<T> {
    /// Allocates it.
    pub fn new() -> Self {
        Self(Scratch::new(Lanes::ZERO))
    }
}

impl<T: Element> Default for Tables<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Panics if there are fewer words than the shape says.
fn check(signs: Signs, n_columns: usize) {
    let Signs { words, stride, n_states } = signs;
    let n_blocks = n_columns.div_ceil(BLOCK);
    assert!(n_states <= stride || n_blocks <= 1, "{n_states} states in rows of {stride} words");
    assert!(
        n_blocks == 0 || (n_blocks - 1) * stride + n_states <= words.len(),
        "{} words of signs for {n_blocks} blocks of {stride}",
        words.len()
    );
}

/// `C[m][16] += sum_k s_mk w_k[16]`, s = +-1, in the canonical order of the [module](super).
///
/// `signs` is `[weights.len().div_ceil(64)][stride]` words, of which the first `products.len()` of each block are read;
/// `weights` is `[k][16]`, `products` `[m][16]`, without -0. For i32 the caller bounds the sums: sum_k |w_k| plus |C| below
/// 2^31.
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
    let signs = Signs { words: signs, stride, n_states: products.len() };
    check(signs, weights.len());
    T::product(isa, signs, weights, products, tables);
}

/// States whose fields [`local_fields`] wants room for when they are not kept.
pub fn field_scratch(n_states: usize) -> usize {
    n_states.min(TILE)
}

/// The local fields of states at up to 16 neurons, `h_m[16] = sum_k s_mk w_k[16]` in the canonical order, and what is to
/// become of them.
///
/// `fields` holds those that are kept, `[m][16]`; else it is scratch for [`field_scratch`] of them. A threshold keeps them
/// too where there is room for all.
///
/// # Panics
/// If the lengths do not fit together.
pub fn local_fields(
    isa: Isa,
    signs: Signs,
    source: Source,
    fields: &mut [Lanes<f32>],
    finish: Finish,
    tables: &mut Tables<f32>,
) {
    local_fields_with(isa, signs, source, None, fields, finish, tables);
}

/// The same with a field of their own at each neuron, `h_m[16] = sum_k s_mk w_k[16] + theta[16]`, added last.
///
/// # Panics
/// As [`local_fields`].
pub fn local_fields_with(
    isa: Isa,
    signs: Signs,
    source: Source,
    theta: Option<&Lanes<f32>>,
    fields: &mut [Lanes<f32>],
    finish: Finish,
    Tables(scratch): &mut Tables<f32>,
) {
    check(signs, source.n_columns());
    let n_states = signs.n_states;
    if let Source::Rows { values, n_columns } = source {
        assert!(values.len() <= LANES * n_columns && values.len().is_multiple_of(n_columns.max(1)));
    }
    let room = match &finish {
        Finish::Keep => n_states,
        Finish::Stream(target) => {
            assert_eq!(target.len(), n_states);
            field_scratch(n_states)
        }
        Finish::Residuals { signs, weights, .. } => {
            assert_eq!(signs.len(), n_states);
            assert!(weights.is_none_or(|weights| weights.len() == n_states));
            n_states
        }
        Finish::Threshold { ties, next, .. } => {
            assert!(ties.len() == n_states && next.len() == n_states);
            // Room for all keeps all.
            if fields.len() < n_states { field_scratch(n_states) } else { n_states }
        }
    };
    assert!(fields.len() >= room, "room for {} fields of {room}", fields.len());
    let fields = &mut fields[..room];
    twins!(
        isa,
        avx2::local_fields(signs, source, theta, fields, finish, scratch),
        fields::local_fields::<Wide<f32x8>>(signs, source, theta, fields, finish, scratch),
        fields::local_fields::<Plain<f32>>(signs, source, theta, fields, finish, scratch)
    );
}

/// `fields[m] += 2 sum_k s_mk w_k` over the columns that flipped: the fields after the flips from those before, up to
/// rounding. Each flip adds one rounded addition whose result is at most sum_k |w_k|.
///
/// # Panics
/// If there are not as many states as fields, or a column is not one of the panel.
pub fn update_fields(isa: Isa, flips: Flips, panel: &[Lanes<f32>], fields: &mut [Lanes<f32>]) {
    assert!(flips.starts.len() == fields.len() && flips.ends.len() == fields.len());
    twins!(
        isa,
        avx2::update_fields(flips, panel, fields),
        flips::run::<Wide<f32x8>>(flips, panel, fields),
        flips::run::<Plain<f32>>(flips, panel, fields)
    );
}

/// Interleaves up to 16 rows `[rows][n]` into `[n][16]`; lanes of missing rows become 0.
///
/// # Panics
/// If `rows` is not a whole number of rows of `panel.len()`, or more than 16.
pub fn interleave(isa: Isa, rows: &[f32], panel: &mut [Lanes<f32>]) {
    let n_columns = panel.len();
    assert!(rows.len() <= LANES * n_columns && rows.len().is_multiple_of(n_columns.max(1)));
    if n_columns == 0 {
        return;
    }
    twins!(
        isa,
        avx2::interleave(rows, n_columns, 0, panel),
        fields::interleave::<Wide<f32x8>>(rows, n_columns, 0, panel),
        fields::interleave::<Plain<f32>>(rows, n_columns, 0, panel)
    );
}

/// The inverse of [`interleave`]: writes `rows.len() / panel.len()` rows, the remaining lanes are dropped.
///
/// # Panics
/// As [`interleave`].
pub fn deinterleave(isa: Isa, panel: &[Lanes<f32>], rows: &mut [f32]) {
    let n_columns = panel.len();
    assert!(rows.len() <= LANES * n_columns && rows.len().is_multiple_of(n_columns.max(1)));
    if n_columns == 0 {
        return;
    }
    twins!(
        isa,
        avx2::deinterleave(panel, rows),
        fields::deinterleave::<Wide<f32x8>>(panel, rows),
        fields::deinterleave::<Plain<f32>>(panel, rows)
    );
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

/// Scratch space for counting differing bits: 388 KiB, one per thread. Contents between calls mean nothing.
pub struct CountScratch {
    bytes: Vec<Lanes<u8, BYTE_LANES>>,
    tables: Scratch<Lanes<u8, BYTE_LANES>>,
}

impl CountScratch {
    /// What it takes.
    pub const BYTES: usize = (TILE + 2048 + BLOCK) * size_of::<Lanes<u8, BYTE_LANES>>();

    /// Allocates it.
    pub fn new() -> Self {
        Self { bytes: vec![Lanes::ZERO; TILE], tables: Scratch::new(Lanes::ZERO) }
    }
}

impl Default for CountScratch {
    fn default() -> Self {
        Self::new()
    }
}

/// `counts[m][l]` += columns in which row m of `signs` differs from lane l of `lanes`.
///
/// `signs` is `[lanes.len().div_ceil(64)][stride]` words, of which the first `counts.len()` of each block are read and whose
/// bits past the last column are 0; bit l of word k of `lanes` is lane l in column k. The caller bounds the sums: columns
/// plus what is in `counts` below 2^16.
///
/// # Panics
/// If `signs` is too short for the shape.
pub fn differing_bits(
    isa: Isa,
    signs: &[u64],
    stride: usize,
    lanes: &[u64],
    counts: &mut [Counts],
    scratch: &mut CountScratch,
) {
    let signs = Signs { words: signs, stride, n_states: counts.len() };
    check(signs, lanes.len());
    let CountScratch { bytes, tables } = scratch;
    // Kept sums would be those of all states; these are taken away tile by tile.
    let bytes = &mut bytes[..TILE.min(counts.len())];
    twins!(
        isa,
        avx2::differing_bits(signs, lanes, counts, bytes, tables),
        counts::run_counts::<Wide<u64x4>>(signs, lanes, counts, bytes, tables),
        counts::run_counts::<Plain<u8, BYTE_LANES>>(signs, lanes, counts, bytes, tables)
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
