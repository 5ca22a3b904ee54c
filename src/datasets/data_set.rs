//! [`DataSet`]: what training, recall and analysis are run on, with a record of how it came to be.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::error::{Error, Result};
use crate::spins::SpinMatrix;

/// What a data set is: its "source" ("random", "manifold", "mnist", "import"), every parameter and the seed, as text.
pub type Provenance = BTreeMap<String, String>;

/// Spins to store and to test with. All matrices have N spins a row.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSet {
    /// The patterns to store, [P, N].
    pub train: SpinMatrix,
    /// Unseen examples of the same source, [any, N].
    pub test: Option<SpinMatrix>,
    /// The hidden features that the patterns are made of, most frequent first, [any, N].
    pub features: Option<SpinMatrix>,
    /// Weight of each pattern in the loss, `[P]`: finite, >= 0, not all 0.
    pub weights: Option<Vec<f32>>,
    /// Class of each pattern, `[P]`.
    pub train_labels: Option<Vec<u8>>,
    /// Class of each unseen example.
    pub test_labels: Option<Vec<u8>>,
    /// Where it comes from.
    pub provenance: Provenance,
}

impl DataSet {
    /// The patterns alone, nothing checked yet: fill in the other fields, then call [`validated`](Self::validated).
    pub fn from_train(train: SpinMatrix) -> Self {
        Self {
            train,
            test: None,
            features: None,
            weights: None,
            train_labels: None,
            test_labels: None,
            provenance: Provenance::new(),
        }
    }

    /// Itself, if its parts fit together.
    ///
    /// # Errors
    /// If N or P is 0, a part that is present has no rows or another N, weights are not P numbers that are finite,
    /// >= 0 and not all 0, or labels are not one a row.
    pub fn validated(self) -> Result<Self> {
        at_least_one("n", self.n_spins())?;
        at_least_one("patterns", self.n_patterns())?;
        for (name, part) in [("test", &self.test), ("features", &self.features)] {
            let Some(part) = part else { continue };
            if part.n_rows() == 0 {
                return Err(Error::shape(name, "at least 1 row, or no such part at all", "0 rows"));
            }
            if part.n_spins() != self.n_spins() {
                let expected = format!("{} spins a row, as in train", self.n_spins());
                return Err(Error::shape(name, expected, part.n_spins().to_string()));
            }
        }
        if let Some(weights) = &self.weights {
            check_weights(weights, self.n_patterns())?;
        }
        for (name, labels, rows) in [
            ("train labels", &self.train_labels, Some(&self.train)),
            ("test labels", &self.test_labels, self.test.as_ref()),
        ] {
            if let Some(labels) = labels {
                one_a_row(name, labels.len(), rows.map_or(0, SpinMatrix::n_rows))?;
            }
        }
        Ok(self)
    }

    /// N, the number of spins (neurons).
    pub fn n_spins(&self) -> usize {
        self.train.n_spins()
    }

    /// P, the number of patterns to store.
    pub fn n_patterns(&self) -> usize {
        self.train.n_rows()
    }

    /// The load alpha = P / N.
    pub fn load(&self) -> f64 {
        self.n_patterns() as f64 / self.n_spins() as f64
    }
}

/// The provenance of a data set of this kind made with these parameters.
pub(super) fn provenance(kind: &str, parameters: &[(&str, &dyn Display)]) -> Provenance {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), value.to_string()));
    std::iter::once(("source".to_owned(), kind.to_owned())).chain(parameters).collect()
}

/// Refuses 0.
pub(super) fn at_least_one(name: &'static str, value: usize) -> Result<()> {
    if value == 0 { Err(Error::parameter(name, "at least 1", 0)) } else { Ok(()) }
}

/// Refuses what are not `n_patterns` numbers that are finite, >= 0 and not all 0.
pub(super) fn check_weights(weights: &[f32], n_patterns: usize) -> Result<()> {
    one_a_row("weights", weights.len(), n_patterns)?;
    if let Some(row) = weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0) {
        let found = format!("{} for pattern {row}", weights[row]);
        return Err(Error::shape("weights", "finite numbers >= 0", found));
    }
    if weights.iter().all(|&weight| weight == 0.0) {
        return Err(Error::shape("weights", "at least one above 0", "all 0"));
    }
    Ok(())
}

/// Refuses another number than that of the rows.
pub(super) fn one_a_row(name: &str, found: usize, n_rows: usize) -> Result<()> {
    if found == n_rows {
        return Ok(());
    }
    Err(Error::shape(name, format!("{n_rows}, one a row"), found.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_by_three() -> DataSet {
        DataSet::from_train(SpinMatrix::all_down(2, 3))
    }

    fn message(data: DataSet) -> String {
        data.validated().unwrap_err().to_string()
    }

    #[test]
    fn a_full_data_set_is_accepted() {
        let data = DataSet {
            test: Some(SpinMatrix::all_down(4, 3)),
            features: Some(SpinMatrix::all_down(1, 3)),
            weights: Some(vec![0.0, 2.5]),
            train_labels: Some(vec![7, 7]),
            test_labels: Some(vec![0, 1, 2, 3]),
            ..two_by_three()
        };
        let data = data.validated().unwrap();
        assert_eq!((data.n_patterns(), data.n_spins(), data.load()), (2, 3, 2.0 / 3.0));
    }

    #[test]
    fn empty_data_is_refused() {
        assert!(message(DataSet::from_train(SpinMatrix::all_down(2, 0))).contains("n: "));
        assert!(message(DataSet::from_train(SpinMatrix::all_down(0, 2))).contains("patterns: "));
        assert!(
            message(DataSet { test: Some(SpinMatrix::all_down(0, 3)), ..two_by_three() }).contains("test")
        );
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let features = Some(SpinMatrix::all_down(1, 4));
        assert!(message(DataSet { features, ..two_by_three() }).contains("features"));
        assert!(
            message(DataSet { train_labels: Some(vec![1]), ..two_by_three() })
                .contains("expected 2, one a row")
        );
        assert!(message(DataSet { test_labels: Some(vec![1]), ..two_by_three() }).contains("test labels"));
    }

    #[test]
    fn weights_that_are_no_weights_are_refused() {
        for weights in
            [vec![1.0], vec![1.0, -1.0], vec![f32::NAN, 1.0], vec![1.0, f32::INFINITY], vec![0.0, 0.0]]
        {
            assert!(message(DataSet { weights: Some(weights), ..two_by_three() }).contains("weights"));
        }
    }
}
