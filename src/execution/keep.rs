//! Where a long computation keeps what it has finished, and how often.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A folder of one run's own. What stands in it at any moment is enough to go on from.
#[derive(Clone, Debug)]
pub struct Keep {
    folder: PathBuf,
    every: Duration,
    wanted: Arc<AtomicBool>,
}

impl Keep {
    /// Keeps in `folder`, which is there and locked by the caller, at least as often as `every` where the work allows it.
    pub fn new(folder: &Path, every: Duration) -> Self {
        Self { folder: folder.to_owned(), every, wanted: Arc::new(AtomicBool::new(false)) }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How long finished work may wait.
    pub fn every(&self) -> Duration {
        self.every
    }

    /// A flag that asks to keep what is finished as soon as possible, for a signal handler.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.wanted)
    }

    /// Whether work that has waited for `waited` is to be kept now; answers a flag that was set once.
    pub(crate) fn is_due(&self, waited: Duration) -> bool {
        self.wanted.swap(false, Ordering::Relaxed) || waited >= self.every
    }
}
