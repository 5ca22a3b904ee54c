//! Couplings, in one file or a folder of shards, and the data set that they meet.

use std::path::{Path, PathBuf};

use attractor::couplings::Couplings;
use attractor::datasets::DataSet;
use attractor::execution::Execution;
use attractor::spins::SpinMatrix;
use attractor::storage::{Container, Description};
use attractor::{Error, Result};
use clap::ValueEnum;

use super::options::Common;
use super::train::COUNTS;

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    Train,
    Test,
    Features,
}

/// Opens couplings, a file or a folder of shards, mapped or read whole as the options say.
pub fn open_couplings(path: &Path, common: &Common, execution: &Execution) -> Result<Couplings> {
    if path.is_dir() {
        return open_shards(&shards_in(path)?, common, execution);
    }
    let container = Container::open_any(path)?;
    if container.kind() == Couplings::KIND_OF_SHARDS {
        let rows = container.description().get("rows").cloned().unwrap_or_default();
        let expected = "couplings of all rows: a file, made of shards by attractor join, or a folder of them";
        return Err(Error::format(path, expected, format!("rows {rows} alone")));
    }
    if common.no_mmap { Couplings::load(path, execution) } else { Couplings::open(path, execution) }
}

/// The files of shards in a folder, by name; other files there are left out.
///
/// # Errors
/// If there is none, or one that should be a container is none.
pub fn shards_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut shards = Vec::new();
    for path in visible_files(folder)? {
        match Container::open_any(&path) {
            Ok(container) if container.kind() == Couplings::KIND_OF_SHARDS => shards.push(path),
            Err(error) if is_container(&path) => return Err(error),
            _ => {}
        }
    }
    match shards.is_empty() {
        true => Err(Error::format(folder, "a file of couplings, or a folder of shards", "a folder without")),
        false => Ok(shards),
    }
}

/// The files of a folder by name, without hidden ones.
pub fn visible_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = folder.read_dir().map_err(Error::io(folder, "read this folder"))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.is_file() && !is_hidden(path));
    files.sort();
    Ok(files)
}

/// Whether a file has the ending of containers.
pub fn is_container(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "safetensors")
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Opens shards as the one J that they are of, described as if it had been learned at once.
pub fn open_shards(shards: &[PathBuf], common: &Common, execution: &Execution) -> Result<Couplings> {
    let couplings = match common.no_mmap {
        true => Couplings::load_shards(shards, execution)?,
        false => Couplings::open_shards(shards, execution)?,
    };
    let mut description = couplings.description().clone();
    let of_shard = |path: &PathBuf| Ok(Container::open_any(path)?.description().clone());
    let of_shards = shards.iter().map(of_shard).collect::<Result<Vec<Description>>>()?;
    for entry in COUNTS {
        let count = |description: &Description| description.get(entry)?.parse::<u64>().ok();
        if let Some(counts) = of_shards.iter().map(count).collect::<Option<Vec<_>>>() {
            description.insert(entry.into(), counts.iter().sum::<u64>().to_string());
        }
    }
    Ok(couplings.with_description(description))
}

/// Opens both, of the same N.
pub fn couplings_and_data(
    path: &Path,
    data: &Path,
    common: &Common,
    execution: &Execution,
) -> Result<(Couplings, DataSet)> {
    let (opened, set) = (open_couplings(path, common, execution)?, DataSet::open(data)?);
    if set.n_spins() != opened.n_spins() {
        let expected = format!("N = {} as in {}", opened.n_spins(), path.display());
        return Err(Error::format(data, expected, format!("N = {}", set.n_spins())));
    }
    Ok((opened, set))
}

impl Part {
    /// That part of the data set read from `path`.
    pub fn of(self, data: &DataSet, path: &Path) -> Result<SpinMatrix> {
        let (states, name) = match self {
            Self::Train => (Some(&data.train), "patterns"),
            Self::Test => (data.test.as_ref(), "test examples"),
            Self::Features => (data.features.as_ref(), "features"),
        };
        let missing = || Error::format(path, format!("{name}, as asked for by --from"), "none");
        states.cloned().ok_or_else(missing)
    }
}

/// The files of an output that is named by their common stem.
pub fn files(stem: Option<&Path>, suffixes: &[&str]) -> Vec<PathBuf> {
    let with = |suffix: &&str| {
        let mut name = stem?.file_name()?.to_owned();
        name.push(suffix);
        Some(stem?.with_file_name(name))
    };
    suffixes.iter().filter_map(with).collect()
}
