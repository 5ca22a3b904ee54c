//! Observables along a training run.

use serde::{Deserialize, Serialize};

use super::mean::Mean;
use crate::analysis::{Evaluation, Observables, note_rising_loss, observe};
use crate::couplings::Couplings;
use crate::error::Result;
use crate::execution::Execution;
use crate::learning::Trainer;
use crate::storage::Table;

/// What was observed after some epochs of training on P patterns.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Point {
    pub(super) n_patterns: usize,
    pub(super) load: f64,
    pub(super) epoch: u64,
    pub(super) observables: Observables,
}

/// A point of a sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampled {
    pub(super) sample: u64,
    pub(super) point: Point,
}

/// Something measured at a point.
pub(super) type Measure = fn(&Point) -> Option<f64>;

/// Trains to an epoch, a stage of the progress.
pub(super) fn train_to(trainer: &mut Trainer<'_>, epoch: u64, execution: &Execution) -> Result<()> {
    execution.progress().begin("training", epoch.saturating_sub(trainer.epoch()));
    let trained = trainer.advance_to(epoch);
    execution.progress().end();
    trained
}

/// Trains to each of `epochs` (ascending) and observes there.
pub(super) fn trajectory(
    trainer: &mut Trainer<'_>,
    evaluation: &Evaluation<'_>,
    epochs: &[u64],
    execution: &Execution,
) -> Result<Vec<Point>> {
    let points = trajectory_with(trainer, evaluation, epochs, execution, |_| Ok(()))?;
    Ok(points.into_iter().map(|(point, ())| point).collect())
}

/// The same, and what `measure` makes of the couplings at each point.
pub(super) fn trajectory_with<T>(
    trainer: &mut Trainer<'_>,
    evaluation: &Evaluation<'_>,
    epochs: &[u64],
    execution: &Execution,
    measure: impl Fn(&Couplings) -> Result<T>,
) -> Result<Vec<(Point, T)>> {
    let train = evaluation.train();
    let mut points: Vec<(Point, T)> = Vec::new();
    let what = format!("training on P = {}", train.n_rows());
    execution.progress().begin(&what, epochs.last().copied().unwrap_or(0));
    for &epoch in epochs {
        trainer.advance_to(epoch)?;
        let observables = observe(trainer.couplings(), evaluation, execution)?;
        if let Some((last, _)) = points.last() {
            let before = (last.epoch, last.observables.objective);
            note_rising_loss(execution.progress(), before, (epoch, observables.objective));
        }
        let point = Point {
            n_patterns: train.n_rows(),
            load: train.n_rows() as f64 / train.n_spins() as f64,
            epoch,
            observables,
        };
        points.push((point, measure(trainer.couplings())?));
    }
    execution.progress().end();
    Ok(points)
}

/// One row a point; `rule_at` names the rule of the couplings at an epoch.
pub(super) fn table(points: &[Sampled], rule_at: fn(u64) -> &'static str) -> Table {
    let columns = ["rule", "sample", "patterns", "load", "epoch"].into_iter().chain(Observables::COLUMNS);
    let mut table = Table::new(columns);
    for Sampled { sample, point } in points {
        let place = vec![
            rule_at(point.epoch).to_owned(),
            sample.to_string(),
            point.n_patterns.to_string(),
            point.load.to_string(),
            point.epoch.to_string(),
        ];
        table.push([place, point.observables.values()].concat());
    }
    table
}

/// Mean of a measure over the samples of P patterns at an epoch; none where no point has it.
pub(super) fn mean_at(points: &[Sampled], n_patterns: usize, epoch: u64, measure: Measure) -> Option<Mean> {
    let at = points.iter().map(|sampled| &sampled.point);
    let at = at.filter(|point| (point.n_patterns, point.epoch) == (n_patterns, epoch));
    let values: Vec<f64> = at.filter_map(measure).collect();
    (!values.is_empty()).then(|| Mean::of(&values))
}
