//! [`Alignment`]: sequences to learn from and to test with, with a record of how they came to be.

use super::alphabet::Alphabet;
use crate::datasets::Provenance;
use crate::datasets::data_set::{at_least_one, check_weights, one_a_row};
use crate::error::{Error, Result};
use crate::spins::{Sequences, check_column_numbers};

/// Aligned sequences. All have L columns of the same q letters.
#[derive(Clone, Debug, PartialEq)]
pub struct Alignment {
    /// The sequences to learn from, [P, L].
    pub train: Sequences,
    /// Unseen sequences, [any, L].
    pub test: Option<Sequences>,
    /// Weight of each sequence of `train` in the loss, `[P]`: finite, >= 0, not all 0.
    pub weights: Option<Vec<f32>>,
    /// The q letters.
    pub alphabet: Alphabet,
    /// Where the columns stood among the match columns of the input, counted from 0, ascending, `[L]`.
    pub columns: Vec<u32>,
    /// Name of each sequence of `train`, `[P]`; names may repeat.
    pub train_names: Option<Vec<String>>,
    /// Name of each unseen sequence.
    pub test_names: Option<Vec<String>>,
    /// Where it comes from.
    pub provenance: Provenance,
}

impl Alignment {
    /// The sequences alone, their columns in order, nothing checked yet: fill in the other fields, then call
    /// [`validated`](Self::validated).
    pub fn from_train(train: Sequences, alphabet: Alphabet) -> Self {
        let columns = (0..train.n_columns()).map(|column| column as u32).collect();
        Self {
            train,
            test: None,
            weights: None,
            alphabet,
            columns,
            train_names: None,
            test_names: None,
            provenance: Provenance::new(),
        }
    }

    /// Itself, if its parts fit together.
    ///
    /// # Errors
    /// If P is 0, `test` is there and has no rows, or another L or q than `train`, q is not that of the alphabet, weights
    /// are not P numbers that are finite, >= 0 and not all 0, columns are not L numbers that ascend, or names are not one
    /// a row or contain a line break.
    pub fn validated(self) -> Result<Self> {
        at_least_one("sequences", self.n_sequences())?;
        let (n_columns, n_letters) = (self.n_columns(), self.n_letters());
        if self.alphabet.n_letters() != n_letters {
            let expected = format!("{n_letters} letters, q of the sequences");
            return Err(Error::shape("alphabet", expected, self.alphabet.n_letters().to_string()));
        }
        if let Some(test) = &self.test {
            if test.n_rows() == 0 {
                return Err(Error::shape("test", "at least 1 row, or no such part at all", "0 rows"));
            }
            if (test.n_columns(), test.n_letters()) != (n_columns, n_letters) {
                let expected = format!("{n_columns} columns of {n_letters} letters, as in train");
                let found = format!("{} of {}", test.n_columns(), test.n_letters());
                return Err(Error::shape("test", expected, found));
            }
        }
        if let Some(weights) = &self.weights {
            check_weights(weights, self.n_sequences())?;
        }
        check_column_numbers(&self.columns, n_columns)?;
        let n_test = self.test.as_ref().map_or(0, Sequences::n_rows);
        for (what, names, n_rows) in
            [("train names", &self.train_names, self.n_sequences()), ("test names", &self.test_names, n_test)]
        {
            let Some(names) = names else { continue };
            one_a_row(what, names.len(), n_rows)?;
            if let Some(name) = names.iter().find(|name| name.contains('\n')) {
                return Err(Error::shape(what, "names without a line break", format!("{name:?}")));
            }
        }
        Ok(self)
    }

    /// P, the number of sequences to learn from.
    pub fn n_sequences(&self) -> usize {
        self.train.n_rows()
    }

    /// L, the number of columns.
    pub fn n_columns(&self) -> usize {
        self.train.n_columns()
    }

    /// q, the number of letters.
    pub fn n_letters(&self) -> usize {
        self.train.n_letters()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_by_two() -> Alignment {
        let alphabet = Alphabet::nucleotide();
        Alignment::from_train(Sequences::new(2, 5, vec![0, 1, 2, 3, 4, 4]).unwrap(), alphabet)
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let sequences = |n_columns, n_letters| Sequences::new(n_columns, n_letters, vec![0; 6]).unwrap();
        let names = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
        let whole = three_by_two;
        let cases = [
            (
                Alignment::from_train(Sequences::new(2, 5, vec![]).unwrap(), Alphabet::nucleotide()),
                "sequences: ",
            ),
            (Alignment { alphabet: Alphabet::protein(), ..whole() }, "alphabet: "),
            (Alignment { test: Some(sequences(3, 5)), ..whole() }, "test: "),
            (Alignment { test: Some(sequences(2, 4)), ..whole() }, "test: "),
            (Alignment { test: Some(Sequences::new(2, 5, vec![]).unwrap()), ..whole() }, "test: "),
            (Alignment { weights: Some(vec![1.0; 2]), ..whole() }, "weights: "),
            (Alignment { weights: Some(vec![1.0, f32::NAN, 1.0]), ..whole() }, "weights: "),
            (Alignment { weights: Some(vec![0.0; 3]), ..whole() }, "weights: "),
            (Alignment { columns: vec![0], ..whole() }, "columns: "),
            (Alignment { columns: vec![3, 3], ..whole() }, "columns: "),
            (Alignment { train_names: names(&["a"]), ..whole() }, "train names: "),
            (Alignment { train_names: names(&["a", "b\nc", "d"]), ..whole() }, "train names: "),
            (Alignment { test_names: names(&["a"]), ..whole() }, "test names: "),
        ];
        for (alignment, word) in cases {
            let message = alignment.validated().unwrap_err().to_string();
            assert!(message.starts_with(word), "{message}");
        }
        let full = Alignment {
            test: Some(sequences(2, 5)),
            weights: Some(vec![1.0, 0.0, 0.5]),
            columns: vec![3, 7],
            train_names: names(&["a", "a", ""]),
            test_names: names(&["b", "c", "d"]),
            ..whole()
        };
        assert_eq!(full.clone().validated().unwrap(), full);
    }
}
