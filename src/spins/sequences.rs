//! [`Sequences`]: rows of letters, the Potts spins that take one of q values a column.

use crate::error::{Error, Result};

/// Rows of `n_columns` letters each, a byte a letter, every letter below `n_letters`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequences {
    n_columns: usize,
    n_letters: usize,
    letters: Vec<u8>, // [n_rows][n_columns]
}

/// Letters that a column can have: more would not fit a byte with room for what a reader calls unknown.
pub const MAX_LETTERS: usize = 64;

impl Sequences {
    /// Takes rows of letters, `[n_rows][n_columns]`, row-major.
    ///
    /// # Errors
    /// If there is no column, q = `n_letters` is not within 2..=64, the length is no multiple of `n_columns`, or a letter
    /// is not below q.
    pub fn new(n_columns: usize, n_letters: usize, letters: Vec<u8>) -> Result<Self> {
        if n_columns == 0 {
            return Err(Error::parameter("columns", "at least 1", 0));
        }
        if !(2..=MAX_LETTERS).contains(&n_letters) {
            return Err(Error::parameter("letters", format!("from 2 to {MAX_LETTERS}"), n_letters));
        }
        if !letters.len().is_multiple_of(n_columns) {
            let expected = format!("rows of {n_columns} letters");
            return Err(Error::shape("sequences", expected, format!("{} letters", letters.len())));
        }
        if let Some(place) = letters.iter().position(|&letter| usize::from(letter) >= n_letters) {
            let found =
                format!("{} in row {}, column {}", letters[place], place / n_columns, place % n_columns);
            return Err(Error::shape("sequences", format!("letters below q = {n_letters}"), found));
        }
        Ok(Self { n_columns, n_letters, letters })
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.letters.len() / self.n_columns
    }

    /// Letters in a row, L.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Values that a letter can have, q.
    pub fn n_letters(&self) -> usize {
        self.n_letters
    }

    /// All letters, `[n_rows][n_columns]`.
    pub fn letters(&self) -> &[u8] {
        &self.letters
    }

    /// The letters of one row.
    pub fn row(&self, row: usize) -> &[u8] {
        &self.letters[row * self.n_columns..][..self.n_columns]
    }

    /// The rows named by `rows`, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let letters = rows.iter().flat_map(|&row| self.row(row)).copied().collect();
        Self { letters, ..*self }
    }

    /// The first `count` rows, or all where there are fewer.
    #[must_use]
    pub fn head(&self, count: usize) -> Self {
        let letters = self.letters[..count.min(self.n_rows()) * self.n_columns].to_vec();
        Self { letters, ..*self }
    }

    /// Columns in which two rows agree, over all columns.
    ///
    /// # Panics
    /// If the rows have another length.
    pub fn overlap(a: &[u8], b: &[u8]) -> f64 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / a.len() as f64
    }
}

/// Refuses numbers of columns that are not one a column, ascending.
pub(crate) fn check_column_numbers(numbers: &[u32], n_columns: usize) -> Result<()> {
    if numbers.len() != n_columns {
        return Err(Error::shape("columns", format!("{n_columns}, one a column"), numbers.len().to_string()));
    }
    match numbers.windows(2).find(|pair| pair[0] >= pair[1]) {
        Some(pair) => {
            Err(Error::shape("columns", "ascending numbers", format!("{} before {}", pair[0], pair[1])))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_letters_and_refuse_others() {
        let sequences = Sequences::new(3, 4, vec![0, 1, 2, 3, 3, 3, 1, 1, 2]).unwrap();
        assert_eq!((sequences.n_rows(), sequences.row(1)), (3, &[3, 3, 3][..]));
        assert_eq!(sequences.select(&[2, 0]).letters(), [1, 1, 2, 0, 1, 2]);
        assert_eq!(sequences.head(1).letters(), [0, 1, 2]);
        assert_eq!(Sequences::overlap(sequences.row(0), sequences.row(2)), 2.0 / 3.0);
        for (n_columns, n_letters, letters) in [
            (0, 4, vec![]),
            (3, 1, vec![0; 3]),
            (3, 65, vec![0; 3]),
            (3, 4, vec![0; 4]),
            (3, 4, vec![0, 4, 0]),
        ] {
            assert!(Sequences::new(n_columns, n_letters, letters).is_err());
        }
    }
}
