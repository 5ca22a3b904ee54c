//! Expansion of the majority of L signs in products of them.
//!
//! sgn(s_1 + ... + s_L) = sum over sets S of c_|S| prod_{l in S} s_l, plus, where L is even and ties are broken by a coin,
//! that coin on the ties. Only sets of odd size have a coefficient: c_1 = 1/2 and c_3 = -1/2 at L = 3. Parseval: the sum of
//! c_|S|^2 over all sets is 1 less the probability of a tie.

/// c_d of the majority of `n_votes`: the mean of sgn(sum s) times the product of d of the signs.
pub fn majority_coefficient(n_votes: usize, degree: usize) -> f64 {
    if degree > n_votes || degree.is_multiple_of(2) {
        return 0.0;
    }
    // minus = number of -1 within the set and outside it.
    let mut sum = 0.0;
    for within in 0..=degree {
        for outside in 0..=n_votes - degree {
            let minus = 2 * (within + outside);
            let majority = match minus.cmp(&n_votes) {
                std::cmp::Ordering::Less => 1.0,
                std::cmp::Ordering::Equal => 0.0,
                std::cmp::Ordering::Greater => -1.0,
            };
            let parity = if within.is_multiple_of(2) { 1.0 } else { -1.0 };
            sum += parity
                * majority
                * binomial_share(degree, within)
                * binomial_share(n_votes - degree, outside);
        }
    }
    sum
}

/// Probability that L fair signs add up to 0.
pub fn tie_probability(n_votes: usize) -> f64 {
    if n_votes.is_multiple_of(2) { binomial_share(n_votes, n_votes / 2) } else { 0.0 }
}

/// Sets of `degree` out of `n_votes`.
pub(super) fn binomial(n_votes: usize, degree: usize) -> f64 {
    (0..degree).map(|i| (n_votes - i) as f64 / (i + 1) as f64).product()
}

/// Binomial coefficient over 2^n; in logarithms where 2^n would overflow.
fn binomial_share(n: usize, k: usize) -> f64 {
    if n < 1000 {
        binomial(n, k.min(n - k)) * 0.5f64.powi(n as i32)
    } else {
        let log_factorial = |n: usize| libm::lgamma(n as f64 + 1.0);
        (log_factorial(n) - log_factorial(k) - log_factorial(n - k) - n as f64 * std::f64::consts::LN_2).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every coefficient against the mean over all 2^L sign vectors, and Parseval's sum. Terms are dyadic: exact.
    #[test]
    fn coefficients_are_the_means_over_all_sign_vectors() {
        for n in 1..=9 {
            let mut squares = tie_probability(n);
            for degree in 0..=n {
                let total: i64 = (0..1u32 << n)
                    .map(|signs| {
                        let majority = (n as i64 - 2 * i64::from(signs.count_ones())).signum();
                        let set = (signs & ((1 << degree) - 1)).count_ones();
                        if set.is_multiple_of(2) { majority } else { -majority }
                    })
                    .sum();
                let expected = total as f64 / f64::from(1u32 << n);
                assert!((majority_coefficient(n, degree) - expected).abs() < 1e-14, "L {n}, d {degree}");
                squares += binomial(n, degree) * expected * expected;
            }
            assert!((squares - 1.0).abs() < 1e-14);
        }
        assert_eq!((majority_coefficient(3, 1), majority_coefficient(3, 3)), (0.5, -0.5));
    }

    /// c_1 approaches sqrt(2 / (pi L)): relative corrections are of order 1/L.
    #[test]
    fn many_votes_follow_the_central_limit() {
        for n in [999, 1001, 3001] {
            let limit = (2.0 / (std::f64::consts::PI * n as f64)).sqrt();
            assert!((majority_coefficient(n, 1) / limit - 1.0).abs() < 1.0 / n as f64);
        }
    }
}
