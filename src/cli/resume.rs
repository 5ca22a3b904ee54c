//! `attractor resume`: goes on with a training run that was stopped in any way.

use std::path::{Path, PathBuf};

use anyhow::Context;
use attractor::storage::Container;
use attractor::{Error, Result};
use clap::{Args, CommandFactory, FromArgMatches};

use super::budget::Interval;
use super::options::Common;
use super::run_folder::{Record, RunFolder};
use super::{Cli, Command, with_negative_numbers};

#[derive(Args)]
pub struct Resume {
    /// Folder of the run, or the output that it was to write
    run: PathBuf,
    /// Keep what is finished at least this often [default: as the run began]
    #[arg(long)]
    checkpoint: Option<Interval>,
    #[command(flatten)]
    common: Common,
}

impl Resume {
    pub fn run(self) -> anyhow::Result<()> {
        if self.common.seed != 0 {
            let expected = "none: a run keeps its seed";
            return Err(Error::parameter("seed", expected, self.common.seed).into());
        }
        let (folder, record) = RunFolder::open(&self.run)?;
        let run = folder.path().display().to_string();
        std::env::set_current_dir(&record.directory).with_context(|| {
            format!("{run}: cannot go to {}, where the run began", record.directory.display())
        })?;
        record.check_inputs()?;
        let words = std::iter::once("attractor").chain(record.arguments.iter().map(String::as_str));
        let matches = with_negative_numbers(Cli::command()).try_get_matches_from(words);
        let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches));
        let Ok(Cli { command: Command::Train(mut train) }) = cli else {
            let found = record.command_line();
            return Err(Error::format(folder.path(), "the command of a training run", found).into());
        };
        self.change(&mut train.common);
        train.checkpoint = self.checkpoint.or(train.checkpoint);
        train.resume(folder, record)
    }

    /// Results depend on none of what may be changed.
    fn change(&self, common: &mut Common) {
        common.threads = self.common.threads.or(common.threads);
        common.memory = self.common.memory.or(common.memory);
        common.json |= self.common.json;
        common.quiet |= self.common.quiet;
        common.dry_run = self.common.dry_run;
        common.no_mmap |= self.common.no_mmap;
        common.force |= self.common.force;
    }
}

/// A run that goes on.
pub struct Resumed {
    pub folder: RunFolder,
    pub record: Record,
}

impl Resumed {
    /// Refuses an output, or a snapshot, that is there and is not what this run wrote before it was stopped.
    ///
    /// # Errors
    /// That it exists.
    pub fn check_output(&self, output: &Path) -> Result<()> {
        let own = self.record.command_line();
        match Container::open_any(output) {
            _ if !output.exists() => Ok(()),
            Ok(found) if found.description().get("command") == Some(&own) => Ok(()),
            _ => Err(Error::Exists { path: output.to_owned() }),
        }
    }

    /// Refuses a table of metrics that does not hold the rows of this run.
    ///
    /// # Errors
    /// That it exists.
    pub fn check_metrics(&self, path: &Path) -> Result<()> {
        let Ok(found) = std::fs::read(path) else { return Ok(()) };
        let is_own = match std::fs::read(self.folder.metrics()) {
            Ok(own) => found.iter().zip(&own).all(|(found, own)| found == own),
            // Earlier programs kept none of their own.
            Err(_) => self.record.folder.is_none(),
        };
        if is_own { Ok(()) } else { Err(Error::Exists { path: path.to_owned() }) }
    }
}
