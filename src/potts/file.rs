//! The file of Potts couplings: a container of kind "potts couplings" with `J` F32 [L q, L q] row-major, row i q + a holding the
//! inputs of letter a of column i, `theta` F32 [L q], `columns` U32 [L], numbers among the match columns of the input (0..L where
//! it is not there), and in the metadata `columns`, L, `q` and, where letters have names, `alphabet`.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::couplings::{Fault, PottsCouplings, checked_len, fault_expected};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::storage::{Container, DType, Overwrite, Tensor, write_container, write_npy};

impl PottsCouplings {
    /// What the container says it is.
    pub const KIND: &str = "potts couplings";

    /// Maps couplings from a file, after reading them once to check that they are finite, and zero within columns.
    ///
    /// The file must not be shortened while the couplings are in use.
    ///
    /// # Errors
    /// If the file is no container of Potts couplings, is truncated, or holds a faulty value.
    pub fn open(path: &Path, execution: &Execution) -> Result<Self> {
        let container = Container::open_whole(path, Self::KIND)?;
        let n_columns: usize = container.entry("columns", "a number of columns")?;
        let n_letters: usize = container.entry("q", "a number of letters")?;
        checked_len(n_columns, n_letters).map_err(|error| {
            Error::format(path, "columns and letters that couplings can have", error.to_string())
        })?;
        let n_rows = n_columns * n_letters;
        let (shape, _) = container.values::<f32>("J", DType::F32, 2)?;
        if shape != [n_rows, n_rows] {
            let expected =
                format!("J of shape [{n_rows}, {n_rows}], {n_columns} columns of {n_letters} letters");
            return Err(Error::format(path, expected, format!("shape {shape:?}")));
        }
        let theta = container.values::<f32>("theta", DType::F32, 1)?.1.to_vec();
        let columns = match container.has("columns") {
            true => Some(container.values::<u32>("columns", DType::U32, 1)?.1.to_vec()),
            false => None,
        };
        let description = container.description().clone();
        let Some((content, range)) = container.into_content("J") else {
            unreachable!("the tensor was read above");
        };
        let couplings = Self::mapped(n_columns, n_letters, content, range).with_description(description);
        let couplings = couplings.with_theta(theta).map_err(|error| error.in_file(path))?;
        let couplings = match columns {
            Some(columns) => couplings.with_columns(columns).map_err(|error| error.in_file(path))?,
            None => couplings,
        };
        let first: Mutex<Option<Fault>> = Mutex::new(None);
        let check = |(): &mut (), column: usize| {
            if let Some(found) = couplings.first_fault(column) {
                let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
                // The lowest place, whichever thread comes first.
                if first.is_none_or(|(place, _)| found.0 < place) {
                    *first = Some(found);
                }
            }
            Ok(())
        };
        execution.for_each(0..n_columns, || (), check)?;
        match first.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((place, value)) => Err(Error::format(path, fault_expected(place), value.to_string())),
            None => Ok(couplings),
        }
    }

    /// Writes the couplings atomically, with their description.
    ///
    /// # Errors
    /// If the output exists and may not be replaced, or cannot be written; if a coupling is not finite.
    pub fn write(&self, path: &Path, overwrite: Overwrite) -> Result<()> {
        // What could not be read again is not written.
        self.check()?;
        let mut description = self.description().clone();
        description.insert("columns".into(), self.n_columns().to_string());
        description.insert("q".into(), self.n_letters().to_string());
        let n_rows = self.n_rows();
        let tensors = [
            Tensor::f32("J", &[n_rows, n_rows], self.values()),
            Tensor::f32("theta", &[n_rows], self.theta()),
            Tensor::u32("columns", &[self.n_columns()], self.columns()),
        ];
        write_container(path, Self::KIND, &description, &tensors, overwrite)
    }

    /// Writes J without the fields as an .npy array of float32 [L q, L q], rows as in the container.
    ///
    /// # Errors
    /// If the output exists and may not be replaced, or cannot be written.
    pub fn write_npy(&self, path: &Path, overwrite: Overwrite) -> Result<()> {
        let n_rows = self.n_rows();
        write_npy(path, &[n_rows, n_rows], self.values().chunks_exact(n_rows).map(<[f32]>::to_vec), overwrite)
    }
}
