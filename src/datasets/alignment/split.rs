//! Which sequences are kept for the test: any, or whole clusters of similar ones, so that nothing unseen is nearly stored.

use std::sync::{Mutex, PoisonError};

use super::data::Alignment;
use super::similar::{LetterPlanes, columns_of_identity, ones};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::random::{permutation, stream};
use crate::spins::Sequences;

/// How many sequences to keep for the test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TestShare {
    /// So many, at least 1.
    Count(usize),
    /// This fraction of all, rounded to the nearest number; above 0 and below 1.
    Fraction(f64),
}

/// How they are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Split {
    /// At random.
    Random,
    /// At random among the clusters of sequences that are joined by pairs of at least this identity (single linkage), as
    /// long as the whole cluster fits in the share: no pair across the split is that similar.
    Clusters {
        /// Equal columns over all columns, above 0 and at most 1.
        identity: f64,
    },
}

/// The cluster of each row, named by its first row: rows are joined if a chain of pairs that are equal in at least the
/// fraction `identity` of the columns leads from one to the other.
///
/// # Errors
/// If `identity` is not above 0 and at most 1, or the run is interrupted.
pub fn sequence_clusters(sequences: &Sequences, identity: f64, execution: &Execution) -> Result<Vec<usize>> {
    let n_equal = columns_of_identity("cluster-identity", identity, sequences.n_columns())?;
    let parents = Mutex::new(Forest((0..sequences.n_rows()).collect()));
    let most = sequences.n_columns() - n_equal;
    LetterPlanes::new(sequences).for_each_within(most, execution, |row, first, mates| {
        // The clusters do not depend on the order in which pairs are joined.
        let mut parents = parents.lock().unwrap_or_else(PoisonError::into_inner);
        ones(mates).for_each(|mate| parents.join(row, first + mate));
    })?;
    let mut parents = parents.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((0..sequences.n_rows()).map(|row| parents.root(row)).collect())
}

/// Union-find: each row's parent, itself at a root, which is the smallest row of its tree.
struct Forest(Vec<usize>);

impl Forest {
    fn root(&mut self, mut row: usize) -> usize {
        while self.0[row] != row {
            self.0[row] = self.0[self.0[row]];
            row = self.0[row];
        }
        row
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

impl TestShare {
    /// Number of sequences out of `n_sequences`.
    fn count(self, n_sequences: usize) -> Result<usize> {
        let count = match self {
            Self::Count(count) => count,
            Self::Fraction(fraction) if fraction > 0.0 && fraction < 1.0 => {
                (fraction * n_sequences as f64).round() as usize
            }
            Self::Fraction(fraction) => {
                return Err(Error::parameter(
                    "test",
                    "a fraction above 0 and below 1, or a number",
                    fraction,
                ));
            }
        };
        if (1..n_sequences).contains(&count) {
            return Ok(count);
        }
        Err(Error::parameter(
            "test",
            format!("at least 1 of the {n_sequences} sequences, and not all"),
            count,
        ))
    }
}

impl Alignment {
    /// The same with part of the sequences to learn from kept for the test, each part in its former order. A split by
    /// clusters takes fewer than asked for where no further cluster fits. The provenance says how it was done, how many
    /// sequences were asked for (`test_asked`), and how many clusters there were.
    ///
    /// # Errors
    /// If there is a test part or there are weights, which would no longer be those of the rest, the share is none of
    /// 1..P, no cluster fits in it, the identity is out of range, or the run is interrupted.
    pub fn split(mut self, share: TestShare, split: Split, seed: u64, execution: &Execution) -> Result<Self> {
        for (part, present) in [("test", self.test.is_some()), ("weights", self.weights.is_some())] {
            if present {
                return Err(Error::shape("alignment to split", "sequences to learn from alone", part));
            }
        }
        let n_sequences = self.n_sequences();
        let count = share.count(n_sequences)?;
        let (name, clusters) = match split {
            Split::Random => ("random", (0..n_sequences).collect()),
            Split::Clusters { identity } => {
                self.provenance.insert("cluster_identity".into(), identity.to_string());
                ("clusters", sequence_clusters(&self.train, identity, execution)?)
            }
        };
        let mut sizes = vec![0; n_sequences];
        clusters.iter().for_each(|&cluster: &usize| sizes[cluster] += 1);
        let names: Vec<usize> = (0..n_sequences).filter(|&row| sizes[row] > 0).collect();
        let mut left = count;
        let mut is_test = vec![false; n_sequences];
        for place in permutation(&mut stream(seed, "alignment split", &[]), names.len()) {
            let cluster = names[place];
            if sizes[cluster] <= left {
                left -= sizes[cluster];
                is_test[cluster] = true;
            }
        }
        if left == count {
            let smallest = names.iter().map(|&cluster| sizes[cluster]).min().unwrap_or(0);
            let found = format!("{count}, and {} clusters of at least {smallest} sequences", names.len());
            return Err(Error::parameter("test", "enough sequences for a cluster", found));
        }
        if let Split::Clusters { .. } = split {
            self.provenance.insert("clusters".into(), names.len().to_string());
            let largest = sizes.iter().max().map_or(0, |&size: &usize| size);
            self.provenance.insert("largest_cluster".into(), largest.to_string());
        }
        self.provenance.insert("test_asked".into(), count.to_string());
        self.provenance.insert("split".into(), name.into());
        self.provenance.insert("seed".into(), seed.to_string());
        let rows =
            |test| -> Vec<usize> { (0..n_sequences).filter(|&row| is_test[clusters[row]] == test).collect() };
        let (train, test) = (rows(false), rows(true));
        let named =
            |names: &Vec<String>, rows: &[usize]| rows.iter().map(|&row| names[row].clone()).collect();
        self.test_names = self.train_names.as_ref().map(|names| named(names, &test));
        self.train_names = self.train_names.as_ref().map(|names| named(names, &train));
        self.test = Some(self.train.select(&test));
        self.train = self.train.select(&train);
        self.validated()
    }
}

#[cfg(test)]
mod tests {
    use super::super::similar::tests::{families, n_equal};
    use super::*;
    use crate::datasets::Alphabet;

    fn alignment(n_rows: usize) -> Alignment {
        let train = families(n_rows, 40, 8, 3);
        let alphabet = Alphabet::given("ABCDEFGH").unwrap();
        let mut alignment = Alignment::from_train(train, alphabet);
        alignment.train_names = Some((0..n_rows).map(|row| row.to_string()).collect());
        alignment
    }

    fn execution() -> Execution {
        Execution::with_threads(2).unwrap()
    }

    /// Each row is in exactly one part, beside its name, in order.
    fn check_parts(whole: &Alignment, parts: &Alignment) {
        let names = |names: &Option<Vec<String>>| -> Vec<usize> {
            names.as_ref().unwrap().iter().map(|name| name.parse().unwrap()).collect()
        };
        let (train, test) = (names(&parts.train_names), names(&parts.test_names));
        assert!(train.is_sorted() && test.is_sorted());
        assert_eq!(
            (&parts.train, parts.test.as_ref().unwrap()),
            (&whole.train.select(&train), &whole.train.select(&test))
        );
        let mut all = [train, test].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..whole.n_sequences()));
    }

    #[test]
    fn a_random_split_takes_the_share_and_depends_on_the_seed_alone() {
        let whole = alignment(101);
        for (share, n_test) in [(TestShare::Count(30), 30), (TestShare::Fraction(0.25), 25)] {
            let split = |seed, n_threads| {
                let execution = Execution::with_threads(n_threads).unwrap();
                whole.clone().split(share, Split::Random, seed, &execution).unwrap()
            };
            let parts = split(1, 1);
            assert_eq!(parts.test.as_ref().unwrap().n_rows(), n_test);
            check_parts(&whole, &parts);
            assert_eq!(parts, split(1, 2));
            assert_ne!(parts.test, split(2, 1).test);
        }
    }

    #[test]
    fn no_pair_across_a_split_by_clusters_is_similar() {
        let whole = alignment(150);
        let identity = 0.6;
        let clusters = sequence_clusters(&whole.train, identity, &execution()).unwrap();
        let n_clusters = (0..150).filter(|&row| clusters[row] == row).count();
        assert!((20..120).contains(&n_clusters), "{n_clusters} clusters of families of 5");
        for seed in 0..5 {
            let split = Split::Clusters { identity };
            let parts = whole.clone().split(TestShare::Count(40), split, seed, &execution()).unwrap();
            check_parts(&whole, &parts);
            let test = parts.test.as_ref().unwrap();
            assert!((30..=40).contains(&test.n_rows()), "{} in the test", test.n_rows());
            assert_eq!(parts.provenance["test_asked"], "40");
            let both = Sequences::new(40, 8, [parts.train.letters(), test.letters()].concat()).unwrap();
            let n_train = parts.n_sequences();
            for a in 0..n_train {
                for b in n_train..150 {
                    assert!((n_equal(&both, a, b) as f64) < identity * 40.0 - 1e-9);
                }
            }
        }
    }

    /// Clusters of the plain method: join until nothing changes.
    #[test]
    fn clusters_are_chains_of_similar_pairs() {
        for (n_rows, identity) in [(1, 0.5), (80, 0.55), (80, 0.65), (80, 1.0)] {
            let sequences = families(n_rows, 40, 8, 4);
            let mut expected: Vec<usize> = (0..n_rows).collect();
            loop {
                let before = expected.clone();
                for a in 0..n_rows {
                    for b in 0..n_rows {
                        if n_equal(&sequences, a, b) as f64 / 40.0 >= identity {
                            expected[a] = expected[a].min(expected[b]);
                        }
                    }
                }
                if before == expected {
                    break;
                }
            }
            assert_eq!(sequence_clusters(&sequences, identity, &execution()).unwrap(), expected);
        }
    }

    #[test]
    fn shares_that_cannot_be_taken_are_refused() {
        let message =
            |share, split| alignment(10).split(share, split, 0, &execution()).unwrap_err().to_string();
        for share in [0.0, 1.0, -0.5, f64::NAN] {
            assert!(message(TestShare::Fraction(share), Split::Random).contains("test: expected a fraction"));
        }
        for count in [0, 10, 11] {
            assert!(message(TestShare::Count(count), Split::Random).contains("of the 10 sequences"));
        }
        let one = Split::Clusters { identity: 0.01 };
        assert!(message(TestShare::Count(9), one).contains("1 clusters of at least 10"));
        let twice = alignment(10).split(TestShare::Count(2), Split::Random, 0, &execution()).unwrap();
        assert!(twice.split(TestShare::Count(2), Split::Random, 0, &execution()).is_err());
    }
}
