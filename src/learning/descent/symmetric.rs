//! Segments of symmetric couplings: all panels take a step of their own, then J becomes the mean of itself and its transpose.

use super::super::problem::{Batch, Problem};
use super::super::pseudo_likelihood::{PseudoLikelihood, shrinkage};
use super::generation::Generation;
use super::{Method, Scratch, Trainer, check_sound, check_theta};
use crate::error::Result;
use crate::execution::Execution;

impl Trainer<'_> {
    /// In place, in generation B.
    pub(super) fn symmetric_segment(&mut self, end: u64) -> Result<()> {
        self.next.copy_from(&self.now);
        for epoch in self.epoch..end {
            match &self.method {
                Method::Symmetric(Some(batch)) => {
                    self.next.symmetric_step(&self.problem, &self.parameters, epoch, batch, self.execution)?
                }
                _ => {
                    for batch in self.minibatches(epoch) {
                        let (problem, parameters) = (&self.problem, &self.parameters);
                        self.next.symmetric_step(problem, parameters, epoch, &batch, self.execution)?;
                    }
                }
            }
        }
        let (n_spins, lambda, epochs) =
            (self.now.couplings.n_spins(), self.parameters.lambda, self.epoch..end);
        self.next.couplings.panels_mut().try_for_each(|(_, rows)| {
            check_theta(&rows, epochs.clone())?;
            check_sound(rows.values, n_spins, lambda, epochs.clone())
        })
    }
}

impl Generation {
    /// All panels take a step of their own, then the mean of J and its transpose.
    fn symmetric_step(
        &mut self,
        problem: &Problem<'_>,
        parameters: &PseudoLikelihood,
        epoch: u64,
        batch: &Batch,
        execution: &Execution,
    ) -> Result<()> {
        let (isa, rate) = (execution.isa(), parameters.rate(epoch));
        let scratch = || Scratch::new(problem, parameters, batch.bits.n_patterns(), isa);
        execution.for_each(self.panels_mut(), scratch, |scratch, (index, mut rows, mut before)| {
            let Scratch { panel, gradient } = scratch;
            let was = before.as_ref().map(|before| (&*before.values, before.theta_lanes()));
            panel.load(isa, (rows.values, rows.theta_lanes()), was);
            panel.step(parameters, rate, batch, index, gradient);
            panel.store(isa, &mut rows, before.as_mut());
            Ok(())
        })?;
        self.couplings.symmetrize(shrinkage(parameters, rate), execution)
    }
}
