//! The panel trainer: gradient descent from epoch to epoch, 16 neurons at a time.
//!
//! A run is cut into segments. A segment reads generation A of J and writes generation B panel by panel; the switch
//! happens when all panels are through and sound, so J is always that of one epoch. Nothing is reduced across threads,
//! so J has the same bits at any thread count.
//!
//! Where J is larger than memory, generations are files of the run's folder ([`kept`]), a segment reaches from one evaluation
//! to the next, and J is read and written once for all its epochs.
//!
//! Full batch: a panel goes through all epochs of a segment while it is in cache, on couplings (direct) or, where loads are
//! small, on coefficients of the patterns ([Gram](gram)). Minibatches: all panels take one batch before the next is
//! gathered, because gathering is shared. Where rows are one problem (symmetric), all panels take a step of their own and the
//! mean of J and its transpose follows: from a symmetric J that is the step by (g_ij + g_ji) / 2.

mod checkpoint;
mod first;
mod generation;
mod gram;
mod kept;
mod minibatch;
mod symmetric;

use std::ops::Range;

use serde_json::Value;

pub(super) use self::checkpoint::has_checkpoint;
use self::first::fill_with_first;
pub(super) use self::first::first_couplings;
use self::generation::{Generation, Shape};
use self::gram::Gram;
use self::kept::Kept;
use super::initial::Initial;
use super::panel_gradient::PanelGradient;
use super::panel_log::PanelLog;
use super::problem::{Batch, Problem};
use super::pseudo_likelihood::{Batches, Panel, PseudoLikelihood, Route};
use super::run_hash::run_hash;
use super::segments::{Segments, advance};
use crate::couplings::{Couplings, PanelRows};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::Isa;

/// Signed multiply-adds after which a segment in memory ends: seconds, so that a stopped run loses little.
const SEGMENT_WORK: f64 = 1.5e12;

/// Gradient descent on the pseudo-likelihood of a set of patterns.
pub struct Trainer<'a> {
    problem: Problem<'a>,
    method: Method,
    parameters: PseudoLikelihood,
    execution: &'a Execution,
    now: Generation,  // generation A
    next: Generation, // generation B
    epoch: u64,
    kept: Option<Kept>,
}

/// How segments are computed.
enum Method {
    /// Full batch, on the couplings.
    Direct(Batch),
    /// Full batch, on coefficients of the patterns.
    Gram(Batch, Box<Gram>),
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

    fn switch(&mut self, end: u64) -> Result<()> {
        if let Some(kept) = &mut self.kept
            && self.next.is_on_disk()
        {
            kept.switch(&self.next, end)?;
        }
        std::mem::swap(&mut self.now, &mut self.next);
        self.epoch = end;
        match &mut self.kept {
            Some(kept) if !self.now.is_on_disk() => kept.save_if_due(&self.now, end),
            _ => Ok(()),
        }
    }

    fn counts_epochs(&self) -> bool {
        !self.counts_panels()
    }
}

impl<'a> Trainer<'a> {
    /// Starts, for the neurons of the problem, at epoch 0 with the given initial couplings times `init_scale`, those that are not
    /// allowed set to 0, symmetrised where J is to be symmetric. Where the execution [keeps](Execution::keeping) what is finished
    /// and the folder holds the state of this run, it goes on from there.
    ///
    /// Both generations of J (with momentum, two matrices each) are in memory if they fit its budget, else in the folder where
    /// there is one, else in nameless files of the memory's.
    ///
    /// # Errors
    /// If a parameter is out of range, there are no patterns or no spins, there is no room for the generations, the folder holds
    /// the state of another run, or as [`initial_couplings`](super::initial_couplings).
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
        let has_theta = parameters.theta || initial.has_theta();
        let route = parameters.route_from(problem, has_theta)?;
        let patterns = problem.patterns();
        let shape = Shape {
            n_spins: patterns.n_spins(),
            rows: problem.rows(),
            has_theta,
            has_before: parameters.momentum > 0.0,
            n_coefficients: (route == Route::Gram).then_some(patterns.n_rows()),
        };
        let how = format!("{parameters:?} from {} times {init_scale:?} by {route:?}", initial.name());
        let mut kept = Kept::find(execution, run_hash(&problem, &how), shape)?;
        let fits = execution.memory().holds(2 * shape.bytes());
        let (mut now, next) = match &mut kept {
            Some(kept) if !fits => kept.on_disk()?,
            _ => (Generation::new(shape, execution.memory())?, Generation::new(shape, execution.memory())?),
        };
        let epoch = kept.as_ref().and_then(Kept::epoch);
        if let (Some(kept), Some(_), false) = (&kept, epoch, now.is_on_disk()) {
            kept.load(&mut now)?;
        }
        if epoch.is_none() {
            fill_with_first(&mut now.couplings, &problem, &parameters, initial, init_scale, execution)?;
            // Nothing is to be taken again at the first step.
            if let Some(before) = &mut now.before {
                before.copy_from(&now.couplings);
            }
        }
        let method = match (parameters.symmetric, parameters.batches, route) {
            (true, Batches::Full, _) => Method::Symmetric(Some(problem.full_batch())),
            (true, ..) => Method::Symmetric(None),
            (_, Batches::Mini { .. }, _) => Method::Minibatch,
            (_, Batches::Full, Route::Gram) => {
                let batch = problem.full_batch();
                if let (None, Initial::Hebb, Some(a)) = (epoch, initial, &mut now.coefficients) {
                    Gram::fill_with_hebb(&batch.bits, init_scale, problem.rows().panels(), a, execution)?;
                }
                let is_outside = !matches!(initial, Initial::Hebb | Initial::Zero);
                let first = || first_couplings(&problem, &parameters, initial, init_scale, execution);
                let gram = Gram::new(&batch.bits, is_outside.then(first).transpose()?, execution)?;
                Method::Gram(batch, Box::new(gram))
            }
            (_, Batches::Full, _) => Method::Direct(problem.full_batch()),
        };
        if let (Some(kept), None, true) = (&mut kept, epoch, now.is_on_disk()) {
            kept.begin(&now)?;
        }
        Ok(Self { problem, method, parameters, execution, now, next, epoch: epoch.unwrap_or(0), kept })
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

    /// Trains up to `epoch`; does nothing where that many epochs are done. Progress advances by 1 an epoch, or, where
    /// generations are files, by 1 a panel of a stage of its own.
    ///
    /// # Errors
    /// [`Error::Diverged`] if couplings stop being finite, [`Error::Interrupted`] if cancelled, or if the disk refuses. The
    /// couplings are then those at [`epoch`](Self::epoch): the last sound epoch, or the end of the last complete segment; a run
    /// that keeps what is finished has kept them.
    pub fn advance_to(&mut self, epoch: u64) -> Result<()> {
        let segment = match self.counts_panels() {
            true => u64::MAX,
            false => (SEGMENT_WORK / self.work_per_epoch()).max(1.0) as u64,
        };
        let execution = self.execution;
        let advanced = advance(self, epoch, segment, execution);
        match advanced {
            Err(Error::Interrupted) => self.keep().and(advanced),
            _ => advanced,
        }
    }

    /// Keeps the present epoch, if the run keeps anything and it is not kept yet.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn keep(&mut self) -> Result<()> {
        match &mut self.kept {
            Some(kept) if !self.now.is_on_disk() => kept.save(&self.now, self.epoch),
            _ => Ok(()),
        }
    }

    /// Whether panels go through whole segments on disk, one by one.
    fn counts_panels(&self) -> bool {
        self.now.is_on_disk() && matches!(self.method, Method::Direct(_) | Method::Gram(..))
    }

    /// Computes generation B: the couplings at `end`.
    fn segment(&mut self, end: u64) -> Result<()> {
        match &self.method {
            Method::Minibatch => self.minibatch_segment(end),
            Method::Symmetric(_) => self.symmetric_segment(end),
            Method::Direct(_) | Method::Gram(..) => self.full_batch_segment(end),
        }
    }

    fn full_batch_segment(&mut self, end: u64) -> Result<()> {
        let n_spins = self.now.couplings.n_spins();
        let (epochs, parameters, execution) = (self.epoch..end, &self.parameters, self.execution);
        let check = |rows: &[f32]| check_sound(rows, n_spins, parameters.lambda, epochs.clone());
        let progress = execution.progress();
        let log = match &self.kept {
            Some(kept) if self.next.is_on_disk() => {
                let stage = format!("epochs {} to {end} (panels of 16 neurons)", self.epoch);
                progress.begin(&stage, self.problem.rows().panels().len() as u64);
                Some(kept.log(&self.next, self.epoch, end)?)
            }
            _ => None,
        };
        let panels = PanelLog::new(log);
        let (problem, now, next, isa) = (&self.problem, &self.now, &mut self.next, execution.isa());
        let computed = match &self.method {
            Method::Gram(batch, gram) => {
                gram.segment(&batch.bits, parameters, epochs.clone(), now, next, &panels, execution, check)
            }
            Method::Direct(batch) => {
                let scratch = || Scratch::new(problem, parameters, batch.bits.n_patterns(), isa);
                execution.for_each(next.panels_mut(), scratch, |scratch, (index, mut rows, mut before)| {
                    let Scratch { panel, gradient } = scratch;
                    if panels.restore(index, &mut rows, before.as_mut(), &[]).is_some() {
                        progress.advance(1);
                        return Ok(());
                    }
                    panel.load(isa, now.rows(index), now.rows_before(index));
                    for epoch in epochs.clone() {
                        let rate = parameters.rate(epoch);
                        panel.step(parameters, rate, batch, index, gradient);
                        execution.check_cancelled()?;
                    }
                    panel.store(isa, &mut rows, before.as_mut());
                    check_theta(&rows, epochs.clone())?;
                    check(rows.values)?;
                    if panels.is_kept() {
                        panels.finished(index, &rows, before.as_ref(), &[], Value::Null)?;
                        progress.advance(1);
                    }
                    Ok(())
                })
            }
            Method::Minibatch | Method::Symmetric(_) => unreachable!("segments of their own"),
        };
        // What is finished is kept whatever happened to the rest.
        panels.commit().and(computed)
    }

    fn work_per_epoch(&self) -> f64 {
        let patterns = self.problem.patterns();
        let n_rows = self.problem.rows().len();
        self.parameters.work_per_epoch(n_rows, patterns.n_rows(), patterns.n_spins(), self.route())
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
