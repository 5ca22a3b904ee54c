//! Z(s, D) = sum_{k=1}^D k^-s, the normalisation of a power law of D ranks.

/// Ranks summed one by one; the rest by Euler and Maclaurin's formula, whose next term is below 1e-16 there.
const DIRECT: u64 = 1000;

/// Z(s, D) for s >= 0.
pub fn power_sum(exponent: f64, n_ranks: u64) -> f64 {
    let term = |x: f64| x.powf(-exponent);
    let direct = |ranks: std::ops::RangeInclusive<u64>| ranks.rev().map(|k| term(k as f64)).sum::<f64>();
    if n_ranks <= DIRECT {
        return direct(1..=n_ranks);
    }
    let (a, b, s) = (DIRECT as f64, n_ranks as f64, exponent);
    let log = (b / a).ln();
    let integral = if s == 1.0 { log } else { a * term(a) * ((1.0 - s) * log).exp_m1() / (1.0 - s) };
    let slope = |x: f64| -s * term(x) / x;
    let third = |x: f64| -s * (s + 1.0) * (s + 2.0) * term(x) / (x * x * x);
    let tail =
        integral + (term(b) - term(a)) / 2.0 + (slope(b) - slope(a)) / 12.0 - (third(b) - third(a)) / 720.0;
    direct(1..=DIRECT) + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    /// zeta(2), zeta(3) less their tails 1/D, the harmonic number, and a plain sum: to rounding of some thousand terms.
    #[test]
    fn sums_are_those_of_their_closed_forms() {
        let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
        let d = 1u64 << 40;
        close(power_sum(2.0, d), std::f64::consts::PI.powi(2) / 6.0 - 1.0 / d as f64);
        close(power_sum(3.0, d), 1.202_056_903_159_594_2);
        close(power_sum(1.0, d), (d as f64).ln() + 0.577_215_664_901_532_9);
        close(power_sum(0.0, 12_345), 12_345.0);
        for s in [0.5, 1.0, 1.5, 4.0] {
            close(power_sum(s, 30_000), (1..=30_000).rev().map(|k| f64::from(k).powf(-s)).sum());
        }
        close(power_sum(1.5, 7), (1..=7).map(|k| f64::from(k).powf(-1.5)).sum());
    }
}
