//! [`PottsCouplings`]: J_ij(a, b) and theta_i(a), owned or memory-mapped.

use std::ops::Range;

use crate::couplings::Asymmetry;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::spins::{MAX_LETTERS, check_column_numbers};
use crate::storage::{Content, Description};

/// Couplings of L columns of q letters, `[L q, L q]`: row (i, a), number i q + a, holds the inputs of letter a of column i, one
/// from each letter b of each column j. Invariants: finite values; zero blocks within a column. J need not be symmetric.
#[derive(Debug)]
pub struct PottsCouplings {
    n_columns: usize,
    n_letters: usize,
    values: Values,  // [L q][L q]
    theta: Vec<f32>, // [L][q]
    columns: Vec<u32>,
    description: Description,
}

#[derive(Debug)]
enum Values {
    Owned(Vec<f32>),
    /// Bytes of the map, f32-aligned, checked when it was opened.
    Mapped(Content, Range<usize>),
}

/// A value that couplings cannot have: letter a of column i, letter b of column j.
pub(super) type Fault = ([usize; 4], f32);

impl PottsCouplings {
    /// All zero.
    ///
    /// # Errors
    /// If there is no column, q is not within 2..=64, or memory for (L q)^2 values is missing.
    pub fn zeros(n_columns: usize, n_letters: usize) -> Result<Self> {
        let len = checked_len(n_columns, n_letters)?;
        let mut values = Vec::new();
        if values.try_reserve_exact(len).is_err() {
            return Err(Error::parameter("columns", format!("memory for {len} couplings"), n_columns));
        }
        values.resize(len, 0.0);
        Ok(Self::new(n_columns, n_letters, Values::Owned(values)))
    }

    /// Takes rows, `[L q][L q]`, of couplings and fields, `[L][q]`.
    ///
    /// # Errors
    /// If there is no column, q is not within 2..=64, there are not as many values, one is not finite, or one within a column
    /// is not zero.
    pub fn from_rows(n_columns: usize, n_letters: usize, rows: Vec<f32>, theta: Vec<f32>) -> Result<Self> {
        let len = checked_len(n_columns, n_letters)?;
        if rows.len() != len {
            let expected = format!("{len} values, L q = {n_columns} x {n_letters} squared");
            return Err(Error::shape("couplings", expected, format!("{} values", rows.len())));
        }
        let couplings = Self::new(n_columns, n_letters, Values::Owned(rows)).with_theta(theta)?;
        couplings.check()?;
        Ok(couplings)
    }

    /// Refuses couplings that could not be read again.
    pub(super) fn check(&self) -> Result<()> {
        match (0..self.n_columns).find_map(|column| self.first_fault(column)) {
            Some((place, value)) => Err(Error::shape("couplings", fault_expected(place), value.to_string())),
            None => Ok(()),
        }
    }

    fn new(n_columns: usize, n_letters: usize, values: Values) -> Self {
        let theta = vec![0.0; n_columns * n_letters];
        let columns = (0..n_columns).map(|column| column as u32).collect();
        Self { n_columns, n_letters, values, theta, columns, description: Description::new() }
    }

    /// Values in a map, not checked yet.
    pub(super) fn mapped(n_columns: usize, n_letters: usize, content: Content, range: Range<usize>) -> Self {
        Self::new(n_columns, n_letters, Values::Mapped(content, range))
    }

    /// Sets the fields, `[L][q]`.
    ///
    /// # Errors
    /// If there are not L q of them, or one is not finite.
    pub fn with_theta(mut self, theta: Vec<f32>) -> Result<Self> {
        if theta.len() != self.n_rows() {
            let expected = format!("{}, one a letter of a column", self.n_rows());
            return Err(Error::shape("theta", expected, theta.len().to_string()));
        }
        if let Some(row) = theta.iter().position(|theta| !theta.is_finite()) {
            let found = format!(
                "{} at letter {} of column {}",
                theta[row],
                row % self.n_letters,
                row / self.n_letters
            );
            return Err(Error::shape("theta", "finite numbers", found));
        }
        self.theta = theta;
        Ok(self)
    }

    /// Sets the numbers of the columns among the match columns of the input, counted from 0, `[L]`; 0..L where none are set.
    ///
    /// # Errors
    /// If they are not L numbers that ascend.
    pub fn with_columns(mut self, columns: Vec<u32>) -> Result<Self> {
        check_column_numbers(&columns, self.n_columns)?;
        self.columns = columns;
        Ok(self)
    }

    /// Sets the description: rule, parameters, inputs.
    #[must_use]
    pub fn with_description(mut self, description: Description) -> Self {
        self.description = description;
        self
    }

    /// Columns, L.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Letters of a column, q.
    pub fn n_letters(&self) -> usize {
        self.n_letters
    }

    /// Rows of J, L q.
    pub fn n_rows(&self) -> usize {
        self.n_columns * self.n_letters
    }

    /// All couplings, `[L q][L q]`.
    pub fn values(&self) -> &[f32] {
        match &self.values {
            Values::Owned(values) => values,
            Values::Mapped(map, range) => bytemuck::cast_slice(&map[range.clone()]),
        }
    }

    /// The q rows of a column, `[q][L q]`.
    pub fn column(&self, column: usize) -> &[f32] {
        let len = self.n_letters * self.n_rows();
        &self.values()[column * len..][..len]
    }

    /// J_ij(a, b), what letter b of column j adds to the field of letter a of column i.
    pub fn coupling(&self, (i, a): (usize, usize), (j, b): (usize, usize)) -> f32 {
        let q = self.n_letters;
        self.values()[(i * q + a) * self.n_rows() + j * q + b]
    }

    /// The fields theta_i(a), `[L][q]`; zero where none were learned.
    pub fn theta(&self) -> &[f32] {
        &self.theta
    }

    /// Where the columns stood among the match columns of the input, counted from 0, ascending, `[L]`.
    pub fn columns(&self) -> &[u32] {
        &self.columns
    }

    /// How these couplings came about.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The q rows of each column, for writers inside the crate, who keep them sound; a mapped matrix is copied first.
    pub(super) fn columns_mut(&mut self) -> impl Iterator<Item = &mut [f32]> + Send {
        if let Values::Mapped(..) = self.values {
            self.values = Values::Owned(self.values().to_vec());
        }
        let len = self.n_letters * self.n_rows();
        match &mut self.values {
            Values::Owned(values) => values.chunks_exact_mut(len),
            Values::Mapped(..) => unreachable!("made owned above"),
        }
    }

    /// The first coupling of a column that is not finite, or couples the column to itself.
    pub(super) fn first_fault(&self, column: usize) -> Option<Fault> {
        let q = self.n_letters;
        let own = column * q..(column + 1) * q;
        let rows = self.column(column).chunks_exact(self.n_rows());
        rows.enumerate().find_map(|(a, row)| {
            let sound = |(index, x): (usize, &f32)| x.is_finite() && (!own.contains(&index) || *x == 0.0);
            let fault = row.iter().enumerate().find(|&value| !sound(value));
            fault.map(|(index, &x)| ([column, a, index / q, index % q], x))
        })
    }

    /// (J + J^T) / 2, with these fields, numbers of columns and this description.
    ///
    /// # Errors
    /// If memory for a copy is missing, or interrupted.
    pub fn symmetrized(&self, execution: &Execution) -> Result<Self> {
        let symmetrized = Self::zeros(self.n_columns, self.n_letters)?;
        let symmetrized = symmetrized.with_theta(self.theta.clone())?.with_columns(self.columns.clone())?;
        let mut symmetrized = symmetrized.with_description(self.description.clone());
        let (values, n_rows, q) = (self.values(), self.n_rows(), self.n_letters);
        execution.for_each(
            symmetrized.columns_mut().enumerate(),
            || (),
            |(), (column, rows)| {
                for (row, targets) in (column * q..).zip(rows.chunks_exact_mut(n_rows)) {
                    for (other, target) in targets.iter_mut().enumerate() {
                        // Halved before the sum, which can then not overflow.
                        *target = 0.5 * values[row * n_rows + other] + 0.5 * values[other * n_rows + row];
                    }
                }
                Ok(())
            },
        )?;
        Ok(symmetrized)
    }

    /// |J_i|, the Frobenius norm of all couplings into a column, of every column. Not invariant under a change of gauge.
    ///
    /// # Errors
    /// If interrupted.
    pub fn column_norms(&self, execution: &Execution) -> Result<Vec<f64>> {
        let mut norms = vec![0.0; self.n_columns];
        execution.for_each(
            norms.iter_mut().enumerate(),
            || (),
            |(), (column, norm)| {
                *norm = sum_of_squares(self.column(column)).sqrt();
                Ok(())
            },
        )?;
        Ok(norms)
    }

    /// How far J is from symmetric; the mean square is over all (L q)^2 entries.
    ///
    /// # Errors
    /// If interrupted.
    pub fn asymmetry(&self, execution: &Execution) -> Result<Asymmetry> {
        let (values, n_rows, q) = (self.values(), self.n_rows(), self.n_letters);
        let mut sums = vec![(0.0, 0.0); self.n_columns];
        execution.for_each(
            sums.iter_mut().enumerate(),
            || (),
            |(), (column, (squares, differences))| {
                *squares = sum_of_squares(self.column(column));
                for row in column * q..(column + 1) * q {
                    for other in 0..n_rows {
                        let (here, there) = (values[row * n_rows + other], values[other * n_rows + row]);
                        *differences += (f64::from(here) - f64::from(there)).powi(2);
                    }
                }
                Ok(())
            },
        )?;
        let (squares, differences) = sums.iter().fold((0.0, 0.0), |sum, x| (sum.0 + x.0, sum.1 + x.1));
        let ratio = if squares > 0.0 { (differences / squares).sqrt() } else { 0.0 };
        Ok(Asymmetry { ratio, mean_square: differences / (n_rows as f64).powi(2) })
    }
}

/// Number of couplings.
pub(super) fn checked_len(n_columns: usize, n_letters: usize) -> Result<usize> {
    if !(2..=MAX_LETTERS).contains(&n_letters) {
        return Err(Error::parameter("letters", format!("from 2 to {MAX_LETTERS}"), n_letters));
    }
    let len = n_columns.checked_mul(n_letters).and_then(|n_rows| n_rows.checked_mul(n_rows));
    let fits = |len: &usize| *len > 0 && *len <= isize::MAX as usize / size_of::<f32>();
    len.filter(fits).ok_or_else(|| {
        let expected = "a number of columns from 1, with (L q)^2 couplings in memory";
        Error::parameter("columns", expected, n_columns)
    })
}

/// What was expected in place of a fault.
pub(super) fn fault_expected([i, a, j, b]: [usize; 4]) -> String {
    let what = if i == j { "0 within a column" } else { "a finite number" };
    format!("{what} at J of column {i}, letter {a}, from column {j}, letter {b}")
}

fn sum_of_squares(values: &[f32]) -> f64 {
    values.iter().map(|&x| f64::from(x) * f64::from(x)).sum()
}
