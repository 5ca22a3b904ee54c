//! Sweeps over the patterns, 16 neurons at a time. Panels share nothing but the patterns and their overlaps.
//!
//! A sweep visits the patterns in order, [`VISITS`] between two dense products, and a rule changes one coefficient after the
//! other. A neuron that its rule stops rests; a panel ends with its last neuron.

use super::super::panelwise::learn_panels;
use super::super::patterns::PatternBits;
use super::super::problem::Problem;
use super::super::run_hash::run_hash;
use super::super::span::{overlaps, rows_of_panel};
use super::certificate::{Ends, Sums, ends};
use super::contradictions::contradicted;
use super::{LearnedMargins, NeuronMargin, Outcome};
use crate::couplings::{Couplings, panel_rows};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{
    DenseRows, Isa, LANES, Lanes, Tables, VISITS, Visits, compensated_product, deinterleave,
};

/// A panel's problem.
pub(in super::super) struct PanelProblem<'a> {
    isa: Isa,
    n_spins: usize,
    overlaps: &'a DenseRows,
    signs: &'a [u64],
    shift: u32,
    /// Bit l set where two patterns contradict each other at neuron l.
    pub contradicted: u16,
}

/// What a rule does with a panel. Bit l of a mask is neuron l; `learning` are those that do not rest; `a` are the signed
/// coefficients, `[mu][16]`.
pub(in super::super) trait PanelRule {
    /// A sweep begins.
    fn begin(&mut self, learning: u16, a: &[Lanes<f32>]);
    /// Visits patterns.
    fn visit(&mut self, isa: Isa, visits: Visits, a: &mut [Lanes<f32>], products: &mut [Lanes<f32>]);
    /// Which of the neurons that learn rest from now on, after `sweep` sweeps.
    fn stops(&mut self, problem: &PanelProblem, sweep: u64, learning: u16, a: &[Lanes<f32>]) -> u16;
}

/// Scratch of one thread.
struct Scratch {
    a: Vec<Lanes<f32>>,      // [mu][16]
    fields: Vec<Lanes<f32>>, // [mu][16]
    sums: Vec<Sums>,         // [mu][16]
    panel: Vec<Lanes<f32>>,  // [j][16]
    tables: Tables<f32>,
}

/// How rows are stored and judged.
pub(in super::super) struct Ask<J> {
    /// The rule and its parameters, in words.
    pub name: String,
    /// The margin to exceed, for counting those that do not.
    pub kappa: f64,
    pub max_sweeps: u64,
    /// Whether coefficients are integers: rows are then stored as the integers N J_ij with scale 1/N.
    pub integers: bool,
    /// What became of a neuron, from lower and upper end.
    pub judge: J,
}

/// Learns the rows of `problem`; `rule` makes a panel's rule.
pub(in super::super) fn learn<R: PanelRule>(
    problem: &Problem<'_>,
    ask: &Ask<impl Fn(f64, f64) -> Outcome + Sync>,
    rule: impl Fn() -> R + Sync,
    execution: &Execution,
) -> Result<LearnedMargins> {
    problem.check_patterns_alone()?;
    let (patterns, rows) = (problem.patterns(), problem.rows());
    let (n_patterns, n_spins) = (patterns.n_rows(), patterns.n_spins());
    if n_spins == 1 {
        return Err(Error::shape("training patterns", "at least 2 spins, for a coupling to learn", "1"));
    }
    let bits = PatternBits::new(patterns);
    let Some(mut overlaps) = overlaps(&bits, execution)? else {
        let expected = format!("memory for the overlaps of {n_patterns} patterns");
        return Err(Error::parameter("patterns", expected, n_patterns));
    };
    for mut block in overlaps.blocks_mut() {
        for pattern in block.columns() {
            block.set(pattern, pattern, 0.0);
        }
    }
    let contradicted = contradicted(patterns, &overlaps, execution)?;
    let per_spin = 1.0 / n_spins as f64;
    // Stored values are `factor` times sum_mu a xi xi.
    let (factor, scale) = if ask.integers { (1.0, per_spin) } else { (per_spin, 1.0) };
    let couplings = Couplings::zero_rows(n_spins, rows, execution.memory())?.with_scale(scale)?;
    let progress = execution.progress();
    progress.begin("learning (panels of 16 neurons)", rows.panels().len() as u64);
    let scratch = || Scratch {
        a: vec![Lanes::ZERO; n_patterns],
        fields: vec![Lanes::ZERO; n_patterns],
        sums: vec![[0.0; LANES]; n_patterns],
        panel: vec![Lanes::ZERO; n_spins],
        tables: Tables::new(),
    };
    let run = run_hash(problem, &ask.name);
    let (couplings, neurons) = learn_panels(couplings, &run, execution, scratch, |scratch, index, rows| {
        let isa = execution.isa();
        let (signs, shift) = bits.panel_signs(index);
        let own = panel_rows(index, n_spins);
        let mask =
            own.clone().enumerate().fold(0, |mask, (lane, i)| mask | u16::from(contradicted[i]) << lane);
        let problem = PanelProblem { isa, n_spins, overlaps: &overlaps, signs, shift, contradicted: mask };
        let sweeps = sweep(&problem, ask.max_sweeps, own.len(), &mut rule(), scratch, execution)?;
        rows_of_panel(isa, &bits, index, factor as f32, &scratch.a, &mut scratch.panel, &mut scratch.tables);
        deinterleave(isa, &scratch.panel, rows.values);
        let ends = ends(
            isa,
            &bits,
            index,
            &scratch.panel,
            factor,
            &scratch.a,
            ask.kappa,
            &mut scratch.fields,
            &mut scratch.sums,
            &mut scratch.tables,
        );
        let neuron = |(lane, ends): (usize, Ends)| {
            let Ends { lower, norm, coefficient_sum, support, below, .. } = ends;
            let upper = if problem.contradicted >> lane & 1 == 1 { 0.0 } else { ends.upper };
            NeuronMargin {
                lower,
                upper,
                row_norm: norm * scale,
                coefficient_sum,
                support,
                below,
                sweeps: sweeps[lane],
                outcome: (ask.judge)(lower, upper),
            }
        };
        Ok(ends.into_iter().enumerate().take(own.len()).map(neuron).collect::<Vec<_>>())
    })?;
    progress.end();
    Ok(LearnedMargins { couplings, neurons: neurons.concat() })
}

/// Takes a panel with `n_neurons` neurons through its sweeps, into `scratch.a`; returns how many each neuron took.
fn sweep(
    problem: &PanelProblem,
    max_sweeps: u64,
    n_neurons: usize,
    rule: &mut impl PanelRule,
    scratch: &mut Scratch,
    execution: &Execution,
) -> Result<[u64; LANES]> {
    let a = &mut scratch.a;
    let (mut products, mut lost) = ([Lanes::ZERO; VISITS], [Lanes::ZERO; VISITS]);
    a.fill(Lanes::ZERO);
    let (mut learning, mut sweeps) = (u16::MAX >> (LANES - n_neurons), [0; LANES]);
    for sweep in 1..=max_sweeps {
        execution.check_cancelled()?;
        rule.begin(learning, a);
        for (signs, first) in problem.signs.chunks(VISITS).zip((0..).step_by(VISITS)) {
            let (products, lost) = (&mut products[..signs.len()], &mut lost[..signs.len()]);
            compensated_product(problem.isa, problem.overlaps, first, a, products, lost);
            let visits = Visits { overlaps: problem.overlaps, first, signs, shift: problem.shift };
            rule.visit(problem.isa, visits, a, products);
        }
        for (lane, sweeps) in sweeps.iter_mut().enumerate() {
            *sweeps += u64::from(learning >> lane & 1);
        }
        learning &= !rule.stops(problem, sweep, learning, a);
        if learning == 0 {
            break;
        }
    }
    Ok(sweeps)
}

/// Sums over the patterns at one neuron of a panel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in super::super) struct Sweep {
    /// A = sum_mu a_mu.
    pub sum: f64,
    /// W = |N J_i|^2 = sum_mu a_mu M_mu.
    pub squared_norm: f64,
    /// The smallest M_mu = N m_mu.
    pub least: f64,
}

impl PanelProblem<'_> {
    /// The sums of all neurons at the present coefficients, by one more dense product.
    pub fn sums(&self, a: &[Lanes<f32>]) -> [Sweep; LANES] {
        let n_spins = self.n_spins as f64;
        let (mut products, mut lost) = ([Lanes::ZERO; VISITS], [Lanes::ZERO; VISITS]);
        let mut sums = coefficient_sums(a).map(|sum| Sweep { sum, squared_norm: 0.0, least: f64::INFINITY });
        let parts = self.signs.chunks(VISITS).zip(a.chunks(VISITS));
        for ((signs, part), first) in parts.zip((0..).step_by(VISITS)) {
            let (products, lost) = (&mut products[..signs.len()], &mut lost[..signs.len()]);
            compensated_product(self.isa, self.overlaps, first, a, products, lost);
            for ((a, product), &word) in part.iter().zip(&*products).zip(signs) {
                for (lane, sums) in sums.iter_mut().enumerate() {
                    let (a, product) = (f64::from(a.0[lane].abs()), f64::from(product.0[lane]));
                    let is_up = word >> (self.shift as usize + lane) & 1 == 1;
                    let margin = if is_up { product } else { -product } + n_spins * a - sums.sum;
                    sums.squared_norm += a * margin;
                    sums.least = sums.least.min(margin);
                }
            }
        }
        sums
    }
}

/// A = sum_mu a_mu of each neuron, from signed coefficients: a = |b|.
pub(in super::super) fn coefficient_sums(a: &[Lanes<f32>]) -> [f64; LANES] {
    let mut sums = [0.0; LANES];
    for a in a {
        for (sum, a) in sums.iter_mut().zip(a.0) {
            *sum += f64::from(a.abs());
        }
    }
    sums
}
