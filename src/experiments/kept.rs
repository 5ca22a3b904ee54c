//! Finished measurements as JSON files, by which a run that was stopped goes on.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::storage::{Overwrite, write_bytes};

/// Reads a kept measurement, if there is one; `what` says what it should be.
///
/// # Errors
/// If the file cannot be read or is no such measurement.
pub(super) fn read<T: DeserializeOwned>(path: &Path, what: &str) -> Result<Option<T>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(path, "open")(error)),
    };
    let expected = || format!("{what} (remove it to measure it again)");
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| Error::format(path, expected(), error.to_string()))
}

/// Keeps a finished measurement.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn write(path: &Path, content: &impl Serialize) -> Result<()> {
    let json = serde_json::to_vec(content)
        .map_err(|error| Error::format(path, "numbers JSON can hold", error.to_string()))?;
    write_bytes(path, Overwrite::Replace, &json)
}

/// The file holds a measurement of other parameters than `expected`.
pub(super) fn other_parameters(path: &Path, expected: &str, found: impl Into<String>) -> Error {
    Error::format(path, format!("{expected} (use another folder, or --force to measure again)"), found)
}
