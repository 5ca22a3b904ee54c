//! Segments of minibatches: a batch is gathered for a group of panels, all of them where there is memory. The size of a group
//! changes no bits.

use super::super::panel_gradient::PanelGradient;
use super::super::problem::Batch;
use super::super::pseudo_likelihood::{Batches, Panel};
use super::{Trainer, check_sound, check_theta};
use crate::error::{Error, Result};
use crate::random::{permutation, stream};

impl<'a> Trainer<'a> {
    /// The minibatches of an epoch, each gathered when it is its turn.
    pub(super) fn minibatches(&self, epoch: u64) -> impl Iterator<Item = Batch> + use<'a> {
        let Batches::Mini { size, drop_last } = self.parameters.batches else {
            unreachable!("full batches keep their bits");
        };
        let (problem, relative) = (self.problem, self.problem.relative_weights());
        let mut order = stream(self.parameters.seed, "epoch order", &[epoch]);
        let order = permutation(&mut order, problem.patterns().n_rows());
        let n_batches = if drop_last { order.len() / size } else { order.len().div_ceil(size) };
        (0..n_batches).map(move |index| {
            let members = &order[index * size..order.len().min((index + 1) * size)];
            problem.batch(members, relative.as_deref())
        })
    }

    pub(super) fn minibatch_segment(&mut self, end: u64) -> Result<()> {
        let (n_spins, execution, parameters) =
            (self.now.couplings.n_spins(), self.execution, &self.parameters);
        let isa = execution.isa();
        let all = self.problem.rows().panels();
        let n_panels = all.len();
        let group = (execution.memory().left() / Panel::bytes(n_spins, parameters)) as usize;
        let group = group.clamp(execution.n_threads().min(n_panels), n_panels);
        let no_memory =
            || Error::parameter("n", "memory for a third copy of J, or a budget for less", n_spins);
        let mut panels = Vec::new();
        panels.try_reserve_exact(group).map_err(|_| no_memory())?;
        for _ in 0..group {
            panels.push(Panel::try_new(n_spins, parameters).ok_or_else(no_memory)?);
        }
        for first in all.clone().step_by(group) {
            let members = first..all.end.min(first + group);
            for (index, panel) in members.clone().zip(&mut panels) {
                panel.load(isa, self.now.rows(index), self.now.rows_before(index));
            }
            for epoch in self.epoch..end {
                for batch in self.minibatches(epoch) {
                    let n_patterns = batch.bits.n_patterns();
                    let scratch = || PanelGradient::new(&self.problem, parameters.lambda, n_patterns, isa);
                    let tasks = members.clone().zip(&mut panels);
                    execution.for_each(tasks, scratch, |gradient, (index, panel)| {
                        let rate = parameters.rate(epoch);
                        panel.step(parameters, rate, &batch, index, gradient);
                        Ok(())
                    })?;
                }
            }
            let targets = self.next.panels_mut().skip(first - all.start);
            for (panel, (_, mut rows, mut before)) in panels.iter().zip(targets).take(members.len()) {
                panel.store(isa, &mut rows, before.as_mut());
                check_theta(&rows, self.epoch..end)?;
                check_sound(rows.values, n_spins, parameters.lambda, self.epoch..end)?;
            }
        }
        Ok(())
    }
}
