//! The run directory: every file of an experiment, and the manifest that names them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;

use super::Options;
use super::manifest::{CONFIG, FigureNote, MANIFEST, Manifest};
use super::parameters::to_toml;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::report::{Figure, Montage};
use crate::storage::{FolderLock, Overwrite, Table, check_output, hash_file, remove_unfinished, write_bytes};

/// Checks that the folder has no results of other parameters than those of `config`, is there or can be made, and that `files` can
/// be written into it.
pub(super) fn check(options: &Options, files: &[&str], kept: Kept, config: &str) -> Result<()> {
    check_folder(options, files, kept)?;
    refuse_others(options, kept, config)
}

fn check_folder(options: &Options, files: &[&str], kept: Kept) -> Result<()> {
    let folder = &options.output;
    if folder.exists() {
        for file in files.iter().chain(&[CONFIG, MANIFEST]) {
            check_output(&folder.join(file), derived(options, kept))?;
        }
        return Ok(());
    }
    // Whether a folder can be made is known only by making one, for a moment.
    let is_there = |folder: &&Path| folder.as_os_str().is_empty() || folder.exists();
    let ancestor = folder.ancestors().find(is_there).unwrap_or(Path::new(""));
    let ancestor = if ancestor.as_os_str().is_empty() { Path::new(".") } else { ancestor };
    let probe = tempfile::tempdir_in(ancestor);
    probe.map(drop).map_err(|error| Error::io(folder, "make this folder")(error.kind().into()))
}

/// Results that a folder keeps from run to run, so that one that was stopped goes on and its tables are made anew.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    /// Folder within that holds them.
    pub(super) folder: &'static str,
    /// File that marks the folder as one of such runs, and is locked while one writes.
    pub(super) lock: &'static str,
    /// Whether results of other parameters may join them.
    pub(super) grows: bool,
}

/// What to do with tables and figures: those of a run that kept its results can be made again.
fn derived(options: &Options, kept: Kept) -> Overwrite {
    if options.output.join(kept.lock).is_file() { Overwrite::Replace } else { options.overwrite }
}

/// Numbers of samples: more of them can join.
const GROWING: [&str; 2] = ["n_samples", "n_margin_samples"];

/// Refuses a folder that holds results of other parameters than those of `config`, but for the number of samples. What only the
/// folder's file names, a run of it would have beside these.
fn refuse_others(options: &Options, kept: Kept, config: &str) -> Result<()> {
    if kept.grows || options.overwrite == Overwrite::Replace {
        return Ok(());
    }
    let path = &options.output.join(CONFIG);
    let found = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        read => read.map_err(Error::io(path, "read"))?,
    };
    let table = |text: &str| {
        let parsed = text.parse::<toml::Table>();
        parsed.map_err(|error| Error::format(path, "parameters of a run (or --force)", error.to_string()))
    };
    let (found, expected) = (table(&found)?, table(config)?);
    let named = |key: &str, value: Option<&toml::Value>| match value {
        Some(value) => format!("{key} = {value}"),
        None => format!("no {key}"),
    };
    for (key, value) in expected.iter().filter(|(key, _)| !GROWING.contains(&key.as_str())) {
        if found.get(key) != Some(value) {
            let expected = named(key, Some(value));
            let expected = format!("the parameters of this run, {expected} (or --force, or another folder)");
            return Err(Error::format(path, expected, named(key, found.get(key))));
        }
    }
    Ok(())
}

pub(super) struct RunDirectory {
    folder: PathBuf,
    overwrite: Overwrite,
    kept: Kept,
    /// What `config.toml` will hold, until it is written.
    config: Option<String>,
    manifest: Manifest,
    begun: Instant,
}

impl RunDirectory {
    /// Checks that every one of `files` can be written, and writes nothing yet: a run that fails before its first result
    /// leaves nothing behind.
    pub(super) fn new(
        experiment: &str,
        options: &Options,
        config: &impl Serialize,
        files: &[&str],
        kept: Kept,
    ) -> Result<Self> {
        let config = to_toml(config)?;
        check(options, files, kept, &config)?;
        let folder = options.output.clone();
        let manifest = Manifest::new(experiment, &options.command);
        Ok(Self {
            folder,
            overwrite: derived(options, kept),
            kept,
            config: Some(config),
            manifest,
            begun: Instant::now(),
        })
    }

    /// Makes the folder, keeps other runs out of it, and removes what a run that was killed left half written.
    pub(super) fn lock(&mut self, files: &[&str]) -> Result<FolderLock> {
        let results = self.folder.join(self.kept.folder);
        std::fs::create_dir_all(&self.folder).map_err(Error::io(&self.folder, "make this folder"))?;
        let lock = FolderLock::take(&self.folder.join(self.kept.lock))?;
        std::fs::create_dir_all(&results).map_err(Error::io(&results, "make this folder"))?;
        remove_unfinished(&self.folder, |file| files.contains(&file) || [CONFIG, MANIFEST].contains(&file))?;
        remove_unfinished(&results, |_| true)?;
        Ok(lock)
    }

    /// Before the first result of a run that replaces tables and figures of an earlier one: its manifest, which says that they
    /// belong together, goes first.
    pub(super) fn begin_anew(&mut self) -> Result<()> {
        let path = self.folder.join(MANIFEST);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io(&path, "remove")(error));
            }
            _ => {}
        }
        self.overwrite = Overwrite::Replace;
        self.begin()
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Names a file of this or an earlier run in the manifest.
    pub(super) fn holds(&mut self, name: &str) -> Result<()> {
        self.written(name)
    }

    pub(super) fn input(&mut self, name: &str, hash: &str) {
        self.manifest.inputs.insert(name.into(), hash.into());
    }

    pub(super) fn result(&mut self, name: &str, value: f64) {
        self.manifest.results.insert(name.into(), value);
    }

    pub(super) fn table(&mut self, name: &str, table: &Table) -> Result<()> {
        self.begin()?;
        table.write(&self.folder.join(name), self.overwrite)?;
        self.written(name)
    }

    /// Writes `stem.svg` and `stem.png`, and notes what the figure shows.
    pub(super) fn figure(&mut self, stem: &str, figure: &Figure) -> Result<()> {
        self.begin()?;
        figure.write(&self.folder.join(stem), self.overwrite)?;
        self.written(&format!("{stem}.svg"))?;
        self.written(&format!("{stem}.png"))?;
        self.note_figure(stem, &figure.caption, figure.description());
        Ok(())
    }

    /// Writes `stem.png`, and notes what the pictures show.
    pub(super) fn montage(&mut self, stem: &str, montage: &Montage, caption: &str) -> Result<()> {
        self.begin()?;
        montage.write(&self.folder.join(stem), self.overwrite)?;
        self.written(&format!("{stem}.png"))?;
        self.note_figure(stem, caption, montage.description());
        Ok(())
    }

    fn note_figure(&mut self, stem: &str, caption: &str, description: String) {
        debug_assert!(!caption.is_empty(), "{stem}: a figure of an experiment says what is seen");
        self.manifest.figures.push(FigureNote { name: stem.into(), caption: caption.into(), description });
    }

    /// Writes the manifest last: where it stands, the run is complete.
    pub(super) fn finish(mut self, summary: String, execution: &Execution) -> Result<Manifest> {
        self.manifest.summary = summary;
        self.manifest.finished_on(execution, self.begun.elapsed().as_secs_f64());
        let path = self.folder.join(MANIFEST);
        let json = serde_json::to_vec_pretty(&self.manifest)
            .map_err(|error| Error::format(&path, "a manifest JSON can hold", error.to_string()))?;
        write_bytes(&path, self.overwrite, &json)?;
        Ok(self.manifest)
    }

    /// Makes the folder and writes `config.toml`, before the first result.
    fn begin(&mut self) -> Result<()> {
        let Some(config) = self.config.take() else { return Ok(()) };
        std::fs::create_dir_all(&self.folder).map_err(Error::io(&self.folder, "make this folder"))?;
        write_bytes(&self.folder.join(CONFIG), self.overwrite, config.as_bytes())?;
        self.written(CONFIG)
    }

    fn written(&mut self, name: &str) -> Result<()> {
        let hash = hash_file(&self.folder.join(name))?;
        self.manifest.files.insert(name.into(), hash);
        Ok(())
    }
}
