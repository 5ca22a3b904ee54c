//! One parallel update of a batch of states: all local fields, then all signs.

use crate::couplings::{Couplings, PANEL, n_panels, panel_rows};
use crate::error::Result;
use crate::execution::Execution;
use crate::kernels::{
    Finish, Lanes, Signs, Source, Tables, fields_of_one_state, local_fields_with, threshold,
};
use crate::spins::{BlockMajor, WORD};

/// What a spin does when its local field is exactly 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// It keeps its value.
    #[default]
    Keep,
    /// It becomes +1.
    Up,
}

/// Panels that share the words of a block.
pub(super) const PANELS_PER_BLOCK: usize = WORD / PANEL;
/// States in a task: enough that the tables of the signed product pay.
const TILE: usize = 4096;
/// States in a task where blocks are few.
const SMALL_TILE: usize = 1024;

struct Scratch {
    fields: Vec<Lanes<f32>>, // [m][16]
    ties: Vec<u64>,          // [m]
    tables: Tables<f32>,
}

/// Every spin of every state set to the sign of its local field.
pub(super) fn parallel_update(
    couplings: &Couplings,
    states: &BlockMajor,
    ties: Ties,
    execution: &Execution,
) -> Result<BlockMajor> {
    let (n_states, n_spins) = (states.n_rows(), states.n_columns());
    let mut next = BlockMajor::all_down(n_states, n_spins);
    if n_states == 0 {
        return Ok(next);
    }
    let n_blocks = n_spins.div_ceil(WORD);
    let tile = if n_blocks >= 2 * execution.n_threads() { TILE } else { SMALL_TILE };
    let scratch =
        || Scratch { fields: vec![Lanes::ZERO; tile.min(n_states)], ties: Vec::new(), tables: Tables::new() };
    // One task: 64 neurons of a tile of states, whose next spins are consecutive words.
    let blocks = next.words_mut().chunks_mut(n_states).enumerate();
    let tasks = blocks.flat_map(|(block, words)| {
        words.chunks_mut(tile).enumerate().map(move |(index, words)| (block, index * tile, words))
    });
    execution.for_each(tasks, scratch, |scratch, (block, first, next)| {
        let own = &states.block(block)[first..][..next.len()];
        let tie_words = tie_words(ties, own, n_spins - block * WORD, &mut scratch.ties);
        let fields = &mut scratch.fields[..next.len()];
        for index in 0..PANELS_PER_BLOCK {
            let panel = block * PANELS_PER_BLOCK + index;
            if panel >= n_panels(n_spins) {
                break;
            }
            let (values, shift) = (couplings.panel(panel), (index * PANEL) as u32);
            let theta = couplings.panel_theta(panel);
            if n_states == 1 {
                let n_rows = panel_rows(panel, n_spins).len();
                fields[0] = Lanes::ZERO;
                let row = &mut fields[0].0[..n_rows];
                fields_of_one_state(execution.isa(), states.words(), values, n_spins, row);
                if let Some(theta) = theta {
                    row.iter_mut().zip(theta.0).for_each(|(field, theta)| *field += theta);
                }
                threshold(execution.isa(), fields, tie_words, shift, next);
            } else {
                let (words, stride) = (&states.words()[first..], n_states);
                let signs = Signs { words, stride, n_states: next.len() };
                let source = Source::Rows { values, n_columns: n_spins };
                let finish = Finish::Threshold { ties: tie_words, shift, next };
                let (theta, tables) = (theta.as_ref(), &mut scratch.tables);
                local_fields_with(execution.isa(), signs, source, theta, fields, finish, tables);
            }
        }
        Ok(())
    })?;
    Ok(next)
}

/// The bits that spins of a block take where their field is 0; `own` are its states, `n_left` the spins from it on.
pub(super) fn tie_words<'a>(
    ties: Ties,
    own: &'a [u64],
    n_left: usize,
    scratch: &'a mut Vec<u64>,
) -> &'a [u64] {
    match ties {
        Ties::Keep => own,
        Ties::Up => {
            scratch.clear();
            scratch.resize(own.len(), u64::MAX >> (WORD - n_left.min(WORD)));
            scratch
        }
    }
}
