//! `attractor train`: couplings from a data set. Options and what they turn into; [`run`] does the rest.

mod run;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use attractor::couplings::Couplings;
use attractor::datasets::DataSet;
use attractor::execution::Execution;
use attractor::learning::{Batches, Initial, PseudoLikelihood, Route, check_factor};
use attractor::{Error, Result};
use clap::{Args, ValueEnum};

use super::estimate::Estimate;
use super::options::Common;
use super::text::name_of;
use run::Run;

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
    /// [default: 1]
    #[arg(long)]
    lr_decay: Option<f64>,
    /// Read lambda and lr as the paper's lambda' and lr'
    #[arg(long)]
    paper_units: bool,
    /// Number of epochs [default: 200]
    #[arg(long)]
    epochs: Option<u64>,
    /// What a full-batch step works on; automatic takes gram up to load 1/3
    #[arg(long, value_enum, default_value_t = RouteOption::Automatic)]
    route: RouteOption,
    /// Patterns in a minibatch [default: all]
    #[arg(long)]
    batch: Option<usize>,
    /// Leave out a last, smaller minibatch
    #[arg(long, requires = "batch")]
    drop_last: bool,
    /// Initial couplings: hebb, zero, random, uniform, or a file [default: hebb]
    #[arg(long)]
    init: Option<String>,
    /// Factor of the initial couplings [default: 1]
    #[arg(long)]
    init_scale: Option<f64>,
    /// Weight decay [default: 0]
    #[arg(long)]
    l2: Option<f64>,
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

#[derive(Clone, Copy, ValueEnum)]
pub enum RouteOption {
    Automatic,
    /// The couplings
    Direct,
    /// Coefficients of the patterns
    Gram,
}

impl From<RouteOption> for Route {
    fn from(option: RouteOption) -> Self {
        match option {
            RouteOption::Automatic => Route::Automatic,
            RouteOption::Direct => Route::Direct,
            RouteOption::Gram => Route::Gram,
        }
    }
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
/// Epochs where no number is given.
const DEFAULT_EPOCHS: u64 = 200;

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
        if let Some(late) = self.snapshots.iter().find(|&&epoch| epoch > self.epochs()) {
            let expected = format!("epochs up to the last, {}", self.epochs());
            return Err(Error::parameter("snapshots", expected, late).into());
        }
        self.check_options_of_rule()?;
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
        PseudoLikelihood {
            lambda,
            lr,
            lr_decay: self.lr_decay.unwrap_or(1.0),
            l2: self.l2.unwrap_or(0.0),
            batches,
            route: self.route.into(),
            seed: self.common.seed,
        }
    }

    fn epochs(&self) -> u64 {
        self.epochs.unwrap_or(DEFAULT_EPOCHS)
    }

    fn init(&self) -> &str {
        self.init.as_deref().unwrap_or("hebb")
    }

    fn init_scale(&self) -> f64 {
        self.init_scale.unwrap_or(1.0)
    }

    /// Refuses options that the chosen rule would ignore.
    fn check_options_of_rule(&self) -> Result<()> {
        let given = match self.rule {
            Rule::Hebb => vec![
                ("lr", self.lr.is_some()),
                ("lr-decay", self.lr_decay.is_some()),
                ("epochs", self.epochs.is_some()),
                ("batch", self.batch.is_some()),
                ("init", self.init.is_some()),
                ("init-scale", self.init_scale.is_some()),
                ("l2", self.l2.is_some()),
                ("snapshots", !self.snapshots.is_empty()),
            ],
            Rule::PseudoLikelihood => vec![("normalise", self.normalise)],
        };
        match given.into_iter().find(|(_, given)| *given) {
            Some((name, _)) => {
                let expected = format!("no such option with --rule {}", name_of(self.rule));
                Err(Error::parameter(name, expected, "one"))
            }
            None => Ok(()),
        }
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
        let is_name = ["hebb", "zero", "random", "uniform"].contains(&self.init());
        (self.rule == Rule::PseudoLikelihood && !is_name).then_some(Path::new(self.init()))
    }

    fn initial(&self, n_spins: usize, execution: &Execution) -> Result<Initial> {
        check_factor(self.init_scale())?;
        let Some(file) = self.init_file() else {
            return Ok(match self.init() {
                "zero" => Initial::Zero,
                "random" => Initial::Random,
                "uniform" => Initial::Uniform,
                _ => Initial::Hebb,
            });
        };
        if !file.exists() {
            let expected = "hebb, zero, random, uniform or a file that exists";
            return Err(Error::parameter("init", expected, self.init()));
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
        // The Gram route has the overlaps of the patterns and two generations of coefficients, and keeps initial
        // couplings outside the span of the patterns with their fields.
        let is_gram = self.rule == Rule::PseudoLikelihood
            && self.parameters(data).route(data.n_patterns(), data.n_spins()) == Route::Gram;
        let gram = match (is_gram, self.init()) {
            (false, _) => 0.0,
            (true, "hebb" | "zero") => 4.0 * (p * p + 2.0 * n * p),
            (true, _) => 4.0 * (p * p + 3.0 * n * p) + couplings,
        };
        let memory = copies * couplings + gram + 3.0 * n * p / 8.0 + scratch + recall;
        let disk = couplings * (1.0 + self.snapshots.len() as f64);
        let epochs = if self.rule == Rule::Hebb { 0.0 } else { self.epochs() as f64 };
        let evaluations = 2.0 + self.eval_every.map_or(0.0, |every| epochs / every as f64);
        // Recalls of an evaluation rarely take more than a third of their steps.
        let recalled = 4.0 * self.eval_states as f64 * self.eval_steps as f64 / 3.0;
        // A real product takes about the time of four signed ones.
        let epoch = if is_gram { 4.0 * p * p * n } else { 2.0 * p * n * n };
        let work = epoch * epochs + n * n * evaluations * (p + recalled);
        Estimate::new(memory, disk, work, execution)
    }
}
