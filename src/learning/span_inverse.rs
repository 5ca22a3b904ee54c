//! J = X^T (w K + s N I)^-1 X with K = X X^T: the linear rules in the span of the patterns, neuron by neuron.
//!
//! Neuron i solves (w K + s N I) z_i = x_i, its spins in all patterns, in f64; then J_ij = sum_mu z_i^mu xi_j^mu. N P^2 real
//! products for the former, N^2 P signed ones for the latter, no N x N matrix but J. The signed sums run in integers: z is
//! cut into two words of fixed point (see [`FixedPoint`]), so that they are exact and J is rounded once, to f32.

use super::overlap_factor::{Mixture, OverlapFactor};
use super::panelwise::room_for_couplings;
use super::patterns::PatternBits;
use crate::couplings::{Couplings, PANEL, RowRange, panel_rows};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{LANES, Lanes, Tables, deinterleave, hamming_distance, signed_product};
use crate::spins::{SpinMatrix, WORD};

/// Neurons that are solved for together: their right-hand sides share every tile of the factor.
const NEURONS: usize = 8 * PANEL;

/// Scratch of one thread.
struct Scratch {
    solutions: Vec<f64>,        // [neuron][stride]
    high: Vec<Lanes<i32>>,      // [mu][16]
    low: Vec<Lanes<i32>>,       // [mu][16]
    sums: [Vec<Lanes<i32>>; 2], // [j][16]
    panel: Vec<Lanes<f32>>,     // [j][16]
    tables: Tables<i32>,
}

/// Couplings of the rows of `patterns` for this mixture, symmetric to the bit; the diagonal is zero unless it is to be kept.
/// `refusal` makes an error of what [`dependence`] says about dependent patterns.
///
/// # Errors
/// That one; if memory is missing; if interrupted.
pub(super) fn span_inverse(
    patterns: &SpinMatrix,
    mixture: Mixture,
    self_coupling: bool,
    execution: &Execution,
    refusal: impl Fn(String) -> Error,
) -> Result<Couplings> {
    let bits = PatternBits::new(patterns);
    let (n_patterns, n_spins) = (bits.n_patterns(), bits.n_spins());
    let mut couplings = room_for_couplings(n_spins, RowRange::all(n_spins), execution)?;
    if self_coupling {
        couplings.allow_self_coupling();
    }
    let dependent = |pattern| refusal(dependence(patterns, pattern, execution));
    let factor = OverlapFactor::new(&bits, mixture, execution, dependent)?;
    let scratch = || Scratch {
        solutions: vec![0.0; NEURONS * factor.stride()],
        high: vec![Lanes::ZERO; n_patterns],
        low: vec![Lanes::ZERO; n_patterns],
        sums: [vec![Lanes::ZERO; n_spins], vec![Lanes::ZERO; n_spins]],
        panel: vec![Lanes::ZERO; n_spins],
        tables: Tables::new(),
    };
    execution.progress().begin("solving for couplings", n_spins.div_ceil(NEURONS) as u64);
    let tasks = couplings.values_mut().chunks_mut(NEURONS * n_spins).enumerate();
    execution.for_each(tasks, scratch, |scratch, (task, rows)| {
        let first = task * NEURONS;
        let stride = factor.stride();
        let n_neurons = rows.len() / n_spins;
        for (neuron, column) in (first..).zip(scratch.solutions.chunks_exact_mut(stride)).take(n_neurons) {
            for (mu, value) in column[..n_patterns].iter_mut().enumerate() {
                let bit = bits.by_spin().block(mu / WORD)[neuron] >> (mu % WORD) & 1;
                *value = if bit == 1 { 1.0 } else { -1.0 };
            }
        }
        factor.solve(&mut scratch.solutions[..n_neurons * stride]);
        for (offset, rows) in rows.chunks_mut(PANEL * n_spins).enumerate() {
            execution.check_cancelled()?;
            couplings_of_panel(
                &bits,
                first / PANEL + offset,
                offset * PANEL,
                stride,
                self_coupling,
                scratch,
                execution,
            );
            deinterleave(execution.isa(), &scratch.panel, rows);
        }
        execution.progress().advance(1);
        Ok(())
    })?;
    couplings.mirror_upper(execution)?;
    execution.progress().end();
    Ok(couplings)
}

/// The panel's couplings from its first neuron's column on, into `scratch.panel`, from the solutions at `first`.
fn couplings_of_panel(
    bits: &PatternBits,
    panel: usize,
    first: usize,
    stride: usize,
    self_coupling: bool,
    scratch: &mut Scratch,
    execution: &Execution,
) {
    let (n_patterns, n_spins) = (bits.n_patterns(), bits.n_spins());
    let neurons = panel_rows(panel, n_spins);
    let mut points = [FixedPoint::of(&[]); LANES];
    for (lane, point) in points.iter_mut().enumerate().take(neurons.len()) {
        let solution = &scratch.solutions[(first + lane) * stride..][..n_patterns];
        *point = FixedPoint::of(solution);
        for ((&value, high), low) in solution.iter().zip(&mut scratch.high).zip(&mut scratch.low) {
            (high.0[lane], low.0[lane]) = point.words(value);
        }
    }
    // J is symmetric: columns before the panel's own are mirrored from other rows.
    let signs = &bits.by_spin().words()[neurons.start..];
    for (sums, weights) in scratch.sums.iter_mut().zip([&scratch.high, &scratch.low]) {
        let sums = &mut sums[neurons.start..];
        sums.fill(Lanes::ZERO);
        signed_product(execution.isa(), signs, n_spins, weights, sums, &mut scratch.tables);
    }
    let [high, low] = &scratch.sums;
    for (target, (high, low)) in scratch.panel.iter_mut().zip(high.iter().zip(low)).skip(neurons.start) {
        for (lane, (target, point)) in target.0.iter_mut().zip(&points).enumerate() {
            *target = point.value(high.0[lane], low.0[lane]) as f32;
        }
    }
    if !self_coupling {
        for (lane, neuron) in neurons.enumerate() {
            scratch.panel[neuron].0[lane] = 0.0;
        }
    }
}

/// How the terms z of a sum over P patterns become integers: z = (high + 2^-bits low) unit, rounded once.
///
/// With S = sum |z|: unit = 2^e is the least with S <= 2^30 unit, so sum |high| <= 2^30 + P / 2; and P 2^(bits - 1) <= 2^30
/// bounds sum |low|: both signed sums stay within i32. A sum of all terms is off by at most P 2^-(bits + 1) unit, about
/// 2^-50 S for 1000 patterns.
#[derive(Clone, Copy)]
struct FixedPoint {
    unit: f64,
    low_unit: f64,
}

impl FixedPoint {
    /// For these terms.
    fn of(terms: &[f64]) -> Self {
        let sum: f64 = terms.iter().map(|term| term.abs()).sum();
        let (_, exponent) = libm::frexp(sum);
        let bits = 31 - terms.len().max(1).next_power_of_two().trailing_zeros() as i32;
        Self { unit: libm::ldexp(1.0, exponent - 30), low_unit: libm::ldexp(1.0, -bits) }
    }

    /// The two words of a term.
    fn words(&self, term: f64) -> (i32, i32) {
        let scaled = term / self.unit;
        let high = scaled.round();
        (high as i32, ((scaled - high) / self.low_unit).round() as i32)
    }

    /// The number that two words, or sums of them, stand for.
    fn value(&self, high: i32, low: i32) -> f64 {
        (f64::from(high) + f64::from(low) * self.low_unit) * self.unit
    }
}

/// In words, how a pattern depends on those before it.
fn dependence(patterns: &SpinMatrix, pattern: usize, execution: &Execution) -> String {
    let (own, n_spins) = (patterns.row(pattern), patterns.n_spins() as u64);
    let twin = (0..pattern).find_map(|other| {
        let distance = hamming_distance(execution.isa(), own, patterns.row(other));
        let relation = [(0, "equal"), (n_spins, "opposite")].into_iter().find(|(at, _)| *at == distance);
        relation.map(|(_, relation)| format!("{relation} to pattern {other}"))
    });
    let relation = twin.unwrap_or("to rounding a combination of those before it".to_owned());
    format!("pattern {pattern}, counted from 0, {relation}")
}

/// Bytes of a run: J, the factor, packed patterns and each thread's scratch.
pub(super) fn bytes(n_patterns: usize, n_spins: usize, n_threads: usize) -> u64 {
    let (p, n) = (n_patterns as u64, n_spins as u64);
    let solutions = 8 * (NEURONS * OverlapFactor::stride_for(n_patterns)) as u64;
    // Two words a pattern, two sums and a coupling a column, the tables; counts of overlaps of up to 4096 patterns.
    let scratch = solutions + 64 * (2 * p + 3 * n) + (132 << 10) + 384 * p.min(4096);
    4 * n * n + OverlapFactor::bytes(n_patterns) + n * p / 4 + n_threads as u64 * scratch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{gaussian, stream};

    /// Terms of magnitudes over many decades, and the largest that a sum of equal signs can reach.
    #[test]
    fn sums_in_fixed_point_keep_far_more_than_single_precision() {
        for n in [1usize, 2, 3, 100, 4097] {
            let mut rng = stream(n as u64, "fixed point test", &[]);
            for spread in [0.0, 3.0, 12.0] {
                let terms: Vec<f64> =
                    (0..n).map(|_| gaussian(&mut rng) * libm::exp(spread * gaussian(&mut rng))).collect();
                let point = FixedPoint::of(&terms);
                let magnitude: f64 = terms.iter().map(|term| term.abs()).sum();
                for sign in [|_: f64| 1.0, |term: f64| term.signum()] {
                    let (mut high, mut low, mut exact) = (0i64, 0i64, 0.0);
                    for &term in &terms {
                        let words = point.words(sign(term) * term);
                        (high, low) = (high + i64::from(words.0), low + i64::from(words.1));
                        exact += sign(term) * term;
                    }
                    let fits = |sum: i64| i32::try_from(sum).expect("the sum of one word fits it");
                    let found = point.value(fits(high), fits(low));
                    // The stated bound, and the roundings of the plain sum.
                    let bound = magnitude
                        * (n as f64 * 2f64.powi(-29 - 1 - 31 + 1) * n.next_power_of_two() as f64
                            + n as f64 * f64::EPSILON);
                    assert!((found - exact).abs() <= bound, "{n} terms: {found} {exact}");
                }
            }
        }
    }
}
