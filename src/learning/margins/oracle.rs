//! The same problems in plain f64 loops, for tests: nothing is shared with the rules but their definition.

use crate::couplings::Couplings;
use crate::spins::SpinMatrix;

/// z^mu = xi_i^mu xi^mu without spin i.
fn rows_of(patterns: &SpinMatrix, neuron: usize) -> Vec<Vec<f64>> {
    let spin = |mu, j| f64::from(patterns.spin(mu, j));
    let others = |mu: usize| (0..patterns.n_spins()).filter(|&j| j != neuron).map(move |j| (mu, j));
    let row = |mu| others(mu).map(|(mu, j)| spin(mu, neuron) * spin(mu, j)).collect();
    (0..patterns.n_rows()).map(row).collect()
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// The largest margin of a neuron by coordinate ascent on w = sum_mu a_mu z^mu, until both ends agree to 1e-10 of it.
pub(in super::super) fn largest_margin(patterns: &SpinMatrix, neuron: usize) -> f64 {
    let z = rows_of(patterns, neuron);
    let (mut a, mut w) = (vec![0.0f64; z.len()], vec![0.0; patterns.n_spins() - 1]);
    for _ in 0..100_000 {
        for (z, a) in z.iter().zip(&mut a) {
            let next = (*a + (1.0 - dot(z, &w)) / dot(z, z)).max(0.0);
            w.iter_mut().zip(z).for_each(|(w, z)| *w += (next - *a) * z);
            *a = next;
        }
        let norm = dot(&w, &w).sqrt();
        let lower = z.iter().map(|z| dot(z, &w)).fold(f64::INFINITY, f64::min) / norm;
        let upper = norm / a.iter().sum::<f64>();
        if upper - lower <= 1e-10 * upper {
            return lower;
        }
    }
    panic!("the oracle did not converge");
}

/// The stabilities of a neuron's patterns, from the stored row.
pub(in super::super) fn stabilities(couplings: &Couplings, patterns: &SpinMatrix, neuron: usize) -> Vec<f64> {
    let n_spins = patterns.n_spins();
    let row = couplings.values()[neuron * n_spins..][..n_spins].iter().map(|&value| f64::from(value));
    let row: Vec<f64> = row.enumerate().filter(|&(j, _)| j != neuron).map(|(_, value)| value).collect();
    let norm = dot(&row, &row).sqrt();
    rows_of(patterns, neuron).iter().map(|z| dot(z, &row) / norm).collect()
}

/// The integers sum_mu a_mu xi_i xi_j of `sweeps` sweeps of the perceptron rule, or fewer if it ends, and how many it took.
pub(in super::super) fn perceptron(
    patterns: &SpinMatrix,
    neuron: usize,
    kappa: f64,
    sweeps: u64,
) -> (Vec<i64>, u64) {
    let spin = |mu, j| i64::from(patterns.spin(mu, j));
    let mut row = vec![0i64; patterns.n_spins()];
    for sweep in 1..=sweeps {
        let mut has_changed = false;
        for mu in 0..patterns.n_rows() {
            let margin = spin(mu, neuron) * (0..row.len()).map(|j| row[j] * spin(mu, j)).sum::<i64>();
            let squares: i64 = row.iter().map(|x| x * x).sum();
            if margin as f64 <= kappa * (squares as f64).sqrt() {
                has_changed = true;
                for (j, value) in row.iter_mut().enumerate().filter(|&(j, _)| j != neuron) {
                    *value += spin(mu, neuron) * spin(mu, j);
                }
            }
        }
        if !has_changed {
            return (row, sweep);
        }
    }
    (row, sweeps)
}
