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

use std::ops::Range;

use super::super::panel_log::PanelLog;
use super::super::patterns::PatternBits;
use super::super::pseudo_likelihood::PseudoLikelihood;
use super::super::span::{overlaps, rows_of_panel};
use super::generation::Generation;
use serde_json::Value;

use crate::couplings::Couplings;
use crate::error::{Error, Result};
use crate::execution::{Array, Execution};
use crate::kernels::{
    DenseRows, Finish, Isa, LANES, Lanes, Source, SpanStep, Tables, deinterleave, dense_product,
    local_fields, margins, span_step,
};

/// What a run on the Gram route has beside its generations.
pub(super) struct Gram {
    overlaps: DenseRows,
    start: Option<Start>,
}

/// Initial couplings outside the span of the patterns.
struct Start {
    couplings: Couplings,
    fields: Array<Lanes<f32>>, // [panel][mu][16], from the first panel that learns on
}

/// Scratch of one thread.
struct Scratch {
    products: Vec<Lanes<f32>>, // [mu][16]
    panel: Vec<Lanes<f32>>,    // [j][16]
    tables: Tables<f32>,
}

impl Gram {
    /// Overlaps of the patterns, and their fields under initial couplings that are `outside` their span.
    pub(super) fn new(bits: &PatternBits, outside: Option<Couplings>, execution: &Execution) -> Result<Self> {
        let (n_patterns, n_spins) = (bits.n_patterns(), bits.n_spins());
        let Some(overlaps) = overlaps(bits, execution)? else {
            let expected = format!("memory for the overlaps of {n_patterns} patterns, or --route direct");
            return Err(Error::parameter("patterns", expected, n_patterns));
        };
        let Some(couplings) = outside else { return Ok(Self { overlaps, start: None }) };
        let panels = couplings.row_range().panels();
        let mut fields =
            execution.memory().zeros(panels.len().saturating_mul(n_patterns), "initial fields")?;
        let panels = panels.zip(fields.chunks_exact_mut(n_patterns));
        execution.for_each(panels, Tables::new, |tables, (index, fields)| {
            let source = Source::Rows { values: couplings.panel(index), n_columns: n_spins };
            let signs = bits.pattern_signs();
            local_fields(execution.isa(), signs, source, fields, Finish::Keep, tables);
            Ok(())
        })?;
        Ok(Self { overlaps, start: Some(Start { couplings, fields }) })
    }

    /// The coefficients of `factor` times the Hebb couplings, into those of some panels, `a`.
    pub(super) fn fill_with_hebb(
        bits: &PatternBits,
        factor: f64,
        panels: Range<usize>,
        a: &mut [Lanes<f32>],
        execution: &Execution,
    ) -> Result<()> {
        execution.for_each(
            panels.zip(a.chunks_exact_mut(bits.n_patterns())),
            || (),
            |(), (index, a)| {
                a.fill(Lanes([factor as f32; LANES]));
                let (signs, shift) = bits.panel_signs(index);
                margins(execution.isa(), signs, shift, a);
                Ok(())
            },
        )
    }

    /// Takes all panels of `now` through `epochs`, into `next`, whose rows `check` approves.
    #[expect(clippy::too_many_arguments, reason = "a segment is all of these")]
    pub(super) fn segment(
        &self,
        bits: &PatternBits,
        parameters: &PseudoLikelihood,
        epochs: Range<u64>,
        now: &Generation,
        next: &mut Generation,
        panels: &PanelLog,
        execution: &Execution,
        check: impl Fn(&[f32]) -> Result<()> + Sync,
    ) -> Result<()> {
        let (n_patterns, n_spins) = (bits.n_patterns(), bits.n_spins());
        let (overlaps, start) = (&self.overlaps, &self.start);
        let decay = |epoch| parameters.rate(epoch) * parameters.l2;
        // What is left of J(0) before each epoch from the first of the run on.
        let mut share = 1.0;
        let mut shares = Vec::new();
        for epoch in 0..epochs.end {
            if epochs.contains(&epoch) {
                shares.push(share);
            }
            share *= 1.0 - decay(epoch);
        }
        let scratch = || Scratch {
            products: vec![Lanes::ZERO; n_patterns],
            panel: vec![Lanes::ZERO; n_spins],
            tables: Tables::new(),
        };
        let a = now.coefficients.as_deref().unwrap_or_default().chunks_exact(n_patterns);
        let first = now.couplings.row_range().panels().start;
        execution.for_each(a.zip(next.spans_mut()), scratch, |scratch, (a, ((index, mut rows), next))| {
            if panels.restore(index, &mut rows, None, next).is_some() {
                execution.progress().advance(1);
                return Ok(());
            }
            next.copy_from_slice(a);
            let initial =
                start.as_ref().map(|start| &start.fields[(index - first) * n_patterns..][..n_patterns]);
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
                dense_product(execution.isa(), overlaps, next, &mut scratch.products);
                own = span_step(execution.isa(), signs, shift, step, &own, initial, &scratch.products, next);
                execution.check_cancelled()?;
            }
            let initial = start.as_ref().map(|start| (start.couplings.panel(index), share as f32));
            couplings_of_panel(execution.isa(), bits, index, initial, next, scratch);
            deinterleave(execution.isa(), &scratch.panel, rows.values);
            check(rows.values)?;
            if panels.is_kept() {
                panels.finished(index, &rows, None, next, Value::Null)?;
                execution.progress().advance(1);
            }
            Ok(())
        })
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
