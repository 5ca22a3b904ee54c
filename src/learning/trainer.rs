//! The panel trainer: gradient descent from epoch to epoch, 16 neurons at a time.
//!
//! A run is cut into segments. A segment reads generation A of J and writes generation B panel by panel; the switch
//! happens when all panels are through and sound, so J is always that of one epoch. Nothing is reduced across threads,
//! so J has the same bits at any thread count.
//!
//! Full batch: a panel goes through all epochs of a segment while it is in cache, on couplings (direct) or, where loads are
//! small, on coefficients of the patterns ([Gram](super::gram)). Minibatches: all panels take one batch before the next is
//! gathered, because gathering is shared.

use std::ops::Range;

use super::gram::{Beginning, Coefficients};
use super::initial::{Initial, initial_couplings};
use super::patterns::{PatternBits, check_patterns};
use super::pseudo_likelihood::{Batches, PseudoLikelihood, Route, Scratch, step};
use crate::couplings::{Couplings, PANEL, n_panels};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{Lanes, deinterleave, interleave};
use crate::random::{permutation, stream};
use crate::spins::SpinMatrix;

/// Signed multiply-adds after which a segment ends: seconds, so that a stopped run loses little.
const SEGMENT_WORK: f64 = 1.5e12;

/// Tables and update of a step cost about as much as this number of patterns.
const BATCH_PATTERNS: f64 = 64.0;

/// Signed multiply-adds in the time it takes to hand a step out to the threads.
const BATCH_WORK: f64 = 2e6;

/// Gradient descent on the pseudo-likelihood of a set of patterns.
pub struct Trainer<'a> {
    patterns: &'a SpinMatrix,
    method: Method,
    parameters: PseudoLikelihood,
    execution: &'a Execution,
    couplings: Couplings, // generation A
    next: Couplings,      // generation B
    epoch: u64,
}

/// How segments are computed.
enum Method {
    /// Full batch, on the couplings.
    Direct(PatternBits),
    /// Full batch, on coefficients of the patterns.
    Gram(PatternBits, Box<Coefficients>),
    Minibatch,
}

impl<'a> Trainer<'a> {
    /// Starts at epoch 0 with the given initial couplings times `init_scale`.
    ///
    /// # Errors
    /// If a parameter is out of range, there are no patterns or no spins, memory for two copies of J is missing, or as
    /// [`initial_couplings`].
    pub fn new(
        patterns: &'a SpinMatrix,
        parameters: PseudoLikelihood,
        initial: &Initial,
        init_scale: f64,
        execution: &'a Execution,
    ) -> Result<Self> {
        check_patterns(patterns)?;
        parameters.check(patterns.n_rows())?;
        let couplings = initial_couplings(initial, init_scale, patterns, parameters.seed, execution)?;
        let next = Couplings::zeros(couplings.n_spins())?;
        let method = match (parameters.batches, parameters.route(patterns.n_rows(), patterns.n_spins())) {
            (Batches::Mini { .. }, _) => Method::Minibatch,
            (Batches::Full, Route::Gram) => {
                let bits = PatternBits::new(patterns);
                let beginning = match initial {
                    Initial::Hebb => Beginning::Hebb(init_scale),
                    Initial::Zero => Beginning::Zero,
                    _ => Beginning::Outside(couplings.clone()),
                };
                let coefficients = Coefficients::new(&bits, beginning, execution)?;
                Method::Gram(bits, Box::new(coefficients))
            }
            (Batches::Full, _) => Method::Direct(PatternBits::new(patterns)),
        };
        Ok(Self { patterns, method, parameters, execution, couplings, next, epoch: 0 })
    }

    /// The couplings after [`epoch`](Self::epoch) epochs.
    pub fn couplings(&self) -> &Couplings {
        &self.couplings
    }

    /// Epochs done.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The parameters.
    pub fn parameters(&self) -> &PseudoLikelihood {
        &self.parameters
    }

    /// Gives up training and keeps the couplings.
    pub fn into_couplings(self) -> Couplings {
        self.couplings
    }

    /// Trains up to `epoch`; does nothing where that many epochs are done. Progress advances by 1 an epoch.
    ///
    /// # Errors
    /// [`Error::Diverged`] if couplings stop being finite, [`Error::Interrupted`] if cancelled. The couplings are then
    /// those at [`epoch`](Self::epoch): the last sound epoch, or the end of the last complete segment.
    pub fn advance_to(&mut self, epoch: u64) -> Result<()> {
        let mut segment = (SEGMENT_WORK / self.work_per_epoch()).max(1.0) as u64;
        while self.epoch < epoch {
            let end = epoch.min(self.epoch.saturating_add(segment));
            match self.segment(end) {
                Ok(()) => {}
                // Somewhere in this segment: look for the last sound epoch in its halves.
                Err(Error::Diverged { .. }) if end - self.epoch > 1 => {
                    segment = (end - self.epoch) / 2;
                    continue;
                }
                Err(error) => return Err(error),
            }
            std::mem::swap(&mut self.couplings, &mut self.next);
            self.execution.progress().advance(end - self.epoch);
            self.epoch = end;
        }
        Ok(())
    }

    /// Computes generation B: the couplings at `end`.
    fn segment(&mut self, end: u64) -> Result<()> {
        let n_spins = self.couplings.n_spins();
        match &mut self.method {
            Method::Direct(bits) => self.execution.for_each(
                self.next.values_mut().chunks_mut(PANEL * n_spins).enumerate(),
                || PanelScratch::new(bits.n_patterns(), bits.n_spins()),
                full_batch_panel(&self.couplings, bits, &self.parameters, self.execution, self.epoch..end),
            ),
            Method::Gram(bits, coefficients) => {
                let (epochs, lambda) = (self.epoch..end, self.parameters.lambda);
                let check = |rows: &[f32]| check_sound(rows, n_spins, lambda, epochs.clone());
                let (parameters, execution) = (&self.parameters, self.execution);
                coefficients.segment(bits, parameters, epochs.clone(), &mut self.next, execution, check)?;
                coefficients.switch();
                Ok(())
            }
            Method::Minibatch => self.minibatch_segment(end),
        }
    }

    /// Signed multiply-adds of an epoch, and what else its batches cost in their place: tables, update, handing out.
    fn work_per_epoch(&self) -> f64 {
        let (n_spins, n_patterns) = (self.couplings.n_spins() as f64, self.patterns.n_rows() as f64);
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

    fn minibatch_segment(&mut self, end: u64) -> Result<()> {
        let Batches::Mini { size, drop_last } = self.parameters.batches else {
            unreachable!("full batches keep their bits");
        };
        let (n_spins, n_patterns) = (self.couplings.n_spins(), self.patterns.n_rows());
        let (execution, parameters) = (self.execution, &self.parameters);
        let mut panels = Vec::new(); // [panel][j][16]
        let n_columns = n_panels(n_spins) * n_spins;
        if panels.try_reserve_exact(n_columns).is_err() {
            return Err(Error::parameter(
                "n",
                "memory for a third copy of J, which minibatches take",
                n_spins,
            ));
        }
        panels.resize(n_columns, Lanes::ZERO);
        for (index, panel) in panels.chunks_exact_mut(n_spins).enumerate() {
            interleave(execution.isa(), self.couplings.panel(index), panel);
        }
        for epoch in self.epoch..end {
            let order = permutation(&mut stream(parameters.seed, "epoch order", &[epoch]), n_patterns);
            for members in order.chunks(size).filter(|members| members.len() == size || !drop_last) {
                let batch = PatternBits::new(&self.patterns.select(members));
                let scratch = || Scratch::new(batch.n_patterns(), n_spins);
                execution.for_each(
                    panels.chunks_exact_mut(n_spins).enumerate(),
                    scratch,
                    |scratch, (index, panel)| {
                        step(
                            execution.isa(),
                            parameters,
                            parameters.rate(epoch),
                            &batch,
                            index,
                            panel,
                            scratch,
                        );
                        Ok(())
                    },
                )?;
            }
        }
        let rows = self.next.values_mut().chunks_mut(PANEL * n_spins);
        for (panel, rows) in panels.chunks_exact(n_spins).zip(rows) {
            deinterleave(execution.isa(), panel, rows);
            check_sound(rows, n_spins, parameters.lambda, self.epoch..end)?;
        }
        Ok(())
    }
}

struct PanelScratch {
    panel: Vec<Lanes<f32>>, // [j][16]
    step: Scratch,
}

impl PanelScratch {
    fn new(n_patterns: usize, n_spins: usize) -> Self {
        Self { panel: vec![Lanes::ZERO; n_spins], step: Scratch::new(n_patterns, n_spins) }
    }
}

/// Takes one panel through `epochs` on the full batch, from `couplings` to the rows it is given.
fn full_batch_panel<'a>(
    couplings: &'a Couplings,
    bits: &'a PatternBits,
    parameters: &'a PseudoLikelihood,
    execution: &'a Execution,
    epochs: Range<u64>,
) -> impl Fn(&mut PanelScratch, (usize, &mut [f32])) -> Result<()> + Sync + 'a {
    move |scratch, (index, rows)| {
        interleave(execution.isa(), couplings.panel(index), &mut scratch.panel);
        for epoch in epochs.clone() {
            let rate = parameters.rate(epoch);
            step(execution.isa(), parameters, rate, bits, index, &mut scratch.panel, &mut scratch.step);
            if execution.cancel().is_cancelled() {
                return Err(Error::Interrupted);
            }
        }
        deinterleave(execution.isa(), &scratch.panel, rows);
        check_sound(rows, bits.n_spins(), parameters.lambda, epochs.clone())
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
