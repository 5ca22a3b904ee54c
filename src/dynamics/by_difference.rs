//! Fields that are remembered from step to step: where few spins flipped, the next fields come by difference.
//!
//! The states that follow from them are those of whole sums, to the bit: where a field's [rounding](super::rounding) leaves its sign in
//! doubt, the canonical sum is made and kept.

use super::field::{PANELS_PER_BLOCK, Ties, tie_words};
use super::rounding::{Magnitudes, rounding};
use crate::couplings::{Couplings, PANEL, n_panels, panel_rows};
use crate::error::Result;
use crate::execution::{Execution, Grant};
use crate::kernels::{
    Finish, Flips, Isa, LANES, Lanes, Signs, Source, Tables, fields_of_one_state, interleave,
    local_fields_with, threshold, update_fields,
};
use crate::spins::{BlockMajor, SpinMatrix, WORD};

/// Fields are remembered from step to step up to this number of bytes, 4 a state and spin, where the memory budget holds them.
pub const MAX_REMEMBERED_BYTES: usize = 256 << 20;
/// A flip costs about as much as this number of columns of the whole sum (an addition from L2 against a table's lookup of
/// 8 columns, and its share of finding flips): by difference where fewer than N / 12 spins of a state flipped.
const COLUMNS_PER_FLIP: usize = 12;
/// To lay 16 rows out by columns costs as much as to pick the columns of one flip in this number of columns.
const COLUMNS_PER_PICK: usize = 16;

/// Whether so many flips of so many states are few enough for fields by difference.
pub(super) fn are_few(n_flips: usize, n_states: usize, n_spins: usize) -> bool {
    n_flips.saturating_mul(COLUMNS_PER_FLIP) <= n_states.saturating_mul(n_spins)
}

/// A flip as [`Flips`] has it.
pub(super) fn flip(column: usize, is_up: bool) -> u32 {
    (column as u32) << 1 | u32::from(is_up)
}

/// The fields of the states of the last step.
pub(super) struct RememberedFields {
    states: BlockMajor,
    fields: Vec<Lanes<f32>>, // [panel][m][16]
    /// Their memory.
    _grant: Grant,
    /// Flips of each state since its fields were summed.
    terms: Vec<u32>,
    magnitudes: Magnitudes,
}

/// Flips of every state of a batch, in the order of the states.
struct FlipList {
    starts: Vec<usize>, // [m + 1]
    columns: Vec<u32>,
}

impl FlipList {
    fn get(&self) -> Flips<'_> {
        let n_states = self.starts.len() - 1;
        Flips { starts: &self.starts[..n_states], ends: &self.starts[1..], columns: &self.columns }
    }
}

/// What the fields are for.
#[derive(Clone, Copy)]
enum Purpose {
    /// The next states.
    Signs(Ties),
    /// Themselves: they may be off by their roundings.
    Fields,
}

/// A panel's place in a step: its rows of J, and where the signs of its fields go.
struct Place<'a> {
    panel: usize,
    values: &'a [f32], // [rows][n_spins]
    theta: Option<Lanes<f32>>,
    ties: &'a [u64], // [m]
    shift: u32,
    next: &'a mut [u64], // [m]
}

struct Scratch {
    panel: Vec<Lanes<f32>>, // [k][16]
    ties: Vec<u64>,         // [m]
    tables: Tables<f32>,
}

/// `fields[m] += 2 sum_k s_mk w_k[16]` over the flips, `values` the rows of up to 16 neurons; `panel` is scratch.
pub(super) fn add_flips(
    isa: Isa,
    flips: Flips,
    values: &[f32],
    n_spins: usize,
    panel: &mut Vec<Lanes<f32>>,
    fields: &mut [Lanes<f32>],
) {
    let n_flips: usize = flips.starts.iter().zip(flips.ends).map(|(start, end)| end - start).sum();
    if n_flips == 0 {
        return;
    }
    if n_flips.saturating_mul(COLUMNS_PER_PICK) < n_spins {
        for ((&start, &end), field) in flips.starts.iter().zip(flips.ends).zip(fields) {
            for &flip in &flips.columns[start..end] {
                let (column, twice) = ((flip >> 1) as usize, if flip & 1 == 1 { 2.0 } else { -2.0 });
                for (field, row) in field.0.iter_mut().zip(values.chunks_exact(n_spins)) {
                    *field += twice * row[column];
                }
            }
        }
        return;
    }
    panel.resize(n_spins, Lanes::ZERO);
    interleave(isa, values, panel);
    update_fields(isa, flips, panel, fields);
}

impl RememberedFields {
    /// Nothing remembered yet; none where so many fields are not worth their memory or there is none for them, or blocks of neurons are
    /// fewer than threads.
    ///
    /// # Errors
    /// If interrupted.
    pub(super) fn new(couplings: &Couplings, n_states: usize, execution: &Execution) -> Result<Option<Self>> {
        let n_spins = couplings.n_spins();
        if n_states.saturating_mul(4 * n_spins) > MAX_REMEMBERED_BYTES
            || n_spins.div_ceil(WORD) < execution.n_threads()
        {
            return Ok(None);
        }
        let n_lanes = n_panels(n_spins) * n_states;
        let Some(grant) = execution.memory().grant((n_lanes * size_of::<Lanes<f32>>()) as u64) else {
            return Ok(None);
        };
        Ok(Some(Self {
            states: BlockMajor::all_down(0, n_spins),
            fields: vec![Lanes::ZERO; n_lanes],
            _grant: grant,
            terms: vec![0; n_states],
            magnitudes: Magnitudes::of(couplings, execution)?,
        }))
    }

    /// The fields at a panel, `[m][16]`.
    pub(super) fn panel(&self, panel: usize) -> &[Lanes<f32>] {
        &self.fields[panel * self.terms.len()..][..self.terms.len()]
    }

    /// Flips of each state since its fields were summed.
    pub(super) fn terms(&self) -> &[u32] {
        &self.terms
    }

    /// Keeps the rows for which `keep` holds, in order.
    pub(super) fn retain(&mut self, keep: &[bool]) {
        let mut target = 0;
        for source in 0..self.fields.len() {
            if keep[source % keep.len()] {
                self.fields[target] = self.fields[source];
                target += 1;
            }
        }
        self.fields.truncate(target);
        let mut kept = keep.iter();
        self.terms.retain(|_| kept.next() == Some(&true));
        if self.states.n_rows() == keep.len() {
            self.states.retain_rows(keep);
        }
    }

    /// Every spin of every state set to the sign of its local field.
    pub(super) fn parallel_update(
        &mut self,
        couplings: &Couplings,
        states: &BlockMajor,
        ties: Ties,
        execution: &Execution,
    ) -> Result<BlockMajor> {
        self.advance(couplings, states, Purpose::Signs(ties), execution)
    }

    /// Makes the fields those of `states`, up to their [roundings](super::rounding).
    pub(super) fn bring_to(
        &mut self,
        couplings: &Couplings,
        states: &BlockMajor,
        execution: &Execution,
    ) -> Result<()> {
        self.advance(couplings, states, Purpose::Fields, execution).map(drop)
    }

    fn advance(
        &mut self,
        couplings: &Couplings,
        states: &BlockMajor,
        purpose: Purpose,
        execution: &Execution,
    ) -> Result<BlockMajor> {
        let flips = (self.states.n_rows() == states.n_rows()).then(|| self.few_flips(states)).flatten();
        let next = match &flips {
            Some(flips) => self.by_difference(flips, couplings, states, purpose, execution),
            None => self.summed(couplings, states, purpose, execution),
        }?;
        self.states = states.clone();
        Ok(next)
    }

    /// The flips since the last step, if they are few.
    fn few_flips(&self, states: &BlockMajor) -> Option<FlipList> {
        let (n_states, n_spins) = (states.n_rows(), states.n_columns());
        let changes =
            self.states.words().iter().zip(states.words()).map(|(a, b)| (a ^ b).count_ones() as usize);
        let n_flips: usize = changes.sum();
        // Roundings add up: once a sum's own are outnumbered, whole sums pay.
        let is_worn = self.terms.iter().any(|&terms| terms as usize > n_spins);
        if !are_few(n_flips, n_states, n_spins) || is_worn {
            return None;
        }
        let mut list = FlipList { starts: vec![0], columns: Vec::with_capacity(n_flips) };
        for state in 0..n_states {
            for block in 0..n_spins.div_ceil(WORD) {
                let (before, now) = (self.states.block(block)[state], states.block(block)[state]);
                let mut changed = before ^ now;
                while changed != 0 {
                    let bit = changed.trailing_zeros() as usize;
                    list.columns.push(flip(block * WORD + bit, now >> bit & 1 == 1));
                    changed &= changed - 1;
                }
            }
            list.starts.push(list.columns.len());
        }
        Some(list)
    }

    /// By whole sums, which are kept.
    fn summed(
        &mut self,
        couplings: &Couplings,
        states: &BlockMajor,
        purpose: Purpose,
        execution: &Execution,
    ) -> Result<BlockMajor> {
        self.terms.fill(0);
        let n_spins = states.n_columns();
        let signs = Signs { words: states.words(), stride: states.n_rows(), n_states: states.n_rows() };
        let work = |scratch: &mut Scratch, place: Place, fields: &mut [Lanes<f32>], _: &Magnitudes| {
            let Place { values, theta, ties, shift, next, .. } = place;
            let isa = execution.isa();
            if let [field] = fields {
                *field = Lanes::ZERO;
                let row = &mut field.0[..values.len() / n_spins];
                fields_of_one_state(isa, states.words(), values, n_spins, row);
                if let Some(theta) = theta {
                    row.iter_mut().zip(theta.0).for_each(|(field, theta)| *field += theta);
                }
                threshold(isa, fields, ties, shift, next);
                return;
            }
            let source = Source::Rows { values, n_columns: n_spins };
            let finish = match purpose {
                Purpose::Signs(_) => Finish::Threshold { ties, shift, next },
                Purpose::Fields => Finish::Keep,
            };
            local_fields_with(isa, signs, source, theta.as_ref(), fields, finish, &mut scratch.tables);
        };
        self.for_each_panel(couplings, states, purpose, execution, work)
    }

    fn by_difference(
        &mut self,
        list: &FlipList,
        couplings: &Couplings,
        states: &BlockMajor,
        purpose: Purpose,
        execution: &Execution,
    ) -> Result<BlockMajor> {
        for (terms, range) in self.terms.iter_mut().zip(list.starts.windows(2)) {
            *terms = terms.saturating_add((range[1] - range[0]) as u32);
        }
        let n_spins = states.n_columns();
        let rows: SpinMatrix = match purpose {
            Purpose::Signs(_) => states.to_rows(),
            Purpose::Fields => SpinMatrix::all_down(0, n_spins),
        };
        let bounds: Vec<f32> = self.terms.iter().map(|&terms| rounding(terms as usize, n_spins)).collect();
        let work =
            |scratch: &mut Scratch, place: Place, fields: &mut [Lanes<f32>], magnitudes: &Magnitudes| {
                let (isa, values) = (execution.isa(), place.values);
                add_flips(isa, list.get(), values, n_spins, &mut scratch.panel, fields);
                let Purpose::Signs(_) = purpose else { return };
                let magnitudes = magnitudes.panel(place.panel);
                let n_rows = values.len() / n_spins;
                for (state, (field, &bound)) in fields.iter_mut().zip(&bounds).enumerate() {
                    let is_certain =
                        |field: &Lanes<f32>, lane: usize| field.0[lane].abs() > bound * magnitudes.0[lane];
                    if (0..LANES).all(|lane| lane >= n_rows || is_certain(field, lane)) {
                        continue;
                    }
                    for lane in 0..n_rows {
                        if is_certain(field, lane) {
                            continue;
                        }
                        let row = &values[lane * n_spins..][..n_spins];
                        fields_of_one_state(isa, rows.row(state), row, n_spins, &mut field.0[lane..=lane]);
                        field.0[lane] += place.theta.map_or(0.0, |theta| theta.0[lane]);
                    }
                }
                threshold(isa, fields, place.ties, place.shift, place.next);
            };
        self.for_each_panel(couplings, states, purpose, execution, work)
    }

    /// Takes `work` to every panel.
    fn for_each_panel(
        &mut self,
        couplings: &Couplings,
        states: &BlockMajor,
        purpose: Purpose,
        execution: &Execution,
        work: impl Fn(&mut Scratch, Place, &mut [Lanes<f32>], &Magnitudes) + Sync,
    ) -> Result<BlockMajor> {
        let (n_states, n_spins) = (states.n_rows(), states.n_columns());
        let mut next = BlockMajor::all_down(n_states, n_spins);
        let magnitudes = &self.magnitudes;
        let scratch = || Scratch { panel: Vec::new(), ties: Vec::new(), tables: Tables::new() };
        let blocks = next.words_mut().chunks_exact_mut(n_states);
        let blocks = blocks.zip(self.fields.chunks_mut(PANELS_PER_BLOCK * n_states)).enumerate();
        execution.for_each(blocks, scratch, |scratch, (block, (next, fields))| {
            let mut tie_scratch = std::mem::take(&mut scratch.ties);
            let ties = match purpose {
                Purpose::Signs(ties) => ties,
                Purpose::Fields => Ties::Keep,
            };
            let ties = tie_words(ties, states.block(block), n_spins - block * WORD, &mut tie_scratch);
            for (index, fields) in fields.chunks_exact_mut(n_states).enumerate() {
                let panel = block * PANELS_PER_BLOCK + index;
                debug_assert!(!panel_rows(panel, n_spins).is_empty());
                let place = Place {
                    panel,
                    values: couplings.panel(panel),
                    theta: couplings.panel_theta(panel),
                    ties,
                    shift: (index * PANEL) as u32,
                    next,
                };
                work(scratch, place, fields, magnitudes);
            }
            scratch.ties = tie_scratch;
            Ok(())
        })?;
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::parallel_update;
    use super::*;
    use crate::dynamics::random_states;
    use crate::random::{gaussian, stream};
    use rand_core::Rng;

    /// Gaussian couplings, whose fields are seldom small; +-0.1, whose fields nearly cancel and round to either side of
    /// 0; small integers, exact and often tied.
    #[test]
    fn states_are_those_of_whole_sums() {
        let execution = Execution::with_threads(2).unwrap();
        for (n, m) in [(130, 20), (83, 2), (257, 70), (300, 1)] {
            for kind in 0..3 {
                let mut rng = stream(kind, "difference test", &[n as u64]);
                let mut rows = vec![0.0; n * n];
                for (place, value) in rows.iter_mut().enumerate() {
                    let sign = if rng.next_u64() >> 63 == 1 { 1.0 } else { -1.0 };
                    let drawn = [gaussian(&mut rng) as f32, 0.1 * sign, sign][kind as usize];
                    *value = if place.is_multiple_of(n + 1) { 0.0 } else { drawn };
                }
                let mut couplings = Couplings::from_rows(n, rows).unwrap();
                if m == 20 {
                    let drawn = (0..n).map(|_| [gaussian(&mut rng) as f32, 0.1, 1.0][kind as usize]);
                    couplings = couplings.with_theta(drawn.collect()).unwrap();
                }
                for ties in [Ties::Keep, Ties::Up] {
                    let mut states = BlockMajor::from_rows(&random_states(m, n, kind).unwrap());
                    let mut fields = RememberedFields::new(&couplings, m, &execution).unwrap().unwrap();
                    let mut n_by_difference = 0;
                    for step in 0..12 {
                        n_by_difference += usize::from(step > 0 && fields.few_flips(&states).is_some());
                        let found = fields.parallel_update(&couplings, &states, ties, &execution).unwrap();
                        let expected = parallel_update(&couplings, &states, ties, &execution).unwrap();
                        assert_eq!(found, expected, "N = {n}, kind {kind}, {ties:?}, step {step}");
                        // A few flips of each state; once, as many as make whole sums cheaper; once, fewer states.
                        let mut moved = states.to_rows();
                        for state in 0..states.n_rows() {
                            for _ in 0..if step == 5 { n / 3 } else { 1 + state % 4 } {
                                let site = rng.next_u64() as usize % n;
                                moved.row_mut(state)[site / WORD] ^= 1 << (site % WORD);
                            }
                        }
                        states = BlockMajor::from_rows(&moved);
                        if step == 8 && m > 2 {
                            let keep: Vec<bool> = (0..states.n_rows()).map(|state| state % 3 != 1).collect();
                            states.retain_rows(&keep);
                            fields.retain(&keep);
                        }
                    }
                    assert_eq!(n_by_difference, 10);
                }
            }
        }
    }
}
