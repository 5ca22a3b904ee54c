//! [`Lanes`], the unit of every panel array, and the vector types that carry it through a kernel.

/// Neurons in a panel.
pub const LANES: usize = 16;
/// Rows that are counted together, a byte each.
pub const BYTE_LANES: usize = 64;

/// One value for each of the 16 neurons of a panel, or a count for each of 64 rows: one cache line, or whole ones.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Lanes<T, const L: usize = LANES>(pub [T; L]);

// SAFETY: an array of floats in whole cache lines: no padding, any bits are a value, and zero is one.
unsafe impl bytemuck::Zeroable for Lanes<f32> {}
// SAFETY: as above.
unsafe impl bytemuck::Pod for Lanes<f32> {}

impl<T: Element, const L: usize> Lanes<T, L> {
    /// All zero.
    pub const ZERO: Self = Self([T::ZERO; L]);
}

/// What lanes hold.
pub trait Element: Copy + PartialEq + Send + Sync + sealed::Sealed + 'static {
    /// The additive identity.
    const ZERO: Self;
}

macro_rules! elements {
    ($($element:ty)*) => {
        $(
            impl Element for $element {
                const ZERO: Self = 0 as $element;
            }
            impl sealed::Sealed for $element {}
        )*
    };
}

elements!(f32 i32 u8 u16);

mod sealed {
    pub trait Sealed {}
}

/// One row of weights in registers. Additions of f32 round once each; those of integers must not overflow.
///
/// Implementors whose methods need a processor feature are private to the file that enables it.
pub(super) trait Vector: Copy {
    /// What is loaded and stored: a cache line.
    type Row: Copy;
    /// The sum of nothing.
    const ZERO: Self::Row;
    /// A column of weights that is not there: with a bit of 0 it adds nothing to any sum.
    const MISSING: Self::Row;
    /// Blocks of 64 columns that a sum holds, where it must be taken away before it overflows.
    const BLOCKS_PER_SUM: usize;

    fn load(row: &Self::Row) -> Self;
    fn store(self, row: &mut Self::Row);
    fn add(self, other: Self) -> Self;
    /// What a column adds where its bit is 0, from what it adds where it is 1.
    fn opposite(self) -> Self;
}

/// Sixteen lanes whose opposite is the negative, so that half a table of signed sums holds all of them.
pub(super) trait SignedVector: Vector {
    /// Signs of the upper four bytes of a word, in registers.
    type Signs: Copy;

    /// The top bits of bytes 4 to 7 of the word: 1 for plus.
    fn signs(word: &u64) -> Self::Signs;
    /// `self + entry` where the top bit of byte `group`, 4 to 7, is 1, and `self - entry` where it is 0.
    fn add_signed(self, entry: Self, signs: Self::Signs, group: usize) -> Self;
}

/// Sixteen f32 lanes with what training and recall do to fields. Results for NaN are not specified.
pub(super) trait FloatVector: SignedVector<Row = Lanes<f32>> {
    fn splat(value: f32) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
    /// `self + factor * other`, rounded once (IEEE fused multiply-add), on any processor.
    fn fused_add(self, factor: Self, other: Self) -> Self;
    /// -|x|.
    fn neg_abs(self) -> Self;
    /// `positive` where the sign bit of `self` is clear, `negative` where it is set.
    fn select_by_sign(self, positive: Self, negative: Self) -> Self;
    /// 2^n from `self` = n + 1.5 * 2^23, whose low mantissa bits hold the integer n; n in -126..=127.
    fn exp2_of_shifted(self) -> Self;
    /// Lane l negated where bit l of `mask` is 0.
    fn flip_where_clear(self, mask: u16) -> Self;
    /// Bit l set where lane l is above 0.
    fn positive_mask(self) -> u16;
    /// Bit l set where lane l is 0 or -0.
    fn zero_mask(self) -> u16;
    /// Stores past the caches, for rows that are not read again soon. [`FloatVector::fence`] orders such stores.
    fn stream(self, row: &mut Lanes<f32>);
    /// Makes streamed rows visible to other threads that synchronise with this one.
    fn fence();
    /// Column `first + c` of 16 whole rows, `[16][n_columns]`, becomes `columns[c]`; 16 columns, a cache line of each row.
    fn interleave(rows: &[f32], n_columns: usize, first: usize, columns: &mut [Lanes<f32>; LANES]);
    /// The inverse.
    fn deinterleave(columns: &[Lanes<f32>; 8], first: usize, rows: &mut [&mut [f32]; LANES]);
}

/// What the exponential function takes, of any number of f32 lanes.
pub(super) trait Arithmetic: Copy {
    fn splat(value: f32) -> Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
    /// As [`FloatVector::exp2_of_shifted`].
    fn exp2_of_shifted(self) -> Self;
}

impl<V: FloatVector> Arithmetic for V {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        FloatVector::splat(value)
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Vector::add(self, other)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        FloatVector::sub(self, other)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        FloatVector::mul(self, other)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        FloatVector::max(self, other)
    }
    #[inline(always)]
    fn exp2_of_shifted(self) -> Self {
        FloatVector::exp2_of_shifted(self)
    }
}

/// Asks for the cache line at `address`, which need not be one of this process, to be in L1.
#[inline(always)]
pub(super) fn prefetch<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of x86-64; a prefetch does not fault.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// The same for L2: for many lines at once, or lines at distances that L1 has no room for.
#[inline(always)]
pub(super) fn prefetch_to_l2<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of x86-64; a prefetch does not fault.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
