//! [`LookupTables`]: couplings as the kernels read them, one lookup table a column.

use super::couplings::{PottsCouplings, checked_len};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::letter_lanes;

/// The table of every column, `[i][(j, b)][lanes]`, and its fields, `[i][lanes]`, minus infinity past the last letter.
pub(super) struct LookupTables {
    n_columns: usize,
    n_letters: usize,
    tables: Vec<f32>,
    theta: Vec<f32>,
}

impl LookupTables {
    /// All zero.
    ///
    /// # Errors
    /// If memory is missing.
    pub(super) fn zeros(n_columns: usize, n_letters: usize) -> Result<Self> {
        checked_len(n_columns, n_letters)?;
        let lanes = letter_lanes(n_letters);
        let len = (n_columns * n_letters).checked_mul(n_columns).and_then(|len| len.checked_mul(lanes));
        let mut tables = Vec::new();
        let Some(len) = len.filter(|&len| tables.try_reserve_exact(len).is_ok()) else {
            let expected = "memory for a copy of the couplings";
            return Err(Error::parameter("columns", expected, n_columns));
        };
        tables.resize(len, 0.0);
        let mut theta = vec![0.0; n_columns * lanes];
        for theta in theta.chunks_exact_mut(lanes) {
            theta[n_letters..].fill(f32::NEG_INFINITY);
        }
        Ok(Self { n_columns, n_letters, tables, theta })
    }

    /// The tables of couplings.
    ///
    /// # Errors
    /// If memory is missing, or interrupted.
    pub(super) fn of(couplings: &PottsCouplings, execution: &Execution) -> Result<Self> {
        let q = couplings.n_letters();
        let mut lookup = Self::zeros(couplings.n_columns(), q)?;
        let (lanes, n_rows) = (lookup.lanes(), couplings.n_rows());
        for (target, theta) in lookup.theta.chunks_exact_mut(lanes).zip(couplings.theta().chunks_exact(q)) {
            target[..q].copy_from_slice(theta);
        }
        execution.for_each(
            lookup.columns_mut().enumerate(),
            || (),
            |(), (column, (table, _))| {
                for (a, row) in couplings.column(column).chunks_exact(n_rows).enumerate() {
                    for (entry, &coupling) in table.chunks_exact_mut(lanes).zip(row) {
                        entry[a] = coupling;
                    }
                }
                Ok(())
            },
        )?;
        Ok(lookup)
    }

    /// The couplings of tables, also of those of a run that was cancelled.
    ///
    /// # Errors
    /// If memory is missing.
    pub(super) fn couplings(&self) -> Result<PottsCouplings> {
        let (q, lanes) = (self.n_letters, self.lanes());
        let theta = self.theta.chunks_exact(lanes).flat_map(|theta| &theta[..q]).copied().collect();
        let mut couplings = PottsCouplings::zeros(self.n_columns, q)?.with_theta(theta)?;
        let n_rows = couplings.n_rows();
        for (column, rows) in couplings.columns_mut().enumerate() {
            let (table, _) = self.column(column);
            for (a, row) in rows.chunks_exact_mut(n_rows).enumerate() {
                for (coupling, entry) in row.iter_mut().zip(table.chunks_exact(lanes)) {
                    *coupling = entry[a];
                }
            }
        }
        Ok(couplings)
    }

    /// Columns, L.
    pub(super) fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Letters of a column, q.
    pub(super) fn n_letters(&self) -> usize {
        self.n_letters
    }

    /// Floats in a row of a table.
    pub(super) fn lanes(&self) -> usize {
        letter_lanes(self.n_letters)
    }

    fn table_len(&self) -> usize {
        self.n_columns * self.n_letters * self.lanes()
    }

    /// A column's table, `[(j, b)][lanes]`, and fields, `[lanes]`.
    pub(super) fn column(&self, column: usize) -> (&[f32], &[f32]) {
        let (len, lanes) = (self.table_len(), self.lanes());
        (&self.tables[column * len..][..len], &self.theta[column * lanes..][..lanes])
    }

    /// Tables and fields of all columns, for writers.
    pub(super) fn columns_mut(&mut self) -> impl Iterator<Item = (&mut [f32], &mut [f32])> + Send {
        let (len, lanes) = (self.table_len(), self.lanes());
        self.tables.chunks_exact_mut(len).zip(self.theta.chunks_exact_mut(lanes))
    }

    /// What letter b of column j adds to the fields of column i, `[lanes]`.
    pub(super) fn entry(&self, i: usize, (j, b): (usize, usize)) -> &[f32] {
        let lanes = self.lanes();
        &self.column(i).0[(j * self.n_letters + b) * lanes..][..lanes]
    }
}

/// Bytes of tables of L columns of q letters.
pub(super) fn lookup_bytes(n_columns: usize, n_letters: usize) -> f64 {
    4.0 * (n_columns as f64).powi(2) * (n_letters * letter_lanes(n_letters)) as f64
}
