//! How strongly columns are coupled, a number a pair: the scores of direct coupling analysis.
//!
//! A pair's block is that of the symmetrised couplings, (J_ij(a, b) + J_ji(b, a)) / 2, in the zero-sum gauge. Its score is the
//! Frobenius norm F_ij over the letters other than the gap (M. Ekeberg et al. 2013, Phys. Rev. E 87, 012707), and that less the
//! average product correction, F_ij - F_i F_j / F, of means over the other columns and over all pairs (S. D. Dunn et al. 2008,
//! Bioinformatics 24, 333).

use super::couplings::PottsCouplings;
use super::initial::to_zero_sum;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::storage::Table;

/// Scores of columns i < j, numbered as [`PottsCouplings::columns`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairScore {
    pub i: usize,
    pub j: usize,
    /// Frobenius norm of the block.
    pub frobenius: f64,
    /// The same with the average product correction.
    pub apc: f64,
}

/// All pairs i < j, in descending order of the corrected score; equal ones in ascending order of i, then j.
///
/// `left_out` is a letter that does not count in the norm: the gap.
///
/// # Errors
/// If there are fewer than 2 columns, `left_out` is no letter, or interrupted.
pub fn pair_scores(
    couplings: &PottsCouplings,
    left_out: Option<u8>,
    execution: &Execution,
) -> Result<Vec<PairScore>> {
    let (n_columns, q) = (couplings.n_columns(), couplings.n_letters());
    if n_columns < 2 {
        return Err(Error::parameter("columns", "at least 2, for a pair", n_columns));
    }
    let left_out = left_out.map(usize::from);
    if let Some(letter) = left_out.filter(|&letter| letter >= q) {
        return Err(Error::parameter("gap", format!("a letter below q = {q}"), letter));
    }
    // Row i holds the norms of pairs i < j.
    let mut norms = vec![0.0; n_columns * n_columns];
    let block = || vec![0.0f64; q * q];
    execution.for_each(norms.chunks_exact_mut(n_columns).enumerate(), block, |block, (i, norms)| {
        for (j, norm) in norms.iter_mut().enumerate().skip(i + 1) {
            for (a, row) in block.chunks_exact_mut(q).enumerate() {
                for (b, value) in row.iter_mut().enumerate() {
                    let (here, there) =
                        (couplings.coupling((i, a), (j, b)), couplings.coupling((j, b), (i, a)));
                    *value = 0.5 * (f64::from(here) + f64::from(there));
                }
            }
            to_zero_sum(block, q);
            let counts = |place: usize| Some(place / q) != left_out && Some(place % q) != left_out;
            let values = block.iter().enumerate().filter(|(place, _)| counts(*place));
            *norm = values.map(|(_, x)| x * x).sum::<f64>().sqrt();
        }
        Ok(())
    })?;
    let norm = |i: usize, j: usize| norms[i.min(j) * n_columns + i.max(j)];
    let others = (n_columns - 1) as f64;
    let means: Vec<f64> = (0..n_columns)
        .map(|i| (0..n_columns).filter(|&j| j != i).map(|j| norm(i, j)).sum::<f64>() / others)
        .collect();
    let mean = means.iter().sum::<f64>() / n_columns as f64;
    let pairs = (0..n_columns).flat_map(|i| (i + 1..n_columns).map(move |j| (i, j)));
    let mut scores: Vec<PairScore> = pairs
        .map(|(i, j)| {
            let frobenius = norm(i, j);
            // Without couplings there is nothing to correct.
            let correction = if mean > 0.0 { means[i] * means[j] / mean } else { 0.0 };
            let number = |column: usize| couplings.columns()[column] as usize;
            PairScore { i: number(i), j: number(j), frobenius, apc: frobenius - correction }
        })
        .collect();
    scores.sort_by(|a, b| b.apc.total_cmp(&a.apc).then((a.i, a.j).cmp(&(b.i, b.j))));
    Ok(scores)
}

impl PairScore {
    /// Scores as a table, the first match column of the input being number `first`.
    pub fn table(scores: &[PairScore], first: usize) -> Table {
        let mut table = Table::new(["i", "j", "frobenius", "apc"]);
        for score in scores {
            let columns = [score.i + first, score.j + first].map(|column| column.to_string());
            table.push([columns, [score.frobenius, score.apc].map(|x| x.to_string())].concat());
        }
        table
    }
}

/// How many of the strongest pairs are contacts, among those with a known distance.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct ContactPrecision {
    /// Pairs that were asked for.
    pub asked: usize,
    /// The strongest pairs with a known distance that were counted: as many as asked for, or all.
    pub counted: usize,
    /// Of the counted ones.
    pub contacts: usize,
}

/// Contacts among the `asked` strongest of the pairs that are at least `min_separation` columns of the input apart and whose distance
/// is known: those with a distance below `cutoff`. Pairs without a distance are passed over, they take no place among the strongest.
/// `distance` takes columns i < j, numbered as in the scores.
pub fn contact_precision(
    scores: &[PairScore],
    asked: usize,
    min_separation: usize,
    cutoff: f64,
    distance: impl Fn(usize, usize) -> Option<f64>,
) -> ContactPrecision {
    let pairs = scores.iter().filter(|score| score.j - score.i >= min_separation);
    let found: Vec<f64> = pairs.filter_map(|score| distance(score.i, score.j)).take(asked).collect();
    let contacts = found.iter().filter(|&&distance| distance < cutoff).count();
    ContactPrecision { asked, counted: found.len(), contacts }
}
