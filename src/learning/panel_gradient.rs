//! The gradient of the pseudo-likelihood at the 16 neurons of a panel, which every solver descends.
//!
//! Two signed products around the residuals: fields `[mu][16]` from couplings `[j][16]`, then the pull of the patterns `[j][16]`
//! from residuals `[mu][16]`. The output layout of the first is the input layout of the second. The gradient of the loss is
//! minus the pull over P.

use super::mask::Mask;
use super::problem::{Batch, Problem};
use crate::couplings::panel_rows;
use crate::kernels::{Finish, Isa, LANES, Lanes, Source, Tables, local_fields, local_fields_with};

/// How well a neuron fits the patterns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NeuronFit {
    /// Whether it gets every pattern of positive weight right: sigma(-lambda xi h) below 1/2.
    pub(super) separates: bool,
    /// Sum of the squares of its weighted residuals.
    pub(super) square: f64,
}

/// The gradient of a problem for one thread, with its scratch: residuals, and what they come to.
pub(super) struct PanelGradient<'a> {
    isa: Isa,
    lambda: f32,
    mask: Option<&'a Mask>,
    residuals: Vec<Lanes<f32>>, // [mu][16]
    pull: Vec<Lanes<f32>>,      // [j][16]
    tables: Tables<f32>,
}

impl<'a> PanelGradient<'a> {
    /// For batches of up to `n_patterns` of the problem's patterns.
    pub(super) fn new(problem: &Problem<'a>, lambda: f64, n_patterns: usize, isa: Isa) -> Self {
        let n_spins = problem.patterns().n_spins();
        Self {
            isa,
            lambda: lambda as f32,
            mask: problem.mask(),
            residuals: vec![Lanes::ZERO; n_patterns],
            pull: vec![Lanes::ZERO; n_spins],
            tables: Tables::new(),
        }
    }

    /// The pull at panel `index`: sum_mu w_mu xi_i xi_j sigma(-lambda xi_i h_i), `[j][16]`, 0 where i = j and where the mask
    /// allows no coupling; and that at theta, sum_mu w_mu xi_i sigma(-lambda xi_i h_i), where there is one.
    pub(super) fn pull(
        &mut self,
        batch: &Batch,
        index: usize,
        couplings: &[Lanes<f32>], // [j][16]
        theta: Option<&Lanes<f32>>,
    ) -> (&[Lanes<f32>], Option<Lanes<f32>>) {
        let (isa, lambda, bits) = (self.isa, self.lambda, &batch.bits);
        let residuals = &mut self.residuals[..bits.n_patterns()];
        let (signs, shift) = bits.panel_signs(index);
        let finish = Finish::Residuals { signs, shift, lambda, weights: batch.weights.as_deref() };
        let source = Source::Panel(couplings);
        local_fields_with(isa, bits.pattern_signs(), source, theta, residuals, finish, &mut self.tables);
        let pull = &mut self.pull;
        let source = Source::Panel(residuals);
        local_fields(isa, bits.spin_signs(), source, pull, Finish::Keep, &mut self.tables);
        if let Some(mask) = self.mask {
            let (words, shift) = mask.panel(index);
            for (lanes, word) in pull.iter_mut().zip(words) {
                for (lane, value) in lanes.0.iter_mut().enumerate() {
                    if word >> (shift as usize + lane) & 1 == 0 {
                        *value = 0.0;
                    }
                }
            }
        }
        for (lane, neuron) in panel_rows(index, couplings.len()).enumerate() {
            pull[neuron].0[lane] = 0.0;
        }
        let theta = theta.map(|_| {
            let mut sums = [0.0f64; LANES];
            for lanes in &*residuals {
                for (sum, &residual) in sums.iter_mut().zip(&lanes.0) {
                    *sum += f64::from(residual);
                }
            }
            Lanes(sums.map(|sum| sum as f32))
        });
        (pull, theta)
    }

    /// What the residuals of the last [`pull`](Self::pull) say of each neuron.
    pub(super) fn fit(&self, batch: &Batch) -> [NeuronFit; LANES] {
        let mut worst = [f32::NEG_INFINITY; LANES];
        let mut squares = [0.0f64; LANES];
        for (mu, lanes) in self.residuals[..batch.bits.n_patterns()].iter().enumerate() {
            let weight = batch.weights.as_ref().map_or(1.0, |weights| weights[mu]);
            if weight > 0.0 {
                for (worst, &residual) in worst.iter_mut().zip(&lanes.0) {
                    *worst = worst.max(residual.abs() - 0.5 * weight);
                }
            }
            for (sum, &residual) in squares.iter_mut().zip(&lanes.0) {
                *sum += f64::from(residual) * f64::from(residual);
            }
        }
        std::array::from_fn(|lane| NeuronFit { separates: worst[lane] < 0.0, square: squares[lane] })
    }
}
