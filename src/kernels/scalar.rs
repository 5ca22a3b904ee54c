//! Plain loops: the reference twin.

use super::differing_bits::{Bytes, DIFFERING, Plane};
use super::lanes::{Element, FloatVector, LANES, Lanes, Vector};
use super::one_state::Octet;

#[derive(Clone, Copy)]
pub(super) struct Plain<T>([T; LANES]);

fn map2<T: Copy, U>(a: [T; LANES], b: [T; LANES], f: impl Fn(T, T) -> U) -> [U; LANES] {
    std::array::from_fn(|lane| f(a[lane], b[lane]))
}

impl<T: Element + std::ops::Add<Output = T> + std::ops::Neg<Output = T>> Vector for Plain<T> {
    type Element = T;

    fn load(lanes: &Lanes<T>) -> Self {
        Self(lanes.0)
    }
    fn store(self, lanes: &mut Lanes<T>) {
        lanes.0 = self.0;
    }
    fn add(self, other: Self) -> Self {
        Self(map2(self.0, other.0, |a, b| a + b))
    }
    fn neg(self) -> Self {
        Self(self.0.map(|x| -x))
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
}

#[derive(Clone, Copy)]
pub(super) struct PlainOctet([f32; 8]);

impl Octet for PlainOctet {
    fn load(columns: &[f32; 8]) -> Self {
        Self(*columns)
    }
    fn flip_where_clear(self, byte: u8) -> Self {
        Self(std::array::from_fn(|c| if byte >> c & 1 == 1 { self.0[c] } else { -self.0[c] }))
    }
    fn tree_sums(rows: [Self; 4]) -> [f32; 4] {
        rows.map(|Self(x)| ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7])))
    }
}

#[derive(Clone, Copy)]
pub(super) struct PlainBytes(Plane);

impl Bytes for PlainBytes {
    fn zero() -> Self {
        Self([0; 32])
    }
    fn load(plane: &Plane) -> Self {
        Self(*plane)
    }
    fn store(self, plane: &mut Plane) {
        *plane = self.0;
    }
    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|c| self.0[c] + other.0[c]))
    }
    fn differing_from(self, nibbles: u64, column: usize) -> Self {
        let table = &DIFFERING[(nibbles >> (8 * column)) as usize & 15];
        Self(self.0.map(|byte| table[usize::from(byte & 15)]))
    }
}
