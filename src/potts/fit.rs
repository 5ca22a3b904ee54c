//! How well couplings fit sequences: loss, pseudo-likelihood, and what one step would keep.

use super::couplings::PottsCouplings;
use super::lookup::LookupTables;
use super::problem::{PottsProblem, blocks, letters};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{PULL_ROWS, fields_of_letters, letter_losses};

/// Numbers of a set of sequences under couplings.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PottsFit {
    /// Mean over columns of the loss l_i without l2, weighted as the problem is.
    pub loss: f64,
    /// Mean logarithm (base e) of the softmax of lambda h at the letter that is there, a column, sequences unweighted: without
    /// weights, minus lambda times the loss.
    pub log_pseudo_likelihood: f64,
    /// Fraction of letters that a parallel step keeps, sequences unweighted.
    pub right_fraction: f64,
    /// Fraction of sequences that a parallel step keeps altogether, unweighted.
    pub fixed_fraction: f64,
}

/// Sums over a block of sequences.
#[derive(Clone, Copy, Default)]
struct Sums {
    loss: f64,  // weighted
    plain: f64, // the same unweighted
    n_right: usize,
    n_fixed: usize,
}

/// The fit of sequences under couplings, lambda being that of the loss.
///
/// # Errors
/// If the shapes differ, there are no sequences, memory for the tables of J is missing, or interrupted.
pub fn fit<'a>(
    couplings: &PottsCouplings,
    problem: impl Into<PottsProblem<'a>>,
    lambda: f64,
    execution: &Execution,
) -> Result<PottsFit> {
    fit_on(&LookupTables::of(couplings, execution)?, problem.into(), lambda, execution)
}

/// The same, on tables.
pub(super) fn fit_on(
    lookup: &LookupTables,
    problem: PottsProblem<'_>,
    lambda: f64,
    execution: &Execution,
) -> Result<PottsFit> {
    problem.check()?;
    let sequences = problem.sequences();
    let (n_rows, n_columns) = (sequences.n_rows(), sequences.n_columns());
    if (n_columns, sequences.n_letters()) != (lookup.n_columns(), lookup.n_letters()) {
        let expected = format!("{} columns of {} letters", lookup.n_columns(), lookup.n_letters());
        let found = format!("{n_columns} columns of {} letters", sequences.n_letters());
        return Err(Error::shape("sequences", expected, found));
    }
    let weights = problem.relative_weights();
    let mut sums = vec![Sums::default(); n_rows.div_ceil(PULL_ROWS)];
    let scratch = || (vec![0.0; PULL_ROWS * lookup.lanes()], vec![[0.0; 2]; PULL_ROWS]);
    let tasks = blocks(letters(sequences), PULL_ROWS).zip(&mut sums).enumerate();
    execution.for_each(tasks, scratch, |(fields, losses), (index, (letters, sums))| {
        let n_rows = letters.letters.len() / n_columns;
        let (fields, losses) = (&mut fields[..n_rows * lookup.lanes()], &mut losses[..n_rows]);
        let mut is_fixed = vec![true; n_rows];
        for column in 0..n_columns {
            let (table, theta) = lookup.column(column);
            fields_of_letters(execution.isa(), letters, table, theta, fields);
            letter_losses(execution.isa(), letters, column, lambda as f32, fields, losses);
            for (row, [above, others]) in losses.iter().enumerate() {
                let (above, others) = (f64::from(*above), f64::from(*others));
                let weight =
                    weights.as_ref().map_or(1.0, |weights| f64::from(weights[index * PULL_ROWS + row]));
                // Where the letter has the largest field, 1 + others keeps the digits of a small loss.
                let loss = if above > 0.0 {
                    above + libm::log(libm::exp(-above) + others)
                } else {
                    libm::log1p(others)
                };
                sums.loss += weight * loss;
                sums.plain += loss;
                sums.n_right += usize::from(above == 0.0);
                is_fixed[row] &= above == 0.0;
            }
        }
        sums.n_fixed = is_fixed.into_iter().filter(|&is_fixed| is_fixed).count();
        Ok(())
    })?;
    let places = (n_rows * n_columns) as f64;
    let loss = sums.iter().map(|sums| sums.loss).sum::<f64>() / places;
    let plain = sums.iter().map(|sums| sums.plain).sum::<f64>() / places;
    let n_right: usize = sums.iter().map(|sums| sums.n_right).sum();
    let n_fixed: usize = sums.iter().map(|sums| sums.n_fixed).sum();
    Ok(PottsFit {
        loss: loss / lambda,
        log_pseudo_likelihood: -plain,
        right_fraction: n_right as f64 / places,
        fixed_fraction: n_fixed as f64 / n_rows as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::potts::{PottsInitial, initial_couplings, random_sequences};

    /// Rows that count twice are rows that stand there twice, but for what is not weighted.
    #[test]
    fn weights_count_in_the_loss_alone() {
        let execution = Execution::with_threads(1).unwrap();
        let sequences = random_sequences(9, 5, 4, 1).unwrap();
        let twice = sequences.select(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 3, 6]);
        let weights: Vec<f32> = (0..9).map(|row| if row % 3 == 0 { 2.0 } else { 1.0 }).collect();
        let problem = PottsProblem::from(&sequences);
        let weighted = problem.with_weights(&weights).unwrap();
        let model = initial_couplings(&PottsInitial::Random, 1.0, problem, 2, &execution).unwrap();
        let fit = |problem| fit(&model, problem, 1.5, &execution).unwrap();
        let (plain, weighted, twice) = (fit(problem), fit(weighted), fit(PottsProblem::from(&twice)));
        assert!((plain.loss - twice.loss).abs() > 1e-4, "the weights are to be seen");
        // Weights of mean 1 are rounded to f32.
        assert!((weighted.loss - twice.loss).abs() < 1e-6 * twice.loss);
        assert_eq!(PottsFit { loss: plain.loss, ..weighted }, plain);
    }
}
