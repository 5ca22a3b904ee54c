//! Sequential sweeps of a batch of states: what order, which fields to begin with, and tiles of states for the threads. What a
//! sweep does to a tile is in [`sweep_tile`](super::sweep_tile).

use super::batch::{Clamped, Mover};
use super::by_difference::{RememberedFields, are_few};
use super::field::Ties;
use super::rounding::Magnitudes;
use super::sweep_tile::{Scratch, Sweep, Tile};
use crate::couplings::Couplings;
use crate::error::Result;
use crate::execution::Execution;
use crate::random::{permutation, stream};
use crate::spins::BlockMajor;

/// In which order a sweep updates the spins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepOrder {
    /// 0..N-1.
    Ascending,
    /// A random permutation for each sweep, shared by all states.
    Random {
        /// Seed of the permutations.
        seed: u64,
    },
}

/// A heat bath: a spin becomes +1 with probability 1 / (1 + exp(-2 h / T)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Heat {
    /// T / 2, in units of the stored couplings.
    pub(super) amplitude: f32,
    pub(super) seed: u64,
}

/// States in a task, at most: enough that the tables of the signed product pay.
const TILE: usize = 2048;
/// Below this number of states, a group's fields are cheaper from remembered ones, which all threads compute together.
const FEW_STATES: usize = 16;

/// Moves states by sweeps.
pub(super) struct Sweeps<'a> {
    couplings: &'a Couplings,
    order: SweepOrder,
    ties: Ties,
    heat: Option<Heat>,
    clamped: Clamped,
    magnitudes: Magnitudes,
    fields: Option<RememberedFields>,
    /// Flips of the last sweep.
    n_flips: Option<usize>,
    execution: &'a Execution,
}

impl<'a> Sweeps<'a> {
    pub(super) fn new(
        couplings: &'a Couplings,
        (order, ties, heat): (SweepOrder, Ties, Option<Heat>),
        clamped: Clamped,
        execution: &'a Execution,
    ) -> Result<Self> {
        let magnitudes = Magnitudes::of(couplings, execution)?;
        Ok(Self { couplings, order, ties, heat, clamped, magnitudes, fields: None, n_flips: None, execution })
    }
}

impl Mover for Sweeps<'_> {
    fn step(&mut self, step: u64, states: &BlockMajor, members: &[usize]) -> Result<BlockMajor> {
        let (n_states, n_spins) = (states.n_rows(), states.n_columns());
        let few = match self.n_flips {
            Some(n_flips) => are_few(n_flips, n_states, n_spins),
            None => n_states < FEW_STATES,
        };
        if few && self.fields.is_none() {
            self.fields = RememberedFields::new(self.couplings, n_states, self.execution)?;
        }
        if let (true, Some(fields)) = (few, &mut self.fields) {
            fields.bring_to(self.couplings, states, self.execution)?;
        }
        let order = match self.order {
            SweepOrder::Ascending => None,
            SweepOrder::Random { seed } => {
                Some(permutation(&mut stream(seed, "sweep order", &[step]), n_spins))
            }
        };
        let sweep = Sweep {
            couplings: self.couplings,
            order: order.as_deref(),
            step,
            ties: self.ties,
            heat: self.heat,
            held: self.clamped.held(),
            magnitudes: &self.magnitudes,
            before: self.fields.as_ref().filter(|_| few),
            execution: self.execution,
        };
        let n_threads = self.execution.n_threads();
        let n_tiles = n_states.div_ceil(TILE).next_multiple_of(n_threads);
        let tile_len = n_states.div_ceil(n_tiles);
        let mut tiles: Vec<Tile> = (0..n_states)
            .step_by(tile_len)
            .map(|first| Tile::new(states, first, tile_len.min(n_states - first)))
            .collect();
        self.execution.for_each(tiles.iter_mut(), Scratch::new, |scratch, tile| {
            sweep.run(tile, &members[tile.first..][..tile.n_states], scratch)
        })?;
        let mut next = BlockMajor::all_down(n_states, n_spins);
        for tile in &tiles {
            tile.put(&mut next);
        }
        self.n_flips = Some(tiles.iter().map(|tile| tile.n_flips).sum());
        Ok(next)
    }

    fn retain(&mut self, keep: &[bool]) {
        if let Some(fields) = &mut self.fields {
            fields.retain(keep);
        }
        self.clamped.retain(keep);
    }
}
