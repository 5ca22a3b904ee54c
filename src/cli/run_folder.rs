//! The folder of an unfinished run, beside its output: the command, the inputs by their hashes, and what the library keeps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use attractor::storage::{Description, FolderLock, Overwrite, folder_of, remove_unfinished, write_bytes};
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
    /// This folder; none in those of earlier programs.
    #[serde(default)]
    pub folder: Option<PathBuf>,
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
        let folder = RunFolder::path_for(output);
        let parent = folder_of(&folder);
        let canonical = parent.canonicalize().map_err(Error::io(parent, "find"))?;
        Ok(Self {
            format_version: FORMAT_VERSION,
            program: concat!("attractor ", env!("CARGO_PKG_VERSION")).to_owned(),
            directory: std::env::current_dir().context("cannot tell the present directory")?,
            arguments: std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect(),
            output: output.to_owned(),
            folder: Some(canonical.join(folder.file_name().unwrap_or_default())),
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
        let is_empty = || path.read_dir().is_ok_and(|mut entries| entries.next().is_none());
        if path.exists() && !path.join(RECORD).exists() && !path.join(LOCK).exists() && !is_empty() {
            return Err(Error::format(&path, "the folder of an unfinished run", "another folder or file"));
        }
        Ok(())
    }

    /// Refuses inputs of a new run that are in the folder which it would make anew.
    ///
    /// # Errors
    /// Names the first.
    pub fn check_inputs(output: &Path, inputs: &[&Path]) -> Result<()> {
        let Ok(folder) = Self::path_for(output).canonicalize() else { return Ok(()) };
        let is_within = |input: &&&Path| input.canonicalize().is_ok_and(|path| path.starts_with(&folder));
        match inputs.iter().find(is_within) {
            None => Ok(()),
            Some(input) => {
                let expected = format!("an input outside {}, which a new run drops", folder.display());
                Err(Error::format(input, expected, "one within (copy it, or choose another --output)"))
            }
        }
    }

    /// Makes the folder of a new run in place of what an earlier one left there. It appears complete, by one rename: a folder that is
    /// there can be gone on with, whenever this process is killed.
    ///
    /// # Errors
    /// If another process writes there, or it cannot be written.
    pub fn create(output: &Path, record: &Record) -> Result<Self> {
        let path = Self::path_for(output);
        let earlier = path.exists().then(|| FolderLock::take(&path.join(LOCK))).transpose()?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        remove_unfinished(folder_of(&path), |file| file == name)?;
        let new = hidden(&path);
        std::fs::create_dir(&new).map_err(Error::io(&path, "make this folder"))?;
        let lock = FolderLock::take(&new.join(LOCK))?;
        let text = serde_json::to_vec_pretty(record);
        let text = text.map_err(|error| Error::io(&path, "write")(error.into()))?;
        write_bytes(&new.join(RECORD), Overwrite::Replace, &text)?;
        if earlier.is_some() {
            retire(&path)?;
        }
        std::fs::rename(&new, &path).map_err(Error::io(&path, "make this folder"))?;
        Ok(Self { path, _lock: lock })
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
        let found: Record = serde_json::from_value(value).map_err(wrong)?;
        if let Some(begun) = found.folder.as_ref().filter(|&begun| *begun != path) {
            // Its outputs would go where it began, beside another run.
            let expected = format!("the folder of an unfinished run where it began, {}", begun.display());
            return Err(Error::format(&path, expected, "a copy, or a folder that was moved"));
        }
        Ok((Self { path, _lock: lock }, found))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its own rows of metrics, whatever becomes of the table that others read.
    pub fn metrics(&self) -> PathBuf {
        Self::metrics_in(&self.path)
    }

    /// The same of the folder at `path`.
    pub fn metrics_in(path: &Path) -> PathBuf {
        path.join("metrics.csv")
    }

    /// Removes the folder of a run that is done.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn remove(self) -> Result<()> {
        retire(&self.path)
    }
}

/// A name beside the folder that [`remove_unfinished`] knows as left behind.
fn hidden(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    folder.with_file_name(format!(".{name}.{}-{}.tmp", std::process::id(), since.as_nanos()))
}

/// Takes the folder away in one rename, then removes it.
fn retire(folder: &Path) -> Result<()> {
    let hidden = hidden(folder);
    std::fs::rename(folder, &hidden).map_err(Error::io(folder, "remove"))?;
    std::fs::remove_dir_all(&hidden).map_err(Error::io(folder, "remove"))
}
