//! The file of a data set: a container of kind "data set".
//!
//! `train`, `test` and `features` are U8 [rows, ceil(N/8)], spins packed least significant bit first (numpy
//! `unpackbits(..., bitorder="little")`); `weights` F32 [P]; `train_labels` and `test_labels` U8; `bonds` U32
//! [any, 2] and `bond_values` F32 [any], couplings of pairs of spins. `n` in the metadata is N; the provenance stands beside
//! it.

use std::path::Path;

use super::data_set::DataSet;
use super::spin_glass::Bonds;
use crate::error::{Error, Result};
use crate::storage::{Container, DType, Overwrite, Tensor, packed_bytes, write_container};

const KIND: &str = "data set";

impl DataSet {
    /// Reads a data set.
    ///
    /// # Errors
    /// If the file is no container of a data set, is truncated, holds set pad bits, or its parts do not fit together.
    pub fn open(path: &Path) -> Result<Self> {
        let container = Container::open_whole(path, KIND)?;
        let matrix = |name| container.has(name).then(|| container.spins(name)).transpose();
        let train = container.spins("train")?;
        let n_spins = train.n_spins();
        let labels = |name| -> Result<Option<Vec<u8>>> {
            let read = || container.values::<u8>(name, DType::U8, 1).map(|(_, labels)| labels.to_vec());
            container.has(name).then(read).transpose()
        };
        let weights =
            || container.values::<f32>("weights", DType::F32, 1).map(|(_, weights)| weights.to_vec());
        let mut provenance = container.given_description();
        provenance.remove("n");
        let data = Self {
            train,
            test: matrix("test")?,
            features: matrix("features")?,
            weights: container.has("weights").then(weights).transpose()?,
            train_labels: labels("train_labels")?,
            test_labels: labels("test_labels")?,
            bonds: container.has("bonds").then(|| read_bonds(&container, n_spins)).transpose()?,
            provenance,
        };
        data.validated().map_err(|error| error.in_file(path))
    }

    /// Writes the data set atomically.
    ///
    /// # Errors
    /// If the output exists and may not be replaced, or cannot be written.
    pub fn write(&self, path: &Path, overwrite: Overwrite) -> Result<()> {
        let parts = [
            ("train", Some(&self.train)),
            ("test", self.test.as_ref()),
            ("features", self.features.as_ref()),
        ];
        let packed: Vec<_> = parts
            .into_iter()
            .filter_map(|(name, part)| part.map(|part| (name, part.n_rows(), packed_bytes(part))))
            .collect();
        let width = self.n_spins().div_ceil(8);
        let mut tensors: Vec<_> =
            packed.iter().map(|(name, n_rows, bytes)| Tensor::u8(name, &[*n_rows, width], bytes)).collect();
        if let Some(weights) = &self.weights {
            tensors.push(Tensor::f32("weights", &[weights.len()], weights));
        }
        for (name, labels) in [("train_labels", &self.train_labels), ("test_labels", &self.test_labels)] {
            if let Some(labels) = labels {
                tensors.push(Tensor::u8(name, &[labels.len()], labels));
            }
        }
        if let Some(bonds) = &self.bonds {
            tensors.push(Tensor::u32("bonds", &[bonds.len(), 2], bonds.pairs().as_flattened()));
            tensors.push(Tensor::f32("bond_values", &[bonds.len()], bonds.values()));
        }
        let mut description = self.provenance.clone();
        description.insert("n".into(), self.n_spins().to_string());
        write_container(path, KIND, &description, &tensors, overwrite)
    }
}

fn read_bonds(container: &Container, n_spins: usize) -> Result<Bonds> {
    let (shape, pairs) = container.values::<u32>("bonds", DType::U32, 2)?;
    let (_, values) = container.values::<f32>("bond_values", DType::F32, 1)?;
    if shape[1] != 2 || shape[0] != values.len() {
        let expected = format!("bonds of shape [{}, 2], one pair a value", values.len());
        return Err(Error::format(container.path(), expected, format!("shape {shape:?}")));
    }
    let bonds = pairs.chunks_exact(2).zip(values);
    let bonds = bonds.map(|(pair, &value)| (pair[0] as usize, pair[1] as usize, f64::from(value)));
    Bonds::new(n_spins, bonds).map_err(|error| error.in_file(container.path()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::Random;
    use crate::execution::Execution;
    use crate::spins::SpinMatrix;

    fn random_states(n_patterns: usize, n_spins: usize, seed: u64) -> SpinMatrix {
        let random = Random { n_spins, n_patterns, n_test: 0, seed };
        random.generate(&Execution::with_threads(1).unwrap()).unwrap().train
    }

    fn data() -> DataSet {
        let mut data = DataSet::from_train(random_states(5, 77, 1));
        data.test = Some(random_states(3, 77, 2));
        data.features = Some(random_states(4, 77, 3));
        data.weights = Some(vec![1.0, 0.0, 2.0, 0.5, 3.0]);
        data.train_labels = Some(vec![0, 1, 2, 3, 4]);
        data.bonds = Some(Bonds::new(77, [(0, 76, 0.1), (3, 5, -2.0)]).unwrap());
        data.provenance.insert("source".into(), "random".into());
        data
    }

    #[test]
    fn a_data_set_reads_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.safetensors");
        data().write(&path, Overwrite::Refuse).unwrap();
        assert_eq!(DataSet::open(&path).unwrap(), data());
    }

    #[test]
    fn set_pad_bits_and_missing_parts_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.safetensors");
        data().write(&path, Overwrite::Refuse).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        // The last byte of the first row of train, behind weights and bonds: 77 spins leave 3 pad bits.
        bytes[4096 + 5 * 4 + 2 * 12 + 9] |= 0x80;
        // Of a file without a hash, as other programs write it.
        let hash = bytes.windows(8).position(|window| window == b"\"blake3\"").unwrap();
        bytes[hash..hash + 8].copy_from_slice(b"\"blake0\"");
        std::fs::write(&path, bytes).unwrap();
        let error = DataSet::open(&path).unwrap_err().to_string();
        assert!(error.contains("data.safetensors") && error.contains("zero bits past spin 77"), "{error}");

        let none = [Tensor::u8("train", &[0, 1], &[])];
        let description = [("n".to_owned(), "8".to_owned())].into();
        write_container(&path, KIND, &description, &none, Overwrite::Replace).unwrap();
        assert!(DataSet::open(&path).unwrap_err().to_string().contains("at least 1"));
    }
}
