//! The instruction sets a kernel exists for.

/// Which twin of each kernel runs. All twins give the same bits; they differ in speed only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// `std::arch` with AVX2, BMI1, BMI2, FMA and POPCNT: x86-64 processors since 2013.
    Avx2,
    /// The `wide` crate: SSE2, NEON, or whatever the build's target offers.
    Portable,
    /// Plain loops: the reference that the others are tested against.
    Scalar,
}

impl Isa {
    /// All of them, fastest first.
    pub const ALL: [Isa; 3] = [Isa::Avx2, Isa::Portable, Isa::Scalar];

    /// The fastest that this processor has.
    pub fn detect() -> Self {
        if Isa::Avx2.is_available() { Isa::Avx2 } else { Isa::Portable }
    }

    /// Whether this processor can run it.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("bmi2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("popcnt")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx2 => false,
            Isa::Portable | Isa::Scalar => true,
        }
    }

    /// Those that this processor can run, fastest first.
    pub fn available() -> impl Iterator<Item = Isa> {
        Self::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// The name by which a user forces it.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Avx2 => "avx2",
            Isa::Portable => "portable",
            Isa::Scalar => "scalar",
        }
    }

    /// The instruction set of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|isa| isa.name() == name)
    }
}
