//! The logistic function and softplus, and the residuals and margins of pseudo-likelihood made with them.
//!
//! Both start from e = exp(-|z|): sigma(z) = 1 / (1 + e) or e / (1 + e) by the sign of z, and
//! log(1 + exp(z)) = max(z, 0) + log(1 + e). exp is range reduction to |r| <= ln 2 / 2 and the degree-7 polynomial of
//! Cephes' `expf`; log(1 + e) = 2 atanh(e / (2 + e)) by the first eight terms of its odd series, whose argument is at
//! most 1/3. Only separate additions, subtractions, multiplications and divisions, so all instruction sets agree by bits.
//!
//! Errors, relative, against f64 over all z (tested): at most 4 units of the last place (2.4e-7) for both, as long as
//! |z| <= 87; beyond, exp(-|z|) stays at exp(-87) = 1.6e-38.

use super::lanes::{Arithmetic, FloatVector, Lanes};

const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// ln 2 in two parts, the first with few enough bits that its products with small integers are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// 1.5 * 2^23: adding it rounds to an integer, kept in the low mantissa bits.
const SHIFT: f32 = 12_582_912.0;
/// Cephes `expf`: (exp(r) - 1 - r) / r^2, highest power first.
const EXP: [f32; 6] = [1.987_569_1e-4, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];
/// Below this, exp would leave the normal numbers.
const SMALLEST_EXPONENT: f32 = -87.0;

/// exp(x) for x <= 0.
#[inline(always)]
pub(super) fn exp_of_negative<V: Arithmetic>(x: V) -> V {
    let x = x.max(V::splat(SMALLEST_EXPONENT));
    let shifted = x.mul(V::splat(LOG2_E)).add(V::splat(SHIFT));
    let n = shifted.sub(V::splat(SHIFT));
    let r = x.sub(n.mul(V::splat(LN_2_HIGH))).sub(n.mul(V::splat(LN_2_LOW)));
    let mut p = V::splat(EXP[0]);
    for coefficient in &EXP[1..] {
        p = p.mul(r).add(V::splat(*coefficient));
    }
    p.mul(r.mul(r)).add(r).add(V::splat(1.0)).mul(shifted.exp2_of_shifted())
}

#[inline(always)]
fn sigma<V: FloatVector>(z: V) -> V {
    let e = exp_of_negative(z.neg_abs());
    let one = V::splat(1.0);
    z.select_by_sign(one, e).div(one.add(e))
}

#[inline(always)]
fn softplus<V: FloatVector>(z: V) -> V {
    let e = exp_of_negative(z.neg_abs());
    let s = e.div(V::splat(2.0).add(e));
    let s2 = s.mul(s);
    let mut p = V::splat(1.0 / 15.0);
    for odd in [13.0_f32, 11.0, 9.0, 7.0, 5.0, 3.0] {
        p = p.mul(s2).add(V::splat(1.0 / odd));
    }
    let log = p.mul(s2).mul(s).add(s);
    log.add(log).add(z.max(V::splat(0.0)))
}

/// Fields become residuals: h -> xi sigma(-lambda xi h), xi = +-1 from the 16 bits of each word from `shift` on.
#[inline(always)]
pub(super) fn residuals<V: FloatVector>(signs: &[u64], shift: u32, lambda: f32, fields: &mut [Lanes<f32>]) {
    let lambda = V::splat(-lambda);
    for (&word, lanes) in signs.iter().zip(fields) {
        let mask = (word >> shift) as u16;
        let margin = V::load(lanes).flip_where_clear(mask);
        sigma(margin.mul(lambda)).flip_where_clear(mask).store(lanes);
    }
}

/// One epoch's numbers of gradient descent in the span of the patterns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpanStep {
    /// Inverse temperature of the loss.
    pub lambda: f32,
    /// Learning rate times N / P.
    pub gain: f32,
    /// Learning rate times weight decay.
    pub decay: f32,
    /// 1 / N.
    pub per_spin: f32,
}

/// What [`span_step`] does to the coefficients of pattern m, from `products` = K a and `own` = sum_m xi a:
///
/// ```text
/// margin = (xi (K a) - own) / N + xi share h(0)
/// a += gain xi sigma(-lambda margin) - decay a
/// ```
///
/// Returns the new sum_m xi a, in ascending order of m.
#[inline(always)]
pub(super) fn span_step<V: FloatVector>(
    signs: &[u64],
    shift: u32,
    step: SpanStep,
    own: &Lanes<f32>,
    initial: Option<(&[Lanes<f32>], f32)>,
    products: &[Lanes<f32>],
    a: &mut [Lanes<f32>],
) -> Lanes<f32> {
    let (own, mut next_own) = (V::load(own), V::splat(0.0));
    let (lambda, gain) = (V::splat(-step.lambda), V::splat(step.gain));
    let (decay, per_spin) = (V::splat(step.decay), V::splat(step.per_spin));
    for (m, ((&word, product), a)) in signs.iter().zip(products).zip(a).enumerate() {
        let mask = (word >> shift) as u16;
        let mut margin = V::load(product).flip_where_clear(mask).sub(own).mul(per_spin);
        if let Some((fields, share)) = initial {
            margin = margin.add(V::load(&fields[m]).mul(V::splat(share)).flip_where_clear(mask));
        }
        let residual = sigma(margin.mul(lambda)).flip_where_clear(mask);
        let before = V::load(a);
        let after = before.add(gain.mul(residual)).sub(decay.mul(before));
        after.store(a);
        next_own = next_own.add(after.flip_where_clear(mask));
    }
    let mut sum = Lanes::ZERO;
    next_own.store(&mut sum);
    sum
}

/// Fields become margins: h -> xi h.
#[inline(always)]
pub(super) fn margins<V: FloatVector>(signs: &[u64], shift: u32, fields: &mut [Lanes<f32>]) {
    for (&word, lanes) in signs.iter().zip(fields) {
        V::load(lanes).flip_where_clear((word >> shift) as u16).store(lanes);
    }
}

/// Margins become losses: m -> log(1 + exp(-lambda m)).
#[inline(always)]
pub(super) fn losses<V: FloatVector>(lambda: f32, margins: &mut [Lanes<f32>]) {
    let lambda = V::splat(-lambda);
    for lanes in margins {
        softplus(V::load(lanes).mul(lambda)).store(lanes);
    }
}

/// Zero-temperature update: the 16 bits of each `next` word from `shift` on become the signs of the fields; where a
/// field is 0 the bit of `ties` is taken.
#[inline(always)]
pub(super) fn threshold<V: FloatVector>(fields: &[Lanes<f32>], ties: &[u64], shift: u32, next: &mut [u64]) {
    for ((lanes, &tie), word) in fields.iter().zip(ties).zip(next) {
        let field = V::load(lanes);
        let bits = field.positive_mask() | (field.zero_mask() & (tie >> shift) as u16);
        *word = *word & !(0xffff << shift) | u64::from(bits) << shift;
    }
}
