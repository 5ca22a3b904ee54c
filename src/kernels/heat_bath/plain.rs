//! The twin of plain words, for every instruction set.

use super::{Bits, ReplicaBits};

/// Applies an operation to each word of one or two.
macro_rules! each {
    ($a:expr, $operation:expr) => {
        [$operation($a[0]), $operation($a[1]), $operation($a[2]), $operation($a[3])]
    };
    ($a:expr, $b:expr, $operation:expr) => {
        [
            $operation($a[0], $b[0]),
            $operation($a[1], $b[1]),
            $operation($a[2], $b[2]),
            $operation($a[3], $b[3]),
        ]
    };
}

impl Bits for [u64; 4] {
    #[inline(always)]
    fn load(bits: &ReplicaBits) -> Self {
        bits.0
    }
    #[inline(always)]
    fn store(self, bits: &mut ReplicaBits) {
        bits.0 = self;
    }
    #[inline(always)]
    fn splat(byte: u8) -> Self {
        [u64::from_ne_bytes([byte; 8]); 4]
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        each!(self, other, |a: u64, b: u64| a & b)
    }
    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        each!(self, other, |a: u64, b: u64| a & !b)
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        each!(self, other, |a: u64, b: u64| a | b)
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        each!(self, other, |a: u64, b: u64| a ^ b)
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        each!(self, other, u64::wrapping_add)
    }
    #[inline(always)]
    fn shift_left<const BY: i32>(self) -> Self {
        each!(self, |a: u64| a << BY)
    }
    #[inline(always)]
    fn shift_right<const BY: i32>(self) -> Self {
        each!(self, |a: u64| a >> BY)
    }
}
