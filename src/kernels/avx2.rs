//! The AVX2 twin.
//!
//! The vector types' methods are safe functions over intrinsics that need AVX2. They are private to this file and only
//! inlined into the entry points at its end, which enable AVX2, BMI2 and POPCNT and are unsafe for that reason.

use std::arch::x86_64::*;

use super::dense_product::{self};
use super::differing_bits::{self, Bytes, DIFFERING, PLANE_WIDTH, Plane};
use super::lanes::{FloatVector, Lanes, Vector};
use super::one_state::Octet;
use super::signed_product::{self, Tables};
use super::{logistic, one_state, overlap};

#[derive(Clone, Copy)]
struct F32(__m256, __m256);

#[derive(Clone, Copy)]
struct I32(__m256i, __m256i);

/// Applies an intrinsic to both halves of a vector, or of two.
macro_rules! halves {
    ($intrinsic:ident, $a:expr) => {
        // SAFETY: reached only from this file's entry points, whose callers checked for AVX2.
        Self(unsafe { $intrinsic($a.0) }, unsafe { $intrinsic($a.1) })
    };
    ($intrinsic:ident, $a:expr, $b:expr) => {
        // SAFETY: reached only from this file's entry points, whose callers checked for AVX2.
        Self(unsafe { $intrinsic($a.0, $b.0) }, unsafe { $intrinsic($a.1, $b.1) })
    };
}

/// The sign bit in the lanes whose bit of `byte` is 0.
#[inline(always)]
fn sign_where_clear(byte: u8) -> __m256 {
    // SAFETY: reached only from this file's entry points, whose callers checked for AVX2.
    unsafe {
        let bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
        let set = _mm256_and_si256(_mm256_set1_epi32(i32::from(byte)), bits);
        let clear = _mm256_cmpeq_epi32(set, _mm256_setzero_si256());
        _mm256_castsi256_ps(_mm256_slli_epi32(clear, 31))
    }
}

impl Vector for F32 {
    type Element = f32;

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
    fn neg(self) -> Self {
        halves!(_mm256_xor_ps, self, Self::splat(-0.0))
    }
}

impl Vector for I32 {
    type Element = i32;

    #[inline(always)]
    fn load(lanes: &Lanes<i32>) -> Self {
        let source = lanes.0.as_ptr().cast::<__m256i>();
        // SAFETY: AVX2 as above; 16 aligned integers are readable.
        unsafe { Self(_mm256_load_si256(source), _mm256_load_si256(source.add(1))) }
    }
    #[inline(always)]
    fn store(self, lanes: &mut Lanes<i32>) {
        let target = lanes.0.as_mut_ptr().cast::<__m256i>();
        // SAFETY: AVX2 as above; 16 aligned integers are writable.
        unsafe {
            _mm256_store_si256(target, self.0);
            _mm256_store_si256(target.add(1), self.1);
        }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        halves!(_mm256_add_epi32, self, other)
    }
    #[inline(always)]
    fn neg(self) -> Self {
        halves!(_mm256_sub_epi32, Self::load(&Lanes::ZERO), self)
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
}

#[derive(Clone, Copy)]
struct F32Octet(__m256);

impl Octet for F32Octet {
    #[inline(always)]
    fn load(columns: &[f32; 8]) -> Self {
        // SAFETY: AVX2 as above; 8 floats are readable, unaligned.
        Self(unsafe { _mm256_loadu_ps(columns.as_ptr()) })
    }
    #[inline(always)]
    fn flip_where_clear(self, byte: u8) -> Self {
        // SAFETY: AVX2 as above.
        Self(unsafe { _mm256_xor_ps(self.0, sign_where_clear(byte)) })
    }
    #[inline(always)]
    fn tree_sums([a, b, c, d]: [Self; 4]) -> [f32; 4] {
        let mut sums = [0.0; 4];
        // SAFETY: AVX2 as above; 4 floats are writable, unaligned.
        unsafe {
            let pairs = _mm256_hadd_ps(_mm256_hadd_ps(a.0, b.0), _mm256_hadd_ps(c.0, d.0));
            let tree = _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps::<1>(pairs));
            _mm_storeu_ps(sums.as_mut_ptr(), tree);
        }
        sums
    }
}

#[derive(Clone, Copy)]
struct U8(__m256i);

impl Bytes for U8 {
    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: AVX2 as above.
        Self(unsafe { _mm256_setzero_si256() })
    }
    #[inline(always)]
    fn load(plane: &Plane) -> Self {
        // SAFETY: AVX2 as above; 32 bytes are readable, unaligned.
        Self(unsafe { _mm256_loadu_si256(plane.as_ptr().cast()) })
    }
    #[inline(always)]
    fn store(self, plane: &mut Plane) {
        // SAFETY: AVX2 as above; 32 bytes are writable, unaligned.
        unsafe { _mm256_storeu_si256(plane.as_mut_ptr().cast(), self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: AVX2 as above.
        Self(unsafe { _mm256_add_epi8(self.0, other.0) })
    }
    #[inline(always)]
    fn differing_from(self, nibbles: u64, column: usize) -> Self {
        // 16 times the nibble: the byte offset of its row in the table, without a scale.
        let offset = nibbles.rotate_right((8 * column as u32 + 60) % 64) as usize & 0xf0;
        // SAFETY: AVX2 as above; the offset is that of one of the table's 16 rows of 16 bytes.
        unsafe {
            let row = DIFFERING.as_ptr().byte_add(offset).cast();
            Self(_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(row)), self.0))
        }
    }
}

/// Declares the entry points: the generic kernels compiled with this file's processor features.
macro_rules! entry_points {
    ($($name:ident => $kernel:path, ($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        $(
            /// # Safety
            /// The processor must have AVX2, BMI2 and POPCNT.
            #[target_feature(enable = "avx2,bmi2,popcnt")]
            pub(super) unsafe fn $name($($argument: $type),*) $(-> $result)? {
                $kernel($($argument),*)
            }
        )*
    };
}

entry_points! {
    signed_product_f32 => signed_product::run::<F32>, (signs: &[u64], stride: usize, weights: &[Lanes<f32>],
        products: &mut [Lanes<f32>], tables: &mut Tables<f32>);
    signed_product_i32 => signed_product::run::<I32>, (signs: &[u64], stride: usize, weights: &[Lanes<i32>],
        products: &mut [Lanes<i32>], tables: &mut Tables<i32>);
    fields_of_one_state => one_state::run::<F32Octet>, (state: &[u64], rows: &[f32], n_columns: usize,
        fields: &mut [f32]);
    dense_product => dense_product::run::<F32>, (rows: &[[f32; dense_product::ROWS]], a: &[Lanes<f32>], products: &mut [Lanes<f32>]);
    residuals => logistic::residuals::<F32>, (signs: &[u64], shift: u32, lambda: f32, fields: &mut [Lanes<f32>]);
    margins => logistic::margins::<F32>, (signs: &[u64], shift: u32, fields: &mut [Lanes<f32>]);
    losses => logistic::losses::<F32>, (lambda: f32, margins: &mut [Lanes<f32>]);
    threshold => logistic::threshold::<F32>, (fields: &[Lanes<f32>], ties: &[u64], shift: u32, next: &mut [u64]);
    differing_bits => differing_bits::run::<U8>, (a: &[Plane], b: &[Plane], counts: &mut [[u32; PLANE_WIDTH]; PLANE_WIDTH]);
    hamming_distance => overlap::hamming_distance, (a: &[u64], b: &[u64]) -> u64;
}
