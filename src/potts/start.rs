//! Where dynamics of Potts spins starts: corrupted copies of given sequences, or random ones. One stream a sequence.

use crate::error::{Error, Result};
use crate::random::{below, distinct, stream};
use crate::spins::Sequences;

/// Letters to replace so that a sequence of `n_columns` keeps overlap `overlap` with itself: floor(L (1 - m)).
///
/// # Errors
/// If the overlap is not within 0..=1.
pub fn n_replaced(n_columns: usize, overlap: f64) -> Result<usize> {
    if !(0.0..=1.0).contains(&overlap) {
        return Err(Error::parameter("overlap", "a fraction of equal letters, from 0 to 1", overlap));
    }
    // Where L (1 - m) is an integer, rounding of m must not push it below.
    let replaced = n_columns as f64 * (1.0 - overlap);
    Ok(((replaced + 1e-9 * (1.0 + replaced)).floor() as usize).min(n_columns))
}

/// Copies of `sequences` with [`n_replaced`] distinct random columns given another random letter each. Replacements of one seed
/// are nested: a smaller overlap keeps those of a larger one.
///
/// # Errors
/// If the overlap is not within 0..=1.
pub fn sequences_at_overlap(sequences: &Sequences, overlap: f64, seed: u64) -> Result<Sequences> {
    let (n_columns, n_letters) = (sequences.n_columns(), sequences.n_letters());
    let count = n_replaced(n_columns, overlap)?;
    let mut letters = sequences.letters().to_vec();
    for (row, sequence) in letters.chunks_exact_mut(n_columns).enumerate() {
        let columns = distinct(&mut stream(seed, "replaced columns", &[row as u64]), count, n_columns);
        let mut rng = stream(seed, "replacing letters", &[row as u64]);
        for column in columns {
            let shift = 1 + below(&mut rng, n_letters as u64 - 1) as usize;
            sequence[column] = ((usize::from(sequence[column]) + shift) % n_letters) as u8;
        }
    }
    Sequences::new(n_columns, n_letters, letters)
}

/// `n_rows` sequences of independent letters, each as likely as any other.
///
/// # Errors
/// If there is no column, q is not within 2..=64, or memory is missing.
pub fn random_sequences(n_rows: usize, n_columns: usize, n_letters: usize, seed: u64) -> Result<Sequences> {
    let mut letters = Vec::new();
    let len = n_rows.checked_mul(n_columns).filter(|&len| letters.try_reserve_exact(len).is_ok());
    let Some(len) = len else {
        return Err(Error::parameter(
            "states",
            format!("memory for them, of {n_columns} letters each"),
            n_rows,
        ));
    };
    letters.resize(len, 0);
    if n_letters > 0 {
        for (row, sequence) in letters.chunks_mut(n_columns.max(1)).enumerate() {
            let mut rng = stream(seed, "random sequence", &[row as u64]);
            sequence.fill_with(|| below(&mut rng, n_letters as u64) as u8);
        }
    }
    Sequences::new(n_columns, n_letters, letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_have_the_overlap_asked_for_and_are_nested() {
        let sequences = random_sequences(30, 53, 21, 1).unwrap();
        let near = sequences_at_overlap(&sequences, 0.8, 2).unwrap();
        for overlap in [1.0, 0.8, 0.33, 0.0] {
            let starts = sequences_at_overlap(&sequences, overlap, 2).unwrap();
            for row in 0..30 {
                let (old, new, near) = (sequences.row(row), starts.row(row), near.row(row));
                let replaced = (0..53).filter(|&column| old[column] != new[column]).count();
                assert_eq!(replaced, n_replaced(53, overlap).unwrap());
                let kept = |column: usize| near[column] == old[column] || near[column] == new[column];
                assert!(overlap > 0.8 || (0..53).all(kept));
            }
        }
        assert_eq!(n_replaced(10, 0.8).unwrap(), 2);
        assert!(n_replaced(10, -0.1).is_err() && n_replaced(10, f64::NAN).is_err());
    }

    /// Every letter of 21 is drawn 30 * 53 / 21 = 76 times, to six standard errors (of 8.5).
    #[test]
    fn random_letters_are_uniform() {
        let sequences = random_sequences(30, 53, 21, 1).unwrap();
        for letter in 0..21 {
            let count = sequences.letters().iter().filter(|&&x| x == letter).count();
            assert!(count.abs_diff(76) < 51, "letter {letter} {count} times");
        }
        assert!(random_sequences(3, 0, 21, 1).is_err() && random_sequences(3, 2, 0, 1).is_err());
        assert!(random_sequences(usize::MAX, 2, 3, 1).is_err());
    }
}
