//! `attractor export`: NumPy arrays for everyone else.

use std::path::PathBuf;

use attractor::Error;
use attractor::couplings::Couplings;
use attractor::datasets::write_npy_spins;
use attractor::storage::Container;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::options::Common;

#[derive(Args)]
pub struct Export {
    /// A file of this program: data set, couplings or states
    file: PathBuf,
    /// Format to write
    #[arg(long, value_enum, default_value_t = Format::Npy)]
    to: Format,
    /// Which spins of a data set (train, test, features) or of states (initial, final)
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
    /// float32 [N, N] for couplings, int8 +-1 [rows, N] for spins
    Npy,
}

impl Export {
    pub fn run(self) -> anyhow::Result<()> {
        let Format::Npy = self.to;
        let output = self.output.unwrap_or_else(|| self.file.with_extension("npy"));
        self.common.check_outputs(&[&output], &[&self.file])?;
        let container = Container::open_any(&self.file)?;
        let shape = match container.kind() {
            "couplings" => {
                if let Some(part) = self.part {
                    return Err(Error::parameter("part", "none for couplings", part).into());
                }
                let couplings = Couplings::open(&self.file, &self.common.execution()?)?;
                if !self.common.dry_run {
                    couplings.write_npy(&output, self.common.overwrite())?;
                }
                [couplings.n_spins(), couplings.n_spins()]
            }
            kind => {
                let default = match kind {
                    "states" => "final",
                    "attractors" => "attractors",
                    _ => "train",
                };
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
}
