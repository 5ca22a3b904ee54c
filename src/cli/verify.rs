//! `attractor verify`: whether files still hold what was written into them.

use std::path::{Path, PathBuf};

use anyhow::bail;
use attractor::storage::{Container, Integrity, hash_file};
use attractor::{Error, Result};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::inputs::{is_container, visible_files};
use super::options::Common;
use super::text::listing;

#[derive(Args)]
pub struct Verify {
    /// Files of this program, folders of `reproduce` with their manifest, and folders of shards or other such files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// What is found of a file.
#[derive(Serialize)]
struct Finding {
    file: PathBuf,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Whole,
    Unhashed,
    Changed,
    Missing,
    Unreadable,
}

/// What `reproduce` says of its files.
#[derive(Deserialize)]
struct Manifest {
    files: std::collections::BTreeMap<String, String>,
}

impl Verify {
    pub fn run(self) -> anyhow::Result<()> {
        let mut findings = Vec::new();
        for path in &self.files {
            match path.is_dir() {
                true => findings.extend(of_folder(path)?),
                false => findings.push(of_container(path)),
            }
        }
        let n_bad = findings.iter().filter(|finding| !finding.is_sound()).count();
        let lines: Vec<_> =
            findings.iter().map(|finding| (finding.file.display().to_string(), finding.text())).collect();
        self.common
            .print(&findings, &listing(lines.iter().map(|(file, text)| (file.as_str(), text.clone()))))?;
        if n_bad > 0 {
            bail!("{n_bad} of {} files are not what was written", findings.len());
        }
        Ok(())
    }
}

impl Finding {
    fn new(file: &Path, state: State) -> Self {
        Self { file: file.to_owned(), state, expected: None, found: None }
    }

    fn changed(file: &Path, expected: String, found: String) -> Self {
        Self { file: file.to_owned(), state: State::Changed, expected: Some(expected), found: Some(found) }
    }

    fn is_sound(&self) -> bool {
        matches!(self.state, State::Whole | State::Unhashed)
    }

    fn text(&self) -> String {
        let found = self.found.as_deref().unwrap_or_default();
        match self.state {
            State::Whole => "whole".to_owned(),
            State::Unhashed => {
                "no hash to compare with: an older file, or the state of an unfinished run".to_owned()
            }
            State::Changed => {
                format!(
                    "changed: expected BLAKE3 {}, found {found}",
                    self.expected.as_deref().unwrap_or_default()
                )
            }
            State::Missing => "missing".to_owned(),
            State::Unreadable => format!("not readable: {found}"),
        }
    }
}

fn of_container(path: &Path) -> Finding {
    match Container::open_any(path).map(|container| container.integrity()) {
        Ok(Integrity::Whole) => Finding::new(path, State::Whole),
        Ok(Integrity::Unhashed) => Finding::new(path, State::Unhashed),
        Ok(Integrity::Changed { expected, found }) => Finding::changed(path, expected, found),
        Err(error) => {
            let found = Some(format!("{:#}", anyhow::Error::from(error)));
            Finding { found, ..Finding::new(path, State::Unreadable) }
        }
    }
}

/// The files that a manifest speaks of; where there is none, all of this program.
fn of_folder(folder: &Path) -> Result<Vec<Finding>> {
    let path = folder.join("manifest.json");
    if !path.exists() {
        let files = containers_in(folder)?;
        return match files.is_empty() {
            true => Err(Error::format(folder, "a manifest.json or files *.safetensors", "neither")),
            false => Ok(files.iter().map(|file| of_container(file)).collect()),
        };
    }
    let text = std::fs::read_to_string(&path).map_err(Error::io(&path, "read"))?;
    let manifest: Manifest = serde_json::from_str(&text)
        .map_err(|error| Error::format(&path, "a manifest with the hashes of files", error.to_string()))?;
    let finding = |(name, expected): (String, String)| {
        let file = folder.join(name);
        if !file.exists() {
            return Ok(Finding::new(&file, State::Missing));
        }
        let found = hash_file(&file)?;
        Ok(match found == expected {
            true => Finding::new(&file, State::Whole),
            false => Finding::changed(&file, expected, found),
        })
    };
    manifest.files.into_iter().map(finding).collect()
}

/// By name.
fn containers_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = visible_files(folder)?;
    files.retain(|file| is_container(file));
    Ok(files)
}
