//! Options of the pseudo-likelihood and what they turn into.

use std::path::Path;

use attractor::execution::Execution;
use attractor::learning::{Batches, Initial, Lbfgs, Mask, PseudoLikelihood, Route, check_factor};
use attractor::{Error, Result};
use clap::{Args, ValueEnum};

use super::super::inputs::open_couplings;
use super::super::options::Common;

#[derive(Args)]
#[command(next_help_heading = "Options of the pseudo-likelihood")]
pub struct PseudoLikelihoodOptions {
    /// Solver [default: gd]
    #[arg(long, value_enum)]
    solver: Option<Solver>,
    /// Learning rate: the paper's lr' times 2 / N [default: 1]
    #[arg(long)]
    lr: Option<f64>,
    /// Factor of the learning rate from epoch to epoch
    /// [default: 1]
    #[arg(long)]
    lr_decay: Option<f64>,
    /// Learning rates that take over from an epoch on, such as 100:0.5,200:0.1
    #[arg(long, value_delimiter = ',', value_parser = lr_step)]
    lr_steps: Vec<(u64, f64)>,
    /// Share of the last step that is taken again [default: 0]
    #[arg(long)]
    momentum: Option<f64>,
    /// Number of epochs [default: 200]
    #[arg(long)]
    epochs: Option<u64>,
    /// What a full-batch step works on [default: automatic, which takes gram up to load 1/3]
    #[arg(long, value_enum)]
    route: Option<RouteOption>,
    /// Patterns in a minibatch [default: all]
    #[arg(long)]
    batch: Option<usize>,
    /// Leave out a last, smaller minibatch
    #[arg(long, requires = "batch")]
    drop_last: bool,
    /// Initial couplings: hebb, zero, random, uniform, or a file [default: hebb];
    /// of an alignment: zero, hebb, covariance, random, or a file [default: zero]
    #[arg(long)]
    init: Option<String>,
    /// Factor of the initial couplings [default: 1]
    #[arg(long)]
    init_scale: Option<f64>,
    /// Weight decay [default: 0]
    #[arg(long)]
    l2: Option<f64>,
    /// Weight of the sum of |J_ij| [default: 0]
    #[arg(long)]
    l1: Option<f64>,
    /// Learn a field theta_i of each neuron too
    #[arg(long)]
    fields: bool,
    /// Allowed couplings: a file of edges "i j", or the density of a random graph [default: all]
    #[arg(long)]
    mask: Option<String>,
    /// lbfgs: largest norm |J_i| without l2 [default: 20 / lambda]
    #[arg(long)]
    max_norm: Option<f64>,
    /// lbfgs: iterations after which a neuron is given up [default: 10000]
    #[arg(long)]
    max_iterations: Option<u64>,
    /// Keep the couplings of these epochs, such as 1,10,100
    #[arg(long, value_delimiter = ',')]
    snapshots: Vec<u64>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Solver {
    /// Gradient descent
    #[default]
    Gd,
    /// The optimum, by L-BFGS
    Lbfgs,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub enum RouteOption {
    #[default]
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

/// The learning rate where none is given.
const DEFAULT_LR: f64 = 1.0;
/// Epochs where no number is given.
const DEFAULT_EPOCHS: u64 = 200;

impl PseudoLikelihoodOptions {
    /// Every option, and whether it was given.
    pub fn given(&self) -> Vec<(&'static str, bool)> {
        let both = [
            ("solver", self.solver.is_some()),
            ("init", self.init.is_some()),
            ("init-scale", self.init_scale.is_some()),
            ("l2", self.l2.is_some()),
            ("fields", self.fields),
            ("mask", self.mask.is_some()),
        ];
        both.into_iter().chain(self.given_for_descent()).chain(self.given_for_lbfgs()).collect()
    }

    fn given_for_descent(&self) -> [(&'static str, bool); 10] {
        [
            ("lr", self.lr.is_some()),
            ("lr-decay", self.lr_decay.is_some()),
            ("lr-steps", !self.lr_steps.is_empty()),
            ("momentum", self.momentum.is_some()),
            ("epochs", self.epochs.is_some()),
            ("route", self.route.is_some()),
            ("batch", self.batch.is_some()),
            ("drop-last", self.drop_last),
            ("l1", self.l1.is_some()),
            ("snapshots", !self.snapshots.is_empty()),
        ]
    }

    fn given_for_lbfgs(&self) -> [(&'static str, bool); 2] {
        [("max-norm", self.max_norm.is_some()), ("max-iterations", self.max_iterations.is_some())]
    }

    /// The parameters of training, `lr_unit` being what a learning rate of 1 means.
    pub fn parameters(&self, lambda: f64, lr_unit: f64, symmetric: bool, seed: u64) -> PseudoLikelihood {
        let batches = match self.batch {
            Some(size) => Batches::Mini { size, drop_last: self.drop_last },
            None => Batches::Full,
        };
        PseudoLikelihood {
            lambda,
            lr: self.lr.map_or(DEFAULT_LR, |lr| lr_unit * lr),
            lr_decay: self.lr_decay.unwrap_or(1.0),
            lr_steps: self.lr_steps.iter().map(|&(epoch, lr)| (epoch, lr_unit * lr)).collect(),
            momentum: self.momentum.unwrap_or(0.0),
            l2: self.l2.unwrap_or(0.0),
            l1: self.l1.unwrap_or(0.0),
            theta: self.fields,
            symmetric,
            batches,
            route: self.route.unwrap_or_default().into(),
            seed,
        }
    }

    pub fn solver(&self) -> Solver {
        self.solver.unwrap_or_default()
    }

    /// The parameters of the solver lbfgs.
    pub fn lbfgs(&self, lambda: f64, tolerance: Option<f64>) -> Lbfgs {
        let default = Lbfgs::new(lambda);
        Lbfgs {
            tolerance: tolerance.unwrap_or(default.tolerance),
            max_iterations: self.max_iterations.unwrap_or(default.max_iterations),
            max_norm: self.max_norm.unwrap_or(default.max_norm),
        }
    }

    pub fn mask_name(&self) -> &str {
        self.mask.as_deref().unwrap_or("none")
    }

    /// The file of the mask, where it is one.
    pub fn mask_file(&self) -> Option<&Path> {
        self.mask.as_ref().filter(|mask| mask.parse::<f64>().is_err()).map(Path::new)
    }

    /// The allowed couplings of N = `n_spins` neurons.
    ///
    /// # Errors
    /// If they are neither a density nor a file of edges.
    pub fn mask(&self, n_spins: usize, seed: u64) -> Result<Option<Mask>> {
        let Some(name) = &self.mask else { return Ok(None) };
        match (name.parse::<f64>(), self.mask_file()) {
            (Ok(density), _) => Mask::erdos_renyi(n_spins, density, seed).map(Some),
            (_, Some(file)) if file.exists() => Mask::read(file, n_spins).map(Some),
            _ => Err(Error::parameter("mask", "a density, or a file that exists", name)),
        }
    }

    pub fn epochs(&self) -> u64 {
        self.epochs.unwrap_or(DEFAULT_EPOCHS)
    }

    pub fn snapshots(&self) -> &[u64] {
        &self.snapshots
    }

    pub fn init(&self) -> &str {
        self.init.as_deref().unwrap_or("hebb")
    }

    pub fn init_scale(&self) -> f64 {
        self.init_scale.unwrap_or(1.0)
    }

    /// Checks what [`PseudoLikelihood::check`] does not see.
    ///
    /// # Errors
    /// If a snapshot comes after the last epoch, or the solver has no such option.
    pub fn check(&self) -> Result<()> {
        if let Some(late) = self.snapshots.iter().find(|&&epoch| epoch > self.epochs()) {
            let expected = format!("epochs up to the last, {}", self.epochs());
            return Err(Error::parameter("snapshots", expected, late));
        }
        let (solver, foreign) = match self.solver() {
            Solver::Gd => ("gd", self.given_for_lbfgs().to_vec()),
            Solver::Lbfgs => ("lbfgs", self.given_for_descent().to_vec()),
        };
        match foreign.into_iter().find(|(_, given)| *given) {
            Some((name, _)) => {
                Err(Error::parameter(name, format!("no such option with --solver {solver}"), "one"))
            }
            None => Ok(()),
        }
    }

    /// The file of the initial couplings, where it is one.
    pub fn init_file(&self) -> Option<&Path> {
        let is_name = ["hebb", "zero", "random", "uniform"].contains(&self.init());
        (!is_name).then_some(Path::new(self.init()))
    }

    /// The initial couplings for the data set in `data`, of N = `n_spins`.
    ///
    /// # Errors
    /// If they are neither a name nor the file of couplings of that N with zero diagonal.
    pub fn initial(
        &self,
        data: &Path,
        n_spins: usize,
        common: &Common,
        execution: &Execution,
    ) -> Result<Initial> {
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
        let couplings = open_couplings(file, common, execution)?;
        if couplings.n_spins() != n_spins {
            let expected = format!("N = {n_spins} as in {}", data.display());
            return Err(Error::format(file, expected, format!("N = {}", couplings.n_spins())));
        }
        if couplings.has_self_coupling() {
            let expected = "couplings of zero diagonal, which training keeps";
            return Err(Error::format(file, expected, "self-coupling"));
        }
        Ok(Initial::Given(couplings))
    }
}

/// Reads "epoch:rate".
fn lr_step(text: &str) -> std::result::Result<(u64, f64), String> {
    let (epoch, lr) = text.split_once(':').ok_or("expected epoch:rate, such as 100:0.5")?;
    match (epoch.parse(), lr.parse()) {
        (Ok(epoch), Ok(lr)) => Ok((epoch, lr)),
        _ => Err("expected epoch:rate, such as 100:0.5".to_owned()),
    }
}
