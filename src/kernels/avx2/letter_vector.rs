//! Eight letters of a column, for the kernels of Potts spins.

use std::arch::x86_64::*;

use super::super::lanes::Arithmetic;
use super::super::letters::LetterVector;
use super::F32Octet;

/// Applies an intrinsic to two vectors.
macro_rules! both {
    ($intrinsic:ident, $a:expr, $b:expr) => {
        // SAFETY: reached only from the entry points of the parent, whose callers checked for AVX2.
        Self(unsafe { $intrinsic($a.0, $b.0) })
    };
}

impl Arithmetic for F32Octet {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: AVX2 as above.
        Self(unsafe { _mm256_set1_ps(value) })
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        both!(_mm256_add_ps, self, other)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        both!(_mm256_sub_ps, self, other)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        both!(_mm256_mul_ps, self, other)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        both!(_mm256_max_ps, self, other)
    }
    #[inline(always)]
    fn exp2_of_shifted(self) -> Self {
        // SAFETY: AVX2 as above.
        unsafe {
            let n = _mm256_slli_epi32(_mm256_castps_si256(self.0), 23);
            Self(_mm256_castsi256_ps(_mm256_add_epi32(n, _mm256_set1_epi32(0x3f80_0000))))
        }
    }
}

impl LetterVector for F32Octet {
    #[inline(always)]
    fn load(letters: &[f32; 8]) -> Self {
        // SAFETY: AVX2 as above; 8 floats are readable, unaligned.
        Self(unsafe { _mm256_loadu_ps(letters.as_ptr()) })
    }
    #[inline(always)]
    fn store(self, letters: &mut [f32; 8]) {
        // SAFETY: AVX2 as above; 8 floats are writable, unaligned.
        unsafe { _mm256_storeu_ps(letters.as_mut_ptr(), self.0) }
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: AVX2 as above.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        // SAFETY: AVX2 as above.
        unsafe {
            let four = _mm_max_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }
    }
    #[inline(always)]
    fn equal_mask(self, other: Self) -> u8 {
        // SAFETY: AVX2 as above.
        unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(self.0, other.0)) as u8 }
    }
}
