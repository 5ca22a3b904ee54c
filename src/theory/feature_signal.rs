//! Signal and noise of a hidden feature under Hebb couplings.
//!
//! # The poster's law
//!
//! With frequencies proportional to k^-eta and J made of features alone, J_ij ~ sum_k k^-eta f_ki f_kj, the field of
//! feature k is k^-eta f_ki plus the others' k'^-eta f_k'i times their overlaps with f_k, of variance 1/N:
//! SNR_k = sqrt(N / Z(2 eta, D)) k^-eta, hence k_max = (N / Z(2 eta, D))^(1/2eta) ("Power-law feature statistics explain
//! test reconstruction gaps in Associative Memories"). [`PowerLawSignal`].
//!
//! # The full law
//!
//! A pattern that uses the set T of L features with signs c expands in products F_S of the features of odd subsets S of T
//! ([`majority_coefficient`]):
//!
//! ```text
//! xi = sum_S c_S F_S + ties,   c_S = a_|S| prod_{l in S} c_l,   a_1 = 1/2 and a_3 = -1/2 at L = 3
//! ```
//!
//! Let h = sum_j J_ij f_kj with J = (1/N) sum xi xi^T, and M(U) = (1/N) sum_j F_U(j), which for every non-empty set U is of
//! mean 0 and variance 1/N, uncorrelated between sets. The overlap of a pattern with f_k is c_{k} + sum_{S != k} c_S
//! M(S + k), where S + k is the symmetric difference, so that
//!
//! ```text
//! h_i f_ki = sum_mu sum_S' c_S' F_{S'+k}(i) [ c_{k} + sum_{S != k} c_S M(S + k) ]
//! ```
//!
//! S' = {k} with the first term of the bracket is the same at all sites: **signal** a_1^2 P_k, P_k the number of patterns
//! that use k. All else varies from site to site. Averaged over features and over the signs c, which are random, so that
//! sums over patterns of c_S' c_S with S' != S add in squares, its variance is
//!
//! ```text
//! interference    (a_1^4 / N) sum_{k' != k} P_k'^2         S' = S = {k'}: other features
//! subsets         (1 / N) sum_{|S| >= 3} a_|S|^4 P_S^2     S' = S: triples at L = 3, P_S patterns use all of S
//! own patterns    a_1^2 (1 - a_1^2) P_k                    S' != {k} with c_{k}: what patterns of k hold besides f_k
//! cross terms     (1 / N) [(P - P_k) (1 - sum_S a_S^4) + P_k ((1 - a_1^2)^2 - sum_{S != k} a_S^4)]     S' != S
//! ```
//!
//! The last two vanish against the first two as P grows: pattern noise. The terms hold for any L; ties are part of what
//! adds up to 1 in the last two. With frequencies rho = P_k / P and P -> infinity at L = 3 this is SNR_k =
//! rho_k sqrt(N / (sum_{k' != k} rho_k'^2 + sum_T rho_T^2)): the poster's exponent with another prefactor, because draws
//! without replacement flatten the first frequencies and because of the triples.
//!
//! The noise is quenched: M belongs to a draw of the features, and its largest terms to the few most frequent of them. Mean
//! signal over root mean variance is what the law speaks of, not the mean of ratios; what single draws come to is in
//! `analysis::cutoff`.

use super::majority::{binomial, majority_coefficient};
use super::power_sum::power_sum;

/// The poster's law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerLawSignal {
    exponent: f64,
    /// sqrt(N / Z(2 eta, D)).
    amplitude: f64,
}

impl PowerLawSignal {
    /// For N spins and D features of frequencies k^-eta.
    pub fn new(n_spins: usize, n_features: u64, exponent: f64) -> Self {
        Self { exponent, amplitude: (n_spins as f64 / power_sum(2.0 * exponent, n_features)).sqrt() }
    }

    /// SNR_k.
    pub fn ratio(&self, rank: f64) -> f64 {
        self.amplitude * rank.powf(-self.exponent)
    }

    /// The rank at which the ratio is `level`; none at eta = 0.
    pub fn rank_at(&self, level: f64) -> Option<f64> {
        (self.exponent > 0.0).then(|| (self.amplitude / level).powf(1.0 / self.exponent))
    }
}

/// How often features and sets of them are used by the patterns.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// P.
    pub n_patterns: f64,
    /// sum_k P_k^2 over all features.
    pub squares: f64,
    /// (d, sum_S P_S^2 over sets of d features), d = 3, 5, ..., L.
    pub subset_squares: Vec<(usize, f64)>,
}

impl Counted {
    /// As if no two patterns shared a set of `degree` features: each P_S is 1.
    pub fn distinct_sets(n_patterns: f64, n_active: usize, degree: usize) -> f64 {
        n_patterns * binomial(n_active, degree)
    }
}

/// Signal of a feature and the variances that disturb it, in units of the field h of J = (1/N) sum xi xi^T.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NoiseTerms {
    /// Mean of h_i f_ki.
    pub signal: f64,
    /// Variance from other features.
    pub interference: f64,
    /// Variance from sets of three features or more.
    pub subsets: f64,
    /// Variance from what the patterns of the feature hold besides it.
    pub own_patterns: f64,
    /// Variance from products of different sets.
    pub cross_terms: f64,
}

impl NoiseTerms {
    /// Variance of h_i f_ki over sites.
    pub fn variance(&self) -> f64 {
        self.interference + self.subsets + self.own_patterns + self.cross_terms
    }

    /// Signal over root variance.
    pub fn ratio(&self) -> f64 {
        self.signal / self.variance().sqrt()
    }
}

/// The full law for a feature that `count` patterns use.
pub fn signal_and_noise(n_spins: usize, n_active: usize, counted: &Counted, count: f64) -> NoiseTerms {
    let n = n_spins as f64;
    let a = |degree| majority_coefficient(n_active, degree);
    let own = a(1) * a(1);
    let subsets =
        counted.subset_squares.iter().map(|&(degree, squares)| a(degree).powi(4) * squares).sum::<f64>();
    let degrees = (1..=n_active).step_by(2).take(MAX_DEGREES);
    let fourth: f64 = degrees.map(|degree| binomial(n_active, degree) * a(degree).powi(4)).sum();
    let without = (counted.n_patterns - count) * (1.0 - fourth);
    let with = count * ((1.0 - own).powi(2) - (fourth - own * own));
    NoiseTerms {
        signal: own * count,
        interference: own * own * (counted.squares - count * count) / n,
        subsets: subsets / n,
        own_patterns: own * (1.0 - own) * count,
        cross_terms: (without + with) / n,
    }
}

/// Beyond this many degrees fourth powers are left out: none up to L = 15, and from there at most 1.5e-3 (at L = 17, by
/// exact sums of odd L up to 61) of a sum that is itself subtracted from 1.
const MAX_DEGREES: usize = 8;

/// Overlap of sgn(h) with a feature of signal-to-noise ratio `ratio` under Gaussian noise, erf(ratio / sqrt 2).
pub fn one_step_overlap(ratio: f64) -> f64 {
    libm::erf(ratio / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// N = 2000, D = 1000, eta = 1.5: 11.85, to the last digit.
    #[test]
    fn the_power_law_has_its_published_cutoff() {
        let law = PowerLawSignal::new(2000, 1000, 1.5);
        let cutoff = law.rank_at(1.0).unwrap();
        assert!((cutoff - 11.85).abs() < 0.005, "{cutoff}");
        assert!((law.ratio(cutoff) - 1.0).abs() < 1e-12);
        assert_eq!(PowerLawSignal::new(2000, 1000, 0.0).rank_at(1.0), None);
        // The normal quantile of 0.95.
        assert!((one_step_overlap(1.644_853_626_951_472) - 0.9).abs() < 1e-15);
    }

    /// One feature a pattern, L = 1, used by all P: J is f f^T P / N, signal P, no noise at all.
    #[test]
    fn a_single_feature_is_not_disturbed() {
        let counted = Counted { n_patterns: 7.0, squares: 49.0, subset_squares: vec![] };
        let terms = signal_and_noise(100, 1, &counted, 7.0);
        assert_eq!((terms.signal, terms.variance()), (7.0, 0.0));
    }

    /// At L = 1 a feature of count P_k has signal P_k and the variance of a Hopfield model with weights, sum P_k'^2 / N.
    #[test]
    fn single_features_are_a_weighted_hopfield_model() {
        let counted = Counted { n_patterns: 30.0, squares: 500.0, subset_squares: vec![] };
        let terms = signal_and_noise(50, 1, &counted, 10.0);
        assert_eq!((terms.signal, terms.variance()), (10.0, (500.0 - 100.0) / 50.0));
    }

    /// Many patterns at L = 3: the ratio is that of frequencies and triples alone, here P_k, P_T proportional to P.
    #[test]
    fn pattern_noise_vanishes_with_many_patterns() {
        let (n, p) = (1000.0, 1e12);
        let counted = Counted { n_patterns: p, squares: 0.5 * p * p, subset_squares: vec![(3, 0.1 * p * p)] };
        let terms = signal_and_noise(1000, 3, &counted, 0.2 * p);
        let expected = 0.2 * f64::sqrt(n / (0.5 - 0.04 + 0.1));
        assert!((terms.ratio() / expected - 1.0).abs() < 1e-6);
    }
}
