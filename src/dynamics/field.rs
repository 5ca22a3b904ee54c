//! One parallel update of a batch of states: all local fields, then all signs.

use crate::couplings::{Couplings, PANEL, n_panels, panel_rows};
use crate::error::Result;
use crate::execution::Execution;
use crate::kernels::{
    Finish, LANES, Lanes, Signs, Source, Tables, fields_of_one_state, local_fields_with, logit_noise,
    threshold,
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
    bits: [Vec<[u32; LANES]>; PANELS_PER_BLOCK], // [panel][m][16]
    noise: Vec<Lanes<f32>>,                      // [m][16]
}

/// Random bits of the 64 neurons of a block.
pub(super) type BlockBits = [[u32; LANES]; PANELS_PER_BLOCK];

/// Noise on the fields: its amplitude, and the random bits of a block and a state.
pub(super) struct Noise<F> {
    pub(super) amplitude: f32,
    pub(super) draw: F,
}

/// Every spin of every state set to the sign of its local field.
pub(super) fn parallel_update(
    couplings: &Couplings,
    states: &BlockMajor,
    ties: Ties,
    execution: &Execution,
) -> Result<BlockMajor> {
    update(couplings, states, ties, None::<&Noise<fn(usize, usize) -> BlockBits>>, execution)
}

/// Every spin of every state set to the sign of its local field and noise.
pub(super) fn noisy_update(
    couplings: &Couplings,
    states: &BlockMajor,
    noise: &Noise<impl Fn(usize, usize) -> BlockBits + Sync>,
    execution: &Execution,
) -> Result<BlockMajor> {
    update(couplings, states, Ties::Keep, Some(noise), execution)
}

fn update(
    couplings: &Couplings,
    states: &BlockMajor,
    ties: Ties,
    noise: Option<&Noise<impl Fn(usize, usize) -> BlockBits + Sync>>,
    execution: &Execution,
) -> Result<BlockMajor> {
    let (n_states, n_spins) = (states.n_rows(), states.n_columns());
    let isa = execution.isa();
    let mut next = BlockMajor::all_down(n_states, n_spins);
    if n_states == 0 {
        return Ok(next);
    }
    let n_blocks = n_spins.div_ceil(WORD);
    let tile = if n_blocks >= 2 * execution.n_threads() { TILE } else { SMALL_TILE };
    let scratch = || Scratch {
        fields: vec![Lanes::ZERO; tile.min(n_states)],
        ties: Vec::new(),
        tables: Tables::new(),
        bits: Default::default(),
        noise: Vec::new(),
    };
    // One task: 64 neurons of a tile of states, whose next spins are consecutive words.
    let blocks = next.words_mut().chunks_mut(n_states).enumerate();
    let tasks = blocks.flat_map(|(block, words)| {
        words.chunks_mut(tile).enumerate().map(move |(index, words)| (block, index * tile, words))
    });
    execution.for_each(tasks, scratch, |scratch, (block, first, next)| {
        let own = &states.block(block)[first..][..next.len()];
        let Scratch { fields, ties: tie_scratch, tables, bits, noise: added } = scratch;
        let tie_words = tie_words(ties, own, n_spins - block * WORD, tie_scratch);
        let fields = &mut fields[..next.len()];
        if let Some(noise) = noise {
            bits.iter_mut().for_each(Vec::clear);
            for row in first..first + next.len() {
                for (bits, drawn) in bits.iter_mut().zip((noise.draw)(block, row)) {
                    bits.push(drawn);
                }
            }
            added.resize(next.len(), Lanes::ZERO);
        }
        for (index, bits) in bits.iter().enumerate() {
            let panel = block * PANELS_PER_BLOCK + index;
            if panel >= n_panels(n_spins) {
                break;
            }
            let (values, shift) = (couplings.panel(panel), (index * PANEL) as u32);
            let theta = couplings.panel_theta(panel);
            let is_single = n_states == 1;
            if is_single {
                let n_rows = panel_rows(panel, n_spins).len();
                fields[0] = Lanes::ZERO;
                let row = &mut fields[0].0[..n_rows];
                fields_of_one_state(isa, states.words(), values, n_spins, row);
                if let Some(theta) = theta {
                    row.iter_mut().zip(theta.0).for_each(|(field, theta)| *field += theta);
                }
            } else {
                let (words, stride) = (&states.words()[first..], n_states);
                let signs = Signs { words, stride, n_states: next.len() };
                let source = Source::Rows { values, n_columns: n_spins };
                let finish = match noise {
                    Some(_) => Finish::Keep,
                    None => Finish::Threshold { ties: tie_words, shift, next },
                };
                local_fields_with(isa, signs, source, theta.as_ref(), fields, finish, tables);
            }
            if let Some(noise) = noise {
                logit_noise(isa, bits, noise.amplitude, added);
                let n_rows = panel_rows(panel, n_spins).len();
                for (field, added) in fields.iter_mut().zip(&*added) {
                    for (field, added) in field.0[..n_rows].iter_mut().zip(added.0) {
                        *field += added;
                    }
                }
            }
            if is_single || noise.is_some() {
                threshold(isa, fields, tie_words, shift, next);
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
