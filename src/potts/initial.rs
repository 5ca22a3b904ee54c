//! Where training of Potts couplings starts. All starts but given ones are in the zero-sum gauge, without fields.
//!
//! With u_a(x) = delta(a, x) - 1/q, the Hebb rule of Potts spins (I. Kanter 1988, Phys. Rev. A 37, 2739) is
//!
//! ```text
//! J_ij(a, b) = q / ((q - 1) L) sum_mu w_mu u_a(x_i) u_b(x_j)
//! ```
//!
//! whose factor makes a pattern alone, of weight 1, exceed the fields of other letters by 1 (times 1 - 1/L): at q = 2 the Ising
//! rule. Columns of sequences that are related have letters of their own, which it stores P times over; the covariance form takes
//! the means away, u_a(x) - <u_a>.

use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::learning::check_factor;
use crate::random::{gaussian, stream};

use super::couplings::PottsCouplings;
use super::problem::PottsProblem;

/// Initial couplings.
#[derive(Debug)]
pub enum PottsInitial {
    /// All zero.
    Zero,
    /// Those of the Hebb rule.
    Hebb,
    /// The same with the means of the columns taken away.
    Covariance,
    /// Gaussians of standard deviation 1/sqrt(L), independent but for the zero-sum gauge.
    Random,
    /// Given couplings, fields and numbers of columns.
    Given(PottsCouplings),
}

/// Initial couplings for the sequences of a problem, multiplied by `factor`.
///
/// # Errors
/// If `factor` or a coupling times it is not finite in f32, given couplings are of another shape, memory is missing, or
/// interrupted.
pub fn initial_couplings<'a>(
    initial: &PottsInitial,
    factor: f64,
    problem: impl Into<PottsProblem<'a>>,
    seed: u64,
    execution: &Execution,
) -> Result<PottsCouplings> {
    check_factor(factor)?;
    let problem = problem.into();
    problem.check()?;
    let (n_columns, n_letters) = (problem.sequences().n_columns(), problem.sequences().n_letters());
    let mut couplings = PottsCouplings::zeros(n_columns, n_letters)?;
    match initial {
        PottsInitial::Zero => {}
        PottsInitial::Hebb | PottsInitial::Covariance => {
            let centred = matches!(initial, PottsInitial::Covariance);
            hebb(problem, centred, factor, &mut couplings, execution)?;
        }
        PottsInitial::Random => random(factor, seed, &mut couplings, execution)?,
        PottsInitial::Given(given) => {
            if (given.n_columns(), given.n_letters()) != (n_columns, n_letters) {
                let shape = |columns, letters| format!("{columns} columns of {letters} letters");
                return Err(Error::shape(
                    "initial couplings",
                    format!("{} as in the data", shape(n_columns, n_letters)),
                    shape(given.n_columns(), given.n_letters()),
                ));
            }
            let theta = given.theta().iter().map(|&theta| (f64::from(theta) * factor) as f32).collect();
            couplings = couplings.with_theta(theta)?.with_columns(given.columns().to_vec())?;
            execution.for_each(
                couplings.columns_mut().enumerate(),
                || (),
                |(), (column, rows)| {
                    for (target, &source) in rows.iter_mut().zip(given.column(column)) {
                        *target = (f64::from(source) * factor) as f32;
                    }
                    Ok(())
                },
            )?;
        }
    }
    couplings.check().map_err(|_| {
        Error::parameter("init-scale", "a factor that keeps all couplings finite", format!("{factor:e}"))
    })?;
    Ok(couplings)
}

fn hebb(
    problem: PottsProblem<'_>,
    centred: bool,
    factor: f64,
    couplings: &mut PottsCouplings,
    execution: &Execution,
) -> Result<()> {
    let sequences = problem.sequences();
    let (n_columns, q, n_rows) = (sequences.n_columns(), sequences.n_letters(), couplings.n_rows());
    let weights: Vec<f64> = match problem.relative_weights() {
        Some(weights) => weights.into_iter().map(f64::from).collect(),
        None => vec![1.0; sequences.n_rows()],
    };
    let total: f64 = weights.iter().sum();
    // Weighted counts of each letter of each column.
    let mut singles = vec![0.0f64; n_rows];
    for (mu, weight) in weights.iter().enumerate() {
        for (column, &letter) in sequences.row(mu).iter().enumerate() {
            singles[column * q + usize::from(letter)] += weight;
        }
    }
    let (share, singles) = (1.0 / q as f64, &singles);
    let scale = factor * q as f64 / ((q - 1) as f64 * n_columns as f64);
    let counts = || vec![0.0f64; q * n_rows];
    execution.for_each(couplings.columns_mut().enumerate(), counts, |counts, (i, rows)| {
        counts.fill(0.0);
        for (mu, weight) in weights.iter().enumerate() {
            let sequence = sequences.row(mu);
            let row = &mut counts[usize::from(sequence[i]) * n_rows..][..n_rows];
            for (column, &letter) in sequence.iter().enumerate() {
                row[column * q + usize::from(letter)] += weight;
            }
        }
        execution.check_cancelled()?;
        for (a, row) in rows.chunks_exact_mut(n_rows).enumerate() {
            let of_a = singles[i * q + a];
            for (place, coupling) in row.iter_mut().enumerate() {
                let (pairs, of_b) = (counts[a * n_rows + place], singles[place]);
                let sum = if centred {
                    pairs - of_a * of_b / total
                } else {
                    pairs - share * (of_a + of_b) + share * share * total
                };
                *coupling = if place / q == i { 0.0 } else { (scale * sum) as f32 };
            }
        }
        Ok(())
    })
}

/// Independent entries, one stream a column, less the means of their block's rows and columns.
fn random(factor: f64, seed: u64, couplings: &mut PottsCouplings, execution: &Execution) -> Result<()> {
    let (n_columns, q, n_rows) = (couplings.n_columns(), couplings.n_letters(), couplings.n_rows());
    let width = factor / libm::sqrt(n_columns as f64);
    let block = || vec![0.0f64; q * q];
    execution.for_each(couplings.columns_mut().enumerate(), block, |block, (i, rows)| {
        let mut rng = stream(seed, "initial potts couplings", &[i as u64]);
        for j in (0..n_columns).filter(|&j| j != i) {
            block.fill_with(|| width * gaussian(&mut rng));
            to_zero_sum(block, q);
            for (a, values) in block.chunks_exact(q).enumerate() {
                for (target, &value) in rows[a * n_rows + j * q..].iter_mut().zip(values) {
                    *target = value as f32;
                }
            }
        }
        Ok(())
    })
}

/// Takes the means of its rows and columns from a block, `[q][q]`.
pub(super) fn to_zero_sum(block: &mut [f64], q: usize) {
    let n = q as f64;
    let of_rows: Vec<f64> = block.chunks_exact(q).map(|row| row.iter().sum::<f64>() / n).collect();
    let of_columns: Vec<f64> = (0..q).map(|b| block.iter().skip(b).step_by(q).sum::<f64>() / n).collect();
    let mean = of_rows.iter().sum::<f64>() / n;
    for (row, of_row) in block.chunks_exact_mut(q).zip(&of_rows) {
        for (value, of_column) in row.iter_mut().zip(&of_columns) {
            *value += mean - of_row - of_column;
        }
    }
}
