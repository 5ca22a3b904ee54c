//! `attractor cutoff`: how many hidden features Hebb couplings store, against N.

use std::path::PathBuf;

use attractor::experiments::{CutoffConfig, CutoffSetting, Experiment, Options, SettingEstimate, run_cutoff};
use attractor::{Error, Result};
use clap::Args;
use serde_json::json;

use super::budget::Bytes;
use super::estimate::{Estimate, bytes};
use super::options::Common;
use super::provenance::command_line;

#[derive(Args)]
pub struct Cutoff {
    /// Numbers of spins N, such as 4096,8192,16384
    #[arg(long, value_name = "N[,N...]", value_delimiter = ',', required = true)]
    n: Vec<usize>,
    /// Exponents eta of the feature frequencies k^-eta
    #[arg(long, value_name = "ETA[,ETA...]", value_delimiter = ',', default_value = "1.5")]
    exponent: Vec<f64>,
    /// Hidden features D as a multiple of N
    #[arg(long, default_value_t = 0.5, conflicts_with = "features")]
    features_per_spin: f64,
    /// Hidden features D, for every N
    #[arg(long)]
    features: Option<u64>,
    /// Features of a pattern L
    #[arg(long, default_value_t = 3)]
    active: usize,
    /// Patterns P as a multiple of N
    #[arg(long, conflicts_with = "patterns")]
    patterns_per_spin: Option<f64>,
    /// Patterns P, for every N
    #[arg(long, default_value_t = 100_000)]
    patterns: usize,
    /// Draws of features and patterns: one number for all N, or one for each
    #[arg(long, value_name = "R[,R...]", value_delimiter = ',', default_value = "8")]
    draws: Vec<u64>,
    /// Features measured, k = 1 to this [default: three times the predicted cutoff]
    #[arg(long)]
    ranks: Option<usize>,
    /// Parallel steps from each feature for its final overlap, or none; a step costs up to as much as all the rest
    #[arg(long, default_value_t = 0)]
    steps: usize,
    /// Measure also with stored couplings, in a file of 4 N^2 bytes where N is at most 131072, and compare field by field
    #[arg(long)]
    check_couplings: bool,
    /// Folder to write into; finished draws that it holds are not measured again, unless with --force.
    /// Tables and figures show the sizes of this command alone
    #[arg(long, short, default_value = "cutoff")]
    output: PathBuf,
    #[command(flatten)]
    common: Common,
}

impl Cutoff {
    pub fn run(self) -> anyhow::Result<()> {
        let execution = self.common.execution()?;
        let config = self.config()?;
        let options = Options {
            seed: self.common.seed,
            command: command_line(),
            ..Options::new(&self.output, self.common.overwrite())
        };
        let estimates = config.estimates(&execution)?;
        let estimate = Estimate::of_experiment(SettingEstimate::total(&estimates), &execution);
        if self.common.dry_run {
            Experiment::named("cutoff")?.check(&options)?;
        }
        let text = format!("{}\n{}", table(&config, &estimates), estimate.text(&execution));
        let document = json!({
            "memory_bytes": estimate.memory_bytes,
            "seconds": estimate.seconds,
            "settings": config.settings,
            "estimates": estimates,
        });
        if !self.common.admits_as(&document, &text, &estimate, Some(&self.output), &execution)? {
            return Ok(());
        }
        let (manifest, results) = run_cutoff(&config, &options, &execution)?;
        let files: Vec<_> = manifest.tables_and_figures().collect();
        let text = format!(
            "{}\n{}: {}, manifest.json; finished draws in {}",
            manifest.summary,
            self.output.display(),
            files.join(", "),
            self.output.join("points").display()
        );
        self.common.print(&results, &text)
    }

    fn config(&self) -> Result<CutoffConfig> {
        let n_draws = |index: usize| match self.draws.len() {
            1 => Ok(self.draws[0]),
            count if count == self.n.len() => Ok(self.draws[index]),
            count => {
                let expected = format!("one number, or {}, one for each N", self.n.len());
                Err(Error::parameter("draws", expected, format!("{count} numbers")))
            }
        };
        let mut settings = Vec::new();
        for &exponent in &self.exponent {
            let exponent = exponent + 0.0; // -0 is 0
            for (index, &n_spins) in self.n.iter().enumerate() {
                let n_patterns = match self.patterns_per_spin {
                    Some(factor) => multiple("patterns-per-spin", factor, n_spins)? as usize,
                    None => self.patterns,
                };
                let n_features = match self.features {
                    Some(features) => features,
                    None => multiple("features-per-spin", self.features_per_spin, n_spins)?,
                };
                let n_draws = n_draws(index)?;
                settings.push(CutoffSetting {
                    exponent,
                    n_spins,
                    n_patterns,
                    n_features,
                    n_draws,
                    n_steps: self.steps,
                });
            }
        }
        Ok(CutoffConfig {
            n_active: self.active,
            ranks: self.ranks,
            memory: self.common.memory.map(|Bytes(bytes)| bytes),
            check_couplings: self.check_couplings,
            seed: self.common.seed,
            settings,
        })
    }
}

/// `factor` N, rounded.
fn multiple(name: &'static str, factor: f64, n_spins: usize) -> Result<u64> {
    let product = factor * n_spins as f64;
    if !(factor > 0.0 && product < u64::MAX as f64) {
        return Err(Error::parameter(name, "a number above 0", factor));
    }
    Ok((product.round() as u64).max(1))
}

fn table(config: &CutoffConfig, estimates: &[SettingEstimate]) -> String {
    let mut text = "   eta          N          P          D  draws      K      memory\n".to_owned();
    for (setting, estimate) in config.settings.iter().zip(estimates) {
        text += &format!(
            "{:6} {:10} {:10} {:10} {:6} {:6} {:>11}\n",
            setting.exponent,
            setting.n_spins,
            setting.n_patterns,
            setting.n_features,
            setting.n_draws,
            estimate.features,
            bytes(estimate.bytes)
        );
    }
    text
}
