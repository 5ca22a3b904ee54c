//! [`Lanes`], the unit of every panel array, and the vector types that carry it through a kernel.

/// Neurons in a panel.
pub const LANES: usize = 16;

/// One value for each of the 16 neurons of a panel: one cache line.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Lanes<T>(pub [T; LANES]);

impl<T: Element> Lanes<T> {
    /// All zero.
    pub const ZERO: Self = Self([T::ZERO; LANES]);
}

/// A weight of the signed product: f32, or i32 for exact sums.
pub trait Element: Copy + PartialEq + Send + Sync + sealed::Sealed + 'static {
    /// The additive identity.
    const ZERO: Self;
}

impl Element for f32 {
    const ZERO: Self = 0.0;
}

impl Element for i32 {
    const ZERO: Self = 0;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for i32 {}
}

/// Sixteen lanes in registers. Additions of f32 round once each; those of i32 must not overflow.
///
/// Implementors whose methods need a processor feature are private to the file that enables it.
pub(super) trait Vector: Copy {
    type Element: Element;

    fn load(lanes: &Lanes<Self::Element>) -> Self;
    fn store(self, lanes: &mut Lanes<Self::Element>);
    fn add(self, other: Self) -> Self;
    fn neg(self) -> Self;
}

/// Sixteen f32 lanes with what training and recall do to fields. Results for NaN are not specified.
pub(super) trait FloatVector: Vector<Element = f32> {
    fn splat(value: f32) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
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
}
