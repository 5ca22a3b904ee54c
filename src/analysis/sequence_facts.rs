//! What an alignment is like, before anything is learned from it. All counts are exact integers.

use serde::Serialize;

use super::data_facts::entropy_bits;
use super::distinct_rows::SortedRows;
use crate::error::{Error, Result};
use crate::spins::Sequences;

/// Facts of a set of sequences, each counted as one, whatever its weight.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SequenceFacts {
    /// Mean identity, equal columns over all columns, of distinct rows, over all pairs; none for a single row. Two gaps are
    /// equal.
    pub mean_identity: Option<f64>,
    /// Mean over the columns of the entropy of their letters, in bits; log2 q at most.
    pub entropy_per_column: f64,
    /// Fraction of gaps among all letters; none for an alphabet without gap.
    pub gap_fraction: Option<f64>,
    /// Columns with the same letter in all rows.
    pub conserved_columns: usize,
    /// Columns that hold gaps alone, among these.
    pub empty_columns: usize,
    /// Rows that are equal to an earlier one.
    pub duplicates: usize,
}

/// Facts of a set of sequences beside those that are learned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct UnseenSequenceFacts {
    /// Mean identity of a row of one and a row of the other, over all pairs.
    pub mean_identity_with_train: f64,
    /// Rows that are among those that are learned.
    pub in_train: usize,
}

/// How often each letter occurs in each column, `[L][q]`.
pub fn letter_counts(sequences: &Sequences) -> Vec<Vec<u64>> {
    let mut counts = vec![vec![0; sequences.n_letters()]; sequences.n_columns()];
    for row in sequences.letters().chunks_exact(sequences.n_columns()) {
        counts.iter_mut().zip(row).for_each(|(counts, &letter)| counts[usize::from(letter)] += 1);
    }
    counts
}

/// Measures sequences; `gap` is the number of the gap.
///
/// # Errors
/// If there is no row.
pub fn sequence_facts(sequences: &Sequences, gap: Option<u8>) -> Result<SequenceFacts> {
    check(sequences)?;
    let (n_rows, n_columns) = (sequences.n_rows() as u64, sequences.n_columns() as f64);
    let counts = letter_counts(sequences);
    let equal: u128 = counts.iter().flatten().map(|&n| u128::from(n) * u128::from(n.saturating_sub(1))).sum();
    let entropies = counts.iter().map(|counts| entropy_bits(counts.iter().copied()));
    let gaps = |gap| counts.iter().map(move |counts: &Vec<u64>| counts[usize::from(gap)]);
    Ok(SequenceFacts {
        mean_identity: (n_rows > 1).then(|| equal as f64 / (n_columns * n_rows as f64 * (n_rows - 1) as f64)),
        entropy_per_column: entropies.sum::<f64>() / n_columns,
        gap_fraction: gap.map(|gap| gaps(gap).sum::<u64>() as f64 / (n_columns * n_rows as f64)),
        conserved_columns: counts.iter().filter(|counts| counts.contains(&n_rows)).count(),
        empty_columns: gap.map_or(0, |gap| gaps(gap).filter(|&gaps| gaps == n_rows).count()),
        duplicates: SortedRows::new(sequences).n_repeated(),
    })
}

/// Measures unseen sequences beside those that are learned.
///
/// # Errors
/// If there is no row, or L or q differ.
pub fn unseen_sequence_facts(train: &Sequences, unseen: &Sequences) -> Result<UnseenSequenceFacts> {
    check(train)?;
    check(unseen)?;
    if (train.n_columns(), train.n_letters()) != (unseen.n_columns(), unseen.n_letters()) {
        let shape = |x: &Sequences| format!("{} columns of {} letters", x.n_columns(), x.n_letters());
        return Err(Error::shape("unseen sequences", shape(train), shape(unseen)));
    }
    let (a, b) = (letter_counts(train), letter_counts(unseen));
    let products = a.iter().flatten().zip(b.iter().flatten()).map(|(&a, &b)| u128::from(a) * u128::from(b));
    let pairs = train.n_rows() as f64 * unseen.n_rows() as f64;
    Ok(UnseenSequenceFacts {
        mean_identity_with_train: products.sum::<u128>() as f64 / (pairs * train.n_columns() as f64),
        in_train: SortedRows::new(train).n_found(unseen),
    })
}

fn check(sequences: &Sequences) -> Result<()> {
    if sequences.n_rows() > 0 {
        return Ok(());
    }
    Err(Error::shape("sequences", "at least 1 row", "0 rows"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{below, stream};

    fn random(n_rows: usize, n_columns: usize, n_letters: usize, seed: u64) -> Sequences {
        let mut rng = stream(seed, "sequence facts test", &[]);
        let letters = (0..n_rows * n_columns).map(|_| below(&mut rng, n_letters as u64) as u8);
        Sequences::new(n_columns, n_letters, letters.collect()).unwrap()
    }

    #[test]
    fn mean_identities_equal_the_plain_double_sums() {
        for (n_rows, n_columns, n_letters) in [(2, 1, 2), (30, 7, 5), (17, 70, 21)] {
            let (train, unseen) =
                (random(n_rows, n_columns, n_letters, 1), random(9, n_columns, n_letters, 3));
            let identity = |a: usize, b: usize| Sequences::overlap(train.row(a), train.row(b));
            let pairs = (0..n_rows).flat_map(|a| (0..n_rows).filter(move |&b| b != a).map(move |b| (a, b)));
            let sum: f64 = pairs.map(|(a, b)| identity(a, b)).sum();
            let facts = sequence_facts(&train, Some(0)).unwrap();
            let expected = sum / (n_rows * (n_rows - 1)) as f64;
            assert!((facts.mean_identity.unwrap() - expected).abs() < 1e-13);
            let cross = |a| (0..9).map(move |b| (a, b));
            let sum: f64 = (0..n_rows)
                .flat_map(cross)
                .map(|(a, b)| Sequences::overlap(train.row(a), unseen.row(b)))
                .sum();
            let facts = unseen_sequence_facts(&train, &unseen).unwrap();
            assert!((facts.mean_identity_with_train - sum / (9 * n_rows) as f64).abs() < 1e-13);
        }
    }

    /// Four rows of four columns, worked out by hand.
    #[test]
    fn facts_of_a_small_alignment() {
        let letters = [
            [0, 1, 2, 0], //
            [0, 1, 2, 1],
            [0, 1, 1, 2],
            [0, 1, 2, 0],
        ];
        let sequences = Sequences::new(4, 3, letters.as_flattened().to_vec()).unwrap();
        let facts = sequence_facts(&sequences, Some(0)).unwrap();
        let entropies = [0.25 * 2.0 + 0.75 * (4.0f64 / 3.0).log2(), 1.5];
        assert!((facts.entropy_per_column - entropies.iter().sum::<f64>() / 4.0).abs() < 1e-15);
        assert_eq!(facts.gap_fraction, Some(6.0 / 16.0));
        assert_eq!((facts.conserved_columns, facts.empty_columns, facts.duplicates), (2, 1, 1));
        assert_eq!(sequence_facts(&sequences, None).unwrap().gap_fraction, None);
        let unseen = Sequences::new(4, 3, vec![0, 1, 1, 2, 0, 1, 1, 1]).unwrap();
        assert_eq!(unseen_sequence_facts(&sequences, &unseen).unwrap().in_train, 1);
        assert_eq!(sequence_facts(&sequences.head(1), None).unwrap().mean_identity, None);
        assert!(sequence_facts(&sequences.head(0), None).is_err());
        assert!(unseen_sequence_facts(&sequences, &random(2, 4, 5, 1)).is_err());
    }
}
