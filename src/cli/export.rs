//! `attractor export`: NumPy arrays for everyone else.

use std::path::PathBuf;

use attractor::couplings::Couplings;
use attractor::datasets::{Alignment, write_npy_letters, write_npy_spins};
use attractor::potts::{PottsCouplings, PottsRecall};
use attractor::spins::Sequences;
use attractor::storage::Container;
use attractor::{Error, Result};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::inputs::open_couplings;
use super::options::Common;

#[derive(Args)]
pub struct Export {
    /// A file of this program: data set, alignment, couplings or states; or a folder of shards of couplings
    file: PathBuf,
    /// Format to write
    #[arg(long, value_enum, default_value_t = Format::Npy)]
    to: Format,
    /// Which spins of a data set (train, test, features) or alignment (train, test) or of states (initial, final)
    /// [default: train, final]
    #[arg(long)]
    part: Option<String>,
    /// File to write [default: the input's name with .npy]
    #[arg(long, short)]
    output: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// float32 [N, N] for couplings, int8 +-1 [rows, N] for spins; of Potts spins float32 [L q, L q] and uint8 [rows, L],
    /// numbers of letters
    Npy,
}

impl Export {
    pub fn run(self) -> anyhow::Result<()> {
        let Format::Npy = self.to;
        let output = self.output.clone().unwrap_or_else(|| self.file.with_extension("npy"));
        self.common.check_outputs(&[&output], &[&self.file])?;
        let container = if self.file.is_dir() { None } else { Some(Container::open_any(&self.file)?) };
        let kind = container.as_ref().map_or("couplings", Container::kind);
        let shape = match kind {
            "couplings" | Couplings::KIND_OF_SHARDS => {
                if let Some(part) = &self.part {
                    return Err(Error::parameter("part", "none for couplings", part).into());
                }
                let couplings = open_couplings(&self.file, &self.common, &self.common.execution()?)?;
                if !self.common.dry_run {
                    couplings.write_npy(&output, self.common.overwrite())?;
                }
                [couplings.n_spins(), couplings.n_spins()]
            }
            PottsCouplings::KIND => {
                if let Some(part) = &self.part {
                    return Err(Error::parameter("part", "none for couplings", part).into());
                }
                let couplings = PottsCouplings::open(&self.file, &self.common.execution()?)?;
                if !self.common.dry_run {
                    couplings.write_npy(&output, self.common.overwrite())?;
                }
                [couplings.n_rows(), couplings.n_rows()]
            }
            kind @ ("alignment" | PottsRecall::KIND) => {
                let sequences = self.letters(kind)?;
                if !self.common.dry_run {
                    write_npy_letters(&output, &sequences, self.common.overwrite())?;
                }
                [sequences.n_rows(), sequences.n_columns()]
            }
            kind => {
                let default = match kind {
                    "states" => "final",
                    "attractors" => "attractors",
                    _ => "train",
                };
                let Some(container) = &container else { unreachable!("folders hold couplings") };
                let spins = container.spins(self.part.as_deref().unwrap_or(default))?;
                if !self.common.dry_run {
                    write_npy_spins(&output, &spins, self.common.overwrite())?;
                }
                [spins.n_rows(), spins.n_spins()]
            }
        };
        let document = json!({ "output": output, "shape": shape });
        self.common.print(&document, &format!("{}: {} x {}", output.display(), shape[0], shape[1]))
    }

    /// The letters of an alignment or of Potts states.
    fn letters(&self, kind: &str) -> Result<Sequences> {
        let part = self.part.as_deref();
        let (expected, found) = if kind == PottsRecall::KIND {
            let (starts, recall) = PottsRecall::open(&self.file)?;
            match part {
                Some("initial") => return Ok(starts),
                None | Some("final") => return Ok(recall.states),
                Some(other) => ("initial or final", other),
            }
        } else {
            let alignment = Alignment::open(&self.file)?;
            match (part, alignment.test) {
                (None | Some("train"), _) => return Ok(alignment.train),
                (Some("test"), Some(test)) => return Ok(test),
                (Some("test"), None) => ("train, the only part of this alignment", "test"),
                (Some(other), _) => ("train or test", other),
            }
        };
        Err(Error::parameter("part", expected, found))
    }
}
