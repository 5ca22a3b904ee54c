//! Data sets from files that others wrote: spins as .npy arrays or text, with weights and classes of the patterns.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::data_set::{DataSet, provenance};
use super::npy::{read_npy_spins, read_npy_vector};
use super::number_lines::{read_csv_spins, read_number_a_line};
use super::spin_encoding::SpinEncoding;
use crate::error::{Error, Result};
use crate::spins::SpinMatrix;
use crate::storage::{NPY_MAGIC, hash_file};

/// The files of a data set. A file is read as .npy if it begins as one or is named so, as text otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The patterns, [P, N].
    pub train: PathBuf,
    /// Unseen examples, [any, N].
    pub test: Option<PathBuf>,
    /// Hidden features, [any, N].
    pub features: Option<PathBuf>,
    /// Weight of each pattern, `[P]`: a 1-D .npy array, or one number a line.
    pub weights: Option<PathBuf>,
    /// Class of each pattern, `[P]`, a whole number from 0 to 255: a 1-D .npy array, or one number a line.
    pub labels: Option<PathBuf>,
    /// Class of each unseen example.
    pub test_labels: Option<PathBuf>,
    /// What the values of all spins mean.
    pub encoding: SpinEncoding,
}

impl Import {
    /// Reads the files.
    ///
    /// # Errors
    /// If one cannot be read or is not what it is taken for, or they do not fit together.
    pub fn read(&self) -> Result<DataSet> {
        let spins = |path: &PathBuf| read_spins(path, self.encoding);
        let data = DataSet {
            test: self.test.as_ref().map(spins).transpose()?,
            features: self.features.as_ref().map(spins).transpose()?,
            weights: self.weights.as_deref().map(read_weights).transpose()?,
            train_labels: self.labels.as_deref().map(read_labels).transpose()?,
            test_labels: self.test_labels.as_deref().map(read_labels).transpose()?,
            ..DataSet::from_train(spins(&self.train)?)
        };
        let mut provenance = provenance("import", &[("encoding", &self.encoding.name())]);
        for (part, path) in [
            ("train", Some(&self.train)),
            ("test", self.test.as_ref()),
            ("features", self.features.as_ref()),
            ("weights", self.weights.as_ref()),
            ("labels", self.labels.as_ref()),
            ("test_labels", self.test_labels.as_ref()),
        ] {
            let Some(path) = path else { continue };
            provenance.insert(format!("{part}_file"), path.display().to_string());
            provenance.insert(format!("{part}_blake3"), hash_file(path)?);
        }
        DataSet { provenance, ..data }.validated()
    }
}

/// Reads rows of spins from an .npy or text file.
///
/// # Errors
/// If the file cannot be read or holds something else.
pub fn read_spins(path: &Path, encoding: SpinEncoding) -> Result<SpinMatrix> {
    if is_npy(path)? { read_npy_spins(path, encoding) } else { read_csv_spins(path, encoding) }
}

/// Reads weights of patterns: a 1-D .npy array, or text of one number a line.
///
/// # Errors
/// If the file cannot be read or holds something else, or a weight is negative or not a finite f32.
pub fn read_weights(path: &Path) -> Result<Vec<f32>> {
    let numbers = read_numbers(path)?;
    let weights: Vec<f32> = numbers.iter().map(|&number| number as f32).collect();
    match weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0) {
        Some(index) => {
            let found = format!("{} for pattern {index}", numbers[index]);
            Err(Error::format(path, "finite f32 weights >= 0", found))
        }
        None => Ok(weights),
    }
}

/// Reads classes of patterns: a 1-D .npy array, or text of one number a line.
///
/// # Errors
/// If the file cannot be read or holds something else, or a class is no whole number from 0 to 255.
pub fn read_labels(path: &Path) -> Result<Vec<u8>> {
    let label = |(index, number): (usize, &f64)| {
        let label = *number as u8;
        if f64::from(label) == *number {
            return Ok(label);
        }
        let found = format!("{number} for pattern {index}");
        Err(Error::format(path, "whole numbers from 0 to 255, the classes", found))
    };
    read_numbers(path)?.iter().enumerate().map(label).collect()
}

fn read_numbers(path: &Path) -> Result<Vec<f64>> {
    if is_npy(path)? { read_npy_vector(path) } else { read_number_a_line(path) }
}

fn is_npy(path: &Path) -> Result<bool> {
    let mut start = Vec::new();
    let file = File::open(path).map_err(Error::io(path, "open"))?;
    file.take(NPY_MAGIC.len() as u64).read_to_end(&mut start).map_err(Error::io(path, "read"))?;
    Ok(start == NPY_MAGIC || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::write_npy_spins;
    use crate::storage::{Overwrite, write_npy};
    use std::fs;

    #[test]
    fn files_of_either_kind_make_one_data_set() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let train = SpinMatrix::from_signs(2, 3, &[1, -1, -1, -1, 1, 1]).unwrap();
        write_npy_spins(&path("train.npy"), &train, Overwrite::Refuse).unwrap();
        fs::write(path("test.csv"), "1,1,1\n").unwrap();
        fs::write(path("weights.txt"), "# counts\n3\n0.5\n").unwrap();
        write_npy(&path("labels.npy"), &[2], [vec![7i64, 255]].into_iter(), Overwrite::Refuse).unwrap();
        fs::write(path("test_labels.txt"), "3\n").unwrap();
        let mut import = Import {
            train: path("train.npy"),
            test: Some(path("test.csv")),
            features: None,
            weights: Some(path("weights.txt")),
            labels: Some(path("labels.npy")),
            test_labels: Some(path("test_labels.txt")),
            encoding: SpinEncoding::Signs,
        };
        let data = import.read().unwrap();
        assert_eq!((&data.train, data.weights), (&train, Some(vec![3.0, 0.5])));
        assert_eq!((data.train_labels, data.test_labels), (Some(vec![7, 255]), Some(vec![3])));
        assert_eq!(data.test, Some(SpinMatrix::from_signs(1, 3, &[1, 1, 1]).unwrap()));
        assert_eq!(data.provenance["source"], "import");
        let digest = blake3::hash(&fs::read(path("weights.txt")).unwrap()).to_hex().to_string();
        assert_eq!(data.provenance["weights_blake3"], digest);

        fs::write(path("test.csv"), "1,1\n").unwrap();
        assert!(import.read().unwrap_err().to_string().contains("3 spins a row"));
        import.test = Some(path("missing.csv"));
        assert!(import.read().unwrap_err().to_string().contains("missing.csv: cannot open"));
    }

    #[test]
    fn weights_that_are_no_weights_are_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let message = |content| {
            fs::write(file.path(), content).unwrap();
            read_weights(file.path()).unwrap_err().to_string()
        };
        assert!(message("1\n-2\n").contains("found -2 for pattern 1"));
        assert!(message("nan\n").contains("NaN"));
        assert!(message("1e39\n").contains("finite f32"));
        assert!(message("1\n2,3\n").contains("one number a line"));
        assert!(message("weight\n").contains(r#""weight" in line 1"#));
    }

    #[test]
    fn labels_that_are_no_classes_are_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let message = |content| {
            fs::write(file.path(), content).unwrap();
            read_labels(file.path()).unwrap_err().to_string()
        };
        for (content, found) in [
            ("1\n256\n", "256 for pattern 1"),
            ("-1\n", "-1 for pattern 0"),
            ("1.5\n", "1.5 for"),
            ("nan\n", "NaN"),
        ] {
            assert!(message(content).contains(found), "{}", message(content));
        }
        assert!(message("label\n1\n").contains(r#""label" in line 1"#));
    }

    #[test]
    fn a_name_in_npy_calls_for_an_npy_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spins.npy");
        fs::write(&path, "1,1\n").unwrap();
        assert!(
            read_spins(&path, SpinEncoding::Signs).unwrap_err().to_string().contains("expected an .npy file")
        );
    }
}
