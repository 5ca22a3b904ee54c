//! What a run's folder says of a descent: the epoch, and which generation is of that epoch. Replaced in one rename, so that a run
//! killed at any moment finds one or the other. It holds a hash of that generation, so that values which a disk has damaged are not
//! gone on from.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::generation::{Generation, Slot};
use crate::error::{Error, Result};
use crate::storage::{Overwrite, write_bytes};

/// Version of what the folder holds: 1 had no hash. Readers refuse a newer one.
const FORMAT_VERSION: u32 = 2;
const FILE: &str = "descent.json";

/// The state of a descent on disk.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    format_version: u32,
    /// Of problem and parameters.
    run: String,
    pub(super) epoch: u64,
    pub(super) generation: Slot,
    /// Of that generation, with run and epoch; version 1 had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blake3: Option<String>,
}

impl Checkpoint {
    pub(super) fn new(run: &str, epoch: u64, generation: Slot, content: &Generation) -> Self {
        let blake3 = Some(content.hash(&state(run, epoch)));
        Self { format_version: FORMAT_VERSION, run: run.to_owned(), epoch, generation, blake3 }
    }

    /// That of `folder`, if there is one; it must be of the same run.
    ///
    /// # Errors
    /// If it cannot be read, is of another run or by a newer program.
    pub(super) fn read(folder: &Path, run: &str) -> Result<Option<Self>> {
        let path = path(folder);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(&path, "read")(error)),
        };
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        let wrong =
            |error: serde_json::Error| Error::format(&path, "the state of a descent", error.to_string());
        let Version { format_version } = serde_json::from_str(&text).map_err(wrong)?;
        if format_version > FORMAT_VERSION {
            let found = format!("version {format_version}, written by a newer program");
            return Err(Error::format(&path, format!("format version {FORMAT_VERSION} or older"), found));
        }
        let checkpoint: Self = serde_json::from_str(&text).map_err(wrong)?;
        if checkpoint.blake3.is_none() && format_version > 1 {
            return Err(Error::format(&path, "blake3, a hash of the generation", "none"));
        }
        if checkpoint.run != run {
            let expected = "the state of a run on these patterns with these parameters";
            return Err(Error::format(&path, expected, "that of another"));
        }
        Ok(Some(checkpoint))
    }

    /// Refuses a generation, found in `folder`, that is not the one this was written for.
    ///
    /// # Errors
    /// Names its file.
    pub(super) fn check(&self, content: &Generation, folder: &Path) -> Result<()> {
        let Some(expected) = &self.blake3 else { return Ok(()) };
        if content.hash(&state(&self.run, self.epoch)) == *expected {
            return Ok(());
        }
        let expected = format!("the values of epoch {} for which {FILE} has a hash", self.epoch);
        let file = folder.join(self.generation.couplings());
        Err(Error::format(&file, expected, "others: a file of this folder is damaged"))
    }

    /// Makes this the state of `folder`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path = path(folder);
        let text =
            serde_json::to_vec_pretty(self).map_err(|error| Error::io(&path, "write")(error.into()))?;
        write_bytes(&path, Overwrite::Replace, &text)
    }
}

/// Whether `folder` holds the state of a descent.
pub(in super::super) fn has_checkpoint(folder: &Path) -> bool {
    path(folder).exists()
}

/// What a generation is hashed with.
fn state(run: &str, epoch: u64) -> String {
    format!("{run} {epoch}\n")
}

fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}
