//! The AVX2 twin.
//!
//! The vector types' methods are safe functions over intrinsics that need AVX2. They are private to this file and its folder and
//! only inlined into the entry points at its end, which enable AVX2, BMI1, BMI2, FMA and POPCNT and are unsafe for that reason.

use std::arch::x86_64::*;

use super::coordinate_steps::{self, CorrectedPanel, Correction, Relaxation, RelaxedPanel, Visits};
use super::counts::{Counts, run_counts};
use super::dense_product::{self, DenseRows};
use super::fields::{self, Finish, Source};
use super::flips::{self, Flips};
use super::in_order::{self, InOrder, InOrderStates};
use super::lanes::{BYTE_LANES, FloatVector, LANES, Lanes, SignedVector, Vector};
use super::letters::{self, Letters};
use super::logistic::SpanStep;
use super::one_state::Octet;
use super::signed_product::{self, Scratch, Signs};
use super::{logistic, mismatches, noise, one_state, overlap};

#[derive(Clone, Copy)]
struct F32(__m256, __m256);

/// Applies an intrinsic to both halves of a vector, or of two.
macro_rules! halves {
    ($intrinsic:ident, $a:expr) => {
        // SAFETY: reached only from the entry points of avx2.rs, whose callers checked for AVX2.
        Self(unsafe { $intrinsic($a.0) }, unsafe { $intrinsic($a.1) })
    };
    ($intrinsic:ident, $a:expr, $b:expr) => {
        // SAFETY: reached only from the entry points of avx2.rs, whose callers checked for AVX2.
        Self(unsafe { $intrinsic($a.0, $b.0) }, unsafe { $intrinsic($a.1, $b.1) })
    };
}

mod integers;
mod letter_vector;

use integers::{I32, U8};

/// The sign bit in the lanes whose bit of `byte` is 0.
#[inline(always)]
fn sign_where_clear(byte: u8) -> __m256 {
    // SAFETY: reached only from this file's entry points, whose callers checked for AVX2.
    unsafe {
        let to_the_top = _mm256_setr_epi32(31, 30, 29, 28, 27, 26, 25, 24);
        let set = _mm256_castsi256_ps(_mm256_sllv_epi32(_mm256_set1_epi32(i32::from(byte)), to_the_top));
        _mm256_andnot_ps(set, _mm256_set1_ps(-0.0))
    }
}

/// The upper half of a word in every lane, from memory with one instruction: the compiler would take it from the register
/// that holds the word for lookups, which takes three.
///
/// # Safety
/// The processor must have AVX2.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn broadcast_upper(word: &u64) -> __m256i {
    let lanes;
    // SAFETY: AVX2 is enabled; the four bytes are the upper ones of a word that may be read.
    unsafe {
        std::arch::asm!(
            "vpbroadcastd {lanes}, dword ptr [{word} + 4]",
            word = in(reg) word,
            lanes = lateout(ymm_reg) lanes,
            options(pure, readonly, nostack, preserves_flags)
        );
    }
    lanes
}

/// Rows of an 8 x 8 square become its columns.
#[inline(always)]
fn transpose(r: [__m256; 8]) -> [__m256; 8] {
    // SAFETY: reached only from this file's entry points, whose callers checked for AVX2.
    unsafe {
        let (a0, a1) = (_mm256_unpacklo_ps(r[0], r[1]), _mm256_unpackhi_ps(r[0], r[1]));
        let (b0, b1) = (_mm256_unpacklo_ps(r[2], r[3]), _mm256_unpackhi_ps(r[2], r[3]));
        let (c0, c1) = (_mm256_unpacklo_ps(r[4], r[5]), _mm256_unpackhi_ps(r[4], r[5]));
        let (d0, d1) = (_mm256_unpacklo_ps(r[6], r[7]), _mm256_unpackhi_ps(r[6], r[7]));
        let (e0, e1) = (_mm256_shuffle_ps::<0x44>(a0, b0), _mm256_shuffle_ps::<0xee>(a0, b0));
        let (e2, e3) = (_mm256_shuffle_ps::<0x44>(a1, b1), _mm256_shuffle_ps::<0xee>(a1, b1));
        let (f0, f1) = (_mm256_shuffle_ps::<0x44>(c0, d0), _mm256_shuffle_ps::<0xee>(c0, d0));
        let (f2, f3) = (_mm256_shuffle_ps::<0x44>(c1, d1), _mm256_shuffle_ps::<0xee>(c1, d1));
        [
            _mm256_permute2f128_ps::<0x20>(e0, f0),
            _mm256_permute2f128_ps::<0x20>(e1, f1),
            _mm256_permute2f128_ps::<0x20>(e2, f2),
            _mm256_permute2f128_ps::<0x20>(e3, f3),
            _mm256_permute2f128_ps::<0x31>(e0, f0),
            _mm256_permute2f128_ps::<0x31>(e1, f1),
            _mm256_permute2f128_ps::<0x31>(e2, f2),
            _mm256_permute2f128_ps::<0x31>(e3, f3),
        ]
    }
}

impl Vector for F32 {
    type Row = Lanes<f32>;
    const ZERO: Lanes<f32> = Lanes::ZERO;
    const MISSING: Lanes<f32> = Lanes::ZERO;
    const BLOCKS_PER_SUM: usize = usize::MAX;

    #[inline(always)]
    fn load(lanes: &Lanes<f32>) -> Self {
        let source = lanes.0.as_ptr();
        // SAFETY: AVX2 as above; 16 aligned floats are readable.
        unsafe { Self(_mm256_load_ps(source), _mm256_load_ps(source.add(8))) }
    }
    #[inline(always)]
    fn store(self, lanes: &mut Lanes<f32>) {
        let target = lanes.0.as_mut_ptr();
        // SAFETY: AVX2 as above; 16 aligned floats are writable.
        unsafe {
            _mm256_store_ps(target, self.0);
            _mm256_store_ps(target.add(8), self.1);
        }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        halves!(_mm256_add_ps, self, other)
    }
    #[inline(always)]
    fn opposite(self) -> Self {
        halves!(_mm256_xor_ps, self, Self::splat(-0.0))
    }
}

impl SignedVector for F32 {
    type Signs = __m256i;

    #[inline(always)]
    fn signs(word: &u64) -> __m256i {
        // SAFETY: AVX2 as above.
        unsafe { broadcast_upper(word) }
    }
    #[inline(always)]
    fn add_signed(self, entry: Self, signs: __m256i, group: usize) -> Self {
        // SAFETY: AVX2 and FMA as above.
        unsafe {
            let sign = _mm256_castsi256_ps(match group {
                4 => _mm256_slli_epi32::<24>(signs),
                5 => _mm256_slli_epi32::<16>(signs),
                6 => _mm256_slli_epi32::<8>(signs),
                _ => signs,
            });
            let factor = _mm256_blendv_ps(_mm256_set1_ps(-1.0), _mm256_set1_ps(1.0), sign);
            // The product with +-1 is exact, so the fused operation rounds as an addition does.
            Self(_mm256_fmadd_ps(factor, entry.0, self.0), _mm256_fmadd_ps(factor, entry.1, self.1))
        }
    }
}

impl FloatVector for F32 {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: AVX2 as above.
        unsafe { Self(_mm256_set1_ps(value), _mm256_set1_ps(value)) }
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        halves!(_mm256_sub_ps, self, other)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        halves!(_mm256_mul_ps, self, other)
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        halves!(_mm256_div_ps, self, other)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        halves!(_mm256_max_ps, self, other)
    }
    #[inline(always)]
    fn fused_add(self, factor: Self, other: Self) -> Self {
        // SAFETY: AVX2 and FMA as above.
        unsafe {
            Self(_mm256_fmadd_ps(factor.0, other.0, self.0), _mm256_fmadd_ps(factor.1, other.1, self.1))
        }
    }
    #[inline(always)]
    fn neg_abs(self) -> Self {
        halves!(_mm256_or_ps, self, Self::splat(-0.0))
    }
    #[inline(always)]
    fn select_by_sign(self, positive: Self, negative: Self) -> Self {
        // SAFETY: AVX2 as above.
        unsafe {
            Self(
                _mm256_blendv_ps(positive.0, negative.0, self.0),
                _mm256_blendv_ps(positive.1, negative.1, self.1),
            )
        }
    }
    #[inline(always)]
    fn exp2_of_shifted(self) -> Self {
        let exponent = |x| {
            // SAFETY: AVX2 as above.
            unsafe {
                let n = _mm256_slli_epi32(_mm256_castps_si256(x), 23);
                _mm256_castsi256_ps(_mm256_add_epi32(n, _mm256_set1_epi32(0x3f80_0000)))
            }
        };
        Self(exponent(self.0), exponent(self.1))
    }
    #[inline(always)]
    fn flip_where_clear(self, mask: u16) -> Self {
        let [low, high] = mask.to_le_bytes();
        halves!(_mm256_xor_ps, self, Self(sign_where_clear(low), sign_where_clear(high)))
    }
    #[inline(always)]
    fn positive_mask(self) -> u16 {
        let mask = |x| {
            // SAFETY: AVX2 as above.
            unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(x, _mm256_setzero_ps())) }
        };
        (mask(self.0) | mask(self.1) << 8) as u16
    }
    #[inline(always)]
    fn zero_mask(self) -> u16 {
        let mask = |x| {
            // SAFETY: AVX2 as above.
            unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(x, _mm256_setzero_ps())) }
        };
        (mask(self.0) | mask(self.1) << 8) as u16
    }
    #[inline(always)]
    fn stream(self, row: &mut Lanes<f32>) {
        let target = row.0.as_mut_ptr();
        // SAFETY: AVX2 as above; 16 aligned floats are writable. The entry points that stream end with a fence.
        unsafe {
            _mm256_stream_ps(target, self.0);
            _mm256_stream_ps(target.add(8), self.1);
        }
    }
    #[inline(always)]
    fn fence() {
        // SAFETY: SSE is part of x86-64.
        unsafe { _mm_sfence() }
    }
    #[inline(always)]
    fn interleave(rows: &[f32], n_columns: usize, first: usize, columns: &mut [Lanes<f32>; LANES]) {
        const SIDE: usize = 8;
        // One check for all loads.
        let rows = &rows[first..][..(LANES - 1) * n_columns + LANES];
        // Eight rows at a time: as many lines as a set of L1 holds, if they all fall into one.
        for lane in [0, SIDE] {
            for (half, columns) in columns.as_chunks_mut::<SIDE>().0.iter_mut().enumerate() {
                let mut square = [Self::load(&Self::ZERO).0; SIDE];
                for (row, target) in square.iter_mut().enumerate() {
                    let offset = (lane + row) * n_columns + half * SIDE;
                    // SAFETY: AVX2 as above; row and column are below 16, so 8 floats are readable, unaligned.
                    *target = unsafe { _mm256_loadu_ps(rows.as_ptr().add(offset)) };
                }
                for (column, values) in columns.iter_mut().zip(transpose(square)) {
                    let target = &mut column.0[lane..][..SIDE];
                    // SAFETY: AVX2 as above; 8 floats are writable.
                    unsafe { _mm256_storeu_ps(target.as_mut_ptr(), values) };
                }
            }
        }
    }
    #[inline(always)]
    fn deinterleave(columns: &[Lanes<f32>; 8], first: usize, rows: &mut [&mut [f32]; LANES]) {
        let mut squares = [[Self::load(&Self::ZERO).0; 8]; 2];
        for (c, column) in columns.iter().enumerate() {
            let column = Self::load(column);
            (squares[0][c], squares[1][c]) = (column.0, column.1);
        }
        let squares = [transpose(squares[0]), transpose(squares[1])];
        for (row, &values) in rows.iter_mut().zip(squares.as_flattened()) {
            let target = &mut row[first..][..8];
            // SAFETY: AVX2 as above; 8 floats are writable, unaligned.
            unsafe { _mm256_storeu_ps(target.as_mut_ptr(), values) };
        }
    }
}

#[derive(Clone, Copy)]
struct F32Octet(__m256);

impl Octet for F32Octet {
    type Sums = __m128;
    type Signs = __m256;

    #[inline(always)]
    fn load(columns: &[f32; 8]) -> Self {
        // SAFETY: AVX2 as above; 8 floats are readable, unaligned.
        Self(unsafe { _mm256_loadu_ps(columns.as_ptr()) })
    }
    #[inline(always)]
    fn signs(byte: u8) -> __m256 {
        sign_where_clear(byte)
    }
    #[inline(always)]
    fn signed(self, signs: __m256) -> Self {
        // SAFETY: AVX2 as above.
        Self(unsafe { _mm256_xor_ps(self.0, signs) })
    }
    #[inline(always)]
    fn zero() -> __m128 {
        // SAFETY: AVX2 as above.
        unsafe { _mm_setzero_ps() }
    }
    #[inline(always)]
    fn add_trees(sums: __m128, [a, b, c, d]: [Self; 4]) -> __m128 {
        // SAFETY: AVX2 as above.
        unsafe {
            let pairs = _mm256_hadd_ps(_mm256_hadd_ps(a.0, b.0), _mm256_hadd_ps(c.0, d.0));
            let trees = _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps::<1>(pairs));
            _mm_add_ps(sums, trees)
        }
    }
    #[inline(always)]
    fn sums(sums: __m128) -> [f32; 4] {
        let mut values = [0.0; 4];
        // SAFETY: AVX2 as above; 4 floats are writable, unaligned.
        unsafe { _mm_storeu_ps(values.as_mut_ptr(), sums) };
        values
    }
}

/// Declares the entry points: the generic kernels compiled with this file's processor features.
macro_rules! entry_points {
    ($($name:ident => $kernel:path, ($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        $(
            /// # Safety
            /// The processor must have AVX2, BMI1, BMI2, FMA and POPCNT.
            #[target_feature(enable = "avx2,bmi1,bmi2,fma,popcnt")]
            pub(super) unsafe fn $name($($argument: $type),*) $(-> $result)? {
                $kernel($($argument),*)
            }
        )*
    };
}

entry_points! {
    signed_product_f32 => fields::accumulate::<F32>, (signs: Signs, weights: &[Lanes<f32>], products: &mut [Lanes<f32>],
        scratch: &mut Scratch<Lanes<f32>>);
    signed_product_i32 => signed_product::accumulate::<I32>, (signs: Signs, weights: &[Lanes<i32>],
        products: &mut [Lanes<i32>], scratch: &mut Scratch<Lanes<i32>>);
    local_fields => fields::local_fields::<F32>, (signs: Signs, source: Source, theta: Option<&Lanes<f32>>, fields: &mut [Lanes<f32>],
        finish: Finish, scratch: &mut Scratch<Lanes<f32>>);
    update_fields => flips::run::<F32>, (flips: Flips, panel: &[Lanes<f32>], fields: &mut [Lanes<f32>]);
    update_in_order => in_order::run::<F32>, (neurons: InOrder, first: usize, states: &mut InOrderStates);
    logit_noise => noise::run, (bits: &[[u32; LANES]], amplitude: f32,
        target: &mut [Lanes<f32>]);
    interleave => fields::interleave::<F32>, (rows: &[f32], n_columns: usize, first: usize, columns: &mut [Lanes<f32>]);
    deinterleave => fields::deinterleave::<F32>, (panel: &[Lanes<f32>], rows: &mut [f32]);
    fields_of_one_state => one_state::run::<F32Octet>, (state: &[u64], rows: &[f32], n_columns: usize,
        fields: &mut [f32]);
    dense_product => dense_product::run::<F32>, (rows: &DenseRows, a: &[Lanes<f32>], products: &mut [Lanes<f32>]);
    compensated_product => dense_product::run_compensated::<F32>, (rows: &DenseRows, first: usize, a: &[Lanes<f32>],
        products: &mut [Lanes<f32>], lost: &mut [Lanes<f32>]);
    relax => coordinate_steps::relax::<F32>, (visits: Visits, step: &Relaxation, a: &mut [Lanes<f32>],
        products: &mut [Lanes<f32>], panel: &mut RelaxedPanel);
    correct => coordinate_steps::correct::<F32>, (visits: Visits, step: Correction, a: &mut [Lanes<f32>],
        products: &mut [Lanes<f32>], panel: &mut CorrectedPanel);
    residuals => logistic::residuals::<F32>, (signs: &[u64], shift: u32, lambda: f32, fields: &mut [Lanes<f32>]);
    span_step => logistic::span_step::<F32>, (signs: &[u64], shift: u32, step: SpanStep, own: &Lanes<f32>,
        initial: Option<(&[Lanes<f32>], f32)>, products: &[Lanes<f32>], a: &mut [Lanes<f32>]) -> Lanes<f32>;
    margins => logistic::margins::<F32>, (signs: &[u64], shift: u32, fields: &mut [Lanes<f32>]);
    losses => logistic::losses::<F32>, (lambda: f32, margins: &mut [Lanes<f32>]);
    threshold => logistic::threshold::<F32>, (fields: &[Lanes<f32>], ties: &[u64], shift: u32, next: &mut [u64]);
    differing_bits => run_counts::<U8>, (signs: Signs, lanes: &[u64], counts: &mut [Counts],
        bytes: &mut [Lanes<u8, BYTE_LANES>], scratch: &mut Scratch<Lanes<u8, BYTE_LANES>>);
    fields_of_letters => letters::fields::<F32Octet>, (letters: Letters, table: &[f32], theta: &[f32], fields: &mut [f32]);
    letter_residuals => letters::residuals::<F32Octet>, (letters: Letters, column: usize, lambda: f32, weights: Option<&[f32]>,
        fields: &mut [f32]);
    letter_losses => letters::losses::<F32Octet>, (letters: Letters, column: usize, lambda: f32, fields: &[f32],
        losses: &mut [[f32; 2]]);
    largest_letters => letters::largest::<F32Octet>, (letters: Letters, column: usize, fields: &[f32], next: &mut [u8]);
    letter_pull => letters::pull::<F32Octet>, (letters: Letters, residuals: &[f32], pull: &mut [f32], scratch: &mut [f32]);
    hamming_distance => overlap::hamming_distance, (a: &[u64], b: &[u64]) -> u64;
    rows_within => mismatches::within, (n_planes: usize, one: &[u64], block: &[u64], most: u64) -> u64;
}
