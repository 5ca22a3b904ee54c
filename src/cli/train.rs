//! `attractor train`: couplings from a data set, with metrics and snapshots on the way.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use attractor::analysis::{Evaluation, Observables, observe};
use attractor::couplings::Couplings;
use attractor::datasets::DataSet;
use attractor::execution::Execution;
use attractor::learning::{Batches, Initial, PseudoLikelihood, Trainer, check_factor, hebb};
use attractor::storage::{Description, Table};
use attractor::{Error, Result};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::common::{Common, listing, provenance, short, short_or_dash};
use super::estimate::Estimate;

#[derive(Args)]
pub struct Train {
    /// Data set
    data: PathBuf,
    /// Learning rule
    #[arg(long, value_enum, default_value_t = Rule::PseudoLikelihood)]
    rule: Rule,
    /// Solver of the pseudo-likelihood
    #[arg(long, value_enum, default_value_t = Solver::Gd)]
    solver: Solver,
    /// Symmetry of the couplings
    #[arg(long, value_enum, default_value_t = Variant::Asymmetric)]
    variant: Variant,
    /// Inverse temperature of the loss: twice the paper's lambda'
    /// [default: 0.2]
    #[arg(long)]
    lambda: Option<f64>,
    /// Learning rate: the paper's lr' times 2 / N [default: 1]
    #[arg(long)]
    lr: Option<f64>,
    /// Factor of the learning rate from epoch to epoch
    #[arg(long, default_value_t = 1.0)]
    lr_decay: f64,
    /// Read lambda and lr as the paper's lambda' and lr'
    #[arg(long)]
    paper_units: bool,
    /// Number of epochs
    #[arg(long, default_value_t = 200)]
    epochs: u64,
    /// Patterns in a minibatch [default: all]
    #[arg(long)]
    batch: Option<usize>,
    /// Leave out a last, smaller minibatch
    #[arg(long, requires = "batch")]
    drop_last: bool,
    /// Initial couplings: hebb, zero, random, uniform, or a file
    #[arg(long, default_value = "hebb")]
    init: String,
    /// Factor of the initial couplings
    #[arg(long, default_value_t = 1.0)]
    init_scale: f64,
    /// Weight decay
    #[arg(long, default_value_t = 0.0)]
    l2: f64,
    /// Write Hebb couplings divided by N, not integer counts with a scale
    #[arg(long)]
    normalise: bool,
    /// Append observables to metrics.csv every so many epochs
    #[arg(long)]
    eval_every: Option<u64>,
    /// States of each kind that evaluation recalls
    #[arg(long, default_value_t = 1000)]
    eval_states: usize,
    /// Parallel steps of that recall
    #[arg(long, default_value_t = 100)]
    eval_steps: u64,
    /// Keep the couplings of these epochs, such as 1,10,100
    #[arg(long, value_delimiter = ',')]
    snapshots: Vec<u64>,
    /// Table of --eval-every [default: metrics.csv beside the output]
    #[arg(long, requires = "eval_every")]
    metrics: Option<PathBuf>,
    /// File to write
    #[arg(long, short, default_value = "J.safetensors")]
    output: PathBuf,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rule {
    /// J = (1/N) sum of outer products
    Hebb,
    PseudoLikelihood,
}

#[derive(Clone, Copy, ValueEnum)]
enum Solver {
    /// Gradient descent
    Gd,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Variant {
    /// N independent problems
    Asymmetric,
    /// (J + J^T) / 2 of the asymmetric couplings
    Symmetrized,
}

/// Lambda where none is given.
const DEFAULT_LAMBDA: f64 = 0.2;
/// The learning rate where none is given.
const DEFAULT_LR: f64 = 1.0;

impl Train {
    pub fn run(self) -> anyhow::Result<()> {
        let execution = self.common.execution()?;
        let data = DataSet::open(&self.data)?;
        let parameters = self.parameters(&data);
        parameters.check(data.n_patterns())?;
        if self.eval_states == 0 {
            return Err(Error::parameter("eval-states", "at least 1", 0).into());
        }
        if self.eval_every == Some(0) {
            return Err(Error::parameter("eval-every", "at least 1 epoch", 0).into());
        }
        if let Some(late) = self.snapshots.iter().find(|&&epoch| epoch > self.epochs) {
            let expected = format!("epochs up to the last, {}", self.epochs);
            return Err(Error::parameter("snapshots", expected, late).into());
        }
        if self.rule == Rule::Hebb
            && let Some(epoch) = self.snapshots.first()
        {
            return Err(
                Error::parameter("snapshots", "none with --rule hebb, which has no epochs", epoch).into()
            );
        }
        self.check_outputs()?;
        let initial = self.initial(data.n_spins(), &execution)?;
        let estimate = self.estimate(&data, &execution);
        if self.common.dry_run {
            return self.common.print(&estimate, &estimate.text());
        }
        estimate.check_memory(&execution)?;
        if data.weights.is_some() && !self.common.quiet {
            eprintln!("note: the weights in {} are not used by this rule", self.data.display());
        }
        let mut run = Run::new(&self, &data, &parameters, &execution)?;
        match self.rule {
            Rule::Hebb => run.hebb()?,
            Rule::PseudoLikelihood => run.pseudo_likelihood(&parameters, &initial)?,
        }
        run.report()
    }

    fn parameters(&self, data: &DataSet) -> PseudoLikelihood {
        // lambda = 2 lambda', lr = 2 lr' / N.
        let n_spins = data.n_spins() as f64;
        let (lambda_unit, lr_unit) = if self.paper_units { (2.0, 2.0 / n_spins) } else { (1.0, 1.0) };
        let lambda = self.lambda.map_or(DEFAULT_LAMBDA, |lambda| lambda_unit * lambda);
        let lr = self.lr.map_or(DEFAULT_LR, |lr| lr_unit * lr);
        let batches = match self.batch {
            Some(size) => Batches::Mini { size, drop_last: self.drop_last },
            None => Batches::Full,
        };
        PseudoLikelihood { lambda, lr, lr_decay: self.lr_decay, l2: self.l2, batches, seed: self.common.seed }
    }

    /// Refuses outputs that cannot be written, are inputs, or are one another.
    fn check_outputs(&self) -> Result<()> {
        let mut outputs = vec![self.output.clone()];
        outputs.extend(
            self.snapshots.iter().collect::<BTreeSet<_>>().into_iter().map(|&e| self.snapshot_path(e)),
        );
        outputs.extend(self.eval_every.map(|_| self.metrics_path()));
        let outputs: Vec<&Path> = outputs.iter().map(PathBuf::as_path).collect();
        let inputs = [Some(self.data.as_path()), self.init_file()];
        self.common.check_outputs(&outputs, &inputs.into_iter().flatten().collect::<Vec<_>>())
    }

    /// The file of the initial couplings, where it is one.
    fn init_file(&self) -> Option<&Path> {
        let is_name = ["hebb", "zero", "random", "uniform"].contains(&self.init.as_str());
        (self.rule == Rule::PseudoLikelihood && !is_name).then_some(Path::new(&self.init))
    }

    fn initial(&self, n_spins: usize, execution: &Execution) -> Result<Initial> {
        check_factor(self.init_scale)?;
        let Some(file) = self.init_file() else {
            return Ok(match self.init.as_str() {
                "zero" => Initial::Zero,
                "random" => Initial::Random,
                "uniform" => Initial::Uniform,
                _ => Initial::Hebb,
            });
        };
        if !file.exists() {
            let expected = "hebb, zero, random, uniform or a file that exists";
            return Err(Error::parameter("init", expected, &self.init));
        }
        let couplings = Couplings::open(file, execution)?;
        if couplings.n_spins() != n_spins {
            let expected = format!("N = {n_spins} as in {}", self.data.display());
            return Err(Error::format(file, expected, format!("N = {}", couplings.n_spins())));
        }
        Ok(Initial::Given(couplings))
    }

    fn metrics_path(&self) -> PathBuf {
        self.metrics.clone().unwrap_or_else(|| self.output.with_file_name("metrics.csv"))
    }

    fn snapshot_path(&self, epoch: u64) -> PathBuf {
        let stem = self.output.file_stem().unwrap_or_default().to_string_lossy();
        self.output.with_file_name(format!("{stem}-epoch-{epoch}.safetensors"))
    }

    fn estimate(&self, data: &DataSet, execution: &Execution) -> Estimate {
        let (n, p) = (data.n_spins() as f64, data.n_patterns() as f64);
        let couplings = 4.0 * n * n;
        let copies = match (self.rule, self.variant, self.batch) {
            (Rule::Hebb, ..) => 1.0,
            (_, Variant::Asymmetric, None) => 2.0,
            (_, Variant::Symmetrized, None) | (_, Variant::Asymmetric, Some(_)) => 3.0,
            (_, Variant::Symmetrized, Some(_)) => 4.0,
        };
        let scratch = execution.n_threads() as f64 * 64.0 * (2.0 * n + p + 2048.0);
        let recall = self.eval_states as f64 * (6.0 * n / 8.0 + 256.0);
        let memory = copies * couplings + 3.0 * n * p / 8.0 + scratch + recall;
        let disk = couplings * (1.0 + self.snapshots.len() as f64);
        let epochs = if self.rule == Rule::Hebb { 0.0 } else { self.epochs as f64 };
        let evaluations = 2.0 + self.eval_every.map_or(0.0, |every| epochs / every as f64);
        // Recalls of an evaluation rarely take more than a third of their steps.
        let recalled = 4.0 * self.eval_states as f64 * self.eval_steps as f64 / 3.0;
        let work = n * n * (2.0 * p * epochs + evaluations * (p + recalled));
        Estimate::new(memory, disk, work, execution)
    }
}

/// A training run: what has been learned and observed so far.
struct Run<'a> {
    options: &'a Train,
    execution: &'a Execution,
    evaluation: Evaluation<'a>,
    description: Description,
    metrics: Table,
    latest: Option<(u64, Observables)>,
    couplings: Option<Couplings>,
    begun: Instant,
}

impl<'a> Run<'a> {
    fn new(
        options: &'a Train,
        data: &'a DataSet,
        parameters: &PseudoLikelihood,
        execution: &'a Execution,
    ) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let (n_states, n_steps) = (options.eval_states, options.eval_steps);
        let seed = options.common.seed;
        let evaluation = Evaluation::new(data, parameters.lambda, n_states, n_steps, seed, execution)?;
        let mut inputs: Vec<(&str, &Path)> = vec![("data", &options.data)];
        inputs.extend(options.init_file().map(|file| ("init_file", file)));
        let mut description = provenance(&inputs)?;
        description.insert("p".into(), data.n_patterns().to_string());
        description.insert("rule".into(), name_of(options.rule));
        description.insert("variant".into(), name_of(options.variant));
        if options.rule == Rule::PseudoLikelihood {
            let (batch, drop_last) = match parameters.batches {
                Batches::Full => ("full".to_owned(), false),
                Batches::Mini { size, drop_last } => (size.to_string(), drop_last),
            };
            description.extend([
                ("solver".to_owned(), name_of(options.solver)),
                ("lambda".to_owned(), parameters.lambda.to_string()),
                ("lr".to_owned(), parameters.lr.to_string()),
                ("lr_decay".to_owned(), parameters.lr_decay.to_string()),
                ("l2".to_owned(), parameters.l2.to_string()),
                ("batch".to_owned(), batch),
                ("drop_last".to_owned(), drop_last.to_string()),
                ("init".to_owned(), options.init.clone()),
                ("init_scale".to_owned(), options.init_scale.to_string()),
                ("seed".to_owned(), parameters.seed.to_string()),
            ]);
        }
        let columns = ["epoch"].into_iter().chain(Observables::COLUMNS);
        let metrics = Table::new(columns);
        if options.eval_every.is_some() {
            metrics.write(&options.metrics_path(), options.common.overwrite())?;
        }
        Ok(Self {
            options,
            execution,
            evaluation,
            description,
            metrics,
            latest: None,
            couplings: None,
            begun,
        })
    }

    fn hebb(&mut self) -> anyhow::Result<()> {
        let mut couplings = hebb(self.evaluation.train(), self.execution)?;
        if self.options.normalise {
            couplings = couplings.normalised(self.execution)?;
        }
        self.observe(0, &couplings)?;
        self.save(couplings, 0, "complete")
    }

    fn pseudo_likelihood(&mut self, parameters: &PseudoLikelihood, initial: &Initial) -> anyhow::Result<()> {
        let options = self.options;
        let train = self.evaluation.train();
        let mut trainer =
            Trainer::new(train, parameters.clone(), initial, options.init_scale, self.execution)?;
        let progress = self.execution.progress();
        progress.begin("training", options.epochs);
        self.observe_trainer(&trainer)?;
        if options.snapshots.contains(&0) {
            self.snapshot(0, trainer.couplings())?;
        }
        while trainer.epoch() < options.epochs {
            let next = self.next_stop(trainer.epoch());
            if let Err(error) = trainer.advance_to(next) {
                return self.stop_early(trainer, error);
            }
            let epoch = trainer.epoch();
            let is_evaluation =
                epoch == options.epochs || options.eval_every.is_some_and(|every| epoch % every == 0);
            if is_evaluation {
                let before = self.latest;
                let observed = match self.observe_trainer(&trainer) {
                    Ok(observed) => observed,
                    Err(error) => return self.stop_early(trainer, error),
                };
                if let Some((earlier, before)) = before
                    && observed.loss > before.loss
                {
                    progress.note(&format!(
                        "note: the loss rose from {} at epoch {earlier} to {} at epoch {epoch}; a smaller --lr may help",
                        short(before.loss),
                        short(observed.loss)
                    ));
                }
            }
            if options.snapshots.contains(&epoch) {
                self.snapshot(epoch, trainer.couplings())?;
            }
        }
        progress.end();
        let couplings = match options.variant {
            Variant::Asymmetric => trainer.into_couplings(),
            Variant::Symmetrized => trainer.into_couplings().symmetrized(self.execution)?,
        };
        self.save(couplings, options.epochs, "complete")
    }

    /// The next epoch at which something is to be done.
    fn next_stop(&self, epoch: u64) -> u64 {
        let evaluation = self.options.eval_every.map(|every| (epoch / every + 1) * every);
        let snapshot = self.options.snapshots.iter().copied().filter(|&snapshot| snapshot > epoch).min();
        [evaluation, snapshot].into_iter().flatten().min().unwrap_or(u64::MAX).min(self.options.epochs)
    }

    /// Saves the couplings of the last complete epoch, then passes the error on.
    fn stop_early(&mut self, trainer: Trainer<'_>, error: Error) -> anyhow::Result<()> {
        self.execution.progress().end();
        let status = if matches!(error, Error::Interrupted) { "interrupted" } else { "diverged" };
        let epoch = trainer.epoch();
        // Cancelled work is not resumed to symmetrise what is saved.
        self.description.insert("variant".into(), name_of(Variant::Asymmetric));
        self.save(trainer.into_couplings(), epoch, status)?;
        let saved = format!("the couplings of epoch {epoch} are in {}", self.options.output.display());
        Err(anyhow::Error::from(error).context(saved))
    }

    /// The couplings as the chosen variant has them.
    fn variant<'c>(&self, couplings: &'c Couplings) -> Result<Cow<'c, Couplings>> {
        match self.options.variant {
            Variant::Asymmetric => Ok(Cow::Borrowed(couplings)),
            Variant::Symmetrized => couplings.symmetrized(self.execution).map(Cow::Owned),
        }
    }

    fn observe_trainer(&mut self, trainer: &Trainer<'_>) -> Result<Observables> {
        let couplings = self.variant(trainer.couplings())?;
        self.observe(trainer.epoch(), &couplings)
    }

    fn observe(&mut self, epoch: u64, couplings: &Couplings) -> Result<Observables> {
        let observed = observe(couplings, &self.evaluation, self.execution)?;
        self.latest = Some((epoch, observed));
        self.metrics.push([vec![epoch.to_string()], observed.values()].concat());
        if self.options.eval_every.is_some() {
            self.metrics.append_last(&self.options.metrics_path())?;
            if !self.options.common.json {
                self.execution.progress().note(&progress_line(epoch, &observed));
            }
        }
        Ok(observed)
    }

    fn snapshot(&self, epoch: u64, couplings: &Couplings) -> Result<()> {
        let couplings = self.variant(couplings)?.into_owned();
        let couplings = couplings.with_description(self.describe(epoch, "snapshot"));
        couplings.write(&self.options.snapshot_path(epoch), self.options.common.overwrite())
    }

    fn describe(&self, epoch: u64, status: &str) -> Description {
        let mut description = self.description.clone();
        description.insert("epoch".into(), epoch.to_string());
        description.insert("status".into(), status.into());
        description
    }

    fn save(&mut self, couplings: Couplings, epoch: u64, status: &str) -> anyhow::Result<()> {
        let couplings = couplings.with_description(self.describe(epoch, status));
        couplings.write(&self.options.output, self.options.common.overwrite())?;
        self.couplings = Some(couplings);
        Ok(())
    }

    fn report(&self) -> anyhow::Result<()> {
        let Some((epoch, observed)) = self.latest else { return Ok(()) };
        let seconds = self.begun.elapsed().as_secs_f64();
        let mut document = serde_json::to_value(observed)?;
        document["epoch"] = json!(epoch);
        document["seconds"] = json!(seconds);
        document["output"] = json!(self.options.output);
        document["parameters"] = json!(self.description);
        let count = |at: fn(&attractor::analysis::FeatureCount) -> usize| {
            observed.learned_features.map_or("-".to_owned(), |count| at(&count).to_string())
        };
        let entry = |key: &str| self.description.get(key).cloned().unwrap_or_default();
        let how = match self.options.rule {
            Rule::Hebb => String::new(),
            Rule::PseudoLikelihood => format!(
                ", {}, lambda {}, lr {}, {epoch} epochs, from {}",
                entry("variant"),
                entry("lambda"),
                entry("lr"),
                entry("init")
            ),
        };
        let text = listing([
            ("couplings", self.options.output.display().to_string()),
            ("rule", format!("{}{how}", entry("rule"))),
            ("loss", short(observed.loss)),
            (
                "row norm |J_i|",
                format!("{} (lambda_eff {})", short(observed.row_norm), short(observed.lambda_eff)),
            ),
            (
                "stability",
                format!(
                    "mean {}, min {}, {:.2} % negative",
                    short(observed.stability.mean),
                    short(observed.stability.min),
                    100.0 * observed.stability.negative_fraction
                ),
            ),
            ("asymmetry", short(observed.asymmetry)),
            ("distance from Hebb", short_or_dash(observed.hebb_distance)),
            ("overlap train", short(observed.overlap.train)),
            ("overlap test", short_or_dash(observed.overlap.test)),
            ("overlap features", short_or_dash(observed.overlap.features)),
            ("overlap random", short(observed.overlap.random)),
            ("training patterns fixed", format!("{:.1} %", 100.0 * observed.fixed_fraction)),
            ("learned features", format!("{} at 0.9, {} at 0.99", count(|c| c.at_0_9), count(|c| c.at_0_99))),
            ("gap train - test", short_or_dash(observed.gap.map(|gap| gap.train_minus_test))),
            ("gap 1 - test", short_or_dash(observed.gap.map(|gap| gap.one_minus_test))),
            ("seconds", short(seconds)),
        ]);
        self.options.common.print(&document, &text)
    }
}

/// The name of an option's value as the user writes it.
fn name_of(value: impl ValueEnum) -> String {
    value.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned())
}

fn progress_line(epoch: u64, observed: &Observables) -> String {
    format!(
        "epoch {epoch}: loss {}, lambda_eff {}, overlap train {} test {} features {}, learned {}",
        short(observed.loss),
        short(observed.lambda_eff),
        short(observed.overlap.train),
        short_or_dash(observed.overlap.test),
        short_or_dash(observed.overlap.features),
        observed.learned_features.map_or("-".to_owned(), |count| count.at_0_9.to_string()),
    )
}
