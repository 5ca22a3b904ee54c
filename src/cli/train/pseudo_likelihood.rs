//! Options of the pseudo-likelihood and what they turn into.

use std::path::Path;

use attractor::couplings::Couplings;
use attractor::execution::Execution;
use attractor::learning::{Batches, Initial, PseudoLikelihood, Route, check_factor};
use attractor::{Error, Result};
use clap::{Args, ValueEnum};

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
    /// Initial couplings: hebb, zero, random, uniform, or a file [default: hebb]
    #[arg(long)]
    init: Option<String>,
    /// Factor of the initial couplings [default: 1]
    #[arg(long)]
    init_scale: Option<f64>,
    /// Weight decay [default: 0]
    #[arg(long)]
    l2: Option<f64>,
    /// Keep the couplings of these epochs, such as 1,10,100
    #[arg(long, value_delimiter = ',')]
    snapshots: Vec<u64>,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub enum Solver {
    /// Gradient descent
    #[default]
    Gd,
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
    pub fn given(&self) -> [(&'static str, bool); 11] {
        [
            ("solver", self.solver.is_some()),
            ("lr", self.lr.is_some()),
            ("lr-decay", self.lr_decay.is_some()),
            ("epochs", self.epochs.is_some()),
            ("route", self.route.is_some()),
            ("batch", self.batch.is_some()),
            ("drop-last", self.drop_last),
            ("init", self.init.is_some()),
            ("init-scale", self.init_scale.is_some()),
            ("l2", self.l2.is_some()),
            ("snapshots", !self.snapshots.is_empty()),
        ]
    }

    /// The parameters of training, `lr_unit` being what a learning rate of 1 means.
    pub fn parameters(&self, lambda: f64, lr_unit: f64, seed: u64) -> PseudoLikelihood {
        let batches = match self.batch {
            Some(size) => Batches::Mini { size, drop_last: self.drop_last },
            None => Batches::Full,
        };
        PseudoLikelihood {
            lambda,
            lr: self.lr.map_or(DEFAULT_LR, |lr| lr_unit * lr),
            lr_decay: self.lr_decay.unwrap_or(1.0),
            l2: self.l2.unwrap_or(0.0),
            batches,
            route: self.route.unwrap_or_default().into(),
            seed,
        }
    }

    pub fn solver(&self) -> Solver {
        self.solver.unwrap_or_default()
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
    /// If a snapshot comes after the last epoch.
    pub fn check(&self) -> Result<()> {
        match self.snapshots.iter().find(|&&epoch| epoch > self.epochs()) {
            Some(late) => {
                let expected = format!("epochs up to the last, {}", self.epochs());
                Err(Error::parameter("snapshots", expected, late))
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
    pub fn initial(&self, data: &Path, n_spins: usize, execution: &Execution) -> Result<Initial> {
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
