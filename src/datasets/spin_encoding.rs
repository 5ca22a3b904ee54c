//! How numbers in a file stand for spins.

/// What the values of an imported array mean. An array of booleans is read as true = +1, false = -1 with either of the
/// first two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpinEncoding {
    /// +1 and -1, integers or floats.
    Signs,
    /// 1 for +1 and 0 for -1, integers or floats. Has to be asked for: a 0 among +-1 is more often a mistake.
    ZeroOne,
    /// Bits of unsigned bytes, least significant first (`numpy.packbits(..., axis=1, bitorder="little")`), rows of
    /// ceil(N / 8) bytes with zero bits past N; only in .npy files.
    Packed {
        /// N, which the number of bytes does not tell.
        n_spins: usize,
    },
}

impl SpinEncoding {
    /// Whether the number means +1, if it means a spin at all.
    pub(super) fn is_up(self, value: f64) -> Option<bool> {
        let down = if self == Self::ZeroOne { 0.0 } else { -1.0 };
        match value {
            1.0 => Some(true),
            value if value == down => Some(false),
            _ => None,
        }
    }

    /// The numbers that mean spins, for messages.
    pub(super) fn values(self) -> &'static str {
        match self {
            Self::Signs => "+1 or -1",
            Self::ZeroOne => "0 or 1",
            Self::Packed { .. } => "packed bits",
        }
    }

    /// The word for it, for provenance.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Signs => "signs",
            Self::ZeroOne => "zero-one",
            Self::Packed { .. } => "packed",
        }
    }
}
