//! Couplings times a factor, each rounded to f32 once.

use super::super::fault::{fault_expected, first_fault};
use super::super::panel::PANEL;
use super::Couplings;
use crate::error::{Error, Result};
use crate::execution::Execution;

impl Couplings {
    /// The same couplings with the scale multiplied in, each rounded to f32; the scale of the result is 1.
    ///
    /// # Errors
    /// If a coupling is beyond f32, memory for a copy is missing, or interrupted.
    pub fn normalised(&self, execution: &Execution) -> Result<Self> {
        let mut normalised = Couplings::zero_rows(self.n_spins, self.rows, execution.memory())?;
        normalised.fill_with_multiple(self, 1.0, execution)?;
        match first_fault(self.n_spins, self.rows.range().start, normalised.values(), self.self_coupling) {
            None => Ok(normalised),
            Some((i, j, found)) => {
                let expected = fault_expected(i, j, self.self_coupling);
                Err(Error::shape(format!("coupling ({i}, {j})"), expected, found.to_string()))
            }
        }
    }

    /// These rows of `other` times `factor`, each coupling rounded to f32 once, with its description and fields; the scale is 1
    /// from then on. Values beyond f32 become infinite: the caller sees to the factor.
    pub(crate) fn fill_with_multiple(
        &mut self,
        other: &Couplings,
        factor: f64,
        execution: &Execution,
    ) -> Result<()> {
        let factor = factor * other.scale;
        let times = |value: f32| (f64::from(value) * factor) as f32;
        self.description.clone_from(&other.description);
        self.self_coupling = other.self_coupling;
        self.scale = 1.0;
        let own = other.rows.offsets(&self.rows.range());
        // Without fields in `other`, there may be some to learn here.
        if let Some(theta) = &other.theta {
            self.theta = Some(theta[own].iter().map(|&theta| times(theta)).collect());
        }
        execution.for_each(
            self.panels_mut(),
            || (),
            |(), (panel, rows)| {
                for (target, &source) in rows.values.iter_mut().zip(other.panel(panel)) {
                    *target = times(source);
                }
                Ok(())
            },
        )
    }

    /// These times `factor`, as [`fill_with_multiple`](Self::fill_with_multiple).
    pub(crate) fn multiply(&mut self, factor: f64, execution: &Execution) -> Result<()> {
        let factor = factor * self.scale;
        let times = |value: f32| (f64::from(value) * factor) as f32;
        self.scale = 1.0;
        self.theta.iter_mut().flatten().for_each(|theta| *theta = times(*theta));
        let n_spins = self.n_spins;
        execution.for_each(
            self.values_mut().chunks_mut(PANEL * n_spins),
            || (),
            |(), rows| {
                rows.iter_mut().for_each(|value| *value = times(*value));
                Ok(())
            },
        )
    }
}
