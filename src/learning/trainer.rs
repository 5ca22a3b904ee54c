//! The panel trainer: gradient descent from epoch to epoch, 16 neurons at a time.
//!
//! A run is cut into segments. A segment reads generation A of J and writes generation B panel by panel; the switch
//! happens when all panels are through and sound, so J is always that of one epoch. Nothing is reduced across threads,
//! so J has the same bits at any thread count.
//!
//! Full batch: a panel goes through all epochs of a segment while it is in cache, on couplings (direct) or, where loads are
//! small, on coefficients of the patterns ([Gram](super::gram)). Minibatches: all panels take one batch before the next is
//! gathered, because gathering is shared. Where rows are one problem (symmetric), all panels take a step of their own and the
//! mean of J and its transpose follows: from a symmetric J that is the step by (g_ij + g_ji) / 2.

use std::ops::Range;

use super::gram::{Beginning, Coefficients};
use super::initial::{Initial, initial_couplings};
use super::panel_gradient::PanelGradient;
use super::problem::{Batch, Problem};
use super::pseudo_likelihood::{Batches, Panel, PseudoLikelihood, Route, Rows, shrinkage};
use super::segments::{Segments, advance};
use crate::couplings::{Couplings, PanelRows, n_panels};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::Isa;
use crate::random::{permutation, stream};

/// Signed multiply-adds after which a segment ends: seconds, so that a stopped run loses little.
const SEGMENT_WORK: f64 = 1.5e12;

/// Tables and update of a step cost about as much as this number of patterns.
const BATCH_PATTERNS: f64 = 64.0;

/// Signed multiply-adds in the time it takes to hand a step out to the threads.
const BATCH_WORK: f64 = 2e6;

/// Gradient descent on the pseudo-likelihood of a set of patterns.
pub struct Trainer<'a> {
    problem: Problem<'a>,
    method: Method,
    parameters: PseudoLikelihood,
    execution: &'a Execution,
    now: Generation,  // generation A
    next: Generation, // generation B
    epoch: u64,
}

/// J, and with momentum J before the last step.
struct Generation {
    couplings: Couplings,
    before: Option<Couplings>,
}

/// How segments are computed.
enum Method {
    /// Full batch, on the couplings.
    Direct(Batch),
    /// Full batch, on coefficients of the patterns.
    Gram(Batch, Box<Coefficients>),
    /// Minibatches, rows being problems of their own.
    Minibatch,
    /// Rows are one problem; the full batch, where it is one.
    Symmetric(Option<Batch>),
}

impl Segments for Trainer<'_> {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn compute(&mut self, end: u64) -> Result<()> {
        self.segment(end)
    }

    fn switch(&mut self, end: u64) {
        std::mem::swap(&mut self.now, &mut self.next);
        self.epoch = end;
    }
}

impl<'a> Trainer<'a> {
    /// Starts at epoch 0 with the given initial couplings times `init_scale`, those that are not allowed set to 0, symmetrised
    /// where J is to be symmetric.
    ///
    /// # Errors
    /// If a parameter is out of range, there are no patterns or no spins, memory for two copies of J (four with momentum) is
    /// missing, or as [`initial_couplings`].
    pub fn new(
        problem: impl Into<Problem<'a>>,
        parameters: PseudoLikelihood,
        initial: &Initial,
        init_scale: f64,
        execution: &'a Execution,
    ) -> Result<Self> {
        let problem = problem.into();
        problem.check()?;
        parameters.check(problem)?;
        let couplings = first_couplings(&problem, &parameters, initial, init_scale, execution)?;
        let empty = || {
            let empty = Couplings::zeros(couplings.n_spins())?;
            match couplings.theta() {
                Some(theta) => empty.with_theta(vec![0.0; theta.len()]),
                None => Ok(empty),
            }
        };
        let has_momentum = parameters.momentum > 0.0;
        let next = Generation { couplings: empty()?, before: has_momentum.then(empty).transpose()? };
        // Fields are no part of the span of the patterns.
        let route = match parameters.route(problem) {
            Route::Gram if couplings.theta().is_some() && parameters.route == Route::Gram => {
                let expected = "direct or automatic, with fields in the initial couplings";
                return Err(Error::parameter("route", expected, "gram"));
            }
            Route::Gram if couplings.theta().is_some() => Route::Direct,
            route => route,
        };
        let method = match (parameters.symmetric, parameters.batches, route) {
            (true, Batches::Full, _) => Method::Symmetric(Some(problem.full_batch())),
            (true, ..) => Method::Symmetric(None),
            (_, Batches::Mini { .. }, _) => Method::Minibatch,
            (_, Batches::Full, Route::Gram) => {
                let batch = problem.full_batch();
                let beginning = match initial {
                    Initial::Hebb => Beginning::Hebb(init_scale),
                    Initial::Zero => Beginning::Zero,
                    _ => Beginning::Outside(couplings.clone()),
                };
                let coefficients = Coefficients::new(&batch.bits, beginning, execution)?;
                Method::Gram(batch, Box::new(coefficients))
            }
            (_, Batches::Full, _) => Method::Direct(problem.full_batch()),
        };
        // Nothing is to be taken again at the first step.
        let before = has_momentum.then(|| couplings.clone());
        let now = Generation { couplings, before };
        Ok(Self { problem, method, parameters, execution, now, next, epoch: 0 })
    }

    /// The couplings after [`epoch`](Self::epoch) epochs.
    pub fn couplings(&self) -> &Couplings {
        &self.now.couplings
    }

    /// Epochs done.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The route that it takes.
    pub fn route(&self) -> Route {
        if let Method::Gram(..) = self.method { Route::Gram } else { Route::Direct }
    }

    /// The parameters.
    pub fn parameters(&self) -> &PseudoLikelihood {
        &self.parameters
    }

    /// Gives up training and keeps the couplings.
    pub fn into_couplings(self) -> Couplings {
        self.now.couplings
    }

    /// Trains up to `epoch`; does nothing where that many epochs are done. Progress advances by 1 an epoch.
    ///
    /// # Errors
    /// [`Error::Diverged`] if couplings stop being finite, [`Error::Interrupted`] if cancelled. The couplings are then
    /// those at [`epoch`](Self::epoch): the last sound epoch, or the end of the last complete segment.
    pub fn advance_to(&mut self, epoch: u64) -> Result<()> {
        let segment = (SEGMENT_WORK / self.work_per_epoch()).max(1.0) as u64;
        let execution = self.execution;
        advance(self, epoch, segment, execution)
    }

    /// Computes generation B: the couplings at `end`.
    fn segment(&mut self, end: u64) -> Result<()> {
        let n_spins = self.now.couplings.n_spins();
        let (epochs, parameters, execution) = (self.epoch..end, &self.parameters, self.execution);
        let check = |rows: &[f32]| check_sound(rows, n_spins, parameters.lambda, epochs.clone());
        match &mut self.method {
            Method::Direct(batch) => {
                let (problem, now, isa) = (&self.problem, &self.now, execution.isa());
                let scratch = || Scratch::new(problem, parameters, batch.bits.n_patterns(), isa);
                execution.for_each(self.next.panels_mut().enumerate(), scratch, |scratch, (index, rows)| {
                    let Scratch { panel, gradient } = scratch;
                    panel.load(isa, now.rows(index), now.rows_before(index));
                    for epoch in epochs.clone() {
                        let rate = parameters.rate(epoch);
                        panel.step(parameters, rate, batch, index, gradient);
                        execution.check_cancelled()?;
                    }
                    let (mut rows, mut before) = rows;
                    panel.store(isa, &mut rows, before.as_mut());
                    check_theta(&rows, epochs.clone())?;
                    check(rows.values)
                })
            }
            Method::Gram(batch, coefficients) => {
                let next = &mut self.next.couplings;
                coefficients.segment(&batch.bits, parameters, epochs.clone(), next, execution, check)?;
                coefficients.switch();
                Ok(())
            }
            Method::Minibatch => self.minibatch_segment(end),
            Method::Symmetric(_) => self.symmetric_segment(end),
        }
    }

    /// Signed multiply-adds of an epoch, and what else its batches cost in their place: tables, update, handing out.
    fn work_per_epoch(&self) -> f64 {
        let (n_spins, n_patterns) =
            (self.now.couplings.n_spins() as f64, self.problem.patterns().n_rows() as f64);
        if let Method::Gram(..) = self.method {
            // Real products, in signed ones of the same time.
            return 4.0 * n_spins * n_patterns * n_patterns;
        }
        let (n_batches, size) = match self.parameters.batches {
            Batches::Full => (1.0, n_patterns),
            Batches::Mini { size, .. } => ((n_patterns / size as f64).ceil(), n_patterns.min(size as f64)),
        };
        n_batches * (2.0 * n_spins * n_spins * (size + BATCH_PATTERNS) + BATCH_WORK)
    }

    /// The minibatches of an epoch, each gathered when it is its turn.
    fn minibatches(&self, epoch: u64) -> impl Iterator<Item = Batch> + use<'a> {
        let Batches::Mini { size, drop_last } = self.parameters.batches else {
            unreachable!("full batches keep their bits");
        };
        let (problem, relative) = (self.problem, self.problem.relative_weights());
        let mut order = stream(self.parameters.seed, "epoch order", &[epoch]);
        let order = permutation(&mut order, problem.patterns().n_rows());
        let n_batches = if drop_last { order.len() / size } else { order.len().div_ceil(size) };
        (0..n_batches).map(move |index| {
            let members = &order[index * size..order.len().min((index + 1) * size)];
            problem.batch(members, relative.as_deref())
        })
    }

    fn minibatch_segment(&mut self, end: u64) -> Result<()> {
        let (n_spins, execution, parameters) =
            (self.now.couplings.n_spins(), self.execution, &self.parameters);
        let isa = execution.isa();
        let mut panels = Vec::new();
        if panels.try_reserve_exact(n_panels(n_spins)).is_err() {
            return Err(no_third_copy(n_spins));
        }
        for index in 0..n_panels(n_spins) {
            let mut panel = Panel::try_new(n_spins, parameters).ok_or_else(|| no_third_copy(n_spins))?;
            panel.load(isa, self.now.rows(index), self.now.rows_before(index));
            panels.push(panel);
        }
        for epoch in self.epoch..end {
            for batch in self.minibatches(epoch) {
                let n_patterns = batch.bits.n_patterns();
                let scratch = || PanelGradient::new(&self.problem, parameters.lambda, n_patterns, isa);
                execution.for_each(panels.iter_mut().enumerate(), scratch, |gradient, (index, panel)| {
                    let rate = parameters.rate(epoch);
                    panel.step(parameters, rate, &batch, index, gradient);
                    Ok(())
                })?;
            }
        }
        for (panel, (mut rows, mut before)) in panels.iter().zip(self.next.panels_mut()) {
            panel.store(isa, &mut rows, before.as_mut());
            check_theta(&rows, self.epoch..end)?;
            check_sound(rows.values, n_spins, parameters.lambda, self.epoch..end)?;
        }
        Ok(())
    }

    /// In place, in generation B.
    fn symmetric_segment(&mut self, end: u64) -> Result<()> {
        self.next.copy_from(&self.now);
        for epoch in self.epoch..end {
            match &self.method {
                Method::Symmetric(Some(batch)) => {
                    self.next.symmetric_step(&self.problem, &self.parameters, epoch, batch, self.execution)?
                }
                _ => {
                    for batch in self.minibatches(epoch) {
                        let (problem, parameters) = (&self.problem, &self.parameters);
                        self.next.symmetric_step(problem, parameters, epoch, &batch, self.execution)?;
                    }
                }
            }
        }
        let (n_spins, lambda, epochs) =
            (self.now.couplings.n_spins(), self.parameters.lambda, self.epoch..end);
        self.next.couplings.panels_mut().try_for_each(|rows| {
            check_theta(&rows, epochs.clone())?;
            check_sound(rows.values, n_spins, lambda, epochs.clone())
        })
    }
}

impl Generation {
    /// A panel's rows and theta.
    fn rows(&self, index: usize) -> Rows<'_> {
        (self.couplings.panel(index), self.couplings.panel_theta(index))
    }

    /// Those before the last step, with momentum.
    fn rows_before(&self, index: usize) -> Option<Rows<'_>> {
        self.before.as_ref().map(|before| (before.panel(index), before.panel_theta(index)))
    }

    /// The panels of J, each with that before the last step, for writers.
    fn panels_mut(&mut self) -> impl Iterator<Item = (PanelRows<'_>, Option<PanelRows<'_>>)> + Send {
        let mut before = self.before.as_mut().map(Couplings::panels_mut);
        self.couplings.panels_mut().map(move |rows| (rows, before.as_mut().and_then(Iterator::next)))
    }

    /// All panels take a step of their own, then the mean of J and its transpose.
    fn symmetric_step(
        &mut self,
        problem: &Problem<'_>,
        parameters: &PseudoLikelihood,
        epoch: u64,
        batch: &Batch,
        execution: &Execution,
    ) -> Result<()> {
        let (isa, rate) = (execution.isa(), parameters.rate(epoch));
        let scratch = || Scratch::new(problem, parameters, batch.bits.n_patterns(), isa);
        execution.for_each(self.panels_mut().enumerate(), scratch, |scratch, (index, rows)| {
            let Scratch { panel, gradient } = scratch;
            let (mut rows, mut before) = rows;
            let was = before.as_ref().map(|before| (&*before.values, before.theta_lanes()));
            panel.load(isa, (rows.values, rows.theta_lanes()), was);
            panel.step(parameters, rate, batch, index, gradient);
            panel.store(isa, &mut rows, before.as_mut());
            Ok(())
        })?;
        self.couplings.symmetrize(shrinkage(parameters, rate), execution)
    }

    fn copy_from(&mut self, other: &Generation) {
        self.couplings.copy_from(&other.couplings);
        if let (Some(target), Some(source)) = (&mut self.before, &other.before) {
            target.copy_from(source);
        }
    }
}

/// Scratch of one thread.
struct Scratch<'a> {
    panel: Panel,
    gradient: PanelGradient<'a>,
}

impl<'a> Scratch<'a> {
    fn new(problem: &Problem<'a>, parameters: &PseudoLikelihood, n_patterns: usize, isa: Isa) -> Self {
        Self {
            panel: Panel::new(problem.patterns().n_spins(), parameters),
            gradient: PanelGradient::new(problem, parameters.lambda, n_patterns, isa),
        }
    }
}

/// Initial couplings as the problem and the parameters allow them: no forbidden ones, fields where they are learned, symmetric
/// where they stay so.
pub(super) fn first_couplings(
    problem: &Problem<'_>,
    parameters: &PseudoLikelihood,
    initial: &Initial,
    init_scale: f64,
    execution: &Execution,
) -> Result<Couplings> {
    let patterns = problem.patterns();
    let mut couplings = initial_couplings(initial, init_scale, patterns, parameters.seed, execution)?;
    if parameters.theta && couplings.theta().is_none() {
        couplings = couplings.with_theta(vec![0.0; patterns.n_spins()])?;
    }
    if let Some(mask) = problem.mask() {
        for (i, row) in couplings.values_mut().chunks_exact_mut(mask.n_spins()).enumerate() {
            for (j, coupling) in row.iter_mut().enumerate() {
                if !mask.allows(i, j) {
                    *coupling = 0.0;
                }
            }
        }
    }
    if parameters.symmetric {
        couplings.symmetrize(|coupling| coupling, execution)?;
    }
    Ok(couplings)
}

fn no_third_copy(n_spins: usize) -> Error {
    Error::parameter("n", "memory for a third copy of J, which minibatches take", n_spins)
}

/// Fields of the neurons are to be finite too.
fn check_theta(rows: &PanelRows<'_>, epochs: Range<u64>) -> Result<()> {
    match rows.theta.iter().flat_map(|theta| theta.iter()).find(|theta| !theta.is_finite()) {
        Some(theta) => Err(Error::Diverged {
            last_good_epoch: epochs.start,
            epoch: epochs.end,
            found: format!("a field theta of {theta}"),
        }),
        None => Ok(()),
    }
}

/// Sound rows have a finite sum of magnitudes, which bounds every field; times lambda, it bounds the loss.
fn check_sound(rows: &[f32], n_spins: usize, lambda: f64, epochs: Range<u64>) -> Result<()> {
    let magnitudes = rows.chunks_exact(n_spins).map(|row| row.iter().map(|x| x.abs()).sum::<f32>());
    match magnitudes.into_iter().find(|sum| !(sum * lambda as f32).is_finite()) {
        Some(sum) => Err(Error::Diverged {
            last_good_epoch: epochs.start,
            epoch: epochs.end,
            found: format!("a row of magnitude {sum}"),
        }),
        None => Ok(()),
    }
}
