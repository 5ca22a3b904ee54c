//! Plain loops: the reference twin.

use super::counts::{ByteVector, Counts};
use super::lanes::{Arithmetic, BYTE_LANES, FloatVector, LANES, Lanes, SignedVector, Vector};
use super::letters::LetterVector;
use super::one_state::Octet;

#[derive(Clone, Copy)]
pub(super) struct Plain<T, const L: usize = LANES>([T; L]);

fn map2<T: Copy, U, const L: usize>(a: [T; L], b: [T; L], f: impl Fn(T, T) -> U) -> [U; L] {
    std::array::from_fn(|lane| f(a[lane], b[lane]))
}

macro_rules! vector {
    ($element:ty, $lanes:expr, $missing:expr, $blocks_per_sum:expr, $opposite:expr) => {
        impl Vector for Plain<$element, $lanes> {
            type Row = Lanes<$element, $lanes>;
            const ZERO: Self::Row = Lanes::ZERO;
            const MISSING: Self::Row = Lanes([$missing; $lanes]);
            const BLOCKS_PER_SUM: usize = $blocks_per_sum;

            fn load(row: &Self::Row) -> Self {
                Self(row.0)
            }
            fn store(self, row: &mut Self::Row) {
                row.0 = self.0;
            }
            fn add(self, other: Self) -> Self {
                Self(map2(self.0, other.0, |a, b| a + b))
            }
            fn opposite(self) -> Self {
                Self(self.0.map($opposite))
            }
        }
    };
}

vector!(f32, LANES, 0.0, usize::MAX, |x| -x);
vector!(i32, LANES, 0, usize::MAX, |x| -x);
vector!(u8, BYTE_LANES, 1, 3, |x| 1 - x);

impl ByteVector for Plain<u8, BYTE_LANES> {
    fn where_clear(bits: u64) -> Self {
        Self(std::array::from_fn(|lane| u8::from(bits >> lane & 1 == 0)))
    }
    fn widen(self, counts: &mut Counts) {
        for (count, byte) in counts.0.iter_mut().zip(self.0) {
            *count += u16::from(byte);
        }
    }
}

impl SignedVector for Plain<f32> {
    type Signs = u64;

    fn signs(word: &u64) -> u64 {
        *word
    }
    fn add_signed(self, entry: Self, signs: u64, group: usize) -> Self {
        Vector::add(self, if signs >> (8 * group + 7) & 1 == 1 { entry } else { entry.opposite() })
    }
}

impl FloatVector for Plain<f32> {
    fn splat(value: f32) -> Self {
        Self([value; LANES])
    }
    fn sub(self, other: Self) -> Self {
        Self(map2(self.0, other.0, |a, b| a - b))
    }
    fn mul(self, other: Self) -> Self {
        Self(map2(self.0, other.0, |a, b| a * b))
    }
    fn div(self, other: Self) -> Self {
        Self(map2(self.0, other.0, |a, b| a / b))
    }
    fn max(self, other: Self) -> Self {
        Self(map2(self.0, other.0, |a, b| if a > b { a } else { b }))
    }
    fn fused_add(self, factor: Self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| factor.0[lane].mul_add(other.0[lane], self.0[lane])))
    }
    fn neg_abs(self) -> Self {
        Self(self.0.map(|x| -x.abs()))
    }
    fn select_by_sign(self, positive: Self, negative: Self) -> Self {
        let choose =
            |lane: usize| if self.0[lane].is_sign_positive() { positive.0[lane] } else { negative.0[lane] };
        Self(std::array::from_fn(choose))
    }
    fn exp2_of_shifted(self) -> Self {
        Self(self.0.map(|x| f32::from_bits((x.to_bits() << 23).wrapping_add(0x3f80_0000))))
    }
    fn flip_where_clear(self, mask: u16) -> Self {
        Self(std::array::from_fn(|lane| if mask >> lane & 1 == 1 { self.0[lane] } else { -self.0[lane] }))
    }
    fn positive_mask(self) -> u16 {
        self.0.iter().rev().fold(0, |mask, &x| mask << 1 | u16::from(x > 0.0))
    }
    fn zero_mask(self) -> u16 {
        self.0.iter().rev().fold(0, |mask, &x| mask << 1 | u16::from(x == 0.0))
    }
    fn stream(self, row: &mut Lanes<f32>) {
        self.store(row);
    }
    fn fence() {}
    fn interleave(rows: &[f32], n_columns: usize, first: usize, columns: &mut [Lanes<f32>; LANES]) {
        for (c, column) in columns.iter_mut().enumerate() {
            *column = Lanes(std::array::from_fn(|lane| rows[lane * n_columns + first + c]));
        }
    }
    fn deinterleave(columns: &[Lanes<f32>; 8], first: usize, rows: &mut [&mut [f32]; LANES]) {
        for (lane, row) in rows.iter_mut().enumerate() {
            for (value, column) in row[first..].iter_mut().zip(columns) {
                *value = column.0[lane];
            }
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct PlainOctet([f32; 8]);

impl Octet for PlainOctet {
    type Sums = [f32; 4];
    type Signs = u8;

    fn load(columns: &[f32; 8]) -> Self {
        Self(*columns)
    }
    fn signs(byte: u8) -> u8 {
        byte
    }
    fn signed(self, signs: u8) -> Self {
        Self(std::array::from_fn(|c| if signs >> c & 1 == 1 { self.0[c] } else { -self.0[c] }))
    }
    fn zero() -> [f32; 4] {
        [0.0; 4]
    }
    fn add_trees(sums: [f32; 4], rows: [Self; 4]) -> [f32; 4] {
        std::array::from_fn(|row| {
            let x = rows[row].0;
            sums[row] + (((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7])))
        })
    }
    fn sums(sums: [f32; 4]) -> [f32; 4] {
        sums
    }
}

impl Arithmetic for PlainOctet {
    fn splat(value: f32) -> Self {
        Self([value; 8])
    }
    fn add(self, other: Self) -> Self {
        Self(map2(self.0, other.0, |a, b| a + b))
    }
    fn sub(self, other: Self) -> Self {
        Self(map2(self.0, other.0, |a, b| a - b))
    }
    fn mul(self, other: Self) -> Self {
        Self(map2(self.0, other.0, |a, b| a * b))
    }
    fn max(self, other: Self) -> Self {
        Self(map2(self.0, other.0, |a, b| if a > b { a } else { b }))
    }
    fn exp2_of_shifted(self) -> Self {
        Self(self.0.map(|x| f32::from_bits((x.to_bits() << 23).wrapping_add(0x3f80_0000))))
    }
}

impl LetterVector for PlainOctet {
    fn load(letters: &[f32; 8]) -> Self {
        Self(*letters)
    }
    fn store(self, letters: &mut [f32; 8]) {
        *letters = self.0;
    }
    fn sum(self) -> f32 {
        let x = self.0;
        ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]))
    }
    fn largest(self) -> f32 {
        self.0.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }
    fn equal_mask(self, other: Self) -> u8 {
        (0..8).fold(0, |mask, lane| mask | u8::from(self.0[lane] == other.0[lane]) << lane)
    }
}
