//! Couplings as NumPy arrays, in and out.

use std::path::Path;

use npyz::Order;

use super::matrix::Couplings;
use crate::error::{Error, Result};
use crate::storage::{NpyArray, Overwrite, write_npy};

impl Couplings {
    /// Reads a 2-D .npy array [N, N] of numbers, rounded to f32; row i holds the inputs of neuron i.
    ///
    /// # Errors
    /// If the file is no such array, a value is not finite as f32, or a diagonal one not zero.
    pub fn read_npy(path: &Path) -> Result<Self> {
        let array = NpyArray::open(path)?;
        let &[n_spins, n_columns] = array.shape() else {
            return Err(Error::format(path, "a 2-D array of couplings [N, N]", array.describe()));
        };
        if n_spins != n_columns || n_spins == 0 {
            return Err(Error::format(path, "a square array of couplings [N, N]", array.describe()));
        }
        let order = array.order();
        // Elements that cannot be read may have no size, and a shape that is not bounded by the file then.
        let elements = array.values()?;
        let mut couplings = Couplings::zeros(n_spins)?;
        let values = couplings.values_mut();
        for (element, value) in elements.enumerate() {
            let (i, j) = match order {
                Order::C => (element / n_spins, element % n_spins),
                Order::Fortran => (element % n_spins, element / n_spins),
            };
            let value = value.map_err(Error::io(path, "read"))?;
            if i == j && value != 0.0 {
                return Err(Error::format(
                    path,
                    format!("0 on the diagonal, at [{i}, {j}]"),
                    value.to_string(),
                ));
            }
            if !(value as f32).is_finite() {
                return Err(Error::format(path, format!("a finite number at [{i}, {j}]"), value.to_string()));
            }
            values[i * n_spins + j] = value as f32;
        }
        Ok(couplings)
    }

    /// Writes the couplings, scale applied, as an .npy array of float32 [N, N].
    ///
    /// # Errors
    /// If these are the couplings of a shard, or the output exists and may not be replaced, or cannot be written.
    pub fn write_npy(&self, path: &Path, overwrite: Overwrite) -> Result<()> {
        self.check_whole()?;
        let n_spins = self.n_spins();
        let scaled = |row: &[f32]| row.iter().map(|&x| (f64::from(x) * self.scale()) as f32).collect();
        let rows = self.pieces().into_iter().flat_map(|piece| piece.chunks_exact(n_spins));
        write_npy(path, &[n_spins, n_spins], rows.map(scaled), overwrite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn couplings_survive_the_round_trip_with_their_scale() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("J.npy");
        let couplings = Couplings::from_rows(2, vec![0.0, 3.0, -4.0, 0.0]).unwrap().with_scale(0.5).unwrap();
        couplings.write_npy(&path, Overwrite::Refuse).unwrap();
        let read = Couplings::read_npy(&path).unwrap();
        assert_eq!(read.values(), [0.0, 1.5, -2.0, 0.0]);
        assert!(couplings.write_npy(&path, Overwrite::Refuse).is_err());
    }

    #[test]
    fn arrays_that_are_no_couplings_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("J.npy");
        let cases: [(&[usize], Vec<f32>, &str); 4] = [
            (&[2, 2], vec![0.0, f32::NAN, 1.0, 0.0], "[0, 1]"),
            (&[2, 2], vec![0.0, 1.0, 1.0, 5.0], "diagonal"),
            (&[1, 2], vec![0.0, 1.0], "square"),
            (&[4], vec![0.0; 4], "2-D"),
        ];
        for (shape, values, expected) in cases {
            write_npy(&path, shape, std::iter::once(values), Overwrite::Replace).unwrap();
            let error = Couplings::read_npy(&path).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("J.npy"), "{error}");
        }
    }
}
