//! Random patterns: every spin +1 or -1 with probability 1/2, independently.

use super::data_set::{DataSet, at_least_one, provenance};
use super::rows::{fill_random, make_rows};
use crate::error::Result;
use crate::execution::Execution;
use crate::random::stream;

/// Independent, unbiased patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random {
    /// N.
    pub n_spins: usize,
    /// P.
    pub n_patterns: usize,
    /// Number of unseen examples, as independent as the patterns; 0 for none.
    pub n_test: usize,
    /// Seed; each pattern has a stream of its own, so a larger P keeps the patterns of a smaller one.
    pub seed: u64,
}

impl Random {
    /// Checks the parameters.
    ///
    /// # Errors
    /// If N or P is 0.
    pub fn check(&self) -> Result<()> {
        at_least_one("n", self.n_spins)?;
        at_least_one("patterns", self.n_patterns)
    }

    /// Makes the data set.
    ///
    /// # Errors
    /// If N or P is 0, the rows do not fit in memory, or the run is cancelled.
    pub fn generate(&self, execution: &Execution) -> Result<DataSet> {
        self.check()?;
        let rows = |what, domain, n_rows| {
            make_rows(execution, what, n_rows, self.n_spins, |row, words| {
                fill_random(stream(self.seed, domain, &[row as u64]), self.n_spins, 0, words);
            })
        };
        let mut data = DataSet::from_train(rows("patterns", "pattern", self.n_patterns)?);
        if self.n_test > 0 {
            data.test = Some(rows("test patterns", "test pattern", self.n_test)?);
        }
        data.provenance = provenance(
            "random",
            &[
                ("n_spins", &self.n_spins),
                ("n_patterns", &self.n_patterns),
                ("n_test", &self.n_test),
                ("seed", &self.seed),
            ],
        );
        data.validated()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(n_threads: usize) -> DataSet {
        let execution = Execution::with_threads(n_threads).unwrap();
        Random { n_spins: 1000, n_patterns: 200, n_test: 100, seed: 4 }.generate(&execution).unwrap()
    }

    #[test]
    fn threads_do_not_matter() {
        assert_eq!(random(1), random(2));
    }

    /// Of 300 000 fair coins the mean lies within five standard errors of 0; so do the overlaps of pairs.
    #[test]
    fn spins_are_fair_and_patterns_independent() {
        let data = random(2);
        let test = data.test.unwrap();
        assert_ne!(data.train.row(0), test.row(0));
        let up = |words: &[u64]| words.iter().map(|word| f64::from(word.count_ones())).sum::<f64>();
        let mean = 2.0 * (up(data.train.words()) + up(test.words())) / 300_000.0 - 1.0;
        assert!(mean.abs() < 5.0 / 300_000f64.sqrt(), "{mean}");
        for row in 1..200 {
            let flips: Vec<u64> =
                data.train.row(0).iter().zip(data.train.row(row)).map(|(a, b)| a ^ b).collect();
            let overlap = 1.0 - 2.0 * up(&flips) / 1000.0;
            assert!(overlap.abs() < 5.0 / 1000f64.sqrt(), "{overlap}");
        }
    }

    #[test]
    fn empty_data_is_refused() {
        let execution = Execution::with_threads(1).unwrap();
        for (n_spins, n_patterns) in [(0, 5), (5, 0)] {
            assert!(Random { n_spins, n_patterns, n_test: 0, seed: 0 }.generate(&execution).is_err());
        }
    }
}
