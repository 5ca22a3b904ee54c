//! The `wide` twin: vectors whose width the build's target decides (SSE2, NEON, AVX2 when compiled for it).

use bytemuck::cast;
use wide::{f32x8, i32x8, u64x4};

use super::counts::{ByteVector, Counts};
use super::lanes::{Arithmetic, BYTE_LANES, FloatVector, LANES, Lanes, SignedVector, Vector};
use super::letters::LetterVector;
use super::one_state::Octet;

#[derive(Clone, Copy)]
pub(super) struct Wide<T>(T, T);

const SIGN: i32 = i32::MIN;
/// 1 in each byte of a word.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The top bit of each byte of a word.
const TOPS: u64 = ONES << 7;

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
            type Row = Lanes<$element>;
            const ZERO: Lanes<$element> = Lanes::ZERO;
            const MISSING: Lanes<$element> = Lanes::ZERO;
            const BLOCKS_PER_SUM: usize = usize::MAX;

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
            fn opposite(self) -> Self {
                Self(-self.0, -self.1)
            }
        }
    };
}

vector!(f32x8, f32);
vector!(i32x8, i32);

impl Vector for Wide<u64x4> {
    type Row = Lanes<u8, BYTE_LANES>;
    const ZERO: Self::Row = Lanes([0; BYTE_LANES]);
    const MISSING: Self::Row = Lanes([1; BYTE_LANES]);
    const BLOCKS_PER_SUM: usize = 3;

    #[inline(always)]
    fn load(row: &Self::Row) -> Self {
        let [low, high]: [[u64; 4]; 2] = cast(row.0);
        Self(u64x4::new(low), u64x4::new(high))
    }
    #[inline(always)]
    fn store(self, row: &mut Self::Row) {
        row.0 = cast([self.0.to_array(), self.1.to_array()]);
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // Bytes do not overflow, so neither do their words.
        Self(self.0 + other.0, self.1 + other.1)
    }
    #[inline(always)]
    fn opposite(self) -> Self {
        let ones = u64x4::splat(ONES);
        Self(self.0 ^ ones, self.1 ^ ones)
    }
}

impl ByteVector for Wide<u64x4> {
    #[inline(always)]
    fn where_clear(bits: u64) -> Self {
        // Each byte eight times, its own bit kept in each and carried to the top.
        let spread = |index: u32| {
            let own = ((bits >> (8 * index) & 0xff) * ONES) & 0x8040_2010_0804_0201;
            let set = (own & !TOPS).wrapping_add(!TOPS) | own;
            (!set & TOPS) >> 7
        };
        Self(
            u64x4::new([spread(0), spread(1), spread(2), spread(3)]),
            u64x4::new([spread(4), spread(5), spread(6), spread(7)]),
        )
    }
    #[inline(always)]
    fn widen(self, counts: &mut Counts) {
        let mut row = Self::ZERO;
        self.store(&mut row);
        for (count, byte) in counts.0.iter_mut().zip(row.0) {
            *count += u16::from(byte);
        }
    }
}

impl SignedVector for Wide<f32x8> {
    type Signs = u64;

    #[inline(always)]
    fn signs(word: &u64) -> u64 {
        *word
    }
    #[inline(always)]
    fn add_signed(self, entry: Self, signs: u64, group: usize) -> Self {
        // The sign bit is set where the word's bit is clear.
        let sign = (!signs >> (8 * group + 7) & 1) as i32;
        let sign: f32x8 = cast(i32x8::splat(sign << 31));
        Self(self.0 + (entry.0 ^ sign), self.1 + (entry.1 ^ sign))
    }
}

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
    fn fused_add(self, factor: Self, other: Self) -> Self {
        // Lane by lane: `wide` fuses only in builds for processors that can.
        let fused = |sum: f32x8, factor: f32x8, other: f32x8| {
            let (sum, factor, other) = (sum.to_array(), factor.to_array(), other.to_array());
            f32x8::new(std::array::from_fn(|lane| factor[lane].mul_add(other[lane], sum[lane])))
        };
        Self(fused(self.0, factor.0, other.0), fused(self.1, factor.1, other.1))
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
    #[inline(always)]
    fn stream(self, row: &mut Lanes<f32>) {
        self.store(row);
    }
    #[inline(always)]
    fn fence() {}
    #[inline(always)]
    fn interleave(rows: &[f32], n_columns: usize, first: usize, columns: &mut [Lanes<f32>; LANES]) {
        for (c, column) in columns.iter_mut().enumerate() {
            *column = Lanes(std::array::from_fn(|lane| rows[lane * n_columns + first + c]));
        }
    }
    #[inline(always)]
    fn deinterleave(columns: &[Lanes<f32>; 8], first: usize, rows: &mut [&mut [f32]; LANES]) {
        for (lane, row) in rows.iter_mut().enumerate() {
            for (value, column) in row[first..].iter_mut().zip(columns) {
                *value = column.0[lane];
            }
        }
    }
}

impl Octet for f32x8 {
    type Sums = [f32; 4];
    type Signs = f32x8;

    #[inline(always)]
    fn load(columns: &[f32; 8]) -> Self {
        f32x8::new(*columns)
    }
    #[inline(always)]
    fn signs(byte: u8) -> f32x8 {
        sign_where_clear(byte)
    }
    #[inline(always)]
    fn signed(self, signs: f32x8) -> Self {
        self ^ signs
    }
    #[inline(always)]
    fn zero() -> [f32; 4] {
        [0.0; 4]
    }
    #[inline(always)]
    fn add_trees(sums: [f32; 4], rows: [Self; 4]) -> [f32; 4] {
        std::array::from_fn(|row| {
            let x = rows[row].to_array();
            sums[row] + (((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7])))
        })
    }
    #[inline(always)]
    fn sums(sums: [f32; 4]) -> [f32; 4] {
        sums
    }
}

impl Arithmetic for f32x8 {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        f32x8::splat(value)
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self + other
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self - other
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self * other
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.fast_max(other)
    }
    #[inline(always)]
    fn exp2_of_shifted(self) -> Self {
        cast((cast::<_, i32x8>(self) << 23) + i32x8::splat(0x3f80_0000))
    }
}

impl LetterVector for f32x8 {
    #[inline(always)]
    fn load(letters: &[f32; 8]) -> Self {
        f32x8::new(*letters)
    }
    #[inline(always)]
    fn store(self, letters: &mut [f32; 8]) {
        *letters = self.to_array();
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        let x = self.to_array();
        ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]))
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        self.to_array().into_iter().fold(f32::NEG_INFINITY, f32::max)
    }
    #[inline(always)]
    fn equal_mask(self, other: Self) -> u8 {
        self.simd_eq(other).to_bitmask() as u8
    }
}
