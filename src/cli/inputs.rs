//! Couplings and the data set that they meet.

use std::path::{Path, PathBuf};

use attractor::couplings::Couplings;
use attractor::datasets::DataSet;
use attractor::execution::Execution;
use attractor::spins::SpinMatrix;
use attractor::{Error, Result};
use clap::ValueEnum;

use super::options::Common;

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    Train,
    Test,
    Features,
}

/// Opens couplings, mapped or read whole as the options say.
pub fn open_couplings(path: &Path, common: &Common, execution: &Execution) -> Result<Couplings> {
    if common.no_mmap { Couplings::load(path, execution) } else { Couplings::open(path, execution) }
}

/// Opens both, of the same N.
pub fn couplings_and_data(
    couplings: &Path,
    data: &Path,
    common: &Common,
    execution: &Execution,
) -> Result<(Couplings, DataSet)> {
    let (opened, set) = (open_couplings(couplings, common, execution)?, DataSet::open(data)?);
    if set.n_spins() != opened.n_spins() {
        let expected = format!("N = {} as in {}", opened.n_spins(), couplings.display());
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
