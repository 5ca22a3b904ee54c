//! [`PottsTrainer`]: gradient descent from epoch to epoch, one column at a time.
//!
//! As in the panel trainer, a segment reads generation A of the couplings and writes generation B column by column; the switch
//! happens when all columns are through and finite, so what a caller sees is always of one epoch. A column goes through all
//! epochs of a segment while its table is in cache. Where J is symmetric all columns step, then the mean with the transpose
//! follows. Nothing is reduced across threads.

use std::ops::Range;

use super::couplings::PottsCouplings;
use super::initial::{PottsInitial, initial_couplings};
use super::lookup::{LookupTables, lookup_bytes};
use super::problem::{PottsProblem, letters};
use super::pseudo_likelihood::{Batch, ColumnGradient, PottsPseudoLikelihood, mean_with_transpose};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::learning::{Segments, advance};

/// Lookups after which a segment ends: seconds, so that a stopped run loses little.
const SEGMENT_WORK: f64 = 1e9;

/// Gradient descent on the pseudo-likelihood of a set of sequences.
pub struct PottsTrainer<'a> {
    problem: PottsProblem<'a>,
    weights: Option<Vec<f32>>, // of mean 1
    parameters: PottsPseudoLikelihood,
    execution: &'a Execution,
    now: LookupTables,             // generation A
    next: LookupTables,            // generation B
    stepped: Option<LookupTables>, // symmetric: before the mean with the transpose
    columns: Vec<u32>,             // numbers of the input's columns
    epoch: u64,
}

/// Sequences whose lookups take the time of a step of J, to estimate by: q^2 couplings a pair of columns.
pub fn step_as_sequences(n_letters: usize) -> f64 {
    (n_letters * n_letters) as f64 / 3.0
}

/// Bytes that training takes beside the sequences: two generations of J in lookup tables, three where J is symmetric, J itself at
/// the beginning and the end, and each thread's scratch.
pub fn potts_training_bytes(n_columns: usize, n_letters: usize, symmetric: bool, n_threads: usize) -> f64 {
    let generations = if symmetric { 3.0 } else { 2.0 };
    let couplings = 4.0 * (n_columns as f64 * n_letters as f64).powi(2);
    let tables = lookup_bytes(n_columns, n_letters);
    generations * tables + couplings + n_threads as f64 * (tables / n_columns as f64 + 2e5)
}

impl Segments for PottsTrainer<'_> {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn compute(&mut self, end: u64) -> Result<()> {
        match self.parameters.symmetric {
            true => self.symmetric_segment(self.epoch..end),
            false => self.segment(self.epoch..end),
        }
    }

    fn switch(&mut self, end: u64) -> Result<()> {
        std::mem::swap(&mut self.now, &mut self.next);
        self.epoch = end;
        Ok(())
    }
}

impl<'a> PottsTrainer<'a> {
    /// Starts at epoch 0 with the given initial couplings times `init_scale`, symmetrised where J is to be symmetric.
    ///
    /// # Errors
    /// If a parameter is out of range, there are no sequences, memory is missing, or as [`initial_couplings`].
    pub fn new(
        problem: impl Into<PottsProblem<'a>>,
        parameters: PottsPseudoLikelihood,
        initial: &PottsInitial,
        init_scale: f64,
        seed: u64,
        execution: &'a Execution,
    ) -> Result<Self> {
        let problem = problem.into();
        problem.check()?;
        parameters.check()?;
        let couplings = initial_couplings(initial, init_scale, problem, seed, execution)?;
        let couplings = if parameters.symmetric { couplings.symmetrized(execution)? } else { couplings };
        let (n_columns, n_letters) = (couplings.n_columns(), couplings.n_letters());
        let stepped = parameters.symmetric.then(|| LookupTables::zeros(n_columns, n_letters)).transpose()?;
        Ok(Self {
            problem,
            weights: problem.relative_weights(),
            parameters,
            execution,
            now: LookupTables::of(&couplings, execution)?,
            next: LookupTables::zeros(n_columns, n_letters)?,
            stepped,
            columns: couplings.columns().to_vec(),
            epoch: 0,
        })
    }

    /// The couplings after [`epoch`](Self::epoch) epochs, columns numbered as in the initial ones.
    ///
    /// # Errors
    /// If memory for them is missing.
    pub fn couplings(&self) -> Result<PottsCouplings> {
        self.now.couplings()?.with_columns(self.columns.clone())
    }

    /// Epochs done.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The parameters.
    pub fn parameters(&self) -> &PottsPseudoLikelihood {
        &self.parameters
    }

    /// The sequences and their weights.
    pub fn problem(&self) -> PottsProblem<'a> {
        self.problem
    }

    /// Trains up to `epoch`; does nothing where that many epochs are done. Progress advances by 1 an epoch.
    ///
    /// # Errors
    /// [`Error::Diverged`] if couplings stop being finite, [`Error::Interrupted`] if cancelled. The couplings are then
    /// those at [`epoch`](Self::epoch): the last sound epoch, or the end of the last complete segment.
    pub fn advance_to(&mut self, epoch: u64) -> Result<()> {
        let (n_columns, n_rows) = (self.now.n_columns() as f64, self.problem.sequences().n_rows() as f64);
        let segment = (SEGMENT_WORK / (n_rows * n_columns * n_columns)).max(1.0) as u64;
        let execution = self.execution;
        advance(self, epoch, segment, execution)
    }

    /// Computes generation B, every column on its own.
    fn segment(&mut self, epochs: Range<u64>) -> Result<()> {
        let (now, parameters, execution) = (&self.now, &self.parameters, self.execution);
        let batch = Batch { letters: letters(self.problem.sequences()), weights: self.weights.as_deref() };
        let scratch =
            || ColumnGradient::new(now.n_columns(), now.n_letters(), parameters.lambda, execution.isa());
        execution.for_each(
            self.next.columns_mut().enumerate(),
            scratch,
            |gradient, (column, (table, theta))| {
                let (table_now, theta_now) = now.column(column);
                table.copy_from_slice(table_now);
                theta.copy_from_slice(theta_now);
                for epoch in epochs.clone() {
                    gradient.step(parameters, epoch, batch, column, (table, theta));
                    execution.check_cancelled()?;
                }
                check_sound(table, &theta[..now.n_letters()], parameters.lambda, &epochs)
            },
        )
    }

    /// Computes generation B, all columns together.
    fn symmetric_segment(&mut self, epochs: Range<u64>) -> Result<()> {
        let (now, parameters, execution) = (&self.now, &self.parameters, self.execution);
        let Some(stepped) = &mut self.stepped else { unreachable!("made with symmetric parameters") };
        let batch = Batch { letters: letters(self.problem.sequences()), weights: self.weights.as_deref() };
        let (n_columns, n_letters) = (now.n_columns(), now.n_letters());
        for epoch in epochs.clone() {
            let from = if epoch == epochs.start { now } else { &self.next };
            let scratch = || ColumnGradient::new(n_columns, n_letters, parameters.lambda, execution.isa());
            execution.for_each(
                stepped.columns_mut().enumerate(),
                scratch,
                |gradient, (column, (table, theta))| {
                    let (table_now, theta_now) = from.column(column);
                    table.copy_from_slice(table_now);
                    theta.copy_from_slice(theta_now);
                    gradient.step(parameters, epoch, batch, column, (table, theta));
                    Ok(())
                },
            )?;
            let stepped = &*stepped;
            execution.for_each(
                self.next.columns_mut().enumerate(),
                || (),
                |(), (column, (table, theta))| {
                    mean_with_transpose(stepped, column, table);
                    theta.copy_from_slice(stepped.column(column).1);
                    Ok(())
                },
            )?;
        }
        (0..n_columns).try_for_each(|column| {
            let (table, theta) = self.next.column(column);
            check_sound(table, &theta[..n_letters], parameters.lambda, &epochs)
        })
    }
}

/// A sound column has a finite sum of magnitudes, which bounds every field; times lambda, it bounds the loss.
fn check_sound(table: &[f32], theta: &[f32], lambda: f64, epochs: &Range<u64>) -> Result<()> {
    let sum = table.iter().chain(theta).map(|x| x.abs()).sum::<f32>();
    if (sum * lambda as f32).is_finite() {
        return Ok(());
    }
    Err(Error::Diverged {
        last_good_epoch: epochs.start,
        epoch: epochs.end,
        found: format!("a column of magnitude {sum}"),
    })
}
