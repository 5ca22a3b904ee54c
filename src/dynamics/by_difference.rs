//! Parallel updates that remember the fields: after a step in which few spins flipped, the next fields come by difference.
//!
//! The states are those of the plain update, to the bit. A field by difference is off the canonical sum by at most
//!
//! ```text
//! (flips since the fields were summed + 2 (N / 8 + 5)) 2^-24 (sum_j |J_ij| + |theta_i|)
//! ```
//!
//! (both sums' roundings, see [`Flips`]); where it is larger than that its sign is certain, elsewhere the canonical sum is
//! made and kept. Where couplings are small integers, as Hebb counts are, everything is exact and nothing is repaired.

use super::field::{PANELS_PER_BLOCK, Ties, tie_words};
use crate::couplings::{Couplings, PANEL, n_panels, panel_rows};
use crate::error::Result;
use crate::execution::Execution;
use crate::kernels::{
    Finish, Flips, LANES, Lanes, Signs, Source, Tables, field_magnitudes, fields_of_one_state, interleave,
    local_fields_with, threshold, update_fields,
};
use crate::spins::{BlockMajor, SpinMatrix, WORD};

/// Fields are remembered up to this number of them, 256 MiB.
const MAX_FIELDS: usize = 1 << 26;
/// A flip costs about as much as this number of columns of the whole sum (an addition from L2 against a table's lookup of
/// 8 columns, and its share of finding flips): by difference where fewer than N / 12 spins of a state flipped.
const COLUMNS_PER_FLIP: usize = 12;

/// The fields of the states of the last update.
pub(super) struct RememberedFields {
    states: BlockMajor,
    fields: Vec<Lanes<f32>>, // [panel][m][16]
    /// Flips of each state since its fields were summed.
    terms: Vec<u32>,
}

/// Flips of every state of a batch, in the order of the states.
struct FlipList {
    starts: Vec<usize>, // [m + 1]
    columns: Vec<u32>,
}

/// A panel's rows of J and its own fields.
type Inputs<'a> = (&'a [f32], Option<&'a Lanes<f32>>);

struct Scratch {
    panel: Vec<Lanes<f32>>, // [k][16]
    ties: Vec<u64>,         // [m]
    tables: Tables<f32>,
}

impl RememberedFields {
    /// Whether the fields of so many states are worth their memory, and there is a block of neurons for each thread.
    pub(super) fn fit(n_states: usize, n_spins: usize, n_threads: usize) -> bool {
        n_states > 1 && n_states.saturating_mul(n_spins) <= MAX_FIELDS && n_spins.div_ceil(WORD) >= n_threads
    }

    /// Nothing remembered yet, for states like `states`.
    pub(super) fn new(states: &BlockMajor) -> Self {
        let (n_states, n_spins) = (states.n_rows(), states.n_columns());
        Self {
            states: BlockMajor::all_down(0, n_spins),
            fields: vec![Lanes::ZERO; n_panels(n_spins) * n_states],
            terms: vec![0; n_states],
        }
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
        self.states.retain_rows(keep);
    }

    /// Every spin of every state set to the sign of its local field.
    pub(super) fn parallel_update(
        &mut self,
        couplings: &Couplings,
        states: &BlockMajor,
        ties: Ties,
        execution: &Execution,
    ) -> Result<BlockMajor> {
        let flips = (self.states.n_rows() == states.n_rows()).then(|| self.few_flips(states)).flatten();
        let next = match &flips {
            Some(flips) => self.by_difference(flips, couplings, states, ties, execution),
            None => self.summed(couplings, states, ties, execution),
        }?;
        self.states = states.clone();
        Ok(next)
    }

    /// The flips since the last update, if they are few.
    fn few_flips(&self, states: &BlockMajor) -> Option<FlipList> {
        let (n_states, n_spins) = (states.n_rows(), states.n_columns());
        let changes =
            self.states.words().iter().zip(states.words()).map(|(a, b)| (a ^ b).count_ones() as usize);
        let n_flips: usize = changes.sum();
        if n_flips.saturating_mul(COLUMNS_PER_FLIP) > n_states * n_spins {
            return None;
        }
        let mut list = FlipList { starts: vec![0], columns: Vec::with_capacity(n_flips) };
        for state in 0..n_states {
            for block in 0..n_spins.div_ceil(WORD) {
                let (before, now) = (self.states.block(block)[state], states.block(block)[state]);
                let mut changed = before ^ now;
                while changed != 0 {
                    let bit = changed.trailing_zeros();
                    list.columns.push(((block as u32 * WORD as u32 + bit) << 1) | (now >> bit & 1) as u32);
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
        ties: Ties,
        execution: &Execution,
    ) -> Result<BlockMajor> {
        self.terms.fill(0);
        let signs = Signs { words: states.words(), stride: states.n_rows(), n_states: states.n_rows() };
        self.for_each_panel(
            couplings,
            states,
            ties,
            execution,
            |scratch, (values, theta), fields, ties, shift, next| {
                let source = Source::Rows { values, n_columns: states.n_columns() };
                let finish = Finish::Threshold { ties, shift, next };
                let tables = &mut scratch.tables;
                local_fields_with(execution.isa(), signs, source, theta, fields, finish, tables);
            },
        )
    }

    fn by_difference(
        &mut self,
        flips: &FlipList,
        couplings: &Couplings,
        states: &BlockMajor,
        ties: Ties,
        execution: &Execution,
    ) -> Result<BlockMajor> {
        for (terms, range) in self.terms.iter_mut().zip(flips.starts.windows(2)) {
            *terms = terms.saturating_add((range[1] - range[0]) as u32);
        }
        let flips = Flips { starts: &flips.starts, columns: &flips.columns };
        let n_spins = states.n_columns();
        let rows: SpinMatrix = states.to_rows();
        // A margin on the first-order bound, for its higher orders and for the roundings of the magnitudes.
        let unit = 1.01 * f32::EPSILON / 2.0;
        let summing = 2 * (n_spins.div_ceil(8) + 5);
        let per_state: Vec<f32> =
            self.terms.iter().map(|&terms| (terms as usize + summing) as f32 * unit).collect();
        self.for_each_panel(
            couplings,
            states,
            ties,
            execution,
            |scratch, (values, theta), fields, ties, shift, next| {
                let isa = execution.isa();
                scratch.panel.resize(n_spins, Lanes::ZERO);
                interleave(isa, values, &mut scratch.panel);
                update_fields(isa, flips, &scratch.panel, fields);
                let (mut magnitudes, exact) = field_magnitudes(&scratch.panel);
                if let Some(theta) = theta {
                    magnitudes.0.iter_mut().zip(theta.0).for_each(|(sum, theta)| *sum += theta.abs());
                }
                if !exact || theta.is_some() {
                    let n_rows = values.len() / n_spins;
                    for (state, (field, &bound)) in fields.iter_mut().zip(&per_state).enumerate() {
                        let is_certain = |lane: usize| field.0[lane].abs() > bound * magnitudes.0[lane];
                        if (0..LANES).all(|lane| lane >= n_rows || is_certain(lane)) {
                            continue;
                        }
                        for lane in (0..n_rows).filter(|&lane| !is_certain(lane)).collect::<Vec<_>>() {
                            let row = &values[lane * n_spins..][..n_spins];
                            fields_of_one_state(
                                isa,
                                rows.row(state),
                                row,
                                n_spins,
                                &mut field.0[lane..=lane],
                            );
                            field.0[lane] += theta.map_or(0.0, |theta| theta.0[lane]);
                        }
                    }
                }
                threshold(isa, fields, ties, shift, next);
            },
        )
    }

    /// Takes `work` to every panel: its rows of J and theta, its fields, the bits of ties, and the bits of `next` from `shift` on.
    fn for_each_panel(
        &mut self,
        couplings: &Couplings,
        states: &BlockMajor,
        ties: Ties,
        execution: &Execution,
        work: impl Fn(&mut Scratch, Inputs, &mut [Lanes<f32>], &[u64], u32, &mut [u64]) + Sync,
    ) -> Result<BlockMajor> {
        let (n_states, n_spins) = (states.n_rows(), states.n_columns());
        let mut next = BlockMajor::all_down(n_states, n_spins);
        let scratch = || Scratch { panel: Vec::new(), ties: Vec::new(), tables: Tables::new() };
        let blocks = next.words_mut().chunks_exact_mut(n_states);
        let blocks = blocks.zip(self.fields.chunks_mut(PANELS_PER_BLOCK * n_states)).enumerate();
        execution.for_each(blocks, scratch, |scratch, (block, (next, fields))| {
            let mut tie_scratch = std::mem::take(&mut scratch.ties);
            let ties = tie_words(ties, states.block(block), n_spins - block * WORD, &mut tie_scratch);
            for (index, fields) in fields.chunks_exact_mut(n_states).enumerate() {
                let panel = block * PANELS_PER_BLOCK + index;
                debug_assert!(!panel_rows(panel, n_spins).is_empty());
                let theta = couplings.panel_theta(panel);
                work(
                    scratch,
                    (couplings.panel(panel), theta.as_ref()),
                    fields,
                    ties,
                    (index * PANEL) as u32,
                    next,
                );
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
        for (n, m) in [(130, 20), (83, 2), (257, 70)] {
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
                    let mut fields = RememberedFields::new(&states);
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
