//! The `wide` twin: vectors whose width the build's target decides (SSE2, NEON, AVX2 when compiled for it).

use bytemuck::cast;
use wide::{f32x8, i32x8, u64x4};

use super::differing_bits::{Bytes, Plane};
use super::lanes::{FloatVector, Lanes, Vector};
use super::one_state::Octet;

#[derive(Clone, Copy)]
pub(super) struct Wide<T>(T, T);

const SIGN: i32 = i32::MIN;

/// The sign bit in the lanes whose bit of `byte` is 0.
#[inline(always)]
fn sign_where_clear(byte: u8) -> f32x8 {
    let bits = i32x8::new([1, 2, 4, 8, 16, 32, 64, 128]);
    let clear = (i32x8::splat(i32::from(byte)) & bits).simd_eq(i32x8::splat(0));
    cast(clear & i32x8::splat(SIGN))
}

macro_rules! vector {
    ($wide:ty, $element:ty) => {
        impl Vector for Wide<$wide> {
            type Element = $element;

            #[inline(always)]
            fn load(lanes: &Lanes<$element>) -> Self {
                let [low, high]: [[$element; 8]; 2] = cast(lanes.0);
                Self(<$wide>::new(low), <$wide>::new(high))
            }
            #[inline(always)]
            fn store(self, lanes: &mut Lanes<$element>) {
                lanes.0 = cast([self.0.to_array(), self.1.to_array()]);
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0, self.1 + other.1)
            }
            #[inline(always)]
            fn neg(self) -> Self {
                Self(-self.0, -self.1)
            }
        }
    };
}

vector!(f32x8, f32);
vector!(i32x8, i32);

impl FloatVector for Wide<f32x8> {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self(f32x8::splat(value), f32x8::splat(value))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0, self.1 - other.1)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0, self.1 * other.1)
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(self.0 / other.0, self.1 / other.1)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(self.0.fast_max(other.0), self.1.fast_max(other.1))
    }
    #[inline(always)]
    fn neg_abs(self) -> Self {
        let sign: f32x8 = cast(i32x8::splat(SIGN));
        Self(self.0 | sign, self.1 | sign)
    }
    #[inline(always)]
    fn select_by_sign(self, positive: Self, negative: Self) -> Self {
        let select = |sign: f32x8, positive: f32x8, negative: f32x8| {
            let is_negative: f32x8 = cast(i32x8::splat(0).simd_gt(cast::<_, i32x8>(sign)));
            is_negative.bitselect(negative, positive)
        };
        Self(select(self.0, positive.0, negative.0), select(self.1, positive.1, negative.1))
    }
    #[inline(always)]
    fn exp2_of_shifted(self) -> Self {
        let exponent = |x: f32x8| cast((cast::<_, i32x8>(x) << 23) + i32x8::splat(0x3f80_0000));
        Self(exponent(self.0), exponent(self.1))
    }
    #[inline(always)]
    fn flip_where_clear(self, mask: u16) -> Self {
        let [low, high] = mask.to_le_bytes();
        Self(self.0 ^ sign_where_clear(low), self.1 ^ sign_where_clear(high))
    }
    #[inline(always)]
    fn positive_mask(self) -> u16 {
        let zero = f32x8::splat(0.0);
        (self.0.simd_gt(zero).to_bitmask() | self.1.simd_gt(zero).to_bitmask() << 8) as u16
    }
    #[inline(always)]
    fn zero_mask(self) -> u16 {
        let zero = f32x8::splat(0.0);
        (self.0.simd_eq(zero).to_bitmask() | self.1.simd_eq(zero).to_bitmask() << 8) as u16
    }
}

impl Octet for f32x8 {
    #[inline(always)]
    fn load(columns: &[f32; 8]) -> Self {
        f32x8::new(*columns)
    }
    #[inline(always)]
    fn flip_where_clear(self, byte: u8) -> Self {
        self ^ sign_where_clear(byte)
    }
    #[inline(always)]
    fn tree_sums(rows: [Self; 4]) -> [f32; 4] {
        rows.map(|row| {
            let x = row.to_array();
            ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]))
        })
    }
}

impl Bytes for u64x4 {
    #[inline(always)]
    fn zero() -> Self {
        u64x4::splat(0)
    }
    #[inline(always)]
    fn load(plane: &Plane) -> Self {
        u64x4::new(cast(*plane))
    }
    #[inline(always)]
    fn store(self, plane: &mut Plane) {
        *plane = cast(self.to_array());
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // Bytes do not overflow, so neither do their words.
        self + other
    }
    #[inline(always)]
    fn differing_from(self, nibbles: u64, column: usize) -> Self {
        let nibble = (nibbles >> (8 * column)) & 15;
        let [ones, pairs, low] = [0x01, 0x33, 0x55].map(|byte| u64::from_ne_bytes([byte; 8]));
        let differing = self ^ u64x4::splat(ones * nibble);
        let pair_counts = differing - ((differing >> 1) & u64x4::splat(low));
        (pair_counts & u64x4::splat(pairs)) + ((pair_counts >> 2) & u64x4::splat(pairs))
    }
}
