//! A sweep: every spin of many states updated once, one after another, at the speed of the signed product.
//!
//! Neurons go in groups of 16, in the order of the sweep. A group's fields are computed for all states of a tile at once, then
//! the 16 spins are updated [in order](crate::kernels::update_in_order), each flip repairing the fields behind it. Where a
//! field's [rounding](super::rounding) leaves its sign in doubt the canonical sum is made, so the states are those of the plain loop
//!
//! ```text
//! for i in order: x_i = sign(sum_j J_ij x_j + theta_i)
//! ```
//!
//! to the bit. A group's fields are whole sums; or, where few spins flipped in the last sweep, the fields that all neurons
//! had before the sweep, by difference from the sweep before, and the flips of this one. Which of them never changes states.
//! Threads share nothing: a tile of states is one task, for the whole sweep.

use rand_core::Rng;
use rand_pcg::Pcg64;

use super::by_difference::{RememberedFields, add_flips, are_few, flip};
use super::field::Ties;
use super::rounding::{Magnitudes, rounding};
use super::sweep::Heat;
use crate::couplings::{Couplings, PANEL};
use crate::error::Result;
use crate::execution::Execution;
use crate::kernels::{
    Finish, Flips, InOrder, InOrderStates, LANES, Lanes, Signs, Source, Tables, fields_of_one_state,
    local_fields_with, logit_noise, update_in_order,
};
use crate::random::stream;
use crate::spins::{BlockMajor, WORD};

/// Some of the states, in a place of their own.
pub(super) struct Tile {
    pub(super) first: usize,
    pub(super) n_states: usize,
    words: Vec<u64>, // [n_spins / 64][m]
    pub(super) n_flips: usize,
}

impl Tile {
    pub(super) fn new(states: &BlockMajor, first: usize, n_states: usize) -> Self {
        let n_blocks = states.n_columns().div_ceil(WORD);
        let words = (0..n_blocks).flat_map(|block| &states.block(block)[first..][..n_states]).copied();
        Self { first, n_states, words: words.collect(), n_flips: 0 }
    }

    pub(super) fn put(&self, states: &mut BlockMajor) {
        let n_rows = states.n_rows();
        for (block, words) in self.words.chunks_exact(self.n_states).enumerate() {
            states.words_mut()[block * n_rows + self.first..][..self.n_states].copy_from_slice(words);
        }
    }
}

/// What a thread works with; everything per state is `[m]`.
pub(super) struct Scratch {
    tables: Tables<f32>,
    rows: Vec<f32>,         // [16][n_spins], of a group that lies apart
    panel: Vec<Lanes<f32>>, // [k][16]
    fields: Vec<Lanes<f32>>,
    roundings: Vec<f32>,
    spins: Vec<u16>,
    moved: Vec<u16>,
    paused: Vec<u8>,
    held: Vec<u16>,
    generators: Vec<Pcg64>,
    bits: Vec<[u32; LANES]>,
    noise: Vec<Lanes<f32>>,
    state: Vec<u64>,    // [n_spins / 64], of one state
    starts: Vec<usize>, // of the states' flips in `columns`
    ends: Vec<usize>,
    columns: Vec<u32>, // [m][n_spins]
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self {
            tables: Tables::new(),
            rows: Vec::new(),
            panel: Vec::new(),
            fields: Vec::new(),
            roundings: Vec::new(),
            spins: Vec::new(),
            moved: Vec::new(),
            paused: Vec::new(),
            held: Vec::new(),
            generators: Vec::new(),
            bits: Vec::new(),
            noise: Vec::new(),
            state: Vec::new(),
            starts: Vec::new(),
            ends: Vec::new(),
            columns: Vec::new(),
        }
    }

    fn resize(&mut self, n_states: usize) {
        self.fields.resize(n_states, Lanes::ZERO);
        self.roundings.resize(n_states, 0.0);
        self.spins.resize(n_states, 0);
        self.moved.resize(n_states, 0);
        self.paused.resize(n_states, 0);
    }
}

/// One sweep over all neurons.
pub(super) struct Sweep<'a> {
    pub(super) couplings: &'a Couplings,
    pub(super) order: Option<&'a [usize]>,
    pub(super) step: u64,
    pub(super) ties: Ties,
    pub(super) heat: Option<Heat>,
    pub(super) held: Option<&'a BlockMajor>,
    pub(super) magnitudes: &'a Magnitudes,
    /// The fields before the sweep.
    pub(super) before: Option<&'a RememberedFields>,
    pub(super) execution: &'a Execution,
}

/// Up to 16 neurons that are updated one after another.
struct Group<'a> {
    neurons: [usize; LANES],
    n_neurons: usize,
    /// Their rows of J, `[n_neurons][n_spins]`.
    values: &'a [f32],
    theta: Option<Lanes<f32>>,
    magnitudes: Lanes<f32>,
    within: [Lanes<f32>; LANES],
}

impl Group<'_> {
    fn neurons(&self) -> &[usize] {
        &self.neurons[..self.n_neurons]
    }
}

impl Sweep<'_> {
    /// Takes the states of a tile through the sweep; `members` are their numbers among all states.
    pub(super) fn run(&self, tile: &mut Tile, members: &[usize], scratch: &mut Scratch) -> Result<()> {
        let (n_states, n_spins) = (tile.n_states, self.couplings.n_spins());
        scratch.resize(n_states);
        if let Some(heat) = self.heat {
            let generator = |&member: &usize| stream(heat.seed, "heat bath", &[self.step, member as u64]);
            scratch.generators.clear();
            scratch.generators.extend(members.iter().map(generator));
            scratch.bits.resize(n_states, [0; LANES]);
            scratch.noise.resize(n_states, Lanes::ZERO);
        }
        if self.before.is_some() {
            scratch.starts.clear();
            scratch.starts.extend((0..n_states).map(|state| state * n_spins));
            scratch.ends.clone_from(&scratch.starts);
            if scratch.columns.len() < n_states * n_spins {
                // Untouched memory costs nothing.
                scratch.columns = vec![0; n_states * n_spins];
            }
        }
        let mut rows = std::mem::take(&mut scratch.rows);
        for first in (0..n_spins).step_by(PANEL) {
            self.execution.check_cancelled()?;
            let group = self.group(first, PANEL.min(n_spins - first), &mut rows);
            let canonical = self.fields(&group, tile, scratch);
            self.update(&group, canonical, tile, scratch);
        }
        scratch.rows = rows;
        Ok(())
    }

    /// The neurons at positions `first..first + n_neurons` of the sweep.
    fn group<'r>(&'r self, first: usize, n_neurons: usize, rows: &'r mut Vec<f32>) -> Group<'r> {
        let n_spins = self.couplings.n_spins();
        let mut neurons = [0; LANES];
        let position = |lane: usize| self.order.map_or(first + lane, |order| order[first + lane]);
        for (lane, neuron) in neurons[..n_neurons].iter_mut().enumerate() {
            *neuron = position(lane);
        }
        let values = match self.order {
            None => self.couplings.panel(first / PANEL),
            Some(_) => {
                rows.clear();
                for &neuron in &neurons[..n_neurons] {
                    rows.extend_from_slice(self.couplings.rows(neuron..neuron + 1));
                }
                &rows[..]
            }
        };
        let mut group = Group {
            neurons,
            n_neurons,
            values,
            theta: self.couplings.theta().map(|_| Lanes::ZERO),
            magnitudes: Lanes::ZERO,
            within: [Lanes::ZERO; LANES],
        };
        for (lane, &neuron) in neurons[..n_neurons].iter().enumerate() {
            group.magnitudes.0[lane] = self.magnitudes.neuron(neuron);
            if let (Some(theta), Some(all)) = (&mut group.theta, self.couplings.theta()) {
                theta.0[lane] = all[neuron];
            }
            let row = &values[lane * n_spins..][..n_spins];
            for (within, &earlier) in group.within.iter_mut().zip(&neurons[..lane]) {
                within.0[lane] = row[earlier];
            }
        }
        group
    }

    /// The group's fields of all states of the tile, and whether they are canonical sums.
    fn fields(&self, group: &Group, tile: &Tile, scratch: &mut Scratch) -> bool {
        let (n_states, n_spins) = (tile.n_states, self.couplings.n_spins());
        let isa = self.execution.isa();
        let Scratch { tables, panel, fields, roundings, starts, ends, columns, .. } = scratch;
        if let Some(before) = self.before.filter(|_| are_few(tile.n_flips, n_states, n_spins)) {
            for (lane, &neuron) in group.neurons().iter().enumerate() {
                let remembered = &before.panel(neuron / PANEL)[tile.first..][..n_states];
                match self.order {
                    None if lane > 0 => break,
                    None => fields.copy_from_slice(remembered),
                    Some(_) => {
                        for (field, remembered) in fields.iter_mut().zip(remembered) {
                            field.0[lane] = remembered.0[neuron % PANEL];
                        }
                    }
                }
            }
            let flips = Flips { starts, ends, columns };
            add_flips(isa, flips, group.values, n_spins, panel, fields);
            let terms = &before.terms()[tile.first..][..n_states];
            for (state, (bound, &terms)) in roundings.iter_mut().zip(terms).enumerate() {
                *bound = rounding(terms as usize + ends[state] - starts[state] + LANES, n_spins);
            }
            return false;
        }
        roundings.fill(rounding(LANES, n_spins));
        let signs = Signs { words: &tile.words, stride: n_states, n_states };
        let source = Source::Rows { values: group.values, n_columns: n_spins };
        local_fields_with(isa, signs, source, group.theta.as_ref(), fields, Finish::Keep, tables);
        true
    }

    /// Updates the group's spins in order.
    fn update(&self, group: &Group, canonical: bool, tile: &mut Tile, scratch: &mut Scratch) {
        let n_states = tile.n_states;
        let isa = self.execution.isa();
        gather(&tile.words, n_states, group.neurons(), &mut scratch.spins);
        scratch.moved.copy_from_slice(&scratch.spins);
        if let Some(held) = self.held {
            scratch.held.resize(n_states, 0);
            gather(&held.words()[tile.first..], held.n_rows(), group.neurons(), &mut scratch.held);
        }
        if let Some(heat) = self.heat {
            for (bits, generator) in scratch.bits.iter_mut().zip(&mut scratch.generators) {
                for pair in bits.as_chunks_mut::<2>().0 {
                    let drawn = generator.next_u64();
                    *pair = [drawn as u32, (drawn >> 32) as u32];
                }
            }
            logit_noise(isa, &scratch.bits, heat.amplitude, &mut scratch.noise);
        }
        let neurons = InOrder {
            within: &group.within,
            magnitudes: &group.magnitudes,
            lanes: u16::MAX >> (LANES - group.n_neurons),
            ties_up: self.ties == Ties::Up,
            canonical,
        };
        let noise = self.heat.map(|_| &scratch.noise[..]);
        let held = self.held.map(|_| &scratch.held[..]);
        let mut states = InOrderStates {
            fields: &mut scratch.fields,
            roundings: &scratch.roundings,
            noise,
            held,
            spins: &mut scratch.moved,
            paused: &mut scratch.paused,
        };
        update_in_order(isa, neurons, 0, &mut states);
        for state in 0..n_states {
            if usize::from(states.paused[state]) < LANES {
                self.resume(group, neurons, state, tile, &mut states, &mut scratch.state);
            }
        }
        for state in 0..n_states {
            let mut flipped = scratch.spins[state] ^ scratch.moved[state];
            while flipped != 0 {
                let lane = flipped.trailing_zeros() as usize;
                let neuron = group.neurons[lane];
                tile.words[neuron / WORD * n_states + state] ^= 1 << (neuron % WORD);
                tile.n_flips += 1;
                if self.before.is_some() {
                    let end = &mut scratch.ends[state];
                    scratch.columns[*end] = flip(neuron, scratch.moved[state] >> lane & 1 == 1);
                    *end += 1;
                }
                flipped &= flipped - 1;
            }
        }
    }

    /// Takes a state that paused through the rest of the group; a field in doubt is summed anew.
    fn resume(
        &self,
        group: &Group,
        neurons: InOrder,
        state: usize,
        tile: &Tile,
        states: &mut InOrderStates,
        packed: &mut Vec<u64>,
    ) {
        let (isa, n_spins) = (self.execution.isa(), self.couplings.n_spins());
        packed.clear();
        packed.extend(tile.words.chunks_exact(tile.n_states).map(|block| block[state]));
        while usize::from(states.paused[state]) < LANES {
            let lane = usize::from(states.paused[state]);
            let spins = states.spins[state];
            for (lane, &neuron) in group.neurons().iter().enumerate() {
                let bit = u64::from(spins >> lane & 1) << (neuron % WORD);
                packed[neuron / WORD] = packed[neuron / WORD] & !(1 << (neuron % WORD)) | bit;
            }
            let mut field = [0.0];
            let row = &group.values[lane * n_spins..][..n_spins];
            fields_of_one_state(isa, packed, row, n_spins, &mut field);
            let field = field[0] + group.theta.map_or(0.0, |theta| theta.0[lane]);
            let felt = field + states.noise.map_or(0.0, |noise| noise[state].0[lane]);
            let was_up = spins >> lane & 1 == 1;
            let is_up = felt > 0.0 || felt == 0.0 && (neurons.ties_up || was_up);
            if is_up != was_up {
                states.spins[state] ^= 1 << lane;
                let twice = if is_up { 2.0 } else { -2.0 };
                for (field, within) in states.fields[state].0.iter_mut().zip(group.within[lane].0) {
                    *field += twice * within;
                }
            }
            if lane + 1 == LANES {
                states.paused[state] = LANES as u8;
                break;
            }
            let mut one = InOrderStates {
                fields: &mut states.fields[state..=state],
                roundings: &states.roundings[state..=state],
                noise: states.noise.map(|noise| &noise[state..=state]),
                held: states.held.map(|held| &held[state..=state]),
                spins: &mut states.spins[state..=state],
                paused: &mut states.paused[state..=state],
            };
            update_in_order(isa, InOrder { canonical: false, ..neurons }, lane + 1, &mut one);
        }
    }
}

/// The spins of `neurons` in states `[n_spins / 64][stride]`: bit l of a state's entry is neuron l.
fn gather(words: &[u64], stride: usize, neurons: &[usize], spins: &mut [u16]) {
    spins.fill(0);
    for (lane, &neuron) in neurons.iter().enumerate() {
        let words = &words[neuron / WORD * stride..][..spins.len()];
        for (spins, word) in spins.iter_mut().zip(words) {
            *spins |= ((word >> (neuron % WORD) & 1) as u16) << lane;
        }
    }
}
