//! Published figures, one file each: parameters, run, table, plots.
//!
//! Knows every module below and is known by none but the command line. An experiment writes a run directory:
//! `config.toml` (parameters as resolved), `table.csv`, `figure.svg` and `figure.png`, `manifest.json` (program, command,
//! inputs and outputs with their hashes).

mod acquisition;
mod basins;
mod cutoff;
mod edwards_anderson;
mod kept;
mod mnist;
mod proteins;
mod published;
mod rules;
mod run_directory;
mod stability;
mod trajectory;
mod transition;

use std::path::PathBuf;

use crate::analysis::mean;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::storage::Overwrite;

pub use acquisition::{AcquisitionConfig, run_acquisition};
pub use basins::{BasinsConfig, run_basins};
pub use cutoff::{
    CouplingsRow, CutoffConfig, CutoffResults, CutoffSetting, FitRow, PointRow, SettingEstimate, SizeCutoff,
    run_cutoff,
};
pub use edwards_anderson::{EdwardsAndersonConfig, GlassBonds, run_edwards_anderson};
pub use mnist::{MnistConfig, run_mnist};
pub use proteins::{ProteinsConfig, run_proteins};
pub use rules::{RulesConfig, run_rules};
pub use run_directory::Manifest;
pub use stability::{StabilityConfig, run_stability};
pub use transition::{TransitionConfig, run_transition};

/// What a caller chooses about an experiment.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder to write into; made if missing.
    pub output: PathBuf,
    /// The small version: under a minute on two cores, the same physics.
    pub quick: bool,
    /// Seed of everything random.
    pub seed: u64,
    /// What to do with existing output.
    pub overwrite: Overwrite,
    /// Folder of the MNIST files, for the experiments that use them.
    pub mnist: PathBuf,
    /// An alignment, for the experiments that use one.
    pub alignment: Option<PathBuf>,
    /// The command line, for the manifest.
    pub command: String,
}

/// What an experiment came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The manifest as written.
    pub manifest: Manifest,
    /// A few lines for people.
    pub summary: String,
}

/// An experiment that can be run by name.
pub struct Experiment {
    /// The name on the command line.
    pub name: &'static str,
    /// What it shows, in one line.
    pub about: &'static str,
    files: &'static [&'static str],
    /// Results that outlast a run that was stopped.
    kept: Option<run_directory::Kept>,
    /// Whether its input is there, if it takes one.
    check_input: Option<fn(&Options) -> Result<()>>,
    run: fn(&Options, &Execution) -> Result<Outcome>,
}

impl Experiment {
    /// All experiments.
    pub const ALL: [Experiment; 9] = [
        Experiment {
            name: "transition",
            about: "memorisation turns into generalisation on the power-law hidden manifold: overlaps, learned features \
                    and test gaps against load and epochs, pseudo-likelihood beside Hebb",
            files: transition::FILES,
            kept: None,
            check_input: None,
            run: transition::run,
        },
        Experiment {
            name: "cutoff",
            about: "how many hidden features Hebb couplings store, k_max ~ N^(1/2eta), up to a million spins: signal to noise, \
                    overlaps and slopes beside the laws",
            files: cutoff::FILES,
            kept: Some(cutoff::KEPT),
            check_input: None,
            run: cutoff::run,
        },
        Experiment {
            name: "acquisition",
            about: "in which order pseudo-likelihood learns the features of the power-law hidden manifold, in training time \
                    and in data, beside Hebb; and how far the number of learned features explains the test gaps",
            files: acquisition::FILES,
            kept: None,
            check_input: None,
            run: acquisition::run,
        },
        Experiment {
            name: "rules",
            about: "basins of attraction of pseudo-likelihood, margin rules, pseudo-inverse, Storkey and Hebb on random \
                    patterns, beside the published curves; symmetric couplings beside symmetrised ones",
            files: rules::FILES,
            kept: None,
            check_input: None,
            run: rules::run,
        },
        Experiment {
            name: "basins",
            about: "basin size of pseudo-likelihood against load, asymmetric and symmetrised, and the couplings' asymmetry, along \
                    training, beside the published values (arXiv:2507.05147)",
            files: basins::FILES,
            kept: Some(basins::KEPT),
            check_input: None,
            run: basins::run,
        },
        Experiment {
            name: "stability",
            about: "stabilities of the pseudo-likelihood's optimum beside the replica theory, its way to the couplings of \
                    largest margin, and their margin against Gardner's",
            files: stability::FILES,
            kept: None,
            check_input: None,
            run: stability::run,
        },
        Experiment {
            name: "mnist",
            about: "final overlaps of training, test and random states on MNIST 14x14 against load, beside the published \
                    curves (arXiv:2507.05147)",
            files: mnist::FILES,
            kept: None,
            check_input: Some(mnist::check_input),
            run: mnist::run,
        },
        Experiment {
            name: "edwards-anderson",
            about: "final overlaps of training, test and random states on samples of the two-dimensional Edwards-Anderson glass \
                    against load, beside the published curves (arXiv:2507.05147), and the error of the recovered couplings",
            files: edwards_anderson::FILES,
            kept: Some(edwards_anderson::KEPT),
            check_input: None,
            run: edwards_anderson::run,
        },
        Experiment {
            name: "proteins",
            about: "final overlaps of training and test sequences of a protein family against load, Potts spins learned by \
                    asymmetric and symmetric pseudo-likelihood, beside the published curves of another family; needs an \
                    alignment, --data",
            files: proteins::FILES,
            kept: Some(proteins::KEPT),
            check_input: Some(proteins::check_input),
            run: proteins::run,
        },
    ];

    /// The experiment of that name.
    ///
    /// # Errors
    /// Lists the names there are.
    pub fn named(name: &str) -> Result<&'static Experiment> {
        const ALL: &[Experiment] = &Experiment::ALL;
        ALL.iter().find(|experiment| experiment.name == name).ok_or_else(|| {
            let names: Vec<_> = ALL.iter().map(|experiment| experiment.name).collect();
            Error::parameter("experiment", format!("one of {}", names.join(", ")), name)
        })
    }

    /// Checks that its output can be written and its input is there.
    ///
    /// # Errors
    /// If a file exists and may not be replaced, the folder cannot be made, or an input is missing or no such thing.
    pub fn check(&self, options: &Options) -> Result<()> {
        run_directory::check_folder(options, self.files, self.kept)?;
        self.check_input.map_or(Ok(()), |check| check(options))
    }

    /// Whether it is made from an alignment of the caller's.
    pub fn takes_alignment(&self) -> bool {
        self.name == "proteins"
    }

    /// Runs it.
    ///
    /// # Errors
    /// If the output exists and may not be replaced or cannot be written, inputs are missing, or interrupted.
    pub fn run(&self, options: &Options, execution: &Execution) -> Result<Outcome> {
        (self.run)(options, execution)
    }
}
