//! [`Couplings`]: the matrix itself, with one API for owned and mapped storage, for all rows and for those of a shard.

mod multiples;

use std::ops::Range;

use super::fault::{fault_expected, first_fault};
use super::panel::{PANEL, PanelRows, panel_rows, theta_lanes};
use super::row_range::RowRange;
use super::values::{MappedRows, Values};
use crate::error::{Error, Result};
use crate::execution::{Array, Memory};
use crate::kernels::Lanes;
use crate::storage::{Description, InPlace};

/// Couplings of `n_spins` neurons, or those of some of them: a shard. Rows and panels have their numbers in the whole J.
/// Invariants: finite values; zero diagonal, unless they have self-coupling.
#[derive(Debug)]
pub struct Couplings {
    n_spins: usize,
    rows: RowRange,
    values: Values,          // [rows][n_spins]
    theta: Option<Vec<f32>>, // [rows]
    scale: f64,
    self_coupling: bool,
    description: Description,
    /// The container under way in which the values are.
    home: Option<Box<InPlace>>,
}

impl Couplings {
    /// All zero, in memory.
    ///
    /// # Errors
    /// If N is 0, or N^2 values do not fit the address space.
    pub fn zeros(n_spins: usize) -> Result<Self> {
        Self::zeros_in(n_spins, &Memory::unlimited())
    }

    /// All zero, in `memory` or a file of its folder.
    ///
    /// # Errors
    /// If N is 0, or there is no room.
    pub fn zeros_in(n_spins: usize, memory: &Memory) -> Result<Self> {
        Self::zero_rows(n_spins, RowRange::all(n_spins), memory)
    }

    /// The same, of `rows`.
    pub(crate) fn zero_rows(n_spins: usize, rows: RowRange, memory: &Memory) -> Result<Self> {
        let len = rows.len().checked_mul(n_spins).filter(|&len| len > 0);
        let Some(len) = len else {
            let expected = "a number of spins from 1, with N^2 couplings in memory";
            return Err(Error::parameter("n", expected, n_spins));
        };
        let values = memory.zeros(len, &format!("{len} couplings"))?;
        Ok(Self::new(n_spins, rows, Values::Array(values)))
    }

    /// Takes over an array of rows, finite and with a zero diagonal.
    pub(crate) fn from_array(n_spins: usize, rows: RowRange, values: Array<f32>) -> Self {
        Self::new(n_spins, rows, Values::Array(values))
    }

    /// Those in the array `values` of a container under way.
    pub(super) fn at_home(n_spins: usize, rows: RowRange, values: Array<f32>, home: InPlace) -> Self {
        Self { home: Some(Box::new(home)), ..Self::new(n_spins, rows, Values::Array(values)) }
    }

    /// The container under way in which they are.
    pub(super) fn home(&self) -> Option<&InPlace> {
        self.home.as_deref()
    }

    /// Takes rows, `[n_spins][n_spins]`, of couplings.
    ///
    /// # Errors
    /// If N is 0, the length is not N^2, a value is not finite or a diagonal one not zero.
    pub fn from_rows(n_spins: usize, rows: Vec<f32>) -> Result<Self> {
        if n_spins == 0 || n_spins.checked_mul(n_spins) != Some(rows.len()) {
            let expected = format!("{n_spins} x {n_spins} values, at least one");
            return Err(Error::shape("couplings", expected, format!("{} values", rows.len())));
        }
        if let Some((i, j, found)) = first_fault(n_spins, 0, &rows, false) {
            return Err(Error::shape(
                format!("coupling ({i}, {j})"),
                fault_expected(i, j, false),
                found.to_string(),
            ));
        }
        Ok(Self::new(n_spins, RowRange::all(n_spins), Values::Owned(rows)))
    }

    /// Without self-coupling and fields of the neurons themselves, of scale 1.
    fn new(n_spins: usize, rows: RowRange, values: Values) -> Self {
        let description = Description::new();
        Self { n_spins, rows, values, theta: None, scale: 1.0, self_coupling: false, description, home: None }
    }

    /// Values in files, already checked by [`first_fault`].
    pub(super) fn mapped(
        n_spins: usize,
        rows: RowRange,
        pieces: Vec<MappedRows>,
        scale: f64,
        self_coupling: bool,
        description: Description,
    ) -> Self {
        Self { scale, self_coupling, description, ..Self::new(n_spins, rows, Values::Mapped(pieces)) }
    }

    /// Sets a field of its own, theta_i, at each neuron, `[rows]`: local fields become sum_j J_ij x_j + theta_i. Like the
    /// stored couplings they are in units of the scale.
    ///
    /// # Errors
    /// If there is not one a row, or one is not finite.
    pub fn with_theta(mut self, theta: Vec<f32>) -> Result<Self> {
        if theta.len() != self.rows.len() {
            let expected = format!("{}, one a neuron", self.rows.len());
            return Err(Error::shape("theta", expected, theta.len().to_string()));
        }
        if let Some(neuron) = theta.iter().position(|theta| !theta.is_finite()) {
            let found = format!("{} at neuron {neuron}", theta[neuron]);
            return Err(Error::shape("theta", "finite numbers", found));
        }
        self.theta = Some(theta);
        Ok(self)
    }

    /// Sets the factor between stored values and couplings.
    ///
    /// # Errors
    /// If it is not finite and positive.
    pub fn with_scale(mut self, scale: f64) -> Result<Self> {
        if !(scale.is_finite() && scale > 0.0) {
            return Err(Error::parameter("scale", "a finite positive number", scale));
        }
        self.scale = scale;
        Ok(self)
    }

    /// Couples every neuron to itself: `diagonal[i]`, times the scale, is J_ii from now on. Fields then are
    /// h_i = sum_j J_ij x_j with j = i included, and so are row norms.
    ///
    /// # Errors
    /// If there are not N values, one is not finite, or these are the couplings of a shard.
    pub fn with_self_coupling(mut self, diagonal: &[f32]) -> Result<Self> {
        self.check_whole()?;
        let n_spins = self.n_spins;
        if diagonal.len() != n_spins {
            let found = format!("{} values", diagonal.len());
            return Err(Error::shape("self-couplings", format!("{n_spins} values"), found));
        }
        if let Some((i, x)) = diagonal.iter().enumerate().find(|(_, x)| !x.is_finite()) {
            return Err(Error::shape(format!("self-coupling {i}"), "a finite number", x.to_string()));
        }
        self.allow_self_coupling();
        for (value, &own) in self.values_mut().iter_mut().step_by(n_spins + 1).zip(diagonal) {
            *value = own;
        }
        Ok(self)
    }

    /// The diagonal may differ from zero, for writers inside the crate.
    pub(crate) fn allow_self_coupling(&mut self) {
        self.self_coupling = true;
    }

    /// Sets a factor that is finite and positive.
    pub(crate) fn set_scale(&mut self, scale: f64) {
        debug_assert!(scale.is_finite() && scale > 0.0);
        self.scale = scale;
    }

    /// Whether they are in a container under way.
    pub(crate) fn are_at_home(&self) -> bool {
        self.home.is_some()
    }

    /// Whether the values are in a file, of the system's pages.
    pub(crate) fn are_in_file(&self) -> bool {
        self.values.are_in_file()
    }

    /// Sets the description: rule, parameters, inputs.
    #[must_use]
    pub fn with_description(mut self, description: Description) -> Self {
        self.description = description;
        self
    }

    /// Number of neurons, N.
    pub fn n_spins(&self) -> usize {
        self.n_spins
    }

    /// The neurons whose rows these are: 0..N, but of a shard.
    pub fn neurons(&self) -> Range<usize> {
        self.rows.range()
    }

    /// The same, with whether they are a shard's.
    pub(crate) fn row_range(&self) -> RowRange {
        self.rows
    }

    /// Refuses the couplings of some neurons where those of all are needed.
    ///
    /// # Errors
    /// Names their rows.
    pub(crate) fn check_whole(&self) -> Result<()> {
        if self.rows.are_all(self.n_spins) {
            return Ok(());
        }
        let expected = format!("all {} rows", self.n_spins);
        Err(Error::shape("couplings", expected, format!("rows {}, a shard", self.rows)))
    }

    /// Couplings are stored values times this.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Whether J_ii may differ from zero.
    pub fn has_self_coupling(&self) -> bool {
        self.self_coupling
    }

    /// How these couplings came about.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Stored values, row-major `[rows][n_spins]`.
    ///
    /// # Panics
    /// If they are in several files, as those of [`open_shards`](Self::open_shards): take [`rows`](Self::rows).
    pub fn values(&self) -> &[f32] {
        self.values.all()
    }

    /// The pieces that the stored values are in, each of whole rows, in order.
    pub(super) fn pieces(&self) -> Vec<&[f32]> {
        self.values.pieces()
    }

    /// Whether all values were checked when their files were opened.
    pub(super) fn are_checked(&self) -> bool {
        matches!(self.values, Values::Mapped(..))
    }

    /// Refuses couplings whose file has been shortened since it was opened; called before each use of the whole.
    ///
    /// # Errors
    /// Names the file.
    pub(crate) fn check_files(&self) -> Result<()> {
        self.values.check()
    }

    /// Stored fields of the neurons themselves, `[rows]`, where there are any.
    pub fn theta(&self) -> Option<&[f32]> {
        self.theta.as_deref()
    }

    /// Those at the neurons of a panel; lanes past the last neuron are 0.
    pub fn panel_theta(&self, panel: usize) -> Option<Lanes<f32>> {
        let rows = || self.rows.offsets(&panel_rows(panel, self.n_spins));
        self.theta.as_ref().map(|theta| theta_lanes(&theta[rows()]))
    }

    /// Stored values of the rows in `rows`, which may not reach over the border of two files.
    pub fn rows(&self, rows: Range<usize>) -> &[f32] {
        self.values.rows(rows, self.rows.range().start, self.n_spins)
    }

    /// Stored values of a panel's rows.
    pub fn panel(&self, panel: usize) -> &[f32] {
        self.rows(panel_rows(panel, self.n_spins))
    }

    /// Stored values for writers inside the crate, who keep them finite and, without self-coupling, the diagonal
    /// zero; a mapped matrix is copied into memory first.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        self.parts_mut().0
    }

    /// The panels with their numbers, for writers as of [`values_mut`](Self::values_mut).
    pub(crate) fn panels_mut(&mut self) -> impl Iterator<Item = (usize, PanelRows<'_>)> + Send {
        let (n_spins, panels) = (self.n_spins, self.rows.panels());
        let (values, theta) = self.parts_mut();
        let mut theta = theta.map(|theta| theta.chunks_mut(PANEL));
        let rows = values
            .chunks_mut(PANEL * n_spins)
            .map(move |values| PanelRows { values, theta: theta.as_mut().and_then(Iterator::next) });
        panels.zip(rows)
    }

    /// Takes over values and fields of couplings of the same shape.
    pub(crate) fn copy_from(&mut self, other: &Couplings) {
        other.values.copy_to(self.values_mut());
        self.theta.clone_from(&other.theta);
        self.self_coupling = other.self_coupling;
    }

    /// Stored values, and the fields of the neurons themselves.
    fn parts_mut(&mut self) -> (&mut [f32], Option<&mut [f32]>) {
        if let Values::Mapped(..) = self.values {
            self.values = Values::Owned(self.values.to_owned());
        }
        let values = match &mut self.values {
            Values::Owned(values) => values,
            Values::Array(values) => &mut **values,
            Values::Mapped(..) => unreachable!("made owned above"),
        };
        (values, self.theta.as_deref_mut())
    }
}

impl Clone for Couplings {
    /// An owned copy.
    fn clone(&self) -> Self {
        Self {
            n_spins: self.n_spins,
            rows: self.rows,
            values: Values::Owned(self.values.to_owned()),
            theta: self.theta.clone(),
            scale: self.scale,
            self_coupling: self.self_coupling,
            description: self.description.clone(),
            home: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faulty_values_are_refused() {
        let good = vec![0.0, 1.0, -2.0, 0.0];
        assert!(Couplings::from_rows(2, good.clone()).is_ok());
        for (index, value) in [(1, f32::NAN), (2, f32::INFINITY), (3, 1.0)] {
            let mut rows = good.clone();
            rows[index] = value;
            let error = Couplings::from_rows(2, rows).unwrap_err().to_string();
            assert!(error.contains(&format!("({}, {})", index / 2, index % 2)), "{error}");
        }
        assert!(Couplings::from_rows(2, vec![0.0; 3]).is_err());
        assert!(Couplings::from_rows(0, vec![]).is_err());
        assert!(Couplings::zeros(0).is_err());
        assert!(Couplings::zeros(usize::MAX / 2).is_err());
    }

    /// The declaration survives what makes couplings from couplings; without it no diagonal is accepted.
    #[test]
    fn self_coupling_is_kept_and_must_be_declared() {
        let execution = crate::execution::Execution::with_threads(1).unwrap();
        let plain = Couplings::from_rows(2, vec![0.0, 1.0, -2.0, 0.0]).unwrap();
        assert!(!plain.has_self_coupling() && !plain.clone().has_self_coupling());
        for diagonal in [&[1.0][..], &[f32::NAN, 0.0]] {
            assert!(plain.clone().with_self_coupling(diagonal).is_err());
        }
        let own = plain.with_self_coupling(&[3.0, 4.0]).unwrap().with_scale(0.5).unwrap();
        assert_eq!(own.values(), [3.0, 1.0, -2.0, 4.0]);
        let made = [
            (own.clone(), [3.0, 1.0, -2.0, 4.0]),
            (own.normalised(&execution).unwrap(), [1.5, 0.5, -1.0, 2.0]),
            (own.symmetrized(&execution).unwrap(), [3.0, -0.5, -0.5, 4.0]),
        ];
        for (couplings, values) in made {
            assert!(couplings.has_self_coupling());
            assert_eq!(couplings.values(), values);
        }
        // |J_i| counts J_ii: sqrt(9 + 1) / 2 and sqrt(4 + 16) / 2.
        let norms = own.row_norms(&execution).unwrap();
        assert!(norms.iter().zip([2.5f64, 5.0]).all(|(norm, square)| (norm * norm - square).abs() < 1e-12));
        assert!(own.with_scale(1e39).unwrap().normalised(&execution).is_err());
    }
}
