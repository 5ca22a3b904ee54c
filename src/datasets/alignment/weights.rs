//! Weights of sequences that are not independent: w_mu = 1 / n_mu, n_mu the number of sequences whose identity with mu, equal
//! columns over all columns, is at least theta, mu included (Morcos et al. 2011, PNAS 108, E1293).
//!
//! A pair of identity theta exactly counts as similar; programs that ask for more than theta differ there. Two gaps are equal.
//! The sum of the weights is the effective number of sequences M_eff.

use std::sync::atomic::{AtomicU32, Ordering};

use super::data::Alignment;
use super::similar::{LetterPlanes, columns_of_identity, ones};
use crate::error::Result;
use crate::execution::Execution;
use crate::spins::Sequences;

/// For each row, how many rows, itself included, are equal to it in at least the fraction `identity` of the columns.
///
/// # Errors
/// If `identity` is not above 0 and at most 1, or the run is interrupted.
pub fn similar_sequences(sequences: &Sequences, identity: f64, execution: &Execution) -> Result<Vec<u32>> {
    let n_equal = columns_of_identity("theta", identity, sequences.n_columns())?;
    let counts: Vec<AtomicU32> = (0..sequences.n_rows()).map(|_| AtomicU32::new(1)).collect();
    // Counts are integers: the order of the additions does not matter.
    let add = |row: usize, count| counts[row].fetch_add(count, Ordering::Relaxed);
    let most = sequences.n_columns() - n_equal;
    LetterPlanes::new(sequences).for_each_within(most, execution, |row, first, mates| {
        add(row, mates.count_ones());
        for mate in ones(mates) {
            add(first + mate, 1);
        }
    })?;
    Ok(counts.into_iter().map(AtomicU32::into_inner).collect())
}

impl Alignment {
    /// The same with weights 1 / n of the sequences to learn from, n the [`similar_sequences`] among them at identity
    /// `theta`; the provenance says `theta`.
    ///
    /// # Errors
    /// If `theta` is not above 0 and at most 1, or the run is interrupted.
    pub fn reweighted(mut self, theta: f64, execution: &Execution) -> Result<Self> {
        let counts = similar_sequences(&self.train, theta, execution)?;
        self.weights = Some(counts.into_iter().map(|count| (1.0 / f64::from(count)) as f32).collect());
        self.provenance.insert("theta".into(), theta.to_string());
        self.validated()
    }

    /// M_eff, the sum of the weights; P without weights.
    pub fn n_effective(&self) -> f64 {
        let sum = |weights: &Vec<f32>| weights.iter().map(|&weight| f64::from(weight)).sum();
        self.weights.as_ref().map_or(self.n_sequences() as f64, sum)
    }
}

#[cfg(test)]
mod tests {
    use super::super::similar::tests::{families, n_equal};
    use super::*;
    use crate::datasets::Alphabet;

    #[test]
    fn counts_are_those_of_the_plain_loop_at_any_thread_count() {
        for (n_rows, n_columns, n_letters) in
            [(1, 1, 2), (67, 1, 5), (131, 63, 2), (200, 65, 21), (150, 40, 33)]
        {
            let sequences = families(n_rows, n_columns, n_letters, 2);
            let mut n_similar = 0;
            for identity in [0.01, 0.62, 0.8, 1.0] {
                let expected: Vec<u32> = (0..n_rows)
                    .map(|a| {
                        let similar = (0..n_rows)
                            .filter(|&b| n_equal(&sequences, a, b) as f64 / n_columns as f64 >= identity);
                        similar.count() as u32
                    })
                    .collect();
                n_similar += expected.iter().filter(|&&count| count > 1).count();
                for n_threads in [1, 3] {
                    let execution = Execution::with_threads(n_threads).unwrap();
                    assert_eq!(similar_sequences(&sequences, identity, &execution).unwrap(), expected);
                }
            }
            assert!(n_rows == 1 || n_similar > n_rows / 2, "the families are to be seen");
        }
    }

    /// Four equal sequences and one other count as two.
    #[test]
    fn equal_sequences_count_once() {
        let letters = vec![1, 2, 1, 2, 1, 2, 1, 2, 3, 4];
        let alignment = Alignment::from_train(Sequences::new(2, 5, letters).unwrap(), Alphabet::nucleotide());
        assert_eq!(alignment.n_effective(), 5.0);
        let execution = Execution::with_threads(1).unwrap();
        let weighted = alignment.reweighted(0.8, &execution).unwrap();
        assert_eq!(weighted.weights.as_deref(), Some(&[0.25, 0.25, 0.25, 0.25, 1.0][..]));
        assert_eq!((weighted.n_effective(), weighted.provenance["theta"].as_str()), (2.0, "0.8"));
    }
}
