//! Training in segments: generation A is read and generation B written for some epochs at a time, and the two switch when all of B
//! is sound. A segment in which couplings stop being finite is looked through in halves for the last sound epoch.

use crate::error::{Error, Result};
use crate::execution::Execution;

/// What trains by segments.
pub(crate) trait Segments {
    /// Epochs done.
    fn epoch(&self) -> u64;
    /// Computes generation B, the couplings at `end`.
    fn compute(&mut self, end: u64) -> Result<()>;
    /// Generation B, at `end`, becomes A.
    fn switch(&mut self, end: u64) -> Result<()>;
    /// Whether progress is counted in epochs.
    fn counts_epochs(&self) -> bool {
        true
    }
}

/// Trains up to `epoch`, `segment` epochs at a time. Progress advances by 1 an epoch.
pub(crate) fn advance(
    trainer: &mut impl Segments,
    epoch: u64,
    mut segment: u64,
    execution: &Execution,
) -> Result<()> {
    while trainer.epoch() < epoch {
        let done = trainer.epoch();
        let end = epoch.min(done.saturating_add(segment));
        match trainer.compute(end) {
            Ok(()) => {}
            Err(Error::Diverged { .. }) if end - done > 1 => {
                segment = (end - done) / 2;
                continue;
            }
            Err(error) => return Err(error),
        }
        trainer.switch(end)?;
        if trainer.counts_epochs() {
            execution.progress().advance(end - done);
        }
    }
    Ok(())
}
