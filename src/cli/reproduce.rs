//! `attractor reproduce`: published figures.

use std::path::PathBuf;

use attractor::Error;
use attractor::experiments::{Experiment, Options, Variation};
use clap::Args;
use serde_json::json;

use super::estimate::Estimate;
use super::options::Common;
use super::provenance::command_line;
use super::text::listing;

#[derive(Args)]
pub struct Reproduce {
    /// Name of the experiment
    #[arg(required_unless_present = "list")]
    name: Option<String>,
    /// List the experiments
    #[arg(long)]
    list: bool,
    /// The small version: seconds on two cores
    #[arg(long)]
    quick: bool,
    /// Folder of the MNIST files, for experiments that use them
    #[arg(long, default_value = "data/mnist")]
    mnist: PathBuf,
    /// Alignment, for experiments that use one: made by `import alignment`, or of proteins in FASTA, A2M or A3M, plain or .gz,
    /// read as they are without duplicates
    #[arg(long, value_name = "FILE")]
    alignment: Option<PathBuf>,
    /// TOML file with parameters that differ from those of the program, such as the config.toml of another run, whose seed
    /// then counts
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A parameter that differs, such as n_samples=3 or loads=[0.1,0.4]; may be given more than once. --dry-run prints all
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Samples of every point (patterns, manifolds, images, glasses, ...), each with a seed of its own; figures then show means, curves
    /// with their standard errors
    #[arg(long, value_name = "NUMBER")]
    samples: Option<u32>,
    /// Folder to write into [default: the experiment's name, with -quick]
    #[arg(long, short)]
    output: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

impl Reproduce {
    pub fn run(self) -> anyhow::Result<()> {
        let Some(name) = self.name.filter(|_| !self.list) else {
            let all: Vec<_> =
                Experiment::ALL.iter().map(|e| json!({ "name": e.name, "about": e.about })).collect();
            let about = |e: &Experiment| match e.takes_alignment() {
                true => format!("{} (needs --alignment)", e.about),
                false => e.about.to_owned(),
            };
            let text = listing(Experiment::ALL.iter().map(|e| (e.name, about(e))));
            return self.common.print(&all, &text);
        };
        let experiment = Experiment::named(&name)?;
        if self.alignment.is_some() && !experiment.takes_alignment() {
            let expected = format!("no such option with reproduce {}", experiment.name);
            return Err(Error::parameter("alignment", expected, "a file").into());
        }
        let default = if self.quick { format!("{name}-quick") } else { name };
        let output = self.output.unwrap_or_else(|| default.into());
        let options = Options {
            quick: self.quick,
            seed: self.common.seed,
            mnist: self.mnist,
            alignment: self.alignment,
            variation: Variation { config: self.config, set: self.set, n_samples: self.samples },
            command: command_line(),
            ..Options::new(&output, self.common.overwrite())
        };
        if self.common.dry_run {
            experiment.check(&options)?;
        }
        let execution = self.common.execution()?;
        let estimate = Estimate::of_experiment(experiment.cost(&options, &execution)?, &execution);
        let parameters = experiment.parameters(&options)?;
        let text = format!(
            "{parameters}\nwould write into {}\nfrom the beginning: {}",
            output.display(),
            estimate.text(&execution)
        );
        let document = json!({
            "experiment": experiment.name, "output": output, "parameters": parameters, "estimate": estimate,
        });
        if !self.common.admits_as(&document, &text, &estimate, Some(&output), &execution)? {
            return Ok(());
        }
        if !self.common.force && experiment.has_results(&output) {
            let already = format!("note: with what {} holds of it already, which is kept", output.display());
            execution.progress().note(&already);
        }
        let manifest = experiment.run(&options, &execution)?;
        let files: Vec<_> = manifest.tables_and_figures().collect();
        let text = format!(
            "{}\n{}: {}, manifest.json ({:.0} s)",
            manifest.summary,
            output.display(),
            files.join(", "),
            manifest.seconds
        );
        self.common.print(&manifest, &text)
    }
}
