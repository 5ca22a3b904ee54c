//! Logistic noise: with u uniform, P(h + (T / 2) log(u / (1 - u)) > 0) = 1 / (1 + exp(-2 h / T)), the heat bath.
//!
//! From 32 random bits: the lower 31 give p = (v + 1/2) / 2^32 in (0, 1/2), the top one the sign; the noise is
//! +-log(p / (1 - p)). The logarithm is the degree-9 polynomial of Cephes' `logf` on [sqrt(1/2), sqrt(2)). Separate additions,
//! subtractions, multiplications and divisions alone, so all instruction sets agree by bits.

use super::lanes::{LANES, Lanes};

/// Cephes `logf`: (log(1 + z) - z + z^2 / 2) / z^3, highest power first.
const LOG: [f32; 9] = [
    7.037_683_6e-2,
    -1.151_461e-1,
    1.167_699_9e-1,
    -1.242_014_1e-1,
    1.424_932_3e-1,
    -1.666_805_8e-1,
    2.000_071_5e-1,
    -2.499_999_4e-1,
    3.333_333e-1,
];
/// ln 2 in two parts, the first with few enough bits that its products with small integers are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// log(x) for a positive normal number.
#[inline(always)]
fn log(x: f32) -> f32 {
    // The exponent e and mantissa m with x = m 2^e, m from sqrt(1/2) on.
    let bits = x.to_bits() as i32;
    let e = (bits - std::f32::consts::FRAC_1_SQRT_2.to_bits() as i32) >> 23;
    let z = f32::from_bits((bits - (e << 23)) as u32) - 1.0;
    let e = e as f32;
    let mut p = LOG[0];
    for coefficient in &LOG[1..] {
        p = p * z + coefficient;
    }
    let square = z * z;
    (p * z * square + e * LN_2_LOW - 0.5 * square) + z + e * LN_2_HIGH
}

/// `noise[m]` = `amplitude` log(u / (1 - u)) of the random bits `[m][16]`.
#[inline(always)]
pub(super) fn run(bits: &[[u32; LANES]], amplitude: f32, noise: &mut [Lanes<f32>]) {
    for (bits, noise) in bits.iter().zip(noise) {
        for (&bits, noise) in bits.iter().zip(&mut noise.0) {
            let p = ((bits & (u32::MAX >> 1)) as i32 as f32 + 0.5) * (1.0 / 4_294_967_296.0);
            let magnitude = amplitude * log(p / (1.0 - p));
            *noise = f32::from_bits(magnitude.to_bits() ^ (bits & (1 << 31)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against f64 over all magnitudes; the error is that of a few f32 roundings, absolute where the logit is small.
    #[test]
    fn noise_is_the_logit() {
        let mut bits = [[0; LANES]; 200];
        for (index, bits) in bits.as_flattened_mut().iter_mut().enumerate() {
            let fraction = index as u32 * 2_654_435_769;
            *bits = fraction >> (index % 32);
        }
        bits[0] =
            [0, 1, 2, u32::MAX, u32::MAX >> 1, 1 << 31, (1 << 31) + 1, 1 << 30, 3, 4, 5, 6, 7, 8, 9, 10];
        let mut noise = [Lanes::ZERO; 200];
        run(&bits, 0.75, &mut noise);
        for (&bits, noise) in bits.as_flattened().iter().zip(noise.iter().flat_map(|lanes| lanes.0)) {
            let p = (f64::from(bits & (u32::MAX >> 1)) + 0.5) / 4_294_967_296.0;
            let sign = if bits >> 31 == 1 { -1.0 } else { 1.0 };
            let expected = 0.75 * sign * (p / (1.0 - p)).ln();
            let error = (f64::from(noise) - expected).abs();
            assert!(
                error <= 4.0 * f64::from(f32::EPSILON) * (0.5 + expected.abs()),
                "{bits}: {noise}, {expected}"
            );
        }
    }
}
