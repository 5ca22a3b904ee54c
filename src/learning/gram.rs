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
use super::span::{overlaps, rows_of_panel};
use crate::couplings::{Couplings, PANEL, n_panels};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{
    DenseRows, Finish, Isa, LANES, Lanes, Source, SpanStep, Tables, deinterleave, dense_product,
    local_fields, margins, span_step,
};

/// The state of a run on the Gram route.
pub(super) struct Coefficients {
    gram: DenseRows,
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
    products: Vec<Lanes<f32>>, // [mu][16]
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
    pub(super) fn new(bits: &PatternBits, beginning: Beginning, execution: &Execution) -> Result<Self> {
        let (n_patterns, n_spins) = (bits.n_patterns(), bits.n_spins());
        let Some(gram) = overlaps(bits, execution)? else {
            let expected = format!("memory for the overlaps of {n_patterns} patterns, or --route direct");
            return Err(Error::parameter("patterns", expected, n_patterns));
        };
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
                execution.for_each(panels, Tables::new, |tables, (index, fields)| {
                    let source = Source::Rows { values: couplings.panel(index), n_columns: n_spins };
                    let signs = bits.pattern_signs();
                    local_fields(execution.isa(), signs, source, fields, Finish::Keep, tables);
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
            products: vec![Lanes::ZERO; n_patterns],
            panel: vec![Lanes::ZERO; n_spins],
            tables: Tables::new(),
        };
        let panels = self.a.chunks_exact(n_patterns).zip(self.next.chunks_exact_mut(n_patterns));
        let panels = panels.zip(next.values_mut().chunks_mut(PANEL * n_spins)).enumerate();
        execution.for_each(panels, scratch, |scratch, (index, ((a, next), rows))| {
            next.copy_from_slice(a);
            let initial = start.as_ref().map(|start| &start.fields[index * n_patterns..][..n_patterns]);
            let (signs, shift) = bits.panel_signs(index);
            // xi_i . a_i: what the diagonal adds to every margin.
            scratch.products.copy_from_slice(a);
            margins(execution.isa(), signs, shift, &mut scratch.products);
            let mut own = Lanes::<f32>::ZERO;
            for lanes in &scratch.products {
                own = Lanes(std::array::from_fn(|lane| own.0[lane] + lanes.0[lane]));
            }
            for (epoch, &share) in epochs.clone().zip(&shares) {
                let step = SpanStep {
                    lambda: parameters.lambda as f32,
                    gain: (parameters.rate(epoch) * n_spins as f64 / n_patterns as f64) as f32,
                    decay: decay(epoch) as f32,
                    per_spin: 1.0 / n_spins as f32,
                };
                let initial = initial.map(|fields| (fields, share as f32));
                dense_product(execution.isa(), gram, next, &mut scratch.products);
                own = span_step(execution.isa(), signs, shift, step, &own, initial, &scratch.products, next);
                if execution.cancel().is_cancelled() {
                    return Err(Error::Interrupted);
                }
            }
            let initial = start.as_ref().map(|start| (start.couplings.panel(index), end_share as f32));
            couplings_of_panel(execution.isa(), bits, index, initial, next, scratch);
            deinterleave(execution.isa(), &scratch.panel, rows);
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
    rows_of_panel(isa, bits, index, 1.0 / n_spins as f32, a, panel, &mut scratch.tables);
    if let Some((rows, share)) = initial {
        // The diagonal of J(0) is 0.
        for (lane, row) in rows.chunks_exact(n_spins).enumerate() {
            for (lanes, &coupling) in panel.iter_mut().zip(row) {
                lanes.0[lane] += share * coupling;
            }
        }
    }
}
