//! What a descent keeps in the folder of its run, and what it finds there.
//!
//! In memory, a generation is written to files now and then. Where generations do not fit there, they are the files themselves;
//! panels that a segment has finished are then logged, so that a run killed within a long segment goes on inside it.

use std::path::Path;
use std::time::Instant;

use serde_json::json;

use super::checkpoint::Checkpoint;
use super::generation::{Generation, Shape, Slot};
use crate::error::Result;
use crate::execution::{Execution, Keep};
use crate::storage::{Synced, TaskLog};

/// Panels that are finished within a segment.
const LOG: &str = "segment.jsonl";

/// A run's folder, and what of it is the present state.
pub(super) struct Kept {
    keep: Keep,
    run: String,
    shape: Shape,
    /// The generation of the checkpoint; before there is one, that which comes second.
    slot: Slot,
    saved: Option<u64>,
    found: Option<Checkpoint>,
    since: Instant,
}

impl Kept {
    /// The folder of `execution`, if there is one, and the state found there, of the run whose hash is `run`.
    ///
    /// # Errors
    /// If the folder holds the state of another run or cannot be read.
    pub(super) fn find(execution: &Execution, run: String, shape: Shape) -> Result<Option<Self>> {
        let Some(keep) = execution.keep().cloned() else { return Ok(None) };
        let found = Checkpoint::read(keep.folder(), &run)?;
        let slot = found.as_ref().map_or(Slot::B, |found| found.generation);
        let saved = found.as_ref().map(|found| found.epoch);
        Ok(Some(Self { keep, run, shape, slot, saved, found, since: Instant::now() }))
    }

    /// The epoch of the state that was found or written last.
    pub(super) fn epoch(&self) -> Option<u64> {
        self.saved
    }

    fn folder(&self) -> &Path {
        self.keep.folder()
    }

    /// Both generations in files: that of the state found, or zeros to begin with.
    pub(super) fn on_disk(&mut self) -> Result<(Generation, Generation)> {
        let now = match &self.found {
            Some(found) => self.open(found)?,
            None => {
                self.slot = Slot::A;
                Generation::create(self.shape, self.folder(), self.slot)?
            }
        };
        // A log may speak of panels in the other one.
        let other = self.slot.other();
        let next = match Generation::open(self.shape, self.folder(), other) {
            Ok(next) => next,
            Err(_) => {
                TaskLog::remove(&self.keep, LOG)?;
                Generation::create(self.shape, self.folder(), other)?
            }
        };
        Ok((now, next))
    }

    /// Fills a generation in memory with the state that was found.
    pub(super) fn load(&self, now: &mut Generation) -> Result<()> {
        if let Some(found) = &self.found {
            now.copy_from(&self.open(found)?);
        }
        Ok(())
    }

    /// The generation that was found, if it still is what it was.
    fn open(&self, found: &Checkpoint) -> Result<Generation> {
        let generation = Generation::open(self.shape, self.folder(), found.generation)?;
        found.check(&generation, self.folder())?;
        Ok(generation)
    }

    /// Says that the first of two generations on disk is complete, at epoch 0.
    pub(super) fn begin(&mut self, now: &Generation) -> Result<()> {
        now.flush()?;
        self.declare(self.slot, 0, now)
    }

    /// Says that generation B on disk is complete, at `epoch`, and drops the log of its panels.
    pub(super) fn switch(&mut self, next: &Generation, epoch: u64) -> Result<()> {
        next.flush()?;
        self.declare(self.slot.other(), epoch, next)?;
        TaskLog::remove(&self.keep, LOG)
    }

    /// Writes a generation in memory, if it is time.
    pub(super) fn save_if_due(&mut self, now: &Generation, epoch: u64) -> Result<()> {
        if self.keep.is_due(self.since.elapsed()) { self.save(now, epoch) } else { Ok(()) }
    }

    /// Writes a generation in memory, unless it is there.
    pub(super) fn save(&mut self, now: &Generation, epoch: u64) -> Result<()> {
        if self.saved != Some(epoch) {
            let slot = self.slot.other();
            let mut written = Generation::create(self.shape, self.folder(), slot)?;
            written.copy_from(now);
            written.flush()?;
            self.declare(slot, epoch, &written)?;
            // Of a run on disk that now fits memory.
            TaskLog::remove(&self.keep, LOG)?;
            Generation::remove(self.folder(), slot.other())?;
        }
        self.since = Instant::now();
        Ok(())
    }

    fn declare(&mut self, slot: Slot, epoch: u64, content: &Generation) -> Result<()> {
        Checkpoint::new(&self.run, epoch, slot, content).write(self.folder())?;
        (self.slot, self.saved) = (slot, Some(epoch));
        Ok(())
    }

    /// The log of the panels of generation B on the way from one epoch to another.
    pub(super) fn log(&self, next: &Generation, from: u64, to: u64) -> Result<(TaskLog, Synced)> {
        next.take_headers()?;
        let segment = json!({ "run": self.run, "from": from, "to": to, "generation": self.slot.other() });
        Ok((TaskLog::open(&self.keep, LOG, &segment)?, next.synced()?))
    }
}
