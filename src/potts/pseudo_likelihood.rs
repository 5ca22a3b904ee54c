//! Pseudo-likelihood of Potts spins by gradient descent: its parameters and the step of one column.
//!
//! Column i minimises, over its q rows of J,
//!
//! ```text
//! l_i = (1 / (lambda P)) sum_mu w_mu log sum_b exp(lambda (h_i(b) - h_i(x_i))) + (l2 / 2) |J_i|^2
//! ```
//!
//! weights w_mu of mean 1, h_i(a) = theta_i(a) + sum_{j != i} J_ij(a, x_j): minus the logarithm of the softmax of lambda h at the
//! letter that is there (M. Ekeberg et al. 2013, Phys. Rev. E 87, 012707, at lambda = 1). With p_i the softmax,
//!
//! ```text
//! J_ij(a, b)  += lr * ( g(a, b) - mean_b' g(a, b') ) - lr * l2 * J_ij(a, b)
//! g(a, b)      = mean_mu [ w (delta(a, x_i) - p_i(a)) delta(b, x_j) ]
//! theta_i(a)  += lr * (1 - 1/q) * mean_mu [ w (delta(a, x_i) - p_i(a)) ]
//! ```
//!
//! Steps stay in the zero-sum gauge, sum_a J_ij(a, b) = sum_b J_ij(a, b) = 0, where couplings hold no field: the gradient in the
//! space of such couplings is g without its mean over b; sums over a are 0 as they are, up to rounding: some 1e-8 an epoch may add
//! up there, which no difference of fields sees. Every 64 epochs the mean over a is taken from J itself, but not with `symmetric`:
//! of given couplings in another gauge it would be a field of the other column. The share of theta is that of the coupling to a
//! column that never changes its letter. At q = 2 this is, step by step, the descent of
//! [`PseudoLikelihood`](crate::learning::PseudoLikelihood) with the same lambda and lr: lambda = 2 lambda' and lr = 2 lr' / L in
//! the units of arXiv:2507.05147. l2 does not act on theta.
//!
//! With `symmetric` the columns are one problem, J_ij(a, b) = J_ji(b, a): a step takes the mean of g_ij(a, b) and g_ji(b, a).

use super::lookup::LookupTables;
use super::problem::blocks;
use crate::error::Result;
use crate::kernels::{
    Isa, Letters, PULL_ROWS, fields_of_letters, letter_lanes, letter_pull, letter_residuals, pull_scratch,
};
use crate::learning::{not_negative, positive};

/// Parameters of gradient descent.
#[derive(Clone, Debug, PartialEq)]
pub struct PottsPseudoLikelihood {
    /// Inverse temperature of the loss. Positive.
    pub lambda: f64,
    /// Learning rate of the first epoch. Positive.
    pub lr: f64,
    /// Factor of the learning rate from epoch to epoch. Positive; 1 keeps it.
    pub lr_decay: f64,
    /// Weight decay of couplings. Not negative.
    pub l2: f64,
    /// Whether columns learn fields theta_i(a).
    pub theta: bool,
    /// Whether J = J^T, one problem instead of L.
    pub symmetric: bool,
}

impl PottsPseudoLikelihood {
    /// A constant learning rate, without weight decay and fields; asymmetric.
    pub fn new(lambda: f64, lr: f64) -> Self {
        Self { lambda, lr, lr_decay: 1.0, l2: 0.0, theta: false, symmetric: false }
    }

    /// Checks every parameter against its range.
    ///
    /// # Errors
    /// Names the first parameter outside its range.
    pub fn check(&self) -> Result<()> {
        positive("lambda", self.lambda)?;
        positive("lr", self.lr)?;
        positive("lr-decay", self.lr_decay)?;
        not_negative("l2", self.l2)
    }

    /// The learning rate of an epoch, counted from 0.
    pub fn rate(&self, epoch: u64) -> f64 {
        self.lr * libm::pow(self.lr_decay, epoch as f64)
    }
}

/// Epochs after which the mean over a is taken from couplings: so many that it costs nothing, so few that rounding stays below
/// 1e-6. They are counted from the beginning, so that results do not depend on where a run pauses.
const EPOCHS_OF_DRIFT: u64 = 64;

/// Sequences and weights of mean 1, in the blocks of the pull.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    pub(super) letters: Letters<'a>,
    pub(super) weights: Option<&'a [f32]>,
}

impl<'a> Batch<'a> {
    pub(super) fn n_rows(&self) -> usize {
        self.letters.letters.len() / self.letters.n_columns
    }

    /// Blocks of rows with their weights.
    fn blocks(&self) -> impl Iterator<Item = (Letters<'a>, Option<&'a [f32]>)> {
        let mut weights = self.weights.map(|weights| weights.chunks(PULL_ROWS));
        blocks(self.letters, PULL_ROWS)
            .map(move |letters| (letters, weights.as_mut().and_then(Iterator::next)))
    }
}

/// The gradient at one column for one thread, with its scratch.
pub(super) struct ColumnGradient {
    isa: Isa,
    lambda: f32,
    n_columns: usize,
    n_letters: usize,
    residuals: Vec<f32>, // [m][lanes] of a block
    pull: Vec<f32>,      // [(j, b)][lanes]
    theta: Vec<f64>,     // [lanes]
    scratch: Vec<f32>,
}

impl ColumnGradient {
    pub(super) fn new(n_columns: usize, n_letters: usize, lambda: f64, isa: Isa) -> Self {
        let lanes = letter_lanes(n_letters);
        Self {
            isa,
            lambda: lambda as f32,
            n_columns,
            n_letters,
            residuals: vec![0.0; PULL_ROWS * lanes],
            pull: vec![0.0; n_columns * n_letters * lanes],
            theta: vec![0.0; lanes],
            scratch: vec![0.0; pull_scratch(n_columns, n_letters)],
        }
    }

    /// The pull of the sequences at a column, minus P times the gradient of the loss: P g(a, b) without its mean over b, 0
    /// within the column, `[(j, b)][lanes]`; and that at theta, `[lanes]`.
    pub(super) fn pull(
        &mut self,
        batch: Batch<'_>,
        column: usize,
        (table, theta): (&[f32], &[f32]),
    ) -> (&[f32], &[f64]) {
        let lanes = letter_lanes(self.n_letters);
        self.pull.fill(0.0);
        self.theta.fill(0.0);
        for (letters, weights) in batch.blocks() {
            let n_rows = letters.letters.len() / letters.n_columns;
            let residuals = &mut self.residuals[..n_rows * lanes];
            fields_of_letters(self.isa, letters, table, theta, residuals);
            letter_residuals(self.isa, letters, column, self.lambda, weights, residuals);
            for row in residuals.chunks_exact(lanes) {
                for (sum, &residual) in self.theta.iter_mut().zip(row) {
                    *sum += f64::from(residual);
                }
            }
            letter_pull(self.isa, letters, residuals, &mut self.pull, &mut self.scratch);
        }
        self.take_means(column);
        (&self.pull, &self.theta)
    }

    /// Takes the mean over b from each column's pull.
    fn take_means(&mut self, own: usize) {
        let (q, lanes) = (self.n_letters, letter_lanes(self.n_letters));
        let share = 1.0 / q as f32;
        for (column, table) in self.pull.chunks_exact_mut(q * lanes).enumerate() {
            if column == own {
                table.fill(0.0);
                continue;
            }
            let mut mean = [0.0f32; crate::spins::MAX_LETTERS];
            let mean = &mut mean[..lanes];
            for entry in table.chunks_exact(lanes) {
                for (mean, value) in mean.iter_mut().zip(entry) {
                    *mean += value;
                }
            }
            for mean in &mut *mean {
                *mean *= share;
            }
            for entry in table.chunks_exact_mut(lanes) {
                for (value, mean) in entry.iter_mut().zip(&*mean) {
                    *value -= mean;
                }
            }
        }
        debug_assert_eq!(self.pull.len(), self.n_columns * q * lanes);
    }

    /// One step of a column, in place.
    pub(super) fn step(
        &mut self,
        parameters: &PottsPseudoLikelihood,
        epoch: u64,
        batch: Batch<'_>,
        column: usize,
        (table, theta): (&mut [f32], &mut [f32]),
    ) {
        let rate = parameters.rate(epoch);
        let gain = rate / batch.n_rows() as f64;
        let decay = (rate * parameters.l2) as f32;
        let gain_of_theta = gain * (1.0 - 1.0 / self.n_letters as f64);
        let n_letters = self.n_letters;
        let (pull, pull_of_theta) = self.pull(batch, column, (table, theta));
        let gain = gain as f32;
        for (coupling, pull) in table.iter_mut().zip(pull) {
            *coupling = *coupling + gain * pull - decay * *coupling;
        }
        if !parameters.symmetric && (epoch + 1).is_multiple_of(EPOCHS_OF_DRIFT) {
            for entry in table.chunks_exact_mut(letter_lanes(n_letters)) {
                take_mean(&mut entry[..n_letters]);
            }
        }
        if parameters.theta {
            for (theta, pull) in theta[..n_letters].iter_mut().zip(pull_of_theta) {
                *theta += (gain_of_theta * pull) as f32;
            }
        }
    }
}

/// Takes their mean from values.
fn take_mean(values: &mut [f32]) {
    let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / values.len() as f64;
    for value in values {
        *value = (f64::from(*value) - mean) as f32;
    }
}

/// The mean of J and its transpose at the table of column i: J_ij(a, b) from itself and J_ji(b, a).
pub(super) fn mean_with_transpose(stepped: &LookupTables, i: usize, table: &mut [f32]) {
    let (q, lanes) = (stepped.n_letters(), stepped.lanes());
    let (own, _) = stepped.column(i);
    for j in 0..stepped.n_columns() {
        let others: [&[f32]; crate::spins::MAX_LETTERS] =
            std::array::from_fn(|a| if a < q { stepped.entry(j, (i, a)) } else { &[][..] });
        for b in 0..q {
            let place = (j * q + b) * lanes;
            for (a, other) in others[..q].iter().enumerate() {
                table[place + a] = 0.5 * own[place + a] + 0.5 * other[b];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::execution::{Execution, thread_pool};
    use crate::kernels::Isa;
    use crate::potts::{
        PottsCouplings, PottsInitial, PottsPseudoLikelihood, PottsTrainer, fit, random_sequences,
    };
    use crate::random::{gaussian, stream};

    /// A gauge that no difference of fields sees is gone after 64 epochs, and later ones find nothing but rounding; the loss is
    /// that of the same run before.
    #[test]
    fn the_gauge_over_own_letters_is_taken_away() {
        let execution = Execution::new(thread_pool(1).unwrap(), Isa::detect()).unwrap();
        let (n_columns, q) = (7, 5);
        let sequences = random_sequences(40, n_columns, q, 1).unwrap();
        let n_rows = n_columns * q;
        let mut rng = stream(2, "test", &[]);
        let of_inputs: Vec<f32> = (0..n_rows).map(|_| gaussian(&mut rng) as f32).collect();
        let value = |index: usize| {
            let (row, input) = (index / n_rows, index % n_rows);
            if row / q == input / q { 0.0 } else { of_inputs[input] }
        };
        let rows = (0..n_rows * n_rows).map(value).collect();
        let given = PottsCouplings::from_rows(n_columns, q, rows, vec![0.0; n_rows]).unwrap();
        let parameters = PottsPseudoLikelihood::new(1.0, 0.5);
        let train = |initial: &PottsInitial, epochs: u64| {
            let mut trainer =
                PottsTrainer::new(&sequences, parameters.clone(), initial, 1.0, 0, &execution).unwrap();
            trainer.advance_to(epochs).unwrap();
            trainer.couplings().unwrap()
        };
        let most = |couplings: &PottsCouplings| {
            let sum = |place: usize| {
                let (i, j, b) = (place / n_rows, place % n_rows / q, place % q);
                (0..q).map(|a| f64::from(couplings.coupling((i, a), (j, b)))).sum::<f64>().abs()
            };
            (0..n_columns * n_rows).map(sum).fold(0.0, f64::max)
        };
        let given = PottsInitial::Given(given);
        assert!(most(&train(&given, 63)) > 1.0);
        let without = train(&given, 128);
        // Rounding of five couplings of magnitude 1 in f32.
        assert!(most(&without) < 5.0 * f64::from(f32::EPSILON), "{}", most(&without));
        // Fields of a gauge of magnitude 1 were rounded in f32 at 64 of the epochs.
        let loss = |couplings| fit(couplings, &sequences, 1.0, &execution).unwrap().loss;
        assert!((loss(&without) - loss(&train(&PottsInitial::Zero, 128))).abs() < 1e-5);
    }
}
