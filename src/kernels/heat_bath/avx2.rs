//! The AVX2 twin. The vector's methods are private to this file and only inlined into the entry point at its end, which
//! enables AVX2 and is unsafe for that reason.

use std::arch::x86_64::*;

use super::{Bits, HeatBathTable, ReplicaBits, ReplicaRandom};

#[derive(Clone, Copy)]
struct Vector(__m256i);

/// Applies an intrinsic that needs AVX2 and nothing else.
macro_rules! vector {
    ($call:expr) => {
        // SAFETY: reached only from this file's entry point, whose caller checked for AVX2.
        Self(unsafe { $call })
    };
}

impl Bits for Vector {
    #[inline(always)]
    fn load(bits: &ReplicaBits) -> Self {
        // The type's alignment is the vector's.
        vector!(_mm256_load_si256(bits.0.as_ptr().cast()))
    }
    #[inline(always)]
    fn store(self, bits: &mut ReplicaBits) {
        // SAFETY: as above; the type's alignment is the vector's.
        unsafe { _mm256_store_si256(bits.0.as_mut_ptr().cast(), self.0) }
    }
    #[inline(always)]
    fn splat(byte: u8) -> Self {
        vector!(_mm256_set1_epi8(byte as i8))
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        vector!(_mm256_and_si256(self.0, other.0))
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        vector!(_mm256_andnot_si256(other.0, self.0))
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        vector!(_mm256_or_si256(self.0, other.0))
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        vector!(_mm256_xor_si256(self.0, other.0))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        vector!(_mm256_add_epi64(self.0, other.0))
    }
    #[inline(always)]
    fn shift_left<const BY: i32>(self) -> Self {
        vector!(_mm256_slli_epi64::<BY>(self.0))
    }
    #[inline(always)]
    fn shift_right<const BY: i32>(self) -> Self {
        vector!(_mm256_srli_epi64::<BY>(self.0))
    }
}

/// # Safety
/// The processor must have AVX2.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub(super) unsafe fn sweep(table: &HeatBathTable, states: &mut [ReplicaBits], random: &mut ReplicaRandom) {
    super::sweep::<Vector>(table, states, random);
}
