//! The hidden manifold: patterns made of a few features that are used with power-law frequencies.
//!
//! Features f_k, k = 1..=D, have independent spins +-1. A pattern draws L distinct features without replacement with
//! weight k^-eta and coefficients c, and is xi = sgn(sum c f); a sum of 0 becomes +-1 at random. D, L and eta range from
//! sparse power laws (L = 3, arXiv:2507.05147 with eta = 0) to the dense manifold (L = D). Every feature and every
//! pattern has a random stream of its own and can be made alone, any stretch of its words without the rest, so that
//! neither D x N nor P x N spins need to be stored.

use std::ops::RangeInclusive;

use super::data_set::{DataSet, at_least_one, provenance};
use super::pattern_draw::{Coefficients, Features, Mixer, PatternDraw};
use super::rows::{fill_random, make_rows};
use super::zipf::{MAX_RANK, Zipf};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::random::stream;
use crate::spins::{SpinMatrix, WORD};

/// Parameters of a hidden manifold.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifoldParameters {
    /// N >= 1.
    pub n_spins: usize,
    /// P >= 1.
    pub n_patterns: usize,
    /// Number of unseen examples of the same features; 0 for none.
    pub n_test: usize,
    /// D, the number of hidden features, 1..=2^40.
    pub n_features: u64,
    /// L, the number of distinct features in a pattern, 1..=D.
    pub n_active: usize,
    /// eta >= 0: feature k is drawn with weight k^-eta; 0 is uniform.
    pub exponent: f64,
    /// How the features are weighed.
    pub coefficients: Coefficients,
    /// The ranks k that unseen examples draw from, all of 1..=D if none.
    pub test_features: Option<RangeInclusive<u64>>,
    /// How many of the features, from k = 1 on, the data set stores; at most D. Any other is made when needed.
    pub n_stored_features: usize,
    /// Seed. Features and patterns of a smaller N or P are the beginnings of those of a larger one.
    pub seed: u64,
}

/// A hidden manifold with parameters that are in range.
#[derive(Clone, Debug)]
pub struct Manifold {
    parameters: ManifoldParameters,
    train_law: Zipf,
    test_law: Zipf,
}

impl Manifold {
    /// Checks the parameters.
    ///
    /// # Errors
    /// If one is out of its range, or L exceeds the number of features to draw from.
    pub fn new(parameters: ManifoldParameters) -> Result<Self> {
        let ManifoldParameters { n_features, n_active, exponent, .. } = parameters;
        at_least_one("n", parameters.n_spins)?;
        at_least_one("patterns", parameters.n_patterns)?;
        if !(1..=MAX_RANK).contains(&n_features) {
            return Err(Error::parameter("features", format!("1..={MAX_RANK}"), n_features));
        }
        if n_active == 0 || n_active as u64 > n_features {
            return Err(Error::parameter("active", format!("1..={n_features}, the features"), n_active));
        }
        if !exponent.is_finite() || exponent < 0.0 {
            return Err(Error::parameter("exponent", "a finite number >= 0", exponent));
        }
        if parameters.n_stored_features as u64 > n_features {
            let expected = format!("at most the {n_features} features");
            return Err(Error::parameter("stored-features", expected, parameters.n_stored_features));
        }
        let test_ranks = parameters.test_features.clone().unwrap_or(1..=n_features);
        let (first, last) = (*test_ranks.start(), *test_ranks.end());
        if first == 0 || first > last || last > n_features {
            let expected = format!("a range within 1..={n_features}");
            return Err(Error::parameter("test-features", expected, format!("{first}..={last}")));
        }
        if n_active as u64 > last - first + 1 {
            let expected = format!("at least {n_active} ranks, the features of a pattern");
            return Err(Error::parameter("test-features", expected, format!("{first}..={last}")));
        }
        Ok(Self {
            train_law: Zipf::new(exponent, 1..=n_features),
            test_law: Zipf::new(exponent, test_ranks),
            parameters,
        })
    }

    /// The parameters.
    pub fn parameters(&self) -> &ManifoldParameters {
        &self.parameters
    }

    /// Writes spins of feature `rank` (1..=D): the packed words from word `first_word` of its row on.
    pub fn feature_words(&self, rank: u64, first_word: usize, words: &mut [u64]) {
        let rng = stream(self.parameters.seed, "feature", &[rank]);
        fill_random(rng, self.parameters.n_spins, first_word, words);
    }

    /// The first `count` features, a row each.
    ///
    /// # Errors
    /// If they do not fit in memory, or the run is cancelled.
    pub fn features(&self, count: usize, execution: &Execution) -> Result<SpinMatrix> {
        make_rows(execution, "features", count, self.parameters.n_spins, |row, words| {
            self.feature_words(row as u64 + 1, 0, words);
        })
    }

    /// The random choices of pattern `index`.
    pub fn pattern_draw(&self, index: u64) -> PatternDraw {
        self.draw("pattern", &self.train_law, index)
    }

    /// The random choices of unseen example `index`.
    pub fn test_pattern_draw(&self, index: u64) -> PatternDraw {
        self.draw("test pattern", &self.test_law, index)
    }

    fn draw(&self, domain: &str, law: &Zipf, index: u64) -> PatternDraw {
        let ManifoldParameters { seed, n_active, coefficients, .. } = self.parameters;
        PatternDraw::new(stream(seed, domain, &[index]), law, n_active, coefficients)
    }

    /// Writes spins of the pattern of `draw`: the packed words from word `first_word` of its row on.
    pub fn pattern_words(&self, draw: &PatternDraw, first_word: usize, words: &mut [u64]) {
        let features = Stored { manifold: self, first_word, n_words: words.len(), words: &[] };
        draw.mix(self.parameters.n_spins, first_word, words, &features, &mut Mixer::default());
    }

    /// Makes patterns, unseen examples and the features to store.
    ///
    /// # Errors
    /// If they do not fit in memory, or the run is cancelled.
    pub fn generate(&self, execution: &Execution) -> Result<DataSet> {
        let parameters = &self.parameters;
        let n_spins = parameters.n_spins;
        let stored = self.features(parameters.n_stored_features, execution)?;
        let n_words = n_spins.div_ceil(WORD);
        let features = Stored { manifold: self, first_word: 0, n_words, words: stored.words() };
        let train = make_rows(execution, "patterns", parameters.n_patterns, n_spins, |row, words| {
            self.pattern_draw(row as u64).mix(n_spins, 0, words, &features, &mut Mixer::default());
        })?;
        let test = make_rows(execution, "test patterns", parameters.n_test, n_spins, |row, words| {
            self.test_pattern_draw(row as u64).mix(n_spins, 0, words, &features, &mut Mixer::default());
        })?;
        let present = |rows: SpinMatrix| (rows.n_rows() > 0).then_some(rows);
        DataSet {
            test: present(test),
            features: present(stored),
            provenance: self.provenance(),
            ..DataSet::from_train(train)
        }
        .validated()
    }

    fn provenance(&self) -> super::Provenance {
        let parameters = &self.parameters;
        let coefficients = match parameters.coefficients {
            Coefficients::Signs => "signs",
            Coefficients::Gaussian => "gaussian",
        };
        let test_ranks = parameters.test_features.clone().unwrap_or(1..=parameters.n_features);
        provenance(
            "manifold",
            &[
                ("n_spins", &parameters.n_spins),
                ("n_patterns", &parameters.n_patterns),
                ("n_test", &parameters.n_test),
                ("n_features", &parameters.n_features),
                ("n_active", &parameters.n_active),
                ("exponent", &parameters.exponent),
                ("coefficients", &coefficients),
                ("test_features", &format!("{}..={}", test_ranks.start(), test_ranks.end())),
                ("n_stored_features", &parameters.n_stored_features),
                ("seed", &parameters.seed),
            ],
        )
    }
}

/// A stretch of all features: those of the first ranks in memory, any other from its random stream.
pub(super) struct Stored<'a> {
    pub(super) manifold: &'a Manifold,
    pub(super) first_word: usize,
    pub(super) n_words: usize,
    /// `[rank - 1][n_words]`
    pub(super) words: &'a [u64],
}

impl Stored<'_> {
    /// The words of feature `rank` if they are in memory.
    pub(super) fn find(&self, rank: u64) -> Option<&[u64]> {
        let first = usize::try_from(rank - 1).ok()?.checked_mul(self.n_words)?;
        self.words.get(first..first.checked_add(self.n_words)?)
    }
}

impl Features for Stored<'_> {
    fn words<'a>(&'a self, rank: u64, scratch: &'a mut [u64]) -> &'a [u64] {
        self.find(rank).unwrap_or_else(|| {
            self.manifold.feature_words(rank, self.first_word, scratch);
            scratch
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> ManifoldParameters {
        ManifoldParameters {
            n_spins: 1000,
            n_patterns: 60,
            n_test: 20,
            n_features: 50,
            n_active: 3,
            exponent: 1.0,
            coefficients: Coefficients::Signs,
            test_features: None,
            n_stored_features: 10,
            seed: 8,
        }
    }

    fn generate(parameters: &ManifoldParameters, n_threads: usize) -> DataSet {
        let execution = Execution::with_threads(n_threads).unwrap();
        Manifold::new(parameters.clone()).unwrap().generate(&execution).unwrap()
    }

    fn sign(words: &[u64], site: usize) -> f64 {
        if words[site / WORD] >> (site % WORD) & 1 == 1 { 1.0 } else { -1.0 }
    }

    #[test]
    fn threads_do_not_matter() {
        for coefficients in [Coefficients::Signs, Coefficients::Gaussian] {
            let parameters = ManifoldParameters { coefficients, ..parameters() };
            assert_eq!(generate(&parameters, 1), generate(&parameters, 2));
        }
    }

    #[test]
    fn stored_features_do_not_change_the_patterns() {
        let mut parameters = parameters();
        let few = generate(&parameters, 1);
        parameters.n_stored_features = 50;
        let all = generate(&parameters, 1);
        parameters.n_stored_features = 0;
        let none = generate(&parameters, 1);
        assert_eq!((&few.train, &few.test), (&all.train, &all.test));
        assert_eq!((&few.train, &few.test), (&none.train, &none.test));
        assert_eq!(few.features, all.features.map(|features| features.head(10)));
        assert_eq!(none.features, None);
    }

    /// Pattern by pattern and site by site, sgn(sum c f) with ties from the generator: odd and even L, N around words.
    #[test]
    fn patterns_are_the_sign_of_the_sum_of_their_features() {
        for n_active in 1..=9 {
            for n_spins in [1, 63, 64, 65, 130] {
                for coefficients in [Coefficients::Signs, Coefficients::Gaussian] {
                    let parameters = ManifoldParameters { n_spins, n_active, coefficients, ..parameters() };
                    let manifold = Manifold::new(parameters.clone()).unwrap();
                    let data = generate(&parameters, 2);
                    for row in 0..5 {
                        let draw = manifold.pattern_draw(row as u64);
                        let mut sums = vec![0.0; n_spins];
                        for (&rank, coefficient) in draw.ranks().iter().zip(draw.coefficients()) {
                            let mut feature = vec![0; n_spins.div_ceil(WORD)];
                            manifold.feature_words(rank, 0, &mut feature);
                            for (site, sum) in sums.iter_mut().enumerate() {
                                *sum += coefficient * sign(&feature, site);
                            }
                        }
                        for (site, sum) in sums.into_iter().enumerate() {
                            let spin = f64::from(data.train.spin(row, site));
                            assert!(
                                sum == 0.0 || spin == sum.signum(),
                                "L {n_active}, N {n_spins}, site {site}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn any_stretch_of_a_pattern_equals_that_part_of_the_whole() {
        for (n_active, coefficients) in
            [(3, Coefficients::Signs), (4, Coefficients::Signs), (4, Coefficients::Gaussian)]
        {
            let parameters = ManifoldParameters { n_active, coefficients, n_spins: 290, ..parameters() };
            let manifold = Manifold::new(parameters.clone()).unwrap();
            let data = generate(&parameters, 1);
            for (first, width) in [(0, 2), (2, 3), (4, 1)] {
                let mut words = vec![u64::MAX; width];
                manifold.pattern_words(&manifold.pattern_draw(7), first, &mut words);
                assert_eq!(words, data.train.row(7)[first..][..width]);
                let test = data.test.as_ref().unwrap();
                manifold.pattern_words(&manifold.test_pattern_draw(7), first, &mut words);
                assert_eq!(words, test.row(7)[first..][..width]);
            }
        }
    }

    /// E[xi c f_k] = 1/2 for each of three features: xi differs from c f_k only if both others do, with probability
    /// 1/4. Features are independent, so the mean of 3 P N terms has a standard error below that of P N coins.
    #[test]
    fn three_features_leave_an_overlap_of_one_half() {
        let parameters =
            ManifoldParameters { n_patterns: 400, n_features: 100_000, exponent: 0.0, ..parameters() };
        let manifold = Manifold::new(parameters.clone()).unwrap();
        let data = generate(&parameters, 2);
        let mut total = 0.0;
        for row in 0..400 {
            let draw = manifold.pattern_draw(row as u64);
            for (&rank, coefficient) in draw.ranks().iter().zip(draw.coefficients()) {
                let mut feature = [0; 16];
                manifold.feature_words(rank, 0, &mut feature);
                let equal: u32 =
                    feature.iter().zip(data.train.row(row)).map(|(f, xi)| (f ^ xi).count_zeros()).sum();
                total += coefficient * (2.0 * f64::from(equal - 24) / 1000.0 - 1.0);
            }
        }
        let mean = total / 1200.0;
        assert!((mean - 0.5).abs() < 5.0 / 400_000f64.sqrt(), "{mean}");
    }

    /// With two features half the sites tie; a tie is +1 with probability 1/2 and independent of the features.
    #[test]
    fn ties_are_fair() {
        let parameters = ManifoldParameters { n_active: 2, n_patterns: 200, ..parameters() };
        let manifold = Manifold::new(parameters.clone()).unwrap();
        let data = generate(&parameters, 2);
        let (mut n_ties, mut sum, mut with_feature) = (0.0, 0.0, 0.0);
        for row in 0..200 {
            let draw = manifold.pattern_draw(row as u64);
            let features: Vec<[u64; 16]> = draw
                .ranks()
                .iter()
                .map(|&rank| {
                    let mut words = [0; 16];
                    manifold.feature_words(rank, 0, &mut words);
                    words
                })
                .collect();
            for site in 0..1000 {
                let first = draw.coefficients()[0] * sign(&features[0], site);
                if first + draw.coefficients()[1] * sign(&features[1], site) == 0.0 {
                    n_ties += 1.0;
                    sum += f64::from(data.train.spin(row, site));
                    with_feature += first * f64::from(data.train.spin(row, site));
                }
            }
        }
        assert!(f64::abs(n_ties - 100_000.0) < 5.0 * 50_000f64.sqrt(), "{n_ties} ties");
        assert!(f64::abs(sum) < 5.0 * f64::sqrt(n_ties), "{sum}");
        assert!(f64::abs(with_feature) < 5.0 * f64::sqrt(n_ties), "{with_feature}");
    }

    #[test]
    fn unseen_examples_keep_to_their_range_of_features() {
        let parameters = ManifoldParameters { test_features: Some(20..=24), ..parameters() };
        let manifold = Manifold::new(parameters).unwrap();
        for index in 0..200 {
            assert!(manifold.test_pattern_draw(index).ranks().iter().all(|rank| (20..=24).contains(rank)));
        }
        assert!((0..50).any(|index| manifold.pattern_draw(index).ranks().contains(&1)));
    }

    /// The dense manifold: every pattern uses every feature once.
    #[test]
    fn all_features_are_active_where_l_equals_d() {
        let manifold = Manifold::new(ManifoldParameters { n_active: 50, ..parameters() }).unwrap();
        assert!(manifold.pattern_draw(3).ranks().iter().copied().eq(1..=50));
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let message = |parameters| Manifold::new(parameters).unwrap_err().to_string();
        assert!(message(ManifoldParameters { n_spins: 0, ..parameters() }).contains("n: "));
        assert!(message(ManifoldParameters { n_patterns: 0, ..parameters() }).contains("patterns: "));
        assert!(message(ManifoldParameters { n_features: 0, ..parameters() }).contains("features"));
        assert!(
            message(ManifoldParameters { n_features: MAX_RANK + 1, ..parameters() }).contains("features")
        );
        for n_active in [0, 51, usize::MAX] {
            assert!(message(ManifoldParameters { n_active, ..parameters() }).contains("active"));
        }
        for exponent in [-0.5, f64::NAN, f64::INFINITY] {
            assert!(message(ManifoldParameters { exponent, ..parameters() }).contains("exponent"));
        }
        #[expect(clippy::reversed_empty_ranges)]
        for range in [0..=5, 5..=51, 9..=8, 4..=5, 0..=u64::MAX] {
            let message = message(ManifoldParameters { test_features: Some(range), ..parameters() });
            assert!(message.contains("test-features"), "{message}");
        }
        assert!(message(ManifoldParameters { n_stored_features: 51, ..parameters() }).contains("stored"));
    }

    /// Pins the bits of a small draw: a change here changes every seeded manifold.
    #[test]
    fn draws_are_pinned() {
        let parameters = ManifoldParameters {
            n_spins: 70,
            n_patterns: 1,
            n_test: 1,
            n_features: 1000,
            n_active: 4,
            exponent: 1.5,
            ..parameters()
        };
        let manifold = Manifold::new(parameters.clone()).unwrap();
        assert_eq!(manifold.pattern_draw(0).ranks(), [1, 162, 9, 24]);
        let data = generate(&parameters, 1);
        assert_eq!(data.train.row(0), [11_827_132_702_321_943_815, 21]);
        assert_eq!(data.test.unwrap().row(0), [6_890_743_044_399_731_516, 46]);
        let gaussian = ManifoldParameters { coefficients: Coefficients::Gaussian, ..parameters };
        assert_eq!(generate(&gaussian, 1).train.row(0), [778_282_148_575_645_337, 10]);
    }
}
