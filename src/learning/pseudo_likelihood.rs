//! Pseudo-likelihood by gradient descent (arXiv:2507.05147): its parameters and its step.
//!
//! Neuron i minimises l_i = (1 / (lambda P)) sum_mu w_mu log(1 + exp(-lambda xi_i h_i)) + (l2 / 2) |J_i|^2 + l1 |J_i|_1 over its
//! row, weights w_mu of mean 1, fields h_i = sum_j J_ij xi_j + theta_i:
//!
//! ```text
//! J_ij    += lr * mean_mu [ w xi_i xi_j sigma(-lambda xi_i h_i) ] - lr * l2 * J_ij + momentum * (J_ij - J_ij before),    J_ii = 0
//! theta_i += lr * mean_mu [ w xi_i sigma(-lambda xi_i h_i) ] + momentum * (theta_i - theta_i before)
//! ```
//!
//! then |J_ij| loses lr * l1 and stops at 0 (the proximal step of l1). The paper writes log 2 cosh(lambda' h) - lambda' xi h and
//! averages over i too: lambda = 2 lambda', lr = 2 lr' / N. Neither l1 nor l2 acts on theta.
//!
//! With `symmetric` the rows are one problem, J = J^T: a step takes (g_ij + g_ji) / 2 in place of the gradient g_ij.

use super::panel_gradient::PanelGradient;
use super::problem::{Batch, Problem};
use crate::couplings::{PanelRows, panel_rows};
use crate::error::{Error, Result};
use crate::kernels::{Isa, Lanes, deinterleave, interleave};

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
    /// Learning rates that take over from an epoch on, in ascending order of epochs; the decay begins anew with each.
    pub lr_steps: Vec<(u64, f64)>,
    /// Weight decay. Not negative.
    pub l2: f64,
    /// Weight of the sum of magnitudes of J_i. Not negative.
    pub l1: f64,
    /// Share of the last step that is taken again. From 0, below 1.
    pub momentum: f64,
    /// Whether neurons learn fields theta_i of their own.
    pub theta: bool,
    /// Whether J = J^T, one problem instead of N.
    pub symmetric: bool,
    /// Full batch or minibatches.
    pub batches: Batches,
    /// Direct or Gram route, or whichever is faster by the load.
    pub route: Route,
    /// Seed of the shuffles.
    pub seed: u64,
}

/// Signed multiply-adds in the time of a real one.
pub const WORK_OF_REAL_PRODUCT: f64 = 4.0;

/// Tables and update of a step cost about as much as this number of patterns.
const BATCH_PATTERNS: f64 = 64.0;

/// Signed multiply-adds in the time it takes to hand a step out to the threads.
const BATCH_WORK: f64 = 2e6;

/// Up to 1 / this load the Gram route is the faster one: a real product costs about four signed ones, and there are P^2
/// for 2 N P.
const GRAM_SPINS_PER_PATTERN: usize = 3;

impl PseudoLikelihood {
    /// Full batches at a constant learning rate, without weight decay, on the route that fits the load; seed 0.
    pub fn new(lambda: f64, lr: f64) -> Self {
        Self {
            lambda,
            lr,
            lr_decay: 1.0,
            lr_steps: Vec::new(),
            l2: 0.0,
            l1: 0.0,
            momentum: 0.0,
            theta: false,
            symmetric: false,
            batches: Batches::Full,
            route: Route::Automatic,
            seed: 0,
        }
    }

    /// The same of the lambda' and lr' of arXiv:2507.05147 for N spins: lambda = 2 lambda', lr = 2 lr' / N.
    pub fn in_paper_units(lambda: f64, lr: f64, n_spins: usize) -> Self {
        Self::new(2.0 * lambda, 2.0 * lr / n_spins as f64)
    }

    /// Checks every parameter against its range, for a problem to learn.
    ///
    /// # Errors
    /// Names the first parameter outside its range.
    pub fn check<'a>(&self, problem: impl Into<Problem<'a>>) -> Result<()> {
        let problem = problem.into();
        let n_patterns = problem.patterns().n_rows();
        positive("lambda", self.lambda)?;
        positive("lr", self.lr)?;
        positive("lr-decay", self.lr_decay)?;
        for &(epoch, lr) in &self.lr_steps {
            positive("lr-steps", lr).map_err(|_| {
                Error::parameter("lr-steps", "finite positive rates", format!("{epoch}:{lr}"))
            })?;
        }
        if let Some(pair) = self.lr_steps.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            let found = format!("epoch {} before {}", pair[0].0, pair[1].0);
            return Err(Error::parameter("lr-steps", "epochs in ascending order", found));
        }
        for (name, value) in [("l2", self.l2), ("l1", self.l1)] {
            not_negative(name, value)?;
        }
        if !(0.0..1.0).contains(&self.momentum) {
            return Err(Error::parameter("momentum", "a number from 0, below 1", self.momentum));
        }
        if self.route == Route::Gram
            && let Some(obstacle) = self.off_the_span(&problem)
        {
            return Err(Error::parameter("route", format!("direct or automatic, with {obstacle}"), "gram"));
        }
        if self.symmetric && problem.rows().is_shard() {
            let expected = "all of them, where J is symmetric: they are one problem";
            return Err(Error::parameter("rows", expected, problem.rows()));
        }
        match self.batches {
            Batches::Mini { size: 0, .. } => Err(Error::parameter("batch", "at least 1 pattern", 0)),
            Batches::Mini { size, drop_last: true } if size > n_patterns => {
                let expected = format!("at most the {n_patterns} patterns there are, with --drop-last");
                Err(Error::parameter("batch", expected, size))
            }
            _ => Ok(()),
        }
    }

    /// What takes steps out of the span of the patterns, or is not made for it.
    fn off_the_span(&self, problem: &Problem<'_>) -> Option<&'static str> {
        let of_problem = [(problem.mask().is_some(), "a mask"), (problem.weights().is_some(), "weights")];
        self.own_obstacle().or_else(|| first_that_stands(of_problem))
    }

    /// The same of these parameters alone.
    fn own_obstacle(&self) -> Option<&'static str> {
        first_that_stands([
            (self.batches != Batches::Full, "minibatches"),
            (self.l1 > 0.0, "l1"),
            (self.symmetric, "symmetric couplings"),
            (self.theta, "fields"),
            (self.momentum > 0.0, "momentum"),
        ])
    }

    /// The route that training takes: a function of shape and options alone, because it decides how results round.
    pub fn route<'a>(&self, problem: impl Into<Problem<'a>>) -> Route {
        let problem = problem.into();
        let (n_patterns, n_spins) = (problem.patterns().n_rows(), problem.patterns().n_spins());
        self.route_of_load(n_patterns, n_spins, self.off_the_span(&problem))
    }

    /// The same on P patterns of N spins without mask and weights.
    pub(crate) fn plain_route(&self, n_patterns: usize, n_spins: usize) -> Route {
        self.route_of_load(n_patterns, n_spins, self.own_obstacle())
    }

    fn route_of_load(&self, n_patterns: usize, n_spins: usize, obstacle: Option<&str>) -> Route {
        let is_small = n_patterns.saturating_mul(GRAM_SPINS_PER_PATTERN) <= n_spins;
        match self.route {
            Route::Automatic if is_small && obstacle.is_none() => Route::Gram,
            Route::Automatic => Route::Direct,
            route => route,
        }
    }

    /// Signed multiply-adds of an epoch of `n_rows` neurons on P patterns of N spins, and what else its batches cost in their
    /// place: tables, update, handing out.
    pub fn work_per_epoch(&self, n_rows: usize, n_patterns: usize, n_spins: usize, route: Route) -> f64 {
        let (n_rows, n_patterns, n_spins) = (n_rows as f64, n_patterns as f64, n_spins as f64);
        if route == Route::Gram {
            return n_rows * n_patterns * n_patterns * WORK_OF_REAL_PRODUCT;
        }
        let (n_batches, size) = match self.batches {
            Batches::Full => (1.0, n_patterns),
            Batches::Mini { size, .. } => ((n_patterns / size as f64).ceil(), n_patterns.min(size as f64)),
        };
        n_batches * (2.0 * n_rows * n_spins * (size + BATCH_PATTERNS) + BATCH_WORK)
    }

    /// The same from initial couplings with fields, which are no part of the span of the patterns.
    ///
    /// # Errors
    /// If the Gram route is asked for all the same.
    pub(super) fn route_from(&self, problem: Problem<'_>, has_theta: bool) -> Result<Route> {
        match self.route(problem) {
            Route::Gram if has_theta && self.route == Route::Gram => {
                let expected = "direct or automatic, with fields in the initial couplings";
                Err(Error::parameter("route", expected, "gram"))
            }
            Route::Gram if has_theta => Ok(Route::Direct),
            route => Ok(route),
        }
    }

    /// The learning rate of an epoch, counted from 0.
    pub fn rate(&self, epoch: u64) -> f64 {
        let taken_over = self.lr_steps.iter().rev().find(|(first, _)| *first <= epoch);
        let (first, lr) = taken_over.copied().unwrap_or((0, self.lr));
        lr * libm::pow(self.lr_decay, (epoch - first) as f64)
    }
}

fn first_that_stands<const N: usize>(obstacles: [(bool, &'static str); N]) -> Option<&'static str> {
    obstacles.into_iter().find_map(|(stands, obstacle)| stands.then_some(obstacle))
}

/// Refuses a parameter of steps, which are taken in f32, that is not positive and finite there too.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<()> {
    let sound = value as f32 > 0.0 && (value as f32).is_finite();
    if sound { Ok(()) } else { Err(Error::parameter(name, "a finite positive number", value)) }
}

/// The same for one that may be 0.
pub(crate) fn not_negative(name: &'static str, value: f64) -> Result<()> {
    let sound = value >= 0.0 && (value as f32).is_finite();
    if sound { Ok(()) } else { Err(Error::parameter(name, "a finite number, 0 or above", value)) }
}

/// Rows of a panel, `[rows][n_spins]`, and the fields of their neurons.
pub(super) type Rows<'a> = (&'a [f32], Option<Lanes<f32>>);

/// A panel on its way: couplings, interleaved, and fields; with momentum, those of the step before too.
pub(super) struct Panel {
    couplings: Vec<Lanes<f32>>, // [j][16]
    before: Vec<Lanes<f32>>,    // [j][16], or none
    theta: Option<Lanes<f32>>,
    theta_before: Lanes<f32>,
}

impl Panel {
    /// Room for panels of `n_spins` couplings a neuron.
    pub(super) fn new(n_spins: usize, parameters: &PseudoLikelihood) -> Self {
        let n_before = if parameters.momentum > 0.0 { n_spins } else { 0 };
        Self {
            couplings: vec![Lanes::ZERO; n_spins],
            before: vec![Lanes::ZERO; n_before],
            theta: None,
            theta_before: Lanes::ZERO,
        }
    }

    /// Bytes that one takes.
    pub(super) fn bytes(n_spins: usize, parameters: &PseudoLikelihood) -> u64 {
        let n_matrices = if parameters.momentum > 0.0 { 2 } else { 1 };
        (n_matrices * n_spins * size_of::<Lanes<f32>>()) as u64
    }

    /// The same, if there is memory.
    pub(super) fn try_new(n_spins: usize, parameters: &PseudoLikelihood) -> Option<Self> {
        let mut panel = Self::new(0, parameters);
        let n_before = if parameters.momentum > 0.0 { n_spins } else { 0 };
        for (lanes, len) in [(&mut panel.couplings, n_spins), (&mut panel.before, n_before)] {
            lanes.try_reserve_exact(len).ok()?;
            lanes.resize(len, Lanes::ZERO);
        }
        Some(panel)
    }

    /// Takes up a panel's rows and theta, and those before the last step.
    pub(super) fn load(&mut self, isa: Isa, (rows, theta): Rows<'_>, before: Option<Rows<'_>>) {
        interleave(isa, rows, &mut self.couplings);
        self.theta = theta;
        if let Some((rows, theta)) = before {
            interleave(isa, rows, &mut self.before);
            self.theta_before = theta.unwrap_or(Lanes::ZERO);
        }
    }

    /// Writes the panel, and what it was before the last step.
    pub(super) fn store(&self, isa: Isa, rows: &mut PanelRows<'_>, before: Option<&mut PanelRows<'_>>) {
        deinterleave(isa, &self.couplings, rows.values);
        rows.set_theta(self.theta.as_ref());
        if let Some(before) = before {
            deinterleave(isa, &self.before, before.values);
            before.set_theta(self.theta.map(|_| self.theta_before).as_ref());
        }
    }

    /// One step of the panel's 16 neurons on the patterns of `batch`, without the proximal step where rows are one problem.
    pub(super) fn step(
        &mut self,
        parameters: &PseudoLikelihood,
        rate: f64,
        batch: &Batch,
        index: usize,
        gradient: &mut PanelGradient<'_>,
    ) {
        let theta = self.theta.as_ref().filter(|_| parameters.theta);
        let (pull, pull_theta) = gradient.pull(batch, index, &self.couplings, self.theta.as_ref());
        let gain = (rate / batch.bits.n_patterns() as f64) as f32;
        let decay = (rate * parameters.l2) as f32;
        let momentum = parameters.momentum as f32;
        if self.before.is_empty() {
            for (couplings, pull) in self.couplings.iter_mut().zip(pull) {
                for (coupling, pull) in couplings.0.iter_mut().zip(pull.0) {
                    *coupling = *coupling + gain * pull - decay * *coupling;
                }
            }
        } else {
            let panel = self.couplings.iter_mut().zip(&mut self.before);
            for ((couplings, before), pull) in panel.zip(pull) {
                for ((coupling, before), pull) in couplings.0.iter_mut().zip(&mut before.0).zip(pull.0) {
                    let now = *coupling;
                    *coupling = now + gain * pull - decay * now + momentum * (now - *before);
                    *before = now;
                }
            }
        }
        if let (Some(now), Some(pull)) = (theta.copied(), pull_theta) {
            let next = |lane: usize| {
                now.0[lane] + gain * pull.0[lane] + momentum * (now.0[lane] - self.theta_before.0[lane])
            };
            self.theta = Some(Lanes(std::array::from_fn(next)));
            self.theta_before = now;
        }
        if parameters.l1 > 0.0 && !parameters.symmetric {
            let shrink = shrinkage(parameters, rate);
            for couplings in &mut self.couplings {
                *couplings = Lanes(couplings.0.map(&shrink));
            }
        }
        for (lane, neuron) in panel_rows(index, self.couplings.len()).enumerate() {
            self.couplings[neuron].0[lane] = 0.0;
        }
    }
}

/// The proximal step of l1 at a learning rate: magnitudes lose lr l1 and stop at 0.
pub(super) fn shrinkage(parameters: &PseudoLikelihood, rate: f64) -> impl Fn(f32) -> f32 + Sync + use<> {
    let by = (rate * parameters.l1) as f32;
    move |coupling| coupling - coupling.clamp(-by, by)
}
