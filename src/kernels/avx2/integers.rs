//! Panels of integers and of bytes, for exact products and for counts of bits.

use std::arch::x86_64::*;

use super::super::counts::{ByteVector, Counts};
use super::super::lanes::{BYTE_LANES, Lanes, Vector};

/// 16 integers.
#[derive(Clone, Copy)]
pub(super) struct I32(__m256i, __m256i);

/// 64 bytes.
#[derive(Clone, Copy)]
pub(super) struct U8(__m256i, __m256i);

/// The bytes of both halves, 0xff where the bit of `bits` is 0.
#[inline(always)]
fn bytes_where_clear(bits: u64) -> [__m256i; 2] {
    // SAFETY: reached only from the entry points of the parent, whose callers checked for AVX2.
    unsafe {
        let own_byte =
            _mm256_setr_epi64x(0, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303);
        let own_bit = _mm256_set1_epi64x(i64::from_le_bytes([1, 2, 4, 8, 16, 32, 64, 128]));
        let low = _mm256_shuffle_epi8(_mm256_set1_epi32(bits as i32), own_byte);
        let high = _mm256_shuffle_epi8(_mm256_set1_epi32((bits >> 32) as i32), own_byte);
        let zero = _mm256_setzero_si256();
        [
            _mm256_cmpeq_epi8(_mm256_and_si256(low, own_bit), zero),
            _mm256_cmpeq_epi8(_mm256_and_si256(high, own_bit), zero),
        ]
    }
}

impl Vector for I32 {
    type Row = Lanes<i32>;
    const ZERO: Lanes<i32> = Lanes::ZERO;
    const MISSING: Lanes<i32> = Lanes::ZERO;
    const BLOCKS_PER_SUM: usize = usize::MAX;

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
    fn opposite(self) -> Self {
        halves!(_mm256_sub_epi32, Self::load(&Lanes::ZERO), self)
    }
}

impl Vector for U8 {
    type Row = Lanes<u8, BYTE_LANES>;
    const ZERO: Self::Row = Lanes([0; BYTE_LANES]);
    const MISSING: Self::Row = Lanes([1; BYTE_LANES]);
    const BLOCKS_PER_SUM: usize = 3;

    #[inline(always)]
    fn load(row: &Self::Row) -> Self {
        let source = row.0.as_ptr().cast::<__m256i>();
        // SAFETY: AVX2 as above; 64 aligned bytes are readable.
        unsafe { Self(_mm256_load_si256(source), _mm256_load_si256(source.add(1))) }
    }
    #[inline(always)]
    fn store(self, row: &mut Self::Row) {
        let target = row.0.as_mut_ptr().cast::<__m256i>();
        // SAFETY: AVX2 as above; 64 aligned bytes are writable.
        unsafe {
            _mm256_store_si256(target, self.0);
            _mm256_store_si256(target.add(1), self.1);
        }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        halves!(_mm256_add_epi8, self, other)
    }
    #[inline(always)]
    fn opposite(self) -> Self {
        halves!(_mm256_xor_si256, self, Self::load(&Self::MISSING))
    }
}

impl ByteVector for U8 {
    #[inline(always)]
    fn where_clear(bits: u64) -> Self {
        let [low, high] = bytes_where_clear(bits);
        halves!(_mm256_and_si256, Self(low, high), Self::load(&Self::MISSING))
    }
    #[inline(always)]
    fn widen(self, counts: &mut Counts) {
        let target = counts.0.as_mut_ptr().cast::<__m256i>();
        // SAFETY: AVX2 as above; 128 aligned bytes are readable and writable.
        unsafe {
            let parts = [
                _mm256_castsi256_si128(self.0),
                _mm256_extracti128_si256::<1>(self.0),
                _mm256_castsi256_si128(self.1),
                _mm256_extracti128_si256::<1>(self.1),
            ];
            for (index, &part) in parts.iter().enumerate() {
                let target = target.add(index);
                let sum = _mm256_add_epi16(_mm256_load_si256(target), _mm256_cvtepu8_epi16(part));
                _mm256_store_si256(target, sum);
            }
        }
    }
}
