//! The folder of an unfinished run, beside its output: the command, the inputs by their hashes, and what the library keeps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use attractor::storage::{Description, FolderLock, Overwrite, write_bytes};
use attractor::{Error, Result};
use serde::{Deserialize, Serialize};

use super::provenance::hash_of;

/// Version of what the folder holds. Readers refuse a newer one.
const FORMAT_VERSION: u32 = 1;
const RECORD: &str = "run.json";
const LOCK: &str = ".lock";

/// A folder that this process holds until it ends.
pub struct RunFolder {
    path: PathBuf,
    _lock: FolderLock,
}

/// What is needed to start the run again.
#[derive(Serialize, Deserialize)]
pub struct Record {
    format_version: u32,
    pub program: String,
    /// Where it was started: paths are relative to it.
    pub directory: PathBuf,
    pub arguments: Vec<String>,
    pub output: PathBuf,
    /// Path and BLAKE3 of each input.
    pub inputs: BTreeMap<String, (PathBuf, String)>,
}

impl Record {
    /// Of the present command.
    ///
    /// # Errors
    /// If an input cannot be read, or the present directory is gone.
    pub fn of_this_run(output: &Path, inputs: &[(&str, &Path)]) -> anyhow::Result<Self> {
        let hashed =
            inputs.iter().map(|(name, path)| Ok(((*name).to_owned(), (path.to_path_buf(), hash_of(path)?))));
        Ok(Self {
            format_version: FORMAT_VERSION,
            program: concat!("attractor ", env!("CARGO_PKG_VERSION")).to_owned(),
            directory: std::env::current_dir().context("cannot tell the present directory")?,
            arguments: std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect(),
            output: output.to_owned(),
            inputs: hashed.collect::<Result<_>>()?,
        })
    }

    /// The entries that say how the output came about.
    pub fn provenance(&self) -> Description {
        let inputs = self.inputs.iter().flat_map(|(name, (path, hash))| {
            [(name.clone(), path.display().to_string()), (format!("{name}_blake3"), hash.clone())]
        });
        inputs.chain([("command".to_owned(), self.command_line())]).collect()
    }

    /// The command line as it was given.
    pub fn command_line(&self) -> String {
        let words = std::iter::once("attractor").chain(self.arguments.iter().map(String::as_str));
        words.collect::<Vec<_>>().join(" ")
    }

    /// Refuses inputs that have changed since.
    ///
    /// # Errors
    /// Names the first.
    pub fn check_inputs(&self) -> Result<()> {
        for (path, hash) in self.inputs.values() {
            let found = hash_of(path)?;
            if found != *hash {
                return Err(Error::format(
                    path,
                    format!("the file of BLAKE3 {hash} that the run began with"),
                    found,
                ));
            }
        }
        Ok(())
    }
}

impl RunFolder {
    /// Where the folder of a run with this output is.
    pub fn path_for(output: &Path) -> PathBuf {
        let mut name = output.file_name().unwrap_or_default().to_owned();
        name.push(".run");
        output.with_file_name(name)
    }

    /// Refuses to begin a run where another is unfinished, unless it may be replaced.
    ///
    /// # Errors
    /// Says how to go on with it.
    pub fn check(output: &Path, overwrite: Overwrite) -> Result<()> {
        let path = Self::path_for(output);
        if path.join(RECORD).exists() && overwrite == Overwrite::Refuse {
            let expected = "no unfinished run with this output";
            let found =
                format!("one (attractor resume {} goes on with it, --force drops it)", path.display());
            return Err(Error::format(&path, expected, found));
        }
        if path.exists() && !path.join(RECORD).exists() && !path.join(LOCK).exists() {
            return Err(Error::format(&path, "the folder of an unfinished run", "another folder or file"));
        }
        Ok(())
    }

    /// Makes the folder of a new run; what an earlier one left there is dropped.
    ///
    /// # Errors
    /// If another process writes there, or it cannot be written.
    pub fn create(output: &Path, record: &Record) -> Result<Self> {
        let path = Self::path_for(output);
        match std::fs::create_dir(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(Error::io(&path, "make this folder")(error));
            }
            _ => {}
        }
        let lock = FolderLock::take(&path.join(LOCK))?;
        let folder = Self { path, _lock: lock };
        folder.clear()?;
        let text = serde_json::to_vec_pretty(record);
        let text = text.map_err(|error| Error::io(&folder.path, "write")(error.into()))?;
        write_bytes(&folder.path.join(RECORD), Overwrite::Replace, &text)?;
        Ok(folder)
    }

    /// Takes up the folder of an unfinished run, or the one that belongs to an output.
    ///
    /// # Errors
    /// If there is none, another process writes there, or it cannot be read.
    pub fn open(path: &Path) -> Result<(Self, Record)> {
        let own = Self::path_for(path);
        let path = if own.join(RECORD).is_file() { own } else { path.to_owned() };
        let record = path.join(RECORD);
        if !record.is_file() {
            return Err(Error::format(
                &path,
                format!("the folder of an unfinished run, with {RECORD}"),
                "none",
            ));
        }
        let path = path.canonicalize().map_err(Error::io(&path, "find"))?;
        let lock = FolderLock::take(&path.join(LOCK))?;
        let text = std::fs::read_to_string(&record).map_err(Error::io(&record, "read"))?;
        let wrong = |error: serde_json::Error| {
            Error::format(&record, "the record of an unfinished run", error.to_string())
        };
        let value: serde_json::Value = serde_json::from_str(&text).map_err(wrong)?;
        if let Some(version) = value["format_version"].as_u64().filter(|&x| x > FORMAT_VERSION.into()) {
            let found = format!("version {version}, written by a newer program");
            return Err(Error::format(&record, format!("format version {FORMAT_VERSION} or older"), found));
        }
        Ok((Self { path, _lock: lock }, serde_json::from_value(value).map_err(wrong)?))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes everything but the lock, the record first: without it there is nothing to go on with.
    fn clear(&self) -> Result<()> {
        let record = self.path.join(RECORD);
        if record.exists() {
            std::fs::remove_file(&record).map_err(Error::io(&record, "remove"))?;
        }
        let entries = self.path.read_dir().map_err(Error::io(&self.path, "read this folder"))?;
        for entry in entries.flatten().filter(|entry| entry.file_name() != LOCK) {
            let path = entry.path();
            let removed =
                if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            removed.map_err(Error::io(&path, "remove"))?;
        }
        Ok(())
    }

    /// Removes the folder of a run that is done.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn remove(self) -> Result<()> {
        self.clear()?;
        std::fs::remove_dir_all(&self.path).map_err(Error::io(&self.path, "remove"))
    }
}
