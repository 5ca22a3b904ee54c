//! [`MatrixFreeHebb`]: the Hebb rule on a stream of patterns.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::distinct::Columns;
use super::fields::{TileMargins, block_margins};
use super::overlaps::pattern_overlaps;
use super::plan::Plan;
use super::states::StateSource;
use crate::datasets::PatternStream;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::LANES;
use crate::spins::{BlockMajor, WORD};

/// A product of bits with bits takes about this share of the time of one with integers.
const OVERLAP_SHARE: f64 = 0.4;
/// Work is shown in units of this many signed multiply-adds.
const WORK_UNIT: u64 = 1_000_000_000;

/// Hebb couplings J = (1/N) sum xi xi^T, J_ii = 0, of a stream of patterns, never stored.
pub struct MatrixFreeHebb<'a> {
    stream: &'a PatternStream<'a>,
    execution: &'a Execution,
    columns: Columns,
    budget: Option<u64>,
    work: AtomicU64,
    overlap_nanoseconds: AtomicU64,
    field_nanoseconds: AtomicU64,
}

impl<'a> MatrixFreeHebb<'a> {
    /// On the patterns of `stream`, within `budget` bytes of memory if given. Progress advances by
    /// [`work_units`](Self::work_units) within a stage of the caller's.
    ///
    /// # Errors
    /// If N is 2^31 or more, or N^3 P^2 is 2^126 or more, or interrupted.
    pub fn new(stream: &'a PatternStream<'a>, budget: Option<u64>, execution: &'a Execution) -> Result<Self> {
        Plan::check_size(stream.n_spins(), stream.n_patterns())?;
        let zero = || AtomicU64::new(0);
        let (work, overlap_nanoseconds, field_nanoseconds) = (zero(), zero(), zero());
        Ok(Self {
            stream,
            execution,
            columns: Columns::new(stream, execution)?,
            budget,
            work,
            overlap_nanoseconds,
            field_nanoseconds,
        })
    }

    /// The patterns.
    pub fn stream(&self) -> &'a PatternStream<'a> {
        self.stream
    }

    /// Allows `budget` bytes of memory from now on.
    pub fn set_budget(&mut self, budget: Option<u64>) {
        self.budget = budget;
    }

    /// Columns of both passes: classes of patterns that are equal up to sign, at most P.
    pub fn n_columns(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn columns(&self) -> &Columns {
        &self.columns
    }

    pub(in crate::analysis) fn execution(&self) -> &'a Execution {
        self.execution
    }

    /// How the fields of `n_states` states are to be computed.
    ///
    /// # Errors
    /// If the memory allowed is too little: says how much is needed.
    pub fn plan(&self, n_states: usize) -> Result<Plan> {
        let parameters = self.stream.manifold().parameters();
        Plan::new(parameters, self.n_columns(), self.execution.n_threads(), n_states, self.budget)
    }

    /// Hands the margins of all states to `take`, tile by tile and 16 states at a time, from any thread.
    ///
    /// # Errors
    /// If the memory allowed is too little or missing, or interrupted.
    pub fn margins(&self, states: &impl StateSource, take: impl Fn(TileMargins<'_>) + Sync) -> Result<()> {
        let plan = self.plan(states.n_states())?;
        self.margins_into(plan, states, || std::iter::repeat(()), |(), tile| take(tile))
    }

    /// One parallel update of all states, rows of a matrix of N columns: x_i <- sgn(h_i), kept where h_i = 0.
    ///
    /// # Errors
    /// If the sizes do not fit together, the memory allowed is too little or missing, or interrupted.
    pub fn parallel_update(&self, states: &BlockMajor) -> Result<BlockMajor> {
        let (n_states, n_spins) = (states.n_rows(), self.stream.n_spins());
        if states.n_columns() != n_spins {
            let expected = format!("N = {n_spins} as of the patterns");
            return Err(Error::shape("states", expected, format!("N = {}", states.n_columns())));
        }
        let mut next = states.clone();
        if n_states == 0 {
            return Ok(next);
        }
        let plan = self.plan(n_states)?;
        // The words of a tile, `[word][state]`, are one stretch of memory. Blocks of states follow each other, so that
        // each finds all words anew.
        let mut blocks = self.blocks(plan, n_states);
        blocks.try_for_each(|block| {
            let outputs = next.words_mut().chunks_mut(plan.field_words * n_states);
            self.block(plan, states, block, outputs, |words, tile| flip_unstable(words, n_states, &tile))
        })?;
        Ok(next)
    }

    fn margins_into<T: Send, I: Iterator<Item = T> + Send>(
        &self,
        plan: Plan,
        states: &impl StateSource,
        outputs: impl Fn() -> I,
        take: impl Fn(&mut T, TileMargins<'_>) + Sync,
    ) -> Result<()> {
        self.blocks(plan, states.n_states())
            .try_for_each(|block| self.block(plan, states, block, outputs(), &take))
    }

    /// Both passes for a block of states.
    fn block<T: Send>(
        &self,
        plan: Plan,
        states: &impl StateSource,
        block: std::ops::Range<usize>,
        outputs: impl Iterator<Item = T> + Send,
        take: impl Fn(&mut T, TileMargins<'_>) + Sync,
    ) -> Result<()> {
        let begun = Instant::now();
        let overlaps = pattern_overlaps(self, plan, states, block.clone())?;
        let between = Instant::now();
        block_margins(self, plan, states, block, &overlaps, outputs, take)?;
        let nanoseconds = |duration: Duration| duration.as_nanos() as u64;
        self.overlap_nanoseconds.fetch_add(nanoseconds(between - begun), Ordering::Relaxed);
        self.field_nanoseconds.fetch_add(nanoseconds(between.elapsed()), Ordering::Relaxed);
        Ok(())
    }

    /// Seconds that the two passes have taken so far: overlaps, fields.
    pub fn pass_seconds(&self) -> (f64, f64) {
        let seconds = |nanoseconds: &AtomicU64| nanoseconds.load(Ordering::Relaxed) as f64 * 1e-9;
        (seconds(&self.overlap_nanoseconds), seconds(&self.field_nanoseconds))
    }

    fn blocks(&self, plan: Plan, n_states: usize) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let block = plan.block;
        (0..n_states).step_by(block).map(move |first| first..n_states.min(first + block))
    }

    /// Units of progress for `products` signed sums, N times the number of columns for the fields of a state.
    pub fn work_units(products: f64) -> u64 {
        (products * (1.0 + OVERLAP_SHARE) / WORK_UNIT as f64) as u64
    }

    pub(super) fn count_overlap_work(&self, n_sites: usize, n_columns: usize, n_states: usize) {
        let products = n_sites as f64 * n_columns as f64 * n_states as f64;
        self.count((products * OVERLAP_SHARE) as u64);
    }

    pub(super) fn count_field_work(&self, n_sites: usize, n_columns: usize, n_states: usize) {
        self.count(n_sites as u64 * n_columns as u64 * n_states as u64);
    }

    fn count(&self, work: u64) {
        let before = self.work.fetch_add(work, Ordering::Relaxed);
        self.execution.progress().advance((before + work) / WORK_UNIT - before / WORK_UNIT);
    }
}

/// Flips the spins of negative margin; `words` is `[word of the tile][state]`.
fn flip_unstable(words: &mut [u64], n_states: usize, tile: &TileMargins<'_>) {
    for (words, margins) in words.chunks_exact_mut(n_states).zip(tile.margins.chunks(WORD)) {
        let mut unstable = [0; LANES];
        for (site, margins) in margins.iter().enumerate() {
            for (unstable, &margin) in unstable.iter_mut().zip(margins) {
                *unstable |= u64::from(margin < 0) << site;
            }
        }
        for (word, unstable) in words[tile.states.clone()].iter_mut().zip(unstable) {
            *word ^= unstable;
        }
    }
}
