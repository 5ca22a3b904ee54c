//! The Gram route: full-batch gradient descent in the span of the patterns, for small loads.
//!
//! Every step adds multiples of the patterns to a row, so
//!
//! ```text
//! J_i = s J_i(0) + (1/N) sum_mu a_i^mu xi^mu        (diagonal removed)
//! h_i = s h_i(0) + (K a_i - xi_i (xi_i . a_i)) / N,  K = X X^T
//! a_i^mu += lr (N / P) xi_i^mu sigma(-lambda xi_i^mu h_i^mu) - lr l2 a_i^mu,    s *= 1 - lr l2
//! ```
//!
//! which is exact: P^2 real products a neuron and epoch in place of 2 N P signed ones. Hebb couplings are a = xi, so they
//! and zero need no J(0). The coefficients are the state of the run; J is made from them where a segment ends and is never
//! turned back into coefficients.

use super::patterns::PatternBits;
use super::pseudo_likelihood::PseudoLikelihood;
use crate::couplings::{Couplings, PANEL, load_panel, n_panels, panel_rows};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{
    DENSE_ROWS, Isa, LANES, Lanes, PLANE_WIDTH, Tables, dense_product, differing_bits, margins, residuals,
    signed_product,
};
use crate::spins::{BlockMajor, NibblePlanes, SpinMatrix};

/// K, the overlaps of all pairs of patterns, interleaved in sets of rows for the dense product.
pub(super) struct Gram {
    rows: Vec<[f32; DENSE_ROWS]>, // [mu.div_ceil(6)][nu][6]
    n_patterns: usize,
}

impl Gram {
    /// xi^mu . xi^nu for the rows of `patterns`, exact.
    pub(super) fn new(patterns: &SpinMatrix, execution: &Execution) -> Result<Self> {
        let (n_patterns, n_spins) = (patterns.n_rows(), patterns.n_spins());
        let planes = NibblePlanes::new(&BlockMajor::from_rows(patterns));
        let mut rows = Vec::new();
        let len = n_patterns.div_ceil(DENSE_ROWS).saturating_mul(n_patterns);
        if rows.try_reserve_exact(len).is_err() {
            let expected = format!("memory for the overlaps of {n_patterns} patterns, or --route direct");
            return Err(Error::parameter("patterns", expected, n_patterns));
        }
        rows.resize(len, [0.0; DENSE_ROWS]);
        // Sixteen sets of rows are three blocks of planes.
        const SETS: usize = 16;
        let parts = rows.chunks_mut(SETS * n_patterns).enumerate();
        execution.for_each(
            parts,
            || (),
            |(), (part, sets)| {
                let first = part * SETS * DENSE_ROWS;
                let last = n_patterns.min(first + SETS * DENSE_ROWS);
                for a in (first..last).step_by(PLANE_WIDTH) {
                    for b in (0..n_patterns).step_by(PLANE_WIDTH) {
                        let mut differing = [[0; PLANE_WIDTH]; PLANE_WIDTH];
                        let (block_a, block_b) =
                            (planes.block(a / PLANE_WIDTH), planes.block(b / PLANE_WIDTH));
                        differing_bits(execution.isa(), block_a, block_b, &mut differing);
                        for (mu, differing) in (a..last).zip(&differing) {
                            let set = &mut sets[(mu - first) / DENSE_ROWS * n_patterns..][..n_patterns];
                            for (row, &d) in set[b..].iter_mut().zip(differing) {
                                row[mu % DENSE_ROWS] = (n_spins as i64 - 2 * i64::from(d)) as f32;
                            }
                        }
                    }
                }
                Ok(())
            },
        )?;
        Ok(Self { rows, n_patterns })
    }
}

/// The state of a run on the Gram route.
pub(super) struct Coefficients {
    gram: Gram,
    a: Vec<Lanes<f32>>,    // generation A, [panel][mu][16]
    next: Vec<Lanes<f32>>, // generation B
    start: Option<Start>,
    share: f64,
    next_share: f64,
}

/// Initial couplings outside the span of the patterns.
struct Start {
    couplings: Couplings,
    fields: Vec<Lanes<f32>>, // [panel][mu][16]
}

/// Scratch of one thread.
struct Scratch {
    fields: Vec<Lanes<f32>>,   // [mu][16]
    weighted: Vec<Lanes<f32>>, // [mu][16]
    panel: Vec<Lanes<f32>>,    // [j][16]
    tables: Tables<f32>,
}

/// How the run begins.
pub(super) enum Beginning {
    /// J(0) = factor times Hebb: in the span.
    Hebb(f64),
    /// J(0) = 0.
    Zero,
    /// Any other couplings.
    Outside(Couplings),
}

impl Coefficients {
    pub(super) fn new(
        patterns: &SpinMatrix,
        bits: &PatternBits,
        beginning: Beginning,
        execution: &Execution,
    ) -> Result<Self> {
        let (n_patterns, n_spins) = (patterns.n_rows(), patterns.n_spins());
        let gram = Gram::new(patterns, execution)?;
        let zeros = || {
            let mut lanes = Vec::new();
            let len = n_panels(n_spins).saturating_mul(n_patterns);
            match lanes.try_reserve_exact(len) {
                Ok(()) => {
                    lanes.resize(len, Lanes::ZERO);
                    Ok(lanes)
                }
                Err(_) => Err(Error::parameter("patterns", "memory for N P coefficients", n_patterns)),
            }
        };
        let mut a = zeros()?;
        let mut start = None;
        match beginning {
            Beginning::Zero => {}
            Beginning::Hebb(factor) => {
                let panels = a.chunks_exact_mut(n_patterns).enumerate();
                execution.for_each(
                    panels,
                    || (),
                    |(), (index, a)| {
                        a.fill(Lanes([factor as f32; LANES]));
                        let (signs, shift) = bits.panel_signs(index);
                        margins(execution.isa(), signs, shift, a);
                        Ok(())
                    },
                )?;
            }
            Beginning::Outside(couplings) => {
                let mut fields = zeros()?;
                let panels = fields.chunks_exact_mut(n_patterns).enumerate();
                let scratch = || (vec![Lanes::ZERO; n_spins], Tables::new());
                execution.for_each(panels, scratch, |(panel, tables), (index, fields)| {
                    load_panel(couplings.panel(index), panel);
                    let rows = bits.by_pattern();
                    signed_product(execution.isa(), rows.words(), rows.n_rows(), panel, fields, tables);
                    Ok(())
                })?;
                start = Some(Start { couplings, fields });
            }
        }
        let next = zeros()?;
        Ok(Self { gram, a, next, start, share: 1.0, next_share: 1.0 })
    }

    /// Takes all panels through `epochs` and writes the couplings they end with into `next`, whose rows `check` approves.
    pub(super) fn segment(
        &mut self,
        bits: &PatternBits,
        parameters: &PseudoLikelihood,
        epochs: std::ops::Range<u64>,
        next: &mut Couplings,
        execution: &Execution,
        check: impl Fn(&[f32]) -> Result<()> + Sync,
    ) -> Result<()> {
        let (n_patterns, n_spins) = (bits.n_patterns(), bits.n_spins());
        let (gram, start, share) = (&self.gram, &self.start, self.share);
        let decay = |epoch| parameters.rate(epoch) * parameters.l2;
        let shares: Vec<f64> = epochs
            .clone()
            .scan(share, |share, epoch| {
                let before = *share;
                *share *= 1.0 - decay(epoch);
                Some(before)
            })
            .collect();
        let end_share = epochs.clone().fold(share, |share, epoch| share * (1.0 - decay(epoch)));
        let scratch = || Scratch {
            fields: vec![Lanes::ZERO; n_patterns],
            weighted: vec![Lanes::ZERO; n_patterns],
            panel: vec![Lanes::ZERO; n_spins],
            tables: Tables::new(),
        };
        let panels = self.a.chunks_exact(n_patterns).zip(self.next.chunks_exact_mut(n_patterns));
        let panels = panels.zip(next.values_mut().chunks_mut(PANEL * n_spins)).enumerate();
        execution.for_each(panels, scratch, |scratch, (index, ((a, next), rows))| {
            next.copy_from_slice(a);
            let initial = start.as_ref().map(|start| &start.fields[index * n_patterns..][..n_patterns]);
            for (epoch, &share) in epochs.clone().zip(&shares) {
                let initial = initial.map(|fields| (fields, share as f32));
                let gain = (parameters.rate(epoch) * n_spins as f64 / n_patterns as f64) as f32;
                let lambda = parameters.lambda as f32;
                step(
                    execution.isa(),
                    gram,
                    bits,
                    index,
                    (lambda, gain, decay(epoch) as f32),
                    initial,
                    next,
                    scratch,
                );
                if execution.cancel().is_cancelled() {
                    return Err(Error::Interrupted);
                }
            }
            let initial = start.as_ref().map(|start| (start.couplings.panel(index), end_share as f32));
            couplings_of_panel(execution.isa(), bits, index, initial, next, scratch);
            crate::couplings::store_panel(&scratch.panel, rows);
            check(rows)
        })?;
        self.next_share = end_share;
        Ok(())
    }

    /// Makes generation B, written by the last segment, the current one.
    pub(super) fn switch(&mut self) {
        std::mem::swap(&mut self.a, &mut self.next);
        self.share = self.next_share;
    }
}

/// One epoch of the panel's coefficients `a`, `[mu][16]`; `initial` are the fields of J(0) and what is left of it.
#[allow(clippy::too_many_arguments)]
fn step(
    isa: Isa,
    gram: &Gram,
    bits: &PatternBits,
    index: usize,
    (lambda, gain, decay): (f32, f32, f32),
    initial: Option<(&[Lanes<f32>], f32)>,
    a: &mut [Lanes<f32>],
    scratch: &mut Scratch,
) {
    let per_spin = 1.0 / bits.n_spins() as f32;
    let (signs, shift) = bits.panel_signs(index);
    // xi_i . a_i: what the diagonal would add to every margin.
    let weighted = &mut scratch.weighted;
    weighted.copy_from_slice(a);
    margins(isa, signs, shift, weighted);
    let mut own = Lanes::<f32>::ZERO;
    for lanes in &*weighted {
        own = Lanes(std::array::from_fn(|lane| own.0[lane] + lanes.0[lane]));
    }

    let fields = &mut scratch.fields;
    fields.fill(Lanes::ZERO);
    debug_assert_eq!(gram.n_patterns, a.len());
    dense_product(isa, &gram.rows, a, fields);
    margins(isa, signs, shift, fields);
    for lanes in fields.iter_mut() {
        *lanes = Lanes(std::array::from_fn(|lane| (lanes.0[lane] - own.0[lane]) * per_spin));
    }
    margins(isa, signs, shift, fields);
    if let Some((initial, share)) = initial {
        for (lanes, initial) in fields.iter_mut().zip(initial) {
            *lanes = Lanes(std::array::from_fn(|lane| lanes.0[lane] + share * initial.0[lane]));
        }
    }
    residuals(isa, signs, shift, lambda, fields);
    for (a, residual) in a.iter_mut().zip(&*fields) {
        *a = Lanes(std::array::from_fn(|lane| a.0[lane] + gain * residual.0[lane] - decay * a.0[lane]));
    }
}

/// The panel's couplings, into `scratch.panel`; `initial` are the rows of J(0) and what is left of it.
fn couplings_of_panel(
    isa: Isa,
    bits: &PatternBits,
    index: usize,
    initial: Option<(&[f32], f32)>,
    a: &[Lanes<f32>],
    scratch: &mut Scratch,
) {
    let n_spins = bits.n_spins();
    let panel = &mut scratch.panel;
    panel.fill(Lanes::ZERO);
    let by_spin = bits.by_spin();
    signed_product(isa, by_spin.words(), by_spin.n_rows(), a, panel, &mut scratch.tables);
    let per_spin = 1.0 / n_spins as f32;
    for lanes in panel.iter_mut() {
        *lanes = Lanes(lanes.0.map(|sum| sum * per_spin));
    }
    if let Some((rows, share)) = initial {
        for (lane, row) in rows.chunks_exact(n_spins).enumerate() {
            for (lanes, &coupling) in panel.iter_mut().zip(row) {
                lanes.0[lane] += share * coupling;
            }
        }
    }
    for (lane, neuron) in panel_rows(index, n_spins).enumerate() {
        panel[neuron].0[lane] = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::random_states;

    #[test]
    fn overlaps_are_exact_and_interleaved() {
        let execution = Execution::with_threads(2).unwrap();
        for (n_patterns, n_spins) in [(1, 1), (7, 65), (97, 30), (200, 130)] {
            let patterns = random_states(n_patterns, n_spins, 1).unwrap();
            let gram = Gram::new(&patterns, &execution).unwrap();
            for mu in 0..n_patterns {
                for nu in 0..n_patterns {
                    let product = |i| i32::from(patterns.spin(mu, i) * patterns.spin(nu, i));
                    let expected: i32 = (0..n_spins).map(product).sum();
                    let found = gram.rows[mu / DENSE_ROWS * n_patterns + nu][mu % DENSE_ROWS];
                    assert_eq!(found, expected as f32, "({mu}, {nu})");
                }
            }
        }
    }
}
