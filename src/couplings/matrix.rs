//! [`Couplings`]: the matrix itself, with one API for owned and mapped storage.

use std::ops::Range;

use memmap2::{Mmap, MmapMut};

use super::panel::{PANEL, PanelRows, panel_rows, theta_lanes};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::Lanes;
use crate::storage::Description;

/// Couplings of `n_spins` neurons. Invariants: finite values; zero diagonal, unless they have self-coupling.
#[derive(Debug)]
pub struct Couplings {
    n_spins: usize,
    values: Values,          // [n_spins][n_spins]
    theta: Option<Vec<f32>>, // [n_spins]
    scale: f64,
    self_coupling: bool,
    description: Description,
}

#[derive(Debug)]
enum Values {
    Owned(Vec<f32>),
    /// Anonymous memory, in large pages where the system has them: zero without being touched, and a page fault each
    /// 2 MiB.
    Anonymous(MmapMut),
    /// Bytes of the map, f32-aligned, checked when it was opened.
    Mapped(Mmap, Range<usize>),
}

impl Couplings {
    /// All zero.
    ///
    /// # Errors
    /// If N is 0, or N^2 values do not fit the address space.
    pub fn zeros(n_spins: usize) -> Result<Self> {
        let len = n_spins
            .checked_mul(n_spins)
            .filter(|&len| len > 0 && len <= isize::MAX as usize / size_of::<f32>());
        let Some(len) = len else {
            return Err(Error::parameter(
                "n",
                "a number of spins from 1, with N^2 couplings in memory",
                n_spins,
            ));
        };
        let Ok(values) = MmapMut::map_anon(len * size_of::<f32>()) else {
            return Err(Error::parameter("n", format!("memory for {len} couplings"), n_spins));
        };
        // Only speed depends on it: a system may refuse.
        #[cfg(target_os = "linux")]
        let _ = values.advise(memmap2::Advice::HugePage);
        Ok(Self::new(n_spins, Values::Anonymous(values)))
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
        Ok(Self::new(n_spins, Values::Owned(rows)))
    }

    /// Without self-coupling and fields of the neurons themselves, of scale 1.
    fn new(n_spins: usize, values: Values) -> Self {
        let description = Description::new();
        Self { n_spins, values, theta: None, scale: 1.0, self_coupling: false, description }
    }

    /// Values in a map, already checked by [`first_fault`].
    pub(super) fn mapped(
        n_spins: usize,
        map: Mmap,
        range: Range<usize>,
        scale: f64,
        self_coupling: bool,
        description: Description,
    ) -> Self {
        Self { scale, self_coupling, description, ..Self::new(n_spins, Values::Mapped(map, range)) }
    }

    /// Sets a field of its own, theta_i, at each neuron, `[n_spins]`: local fields become sum_j J_ij x_j + theta_i. Like the
    /// stored couplings they are in units of the scale.
    ///
    /// # Errors
    /// If there are not N of them, or one is not finite.
    pub fn with_theta(mut self, theta: Vec<f32>) -> Result<Self> {
        if theta.len() != self.n_spins {
            let expected = format!("{}, one a neuron", self.n_spins);
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
    /// If there are not N values, or one is not finite.
    pub fn with_self_coupling(mut self, diagonal: &[f32]) -> Result<Self> {
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

    /// Stored values, row-major `[n_spins][n_spins]`.
    pub fn values(&self) -> &[f32] {
        match &self.values {
            Values::Owned(values) => values,
            Values::Anonymous(values) => bytemuck::cast_slice(values),
            Values::Mapped(map, range) => bytemuck::cast_slice(&map[range.clone()]),
        }
    }

    /// Stored fields of the neurons themselves, `[n_spins]`, where there are any.
    pub fn theta(&self) -> Option<&[f32]> {
        self.theta.as_deref()
    }

    /// Those at the neurons of a panel; lanes past the last neuron are 0.
    pub fn panel_theta(&self, panel: usize) -> Option<Lanes<f32>> {
        self.theta.as_ref().map(|theta| theta_lanes(&theta[panel_rows(panel, self.n_spins)]))
    }

    /// Stored values of the rows in `rows`.
    pub fn rows(&self, rows: Range<usize>) -> &[f32] {
        &self.values()[rows.start * self.n_spins..rows.end * self.n_spins]
    }

    /// Stored values of a panel's rows.
    pub fn panel(&self, panel: usize) -> &[f32] {
        self.rows(panel_rows(panel, self.n_spins))
    }

    /// The same couplings with the scale multiplied in, each rounded to f32; the scale of the result is 1.
    ///
    /// # Errors
    /// If a coupling is beyond f32, memory for a copy is missing, or interrupted.
    pub fn normalised(&self, execution: &Execution) -> Result<Self> {
        let normalised = self.multiplied(1.0, execution)?;
        match first_fault(self.n_spins, 0, normalised.values(), self.self_coupling) {
            None => Ok(normalised),
            Some((i, j, found)) => {
                let expected = fault_expected(i, j, self.self_coupling);
                Err(Error::shape(format!("coupling ({i}, {j})"), expected, found.to_string()))
            }
        }
    }

    /// Couplings times `factor`, rounded to f32 once; the scale of the result is 1. Values beyond f32 become infinite:
    /// the caller sees to the factor.
    pub(crate) fn multiplied(&self, factor: f64, execution: &Execution) -> Result<Self> {
        let mut result = Couplings::zeros(self.n_spins)?.with_description(self.description.clone());
        result.self_coupling = self.self_coupling;
        let factor = factor * self.scale;
        result.theta = self
            .theta
            .as_ref()
            .map(|theta| theta.iter().map(|&theta| (f64::from(theta) * factor) as f32).collect());
        let panels = result.values_mut().chunks_mut(PANEL * self.n_spins).enumerate();
        execution.for_each(
            panels,
            || (),
            |(), (panel, rows)| {
                for (target, &source) in rows.iter_mut().zip(self.panel(panel)) {
                    *target = (f64::from(source) * factor) as f32;
                }
                Ok(())
            },
        )?;
        Ok(result)
    }

    /// Stored values for writers inside the crate, who keep them finite and, without self-coupling, the diagonal
    /// zero; a mapped matrix is copied into memory first.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        self.parts_mut().0
    }

    /// The panels, for writers as of [`values_mut`](Self::values_mut).
    pub(crate) fn panels_mut(&mut self) -> impl Iterator<Item = PanelRows<'_>> + Send {
        let n_spins = self.n_spins;
        let (values, theta) = self.parts_mut();
        let mut theta = theta.map(|theta| theta.chunks_mut(PANEL));
        values
            .chunks_mut(PANEL * n_spins)
            .map(move |values| PanelRows { values, theta: theta.as_mut().and_then(Iterator::next) })
    }

    /// Takes over values and fields of couplings of the same shape.
    pub(crate) fn copy_from(&mut self, other: &Couplings) {
        self.values_mut().copy_from_slice(other.values());
        self.theta.clone_from(&other.theta);
        self.self_coupling = other.self_coupling;
    }

    /// Stored values, and the fields of the neurons themselves.
    fn parts_mut(&mut self) -> (&mut [f32], Option<&mut [f32]>) {
        if let Values::Mapped(..) = self.values {
            self.values = Values::Owned(self.values().to_vec());
        }
        let values = match &mut self.values {
            Values::Owned(values) => values,
            Values::Anonymous(values) => bytemuck::cast_slice_mut(values),
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
            values: Values::Owned(self.values().to_vec()),
            theta: self.theta.clone(),
            scale: self.scale,
            self_coupling: self.self_coupling,
            description: self.description.clone(),
        }
    }
}

/// The first value among whole rows, from row `first_row` on, that is not finite or, without self-coupling, a non-zero
/// diagonal one.
pub(super) fn first_fault(
    n_spins: usize,
    first_row: usize,
    rows: &[f32],
    self_coupling: bool,
) -> Option<(usize, usize, f32)> {
    rows.chunks_exact(n_spins).enumerate().find_map(|(offset, row)| {
        let i = first_row + offset;
        let may_be = |j: usize, x: f32| x.is_finite() && (self_coupling || i != j || x == 0.0);
        // A sum of finite values times zero is zero: one branch a row while all is well.
        let sound = may_be(i, row[i]) && row.iter().fold(0.0, |sum, x| sum + x * 0.0) == 0.0;
        let fault = |(j, x): (usize, &f32)| (!may_be(j, *x)).then_some((i, j, *x));
        if sound { None } else { row.iter().enumerate().find_map(fault) }
    })
}

/// What [`first_fault`] expected in place of what it found.
pub(super) fn fault_expected(i: usize, j: usize, self_coupling: bool) -> &'static str {
    if i == j && !self_coupling { "0 on the diagonal" } else { "a finite number" }
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
