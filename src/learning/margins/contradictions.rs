//! Neurons that no couplings can serve: two patterns differ in spin i alone, or agree in it alone.
//!
//! Without spin i and times xi_i, such patterns are opposite: z_i^nu = -z_i^mu, so one of the two margins is not positive. The
//! overlaps find them: K_mu,nu = N - 2 or -(N - 2).

use crate::error::Result;
use crate::execution::Execution;
use crate::kernels::DenseRows;
use crate::spins::SpinMatrix;

/// For each neuron, whether two of the patterns contradict each other at it; `overlaps` are theirs.
///
/// # Errors
/// If interrupted.
pub(super) fn contradicted(
    patterns: &SpinMatrix,
    overlaps: &DenseRows,
    execution: &Execution,
) -> Result<Vec<bool>> {
    let n_spins = patterns.n_spins();
    let limit = n_spins as f32 - 2.0;
    let mut found = vec![Vec::new(); patterns.n_rows()];
    execution.for_each(
        found.iter_mut().enumerate(),
        || (),
        |(), (mu, found)| {
            for nu in 0..mu {
                let overlap = overlaps.get(mu, nu);
                for most in [1, -1] {
                    // All products but one are `most`.
                    if overlap == f32::from(most) * limit {
                        let product = |i| patterns.spin(mu, i) * patterns.spin(nu, i);
                        found.extend((0..n_spins).filter(|&i| product(i) != most));
                    }
                }
            }
            Ok(())
        },
    )?;
    let mut contradicted = vec![false; n_spins];
    for neuron in found.into_iter().flatten() {
        contradicted[neuron] = true;
    }
    Ok(contradicted)
}

#[cfg(test)]
mod tests {
    use super::super::super::patterns::PatternBits;
    use super::super::super::span::overlaps;
    use super::*;
    use crate::dynamics::random_states;

    #[test]
    fn pairs_that_differ_or_agree_in_one_spin_are_found() {
        let execution = Execution::with_threads(2).unwrap();
        for (n, spins) in [(70, [3, 66]), (2, [0, 1]), (5, [1, 4])] {
            let first = random_states(1, n, n as u64).unwrap();
            let row: Vec<bool> = (0..n).map(|i| first.spin(0, i) == 1).collect();
            let one_flip = (0..n).map(|i| row[i] ^ (i == spins[0]));
            let all_but_one = (0..n).map(|i| row[i] ^ (i != spins[1]));
            let all: Vec<bool> = row.iter().copied().chain(one_flip).chain(all_but_one).collect();
            let patterns = SpinMatrix::from_bools(3, n, &all).unwrap();
            let overlaps = overlaps(&PatternBits::new(&patterns), &execution).unwrap().unwrap();
            let found = contradicted(&patterns, &overlaps, &execution).unwrap();
            // By the definition: z_i of one pattern is minus that of another.
            for (i, &found) in found.iter().enumerate() {
                let z = |mu: usize, j: usize| patterns.spin(mu, i) * patterns.spin(mu, j);
                let opposite =
                    |mu: usize, nu: usize| (0..n).filter(|&j| j != i).all(|j| z(mu, j) == -z(nu, j));
                let expected = opposite(0, 1) || opposite(0, 2) || opposite(1, 2);
                assert_eq!(found, expected, "neuron {i} of {n}");
            }
            assert!(found[spins[0]] && found[spins[1]]);
        }
    }
}
