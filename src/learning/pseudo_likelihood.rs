//! Pseudo-likelihood by gradient descent (arXiv:2507.05147).
//!
//! Neuron i minimises l_i = (1 / (lambda P)) sum_mu log(1 + exp(-lambda xi_i h_i)) + (l2 / 2) |J_i|^2 over its row:
//!
//! ```text
//! J_ij += lr * mean_mu [ xi_i xi_j sigma(-lambda xi_i h_i) ] - lr * l2 * J_ij,    J_ii = 0
//! ```
//!
//! The paper writes log 2 cosh(lambda' h) - lambda' xi h and averages over i too: lambda = 2 lambda', lr = 2 lr' / N.
//!
//! A step of a panel is two signed products around the residuals: fields `[mu][16]` from couplings `[j][16]`, then the
//! gradient `[j][16]` from residuals `[mu][16]`. The output layout of the first is the input layout of the second.

use super::patterns::PatternBits;
use crate::couplings::panel_rows;
use crate::error::{Error, Result};
use crate::kernels::{Finish, Isa, Lanes, Source, Tables, local_fields};

/// Which patterns a step sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batches {
    /// All of them, in the order of the data.
    Full,
    /// `size` at a time, in an order shuffled anew each epoch; a last smaller batch is used unless `drop_last`.
    Mini { size: usize, drop_last: bool },
}

/// What a full-batch step works on. Both are exact; they round differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Route {
    /// The Gram route for loads up to 1/3, the direct one beyond and for minibatches.
    #[default]
    Automatic,
    /// The couplings: 2 N P signed products a neuron and epoch.
    Direct,
    /// Coefficients of the patterns: P^2 real products a neuron and epoch.
    Gram,
}

/// Parameters of gradient descent on the pseudo-likelihood.
#[derive(Clone, Debug, PartialEq)]
pub struct PseudoLikelihood {
    /// Inverse temperature of the loss, lambda = 2 lambda'. Positive.
    pub lambda: f64,
    /// Learning rate of the first epoch, lr = 2 lr' / N. Positive.
    pub lr: f64,
    /// Factor of the learning rate from epoch to epoch. Positive; 1 keeps it.
    pub lr_decay: f64,
    /// Weight decay. Not negative.
    pub l2: f64,
    /// Full batch or minibatches.
    pub batches: Batches,
    /// Direct or Gram route, or whichever is faster by the load.
    pub route: Route,
    /// Seed of the shuffles.
    pub seed: u64,
}

/// Up to 1 / this load the Gram route is the faster one: a real product costs about four signed ones, and there are P^2
/// for 2 N P.
const GRAM_SPINS_PER_PATTERN: usize = 3;

impl PseudoLikelihood {
    /// Full batches at a constant learning rate, without weight decay, on the route that fits the load; seed 0.
    pub fn new(lambda: f64, lr: f64) -> Self {
        Self { lambda, lr, lr_decay: 1.0, l2: 0.0, batches: Batches::Full, route: Route::Automatic, seed: 0 }
    }

    /// Checks every parameter against its range, with `n_patterns` patterns to learn.
    ///
    /// # Errors
    /// Names the first parameter outside its range.
    pub fn check(&self, n_patterns: usize) -> Result<()> {
        let positive = |name, value: f64| {
            // Steps are taken in f32: a value must be positive and finite there too.
            let sound = value as f32 > 0.0 && (value as f32).is_finite();
            if sound { Ok(()) } else { Err(Error::parameter(name, "a finite positive number", value)) }
        };
        positive("lambda", self.lambda)?;
        positive("lr", self.lr)?;
        positive("lr-decay", self.lr_decay)?;
        if !(self.l2 >= 0.0 && (self.l2 as f32).is_finite()) {
            return Err(Error::parameter("l2", "a finite number, 0 or above", self.l2));
        }
        match self.batches {
            Batches::Mini { size: 0, .. } => Err(Error::parameter("batch", "at least 1 pattern", 0)),
            Batches::Mini { size, drop_last: true } if size > n_patterns => {
                let expected = format!("at most the {n_patterns} patterns there are, with --drop-last");
                Err(Error::parameter("batch", expected, size))
            }
            Batches::Mini { .. } if self.route == Route::Gram => {
                Err(Error::parameter("route", "direct or automatic, with minibatches", "gram"))
            }
            _ => Ok(()),
        }
    }

    /// The route that training on P patterns of N spins takes: a function of shape and options alone, because it decides
    /// how results round.
    pub fn route(&self, n_patterns: usize, n_spins: usize) -> Route {
        match (self.route, self.batches) {
            (Route::Automatic, Batches::Full)
                if n_patterns.saturating_mul(GRAM_SPINS_PER_PATTERN) <= n_spins =>
            {
                Route::Gram
            }
            (Route::Automatic, _) => Route::Direct,
            (route, _) => route,
        }
    }

    /// The learning rate of an epoch, counted from 0.
    pub fn rate(&self, epoch: u64) -> f64 {
        self.lr * libm::pow(self.lr_decay, epoch as f64)
    }
}

/// Scratch of one thread: fields, then residuals; and the gradient.
pub(super) struct Scratch {
    residuals: Vec<Lanes<f32>>, // [mu][16]
    gradient: Vec<Lanes<f32>>,  // [j][16]
    tables: Tables<f32>,
}

impl Scratch {
    /// For batches of up to `n_patterns` patterns of `n_spins` spins.
    pub(super) fn new(n_patterns: usize, n_spins: usize) -> Self {
        Self {
            residuals: vec![Lanes::ZERO; n_patterns],
            gradient: vec![Lanes::ZERO; n_spins],
            tables: Tables::new(),
        }
    }
}

/// One step of the panel's 16 neurons on the patterns of `batch`.
pub(super) fn step(
    isa: Isa,
    parameters: &PseudoLikelihood,
    rate: f64,
    batch: &PatternBits,
    index: usize,
    panel: &mut [Lanes<f32>], // [j][16]
    scratch: &mut Scratch,
) {
    let residuals = &mut scratch.residuals[..batch.n_patterns()];
    let (signs, shift) = batch.panel_signs(index);
    let finish = Finish::Residuals { signs, shift, lambda: parameters.lambda as f32, weights: None };
    local_fields(isa, batch.pattern_signs(), Source::Panel(panel), residuals, finish, &mut scratch.tables);

    let (source, gradient) = (Source::Panel(residuals), &mut scratch.gradient);
    local_fields(isa, batch.spin_signs(), source, gradient, Finish::Keep, &mut scratch.tables);

    let gain = (rate / batch.n_patterns() as f64) as f32;
    let decay = (rate * parameters.l2) as f32;
    for (couplings, gradient) in panel.iter_mut().zip(&scratch.gradient) {
        for (coupling, gradient) in couplings.0.iter_mut().zip(gradient.0) {
            *coupling = *coupling + gain * gradient - decay * *coupling;
        }
    }
    for (lane, neuron) in panel_rows(index, panel.len()).enumerate() {
        panel[neuron].0[lane] = 0.0;
    }
}
