//! `attractor train`: couplings from a data set. Options and what they turn into; [`run`] does the rest.

mod classical;
mod estimate;
mod margins;
mod neurons;
mod optimum;
mod potts;
mod pseudo_likelihood;
mod report;
mod rows;
mod run;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use attractor::datasets::DataSet;
use attractor::execution::{Execution, Keep};
use attractor::learning::{Initial, Lbfgs, Mask, Problem, PseudoLikelihood, has_kept_work};
use attractor::spins::SpinMatrix;
use attractor::storage::{Container, Description, folder_of, remove_unfinished};
use attractor::{Error, Result};
use clap::{Args, ValueEnum};

use super::budget::Interval;
use super::options::Common;
use super::resume::Resumed;
use super::run_folder::{Record, RunFolder};
use super::text::name_of;
use classical::ClassicalOptions;
pub use margins::COUNTS;
use margins::{MarginOptions, MarginRule};
pub use pseudo_likelihood::RouteOption;
use pseudo_likelihood::{PseudoLikelihoodOptions, Solver};
use run::Run;

#[derive(Args)]
pub struct Train {
    /// Data set, or alignment: Potts spins
    data: PathBuf,
    /// Learning rule
    #[arg(long, value_enum, default_value_t = Rule::PseudoLikelihood)]
    rule: Rule,
    /// Symmetry of the couplings [default: asymmetric]
    #[arg(long, value_enum)]
    variant: Option<Variant>,
    /// Inverse temperature of the loss: twice the paper's lambda'
    /// [default: 0.2]
    #[arg(long)]
    lambda: Option<f64>,
    /// Read lambda and lr as the paper's lambda' and lr'
    #[arg(long)]
    paper_units: bool,
    /// States of each kind that evaluation recalls
    #[arg(long, default_value_t = 1000)]
    eval_states: usize,
    /// Parallel steps of that recall
    #[arg(long, default_value_t = 100)]
    eval_steps: u64,
    /// Append observables to metrics.csv every so many epochs
    #[arg(long)]
    eval_every: Option<u64>,
    /// Table of --eval-every [default: metrics.csv beside the output]
    #[arg(long, requires = "eval_every")]
    metrics: Option<PathBuf>,
    /// lbfgs: relative gradient at which a neuron is done
    /// [default: 1e-6];
    /// max-stability: part of a neuron's largest margin that may be missing [default: 1e-3]
    #[arg(long)]
    tolerance: Option<f64>,
    /// Learn these rows of J alone, such as 0..4096: a shard, for `attractor join`; from a multiple of 64 to another or to N
    #[arg(long, value_parser = rows::rows)]
    rows: Option<Range<usize>>,
    /// Write a row a neuron to this table: norm, loss, stabilities, gradient or margin, and how its search ended
    #[arg(long)]
    per_neuron: Option<PathBuf>,
    /// Keep what is finished at least this often, for `attractor resume` [default: 10min]
    #[arg(long)]
    pub checkpoint: Option<Interval>,
    /// File to write
    #[arg(long, short, default_value = "J.safetensors")]
    output: PathBuf,
    #[command(flatten)]
    pseudo_likelihood: PseudoLikelihoodOptions,
    #[command(flatten)]
    margins: MarginOptions,
    #[command(flatten)]
    classical: ClassicalOptions,
    #[command(flatten)]
    pub common: Common,
    /// The run that this one goes on with.
    #[arg(skip)]
    resumed: Option<Resumed>,
}

/// How long finished work may wait to be kept.
const DEFAULT_CHECKPOINT: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rule {
    /// J = (1/N) sum of outer products
    Hebb,
    PseudoLikelihood,
    /// Projector on the patterns
    PseudoInverse,
    /// Hebb cleaned by sleep, on the way to the pseudo-inverse
    Dreaming,
    /// Storkey's incremental rule, in the order of the data
    Storkey,
    /// Corrects what is not above a margin, until all is
    Perceptron,
    /// The largest margin of every neuron
    MaxStability,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Variant {
    /// N independent problems
    #[default]
    Asymmetric,
    /// (J + J^T) / 2 of the asymmetric couplings
    Symmetrized,
    /// One problem, J = J^T throughout
    Symmetric,
}

/// Removes what a kill in the middle of writing these files has left beside them.
fn remove_unfinished_writes(outputs: &[&Path]) -> Result<()> {
    let names: BTreeSet<_> = outputs.iter().filter_map(|output| output.file_name()?.to_str()).collect();
    let folders: BTreeSet<_> = outputs.iter().map(|output| folder_of(output)).collect();
    folders.iter().try_for_each(|folder| remove_unfinished(folder, |file| names.contains(file)))
}

/// Lambda where none is given.
const DEFAULT_LAMBDA: f64 = 0.2;

impl Train {
    /// Goes on with the run of `folder`.
    pub fn resume(mut self, folder: RunFolder, record: Record) -> anyhow::Result<()> {
        self.resumed = Some(Resumed { folder, record });
        self.run()
    }

    pub fn run(mut self) -> anyhow::Result<()> {
        let resumed = self.resumed.take();
        let folder = RunFolder::path_for(&self.output);
        let execution = self.common.execution_with(folder_of(&folder))?;
        if Container::open_any(&self.data)?.kind() == "alignment" {
            if self.checkpoint.is_some() {
                let expected = "no such option for an alignment, whose training keeps no checkpoints";
                return Err(Error::parameter("checkpoint", expected, "one").into());
            }
            self.common.say_that_nothing_is_kept()?;
            return self.run_on_alignment(&execution);
        }
        let data = DataSet::open(&self.data)?;
        let parameters = self.parameters(data.n_spins());
        self.check_options_of_rule()?;
        self.check_rows()?;
        let mask = self.pseudo_likelihood.mask(data.n_spins(), self.common.seed)?;
        let problem = self.problem(&data, mask.as_ref())?;
        parameters.check(problem)?;
        if self.rule == Rule::PseudoLikelihood && self.pseudo_likelihood.solver() == Solver::Lbfgs {
            self.lbfgs(&parameters).check()?;
        }
        if self.eval_states == 0 {
            return Err(Error::parameter("eval-states", "at least 1", 0).into());
        }
        if self.eval_every == Some(0) {
            return Err(Error::parameter("eval-every", "at least 1 epoch", 0).into());
        }
        self.classical.check(self.rule, &data, self.common.seed)?;
        self.check_outputs(resumed.as_ref())?;
        let margins = self.margins.rule(self.rule, self.tolerance)?;
        let initial = match self.rule {
            Rule::PseudoLikelihood => {
                Some(self.pseudo_likelihood.initial(&self.data, data.n_spins(), &self.common, &execution)?)
            }
            _ => None,
        };
        let estimate = self.estimate(problem, &execution);
        // What an unfinished run has taken already is no longer free.
        let new_files = resumed.is_none().then_some(folder.as_path());
        if !self.common.admits(&estimate, new_files, &execution)? {
            return Ok(());
        }
        let (folder, provenance) = self.run_folder(resumed)?;
        let keep = Keep::new(folder.path(), self.checkpoint.map_or(DEFAULT_CHECKPOINT, |every| every.0));
        signal_hook::flag::register(signal_hook::consts::SIGUSR1, keep.flag())?;
        let execution = execution.keeping(keep);
        if data.weights.is_some() && self.rule != Rule::PseudoLikelihood {
            let data = self.data.display();
            execution.progress().note(&format!("note: the weights in {data} are not used by this rule"));
        }
        if let Some(n_isolated) = mask.as_ref().map(Mask::n_isolated).filter(|&n| n > 0) {
            let n_spins = data.n_spins();
            execution
                .progress()
                .note(&format!("note: {n_isolated} of {n_spins} neurons have no allowed coupling"));
        }
        let learned = self.learn(initial, margins, &data, problem, &parameters, provenance, &execution);
        let error = match learned {
            Ok(reported) => {
                // What was learned is complete, whether or not its report can be written.
                folder.remove()?;
                return reported;
            }
            Err(error) => error,
        };
        let is_over = match error.downcast_ref::<Error>() {
            Some(Error::Diverged { .. }) => true,
            // What cannot be begun is not to be gone on with.
            Some(Error::Parameter { .. } | Error::Shape { .. }) => !has_kept_work(folder.path()),
            _ => false,
        };
        if is_over {
            folder.remove()?;
            return Err(error);
        }
        let path = folder.path().display();
        Err(error.context(format!("what is finished is kept; attractor resume {path} goes on")))
    }

    /// The folder of this run, new or taken up, and what its record says of how it came about.
    fn run_folder(&self, resumed: Option<Resumed>) -> anyhow::Result<(RunFolder, Description)> {
        if let Some(Resumed { folder, record }) = resumed {
            return Ok((folder, record.provenance()));
        }
        let record = Record::of_this_run(&self.output, &self.inputs())?;
        Ok((RunFolder::create(&self.output, &record)?, record.provenance()))
    }

    /// Learns, and what came of its report.
    #[expect(clippy::too_many_arguments, reason = "a run is all of these")]
    fn learn(
        &self,
        initial: Option<Initial>,
        margins: Option<MarginRule>,
        data: &DataSet,
        problem: Problem<'_>,
        parameters: &PseudoLikelihood,
        provenance: Description,
        execution: &Execution,
    ) -> anyhow::Result<anyhow::Result<()>> {
        let mut run = Run::new(self, data, problem, parameters, provenance, execution)?;
        match (initial, margins) {
            (Some(initial), _) => match self.pseudo_likelihood.solver() {
                Solver::Gd => run.descend(&initial)?,
                Solver::Lbfgs => run.find_optimum(&initial, &self.lbfgs(parameters))?,
            },
            (None, Some(rule)) => run.hold_margins(&rule)?,
            (None, None) => {
                run.describe_as(self.classical.description(self.rule, self.common.seed));
                let problem = self.without_weights(&data.train)?;
                run.at_once(|| self.classical.couplings(self.rule, problem, self.common.seed, execution))?;
            }
        }
        Ok(run.report())
    }

    fn parameters(&self, n_spins: usize) -> PseudoLikelihood {
        // lambda = 2 lambda', lr = 2 lr' / N.
        let n_spins = n_spins as f64;
        let (lambda_unit, lr_unit) = if self.paper_units { (2.0, 2.0 / n_spins) } else { (1.0, 1.0) };
        let lambda = self.lambda.map_or(DEFAULT_LAMBDA, |lambda| lambda_unit * lambda);
        let symmetric = self.variant() == Variant::Symmetric;
        self.pseudo_likelihood.parameters(lambda, lr_unit, symmetric, self.common.seed)
    }

    fn lbfgs(&self, parameters: &PseudoLikelihood) -> Lbfgs {
        self.pseudo_likelihood.lbfgs(parameters.lambda, self.tolerance)
    }

    /// The patterns alone, and the neurons that learn them.
    fn without_weights<'a>(&self, patterns: &'a SpinMatrix) -> Result<Problem<'a>> {
        let problem = Problem::from(patterns);
        self.rows.clone().map_or(Ok(problem), |rows| problem.with_rows(rows))
    }

    /// The same with the weights of the data, and the couplings that `mask` allows.
    fn problem<'a>(&self, data: &'a DataSet, mask: Option<&'a Mask>) -> Result<Problem<'a>> {
        let problem = self.without_weights(&data.train)?;
        let problem = data.weights.as_ref().map_or(Ok(problem), |weights| problem.with_weights(weights))?;
        mask.map_or(Ok(problem), |mask| problem.with_mask(mask))
    }

    fn variant(&self) -> Variant {
        self.variant.unwrap_or_default()
    }

    /// Options that not every rule takes: name, whether it was given, and the rules that take it.
    fn options_of_rules(&self) -> Vec<(&'static str, bool, &'static [Rule])> {
        const PSEUDO_LIKELIHOOD: &[Rule] = &[Rule::PseudoLikelihood];
        let pseudo_likelihood = self.pseudo_likelihood.given();
        let mut options: Vec<_> =
            pseudo_likelihood.into_iter().map(|(name, given)| (name, given, PSEUDO_LIKELIHOOD)).collect();
        options.extend([
            ("variant", self.variant.is_some(), PSEUDO_LIKELIHOOD),
            ("tolerance", self.tolerance.is_some(), &[Rule::PseudoLikelihood, Rule::MaxStability]),
        ]);
        options.extend(self.margins.given());
        options.extend(self.classical.given());
        options
    }

    /// Refuses options that the chosen rule would ignore.
    fn check_options_of_rule(&self) -> Result<()> {
        let mut options = self.options_of_rules().into_iter();
        match options.find(|(_, given, rules)| *given && !rules.contains(&self.rule)) {
            Some((name, ..)) => {
                let expected = format!("no such option with --rule {}", name_of(self.rule));
                return Err(Error::parameter(name, expected, "one"));
            }
            None if self.rule != Rule::PseudoLikelihood => return Ok(()),
            None => {}
        }
        if self.tolerance.is_some() && self.pseudo_likelihood.solver() == Solver::Gd {
            return Err(Error::parameter("tolerance", "no such option with --solver gd", "one"));
        }
        self.pseudo_likelihood.check()
    }

    /// Refuses outputs that cannot be written, are inputs, or are one another. Those of a run that goes on may be there.
    fn check_outputs(&mut self, resumed: Option<&Resumed>) -> Result<()> {
        match resumed {
            None => RunFolder::check(&self.output, self.common.overwrite())?,
            Some(resumed) if !self.common.force => {
                resumed.check_output(&self.output)?;
                for &epoch in self.pseudo_likelihood.snapshots() {
                    resumed.check_output(&self.snapshot_path(epoch))?;
                }
                if self.eval_every.is_some() {
                    resumed.check_metrics(&self.metrics_path())?;
                }
                // The table of neurons comes after the output.
                if let Some(path) =
                    self.per_neuron.as_ref().filter(|path| path.exists() && !self.output.exists())
                {
                    return Err(Error::Exists { path: path.clone() });
                }
                self.common.force = true;
            }
            Some(_) => {}
        }
        let mut outputs = vec![self.output.clone()];
        let snapshots: BTreeSet<u64> = self.pseudo_likelihood.snapshots().iter().copied().collect();
        outputs.extend(snapshots.into_iter().map(|epoch| self.snapshot_path(epoch)));
        outputs.extend(self.eval_every.map(|_| self.metrics_path()));
        outputs.extend(self.per_neuron.clone());
        let outputs: Vec<&Path> = outputs.iter().map(PathBuf::as_path).collect();
        if resumed.is_some() {
            remove_unfinished_writes(&outputs)?;
        }
        let inputs: Vec<&Path> = self.inputs().into_iter().map(|(_, path)| path).collect();
        if resumed.is_none() {
            RunFolder::check_inputs(&self.output, &inputs)?;
        }
        self.common.check_outputs(&outputs, &inputs)
    }

    /// The files that are read, each under what it is for.
    fn inputs(&self) -> Vec<(&'static str, &Path)> {
        let mut inputs: Vec<(&str, &Path)> = vec![("data", &self.data)];
        if self.rule == Rule::PseudoLikelihood {
            inputs.extend(self.pseudo_likelihood.init_file().map(|file| ("init_file", file)));
            inputs.extend(self.pseudo_likelihood.mask_file().map(|file| ("mask_file", file)));
        }
        inputs
    }

    /// What a run says that ended before an epoch was complete.
    fn nothing_learned(&self, error: Error) -> anyhow::Error {
        let output = self.output.display();
        anyhow::Error::from(error)
            .context(format!("no epoch is complete: nothing was learned, and {output} was not written"))
    }

    fn metrics_path(&self) -> PathBuf {
        self.metrics.clone().unwrap_or_else(|| self.output.with_file_name("metrics.csv"))
    }

    fn snapshot_path(&self, epoch: u64) -> PathBuf {
        let stem = self.output.file_stem().unwrap_or_default().to_string_lossy();
        self.output.with_file_name(format!("{stem}-epoch-{epoch}.safetensors"))
    }
}
