//! Published figures, one file each: parameters, run, table, plots.
//!
//! Knows every module below and is known by none but the command line. An experiment writes a run directory:
//! `config.toml` (parameters as resolved), `table.csv`, `figure.svg` and `figure.png`, `manifest.json` (program, command,
//! inputs and outputs with their hashes, captions, key figures, summary). [`report_of`] makes one page of such directories.

mod acquisition;
mod basin_size;
mod basins;
mod checks;
mod cost;
mod cutoff;
mod feature_learning;
mod finished_run;
mod gap;
mod kept;
mod manifest;
mod mnist;
mod parameters;
mod phase_diagram;
mod points;
mod proteins;
mod published;
mod run_directory;
mod samples;
mod spin_glass;
mod stabilities;
mod trajectory;
mod transition;

use std::path::{Path, PathBuf};

use crate::analysis::mean;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::storage::Overwrite;
use cost::cost_of;

pub use acquisition::run_acquisition;
pub use basin_size::{BasinSizeConfig, run_basin_size};
pub use basins::{BasinsConfig, run_basins};
pub use cost::Cost;
pub use cutoff::{
    CouplingsRow, CutoffConfig, CutoffResults, CutoffSetting, FitRow, PointRow, SettingEstimate, SizeCutoff,
    run_cutoff,
};
pub use feature_learning::FeatureLearningConfig;
pub use finished_run::report_of;
pub use gap::run_gap;
pub use manifest::{FigureNote, Manifest};
pub use mnist::{MnistConfig, run_mnist};
pub use parameters::Variation;
pub use phase_diagram::{PhaseDiagramConfig, run_phase_diagram};
pub use proteins::{ProteinsConfig, run_proteins};
pub use spin_glass::{GlassBonds, SpinGlassConfig, run_spin_glass};
pub use stabilities::{StabilitiesConfig, run_stabilities};
pub use transition::{TransitionConfig, run_transition};

/// P at a load P / N.
fn patterns_at(load: f64, n_spins: usize) -> usize {
    ((load * n_spins as f64).round() as usize).max(1)
}

/// What a caller chooses about an experiment.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder to write into; made if missing.
    pub output: PathBuf,
    /// The small version: seconds on two cores, the same physics.
    pub quick: bool,
    /// Seed of everything random.
    pub seed: u64,
    /// What to do with existing output.
    pub overwrite: Overwrite,
    /// Folder of the MNIST files, for the experiments that use them.
    pub mnist: PathBuf,
    /// An alignment, for the experiments that use one: a container, or FASTA, A2M, A3M (or .gz).
    pub alignment: Option<PathBuf>,
    /// What differs from the parameters that come with the program.
    pub variation: Variation,
    /// The command line, for the manifest.
    pub command: String,
}

impl Options {
    /// Parameters as they come with the program, seed 0.
    pub fn new(output: impl Into<PathBuf>, overwrite: Overwrite) -> Self {
        Self {
            output: output.into(),
            quick: false,
            seed: 0,
            overwrite,
            mnist: PathBuf::from("data/mnist"),
            alignment: None,
            variation: Variation::default(),
            command: String::new(),
        }
    }
}

/// An experiment that can be run by name.
pub struct Experiment {
    /// The name on the command line.
    pub name: &'static str,
    /// What it shows, in one line.
    pub about: &'static str,
    files: &'static [&'static str],
    /// Results that outlast a run that was stopped.
    kept: run_directory::Kept,
    /// Whether its input is there, if it takes one.
    check_input: Option<fn(&Options) -> Result<()>>,
    /// Its parameters as TOML.
    parameters: fn(&Options) -> Result<String>,
    cost: fn(&Options, &Execution) -> Result<Cost>,
    run: fn(&Options, &Execution) -> Result<Manifest>,
}

impl Experiment {
    /// All experiments.
    pub const ALL: [Experiment; 11] = [
        Experiment {
            name: "transition",
            about: "memorisation turns into generalisation on the power-law hidden manifold: overlaps, learned features \
                    and test gaps against load and epochs, pseudo-likelihood beside Hebb, and on MNIST where it is there",
            files: transition::FILES,
            kept: transition::KEPT,
            check_input: None,
            parameters: parameters::resolved::<TransitionConfig>,
            cost: cost_of::<TransitionConfig>,
            run: transition::run,
        },
        Experiment {
            name: "cutoff",
            about: "how many hidden features Hebb couplings store, k_max ~ N^(1/2eta), up to a million spins: signal to noise, \
                    overlaps and slopes beside the laws",
            files: cutoff::FILES,
            kept: cutoff::KEPT,
            check_input: None,
            parameters: parameters::resolved::<CutoffConfig>,
            cost: cost_of::<CutoffConfig>,
            run: cutoff::run,
        },
        Experiment {
            name: "acquisition",
            about: "in which order pseudo-likelihood learns the features of the power-law hidden manifold, in training time \
                    and in data, beside Hebb",
            files: acquisition::FILES,
            kept: acquisition::KEPT,
            check_input: None,
            parameters: parameters::resolved::<FeatureLearningConfig>,
            cost: cost_of::<FeatureLearningConfig>,
            run: acquisition::run,
        },
        Experiment {
            name: "gap",
            about: "how far the number of learned features explains the test gaps, over all loads, epochs and exponents",
            files: gap::FILES,
            kept: gap::KEPT,
            check_input: None,
            parameters: parameters::resolved::<FeatureLearningConfig>,
            cost: cost_of::<FeatureLearningConfig>,
            run: gap::run,
        },
        Experiment {
            name: "basins",
            about: "basins of attraction of pseudo-likelihood, margin rules, pseudo-inverse, Storkey and Hebb on random \
                    patterns, beside the published curves; symmetric couplings beside symmetrised ones",
            files: basins::FILES,
            kept: basins::KEPT,
            check_input: None,
            parameters: parameters::resolved::<BasinsConfig>,
            cost: cost_of::<BasinsConfig>,
            run: basins::run,
        },
        Experiment {
            name: "basin-size",
            about: "basin size of pseudo-likelihood against load, asymmetric, symmetrised and symmetric, and the couplings' asymmetry, \
                    along training, beside the published values (arXiv:2507.05147)",
            files: basin_size::FILES,
            kept: basin_size::KEPT,
            check_input: None,
            parameters: parameters::resolved::<BasinSizeConfig>,
            cost: cost_of::<BasinSizeConfig>,
            run: basin_size::run,
        },
        Experiment {
            name: "stabilities",
            about: "stabilities of the pseudo-likelihood's optimum beside the replica theory, its way to the couplings of \
                    largest margin, and their margin against Gardner's",
            files: stabilities::FILES,
            kept: stabilities::KEPT,
            check_input: None,
            parameters: parameters::resolved::<StabilitiesConfig>,
            cost: cost_of::<StabilitiesConfig>,
            run: stabilities::run,
        },
        Experiment {
            name: "phase-diagram",
            about: "where pseudo-likelihood keeps patterns, features and unseen examples of the hidden manifold, over load and \
                    feature load, with the lines of Hebb",
            files: phase_diagram::FILES,
            kept: phase_diagram::KEPT,
            check_input: None,
            parameters: parameters::resolved::<PhaseDiagramConfig>,
            cost: cost_of::<PhaseDiagramConfig>,
            run: phase_diagram::run,
        },
        Experiment {
            name: "mnist",
            about: "final overlaps of training, test and random states on MNIST 14x14 against load, beside the published \
                    curves (arXiv:2507.05147)",
            files: mnist::FILES,
            kept: mnist::KEPT,
            check_input: Some(mnist::check_input),
            parameters: parameters::resolved::<MnistConfig>,
            cost: cost_of::<MnistConfig>,
            run: mnist::run,
        },
        Experiment {
            name: "spin-glass",
            about: "final overlaps of training, test and random states on samples of the two-dimensional Edwards-Anderson glass \
                    against load, beside the published curves (arXiv:2507.05147), and the error of the recovered couplings",
            files: spin_glass::FILES,
            kept: spin_glass::KEPT,
            check_input: None,
            parameters: parameters::resolved::<SpinGlassConfig>,
            cost: cost_of::<SpinGlassConfig>,
            run: spin_glass::run,
        },
        Experiment {
            name: "proteins",
            about: "final overlaps of training and test sequences of a protein family against load, Potts spins learned by \
                    asymmetric and symmetric pseudo-likelihood, beside the published curves of another family",
            files: proteins::FILES,
            kept: proteins::KEPT,
            check_input: Some(proteins::check_input),
            parameters: parameters::resolved::<ProteinsConfig>,
            cost: proteins::cost,
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
        run_directory::check(options, self.files, self.kept, &self.parameters(options)?)?;
        self.check_input.map_or(Ok(()), |check| check(options))
    }

    /// The parameters of a run with these options, as TOML.
    ///
    /// # Errors
    /// If a key or value of the variation is not one of the experiment's, or out of range.
    pub fn parameters(&self, options: &Options) -> Result<String> {
        (self.parameters)(options)
    }

    /// What a run with these options takes from its beginning; points that the output holds already are not measured again.
    ///
    /// # Errors
    /// As [`parameters`](Self::parameters), or if an input is missing or no such thing.
    pub fn cost(&self, options: &Options, execution: &Execution) -> Result<Cost> {
        (self.cost)(options, execution).map(Cost::with_figures)
    }

    /// Whether `folder` holds results of a run, finished or not, to go on from.
    pub fn has_results(&self, folder: &Path) -> bool {
        let entries = folder.join(self.kept.folder).read_dir();
        entries.is_ok_and(|mut entries| entries.next().is_some())
    }

    /// Whether it is made from an alignment of the caller's.
    pub fn takes_alignment(&self) -> bool {
        self.name == "proteins"
    }

    /// Runs it.
    ///
    /// # Errors
    /// If the output exists and may not be replaced or cannot be written, inputs are missing, or interrupted.
    pub fn run(&self, options: &Options, execution: &Execution) -> Result<Manifest> {
        (self.run)(options, execution)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_experiment_has_its_parameters_full_and_small() {
        for experiment in &Experiment::ALL {
            let parameters = |quick| {
                let options = Options { quick, seed: 3, ..Options::new("none", Overwrite::Refuse) };
                let text = experiment.parameters(&options).unwrap();
                text.parse::<toml::Table>().unwrap()
            };
            let (full, quick) = (parameters(false), parameters(true));
            assert!(full.keys().eq(quick.keys()), "{}", experiment.name);
            assert_ne!(full, quick, "{}", experiment.name);
            assert_eq!(full["seed"].as_integer(), Some(3));
        }
    }
}
