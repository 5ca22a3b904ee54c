//! `attractor join`: shards of rows made one file of couplings.

use std::path::{Path, PathBuf};

use attractor::Result;
use clap::Args;
use serde_json::json;

use super::inputs::{open_shards, shards_in};
use super::options::Common;
use super::provenance::command_line;
use super::text::{listing, short};

#[derive(Args)]
pub struct Join {
    /// Shards (`attractor train --rows`) in whatever order, or a folder of them
    #[arg(required = true)]
    shards: Vec<PathBuf>,
    /// File to write
    #[arg(long, short, default_value = "J.safetensors")]
    output: PathBuf,
    #[command(flatten)]
    common: Common,
}

impl Join {
    pub fn run(self) -> anyhow::Result<()> {
        let execution = self.common.execution()?;
        let shards = self.shards()?;
        let inputs: Vec<&Path> = shards.iter().map(PathBuf::as_path).collect();
        self.common.check_outputs(&[&self.output], &inputs)?;
        let couplings = open_shards(&shards, &self.common, &execution)?;
        if self.common.dry_run {
            return self.common.print_dry_run(&self.output);
        }
        let begun = std::time::Instant::now();
        let mut description = couplings.description().clone();
        description.insert("command".into(), command_line());
        let couplings = couplings.with_description(description);
        couplings.write_slowly(&self.output, self.common.overwrite(), &execution)?;
        let seconds = begun.elapsed().as_secs_f64();
        let document = json!({
            "n": couplings.n_spins(), "shards": shards.len(), "output": self.output, "seconds": seconds,
        });
        let lines = [
            ("couplings", self.output.display().to_string()),
            ("N", couplings.n_spins().to_string()),
            ("shards", shards.len().to_string()),
            ("seconds", short(seconds)),
        ];
        self.common.print(&document, &listing(lines))
    }

    /// The files, those of folders included.
    fn shards(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for path in &self.shards {
            match path.is_dir() {
                true => files.extend(shards_in(path)?),
                false => files.push(path.clone()),
            }
        }
        Ok(files)
    }
}
