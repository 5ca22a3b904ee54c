//! Norms and symmetry of J. Sums run in f64, row by row, and are combined in row order: the same bits at any thread
//! count.

use super::matrix::Couplings;
use super::mirror::STRIP;
use super::panel::{PANEL, n_panels};
use crate::error::Result;
use crate::execution::Execution;

/// How far J is from symmetric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asymmetry {
    /// |J - J^T|_F / |J|_F, from 0 (symmetric) to 2 (antisymmetric); 0 for J = 0.
    pub ratio: f64,
    /// Mean over all N^2 entries of (J - J^T)^2.
    pub mean_square: f64,
}

impl Couplings {
    /// |J_i|_2 of every row there is.
    ///
    /// # Errors
    /// If interrupted.
    pub fn row_norms(&self, execution: &Execution) -> Result<Vec<f64>> {
        self.check_files()?;
        let mut norms = vec![0.0; self.neurons().len()];
        execution.for_each(
            self.row_range().panels().zip(norms.chunks_mut(PANEL)),
            || (),
            |(), (panel, norms)| {
                for (norm, row) in norms.iter_mut().zip(self.panel(panel).chunks_exact(self.n_spins())) {
                    *norm = sum_of_squares(row).sqrt() * self.scale();
                }
                Ok(())
            },
        )?;
        Ok(norms)
    }

    /// sum_ij |J_ij| over the rows there are.
    ///
    /// # Errors
    /// If interrupted.
    pub fn sum_of_magnitudes(&self, execution: &Execution) -> Result<f64> {
        let panels = self.row_range().panels();
        let mut sums = vec![0.0; panels.len()];
        execution.for_each(
            panels.zip(&mut sums),
            || (),
            |(), (panel, sum)| {
                *sum = self.panel(panel).iter().map(|&x| f64::from(x.abs())).sum();
                Ok(())
            },
        )?;
        Ok(sums.iter().sum::<f64>() * self.scale())
    }

    /// Both measures of asymmetry.
    ///
    /// # Errors
    /// If these are the couplings of a shard, or interrupted.
    pub fn asymmetry(&self, execution: &Execution) -> Result<Asymmetry> {
        self.check_whole()?;
        let n = self.n_spins();
        // Per panel of rows: the sum of squares, and that of the differences from the transpose.
        let mut sums = vec![(0.0, 0.0); n_panels(n)];
        for strip in (0..n).step_by(STRIP) {
            execution.for_each(
                sums.iter_mut().enumerate(),
                || (),
                |(), (panel, sums)| {
                    let rows = self.panel(panel);
                    if strip == 0 {
                        sums.0 = rows.chunks_exact(n).map(sum_of_squares).sum();
                    }
                    // Column tiles as wide as the panel, so that the transposed reads stay within a few cache lines.
                    for first in (strip..n.min(strip + STRIP)).step_by(PANEL) {
                        let transposed = self.rows(first..n.min(first + PANEL));
                        for (i, row) in (panel * PANEL..).zip(rows.chunks_exact(n)) {
                            for (&value, transposed) in row[first..].iter().zip(transposed.chunks_exact(n)) {
                                let difference = f64::from(value) - f64::from(transposed[i]);
                                sums.1 += difference * difference;
                            }
                        }
                    }
                    Ok(())
                },
            )?;
        }
        let (squares, differences) = sums.iter().fold((0.0, 0.0), |sum, x| (sum.0 + x.0, sum.1 + x.1));
        let ratio = if squares > 0.0 { (differences / squares).sqrt() } else { 0.0 };
        let mean_square = differences * self.scale() * self.scale() / (n as f64 * n as f64);
        Ok(Asymmetry { ratio, mean_square })
    }

    /// (J + J^T) / 2, with this scale and description.
    ///
    /// # Errors
    /// If these are the couplings of a shard, memory for a copy is missing, or interrupted.
    pub fn symmetrized(&self, execution: &Execution) -> Result<Self> {
        self.check_whole()?;
        let n = self.n_spins();
        let mut symmetrized = Couplings::zeros_in(n, execution.memory())?
            .with_scale(self.scale())?
            .with_description(self.description().clone());
        if self.has_self_coupling() {
            symmetrized.allow_self_coupling();
        }
        if let Some(theta) = self.theta() {
            symmetrized = symmetrized.with_theta(theta.to_vec())?;
        }
        for strip in (0..n).step_by(STRIP) {
            execution.for_each(
                symmetrized.values_mut().chunks_mut(PANEL * n).enumerate(),
                || (),
                |(), (panel, target)| {
                    for first in (strip..n.min(strip + STRIP)).step_by(PANEL) {
                        let transposed = self.rows(first..n.min(first + PANEL));
                        let rows = target.chunks_exact_mut(n).zip(self.panel(panel).chunks_exact(n));
                        for (i, (target, row)) in (panel * PANEL..).zip(rows) {
                            for (j, transposed) in (first..).zip(transposed.chunks_exact(n)) {
                                let (own, other) = (row[j], transposed[i]);
                                // Halved before the sum, which can then not overflow; the order makes (i, j) and (j, i) equal.
                                let (upper, lower) = if i < j { (own, other) } else { (other, own) };
                                target[j] = 0.5 * upper + 0.5 * lower;
                            }
                        }
                    }
                    Ok(())
                },
            )?;
        }
        Ok(symmetrized)
    }
}

fn sum_of_squares(values: &[f32]) -> f64 {
    values.iter().map(|&x| f64::from(x) * f64::from(x)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{gaussian, stream};

    fn random(n: usize) -> Couplings {
        let mut rng = stream(1, "norms test", &[]);
        let entry = |x: usize| if x.is_multiple_of(n + 1) { 0.0 } else { gaussian(&mut rng) as f32 };
        Couplings::from_rows(n, (0..n * n).map(entry).collect()).unwrap()
    }

    #[test]
    fn norms_and_asymmetry_match_their_definitions() {
        let execution = Execution::with_threads(2).unwrap();
        for n in [1, 2, 17, 50] {
            let couplings = random(n).with_scale(0.25).unwrap();
            let j = |a: usize, b: usize| 0.25 * f64::from(couplings.values()[a * n + b]);
            let norms = couplings.row_norms(&execution).unwrap();
            for (i, norm) in norms.iter().enumerate() {
                let expected = (0..n).map(|k| j(i, k).powi(2)).sum::<f64>().sqrt();
                assert!((norm - expected).abs() <= 1e-12 * expected);
            }
            let asymmetry = couplings.asymmetry(&execution).unwrap();
            let pairs = || (0..n).flat_map(|a| (0..n).map(move |b| (a, b)));
            let differences: f64 = pairs().map(|(a, b)| (j(a, b) - j(b, a)).powi(2)).sum();
            let squares: f64 = norms.iter().map(|norm| norm * norm).sum();
            let ratio = if n > 1 { (differences / squares).sqrt() } else { 0.0 };
            assert!((asymmetry.ratio - ratio).abs() < 1e-12, "{asymmetry:?} {ratio}");
            assert!((asymmetry.mean_square - differences / (n * n) as f64).abs() < 1e-12);
        }
    }

    #[test]
    fn symmetrized_couplings_are_symmetric_and_keep_the_even_part() {
        let execution = Execution::with_threads(2).unwrap();
        let couplings = random(40);
        let symmetrized = couplings.symmetrized(&execution).unwrap();
        assert_eq!(symmetrized.asymmetry(&execution).unwrap().ratio, 0.0);
        let sum = |c: &Couplings, a: usize, b: usize| c.values()[a * 40 + b] + c.values()[b * 40 + a];
        assert!((sum(&couplings, 3, 7) - sum(&symmetrized, 3, 7)).abs() < 1e-6);
        // Antisymmetric couplings reach the upper end of the ratio.
        let odd = Couplings::from_rows(2, vec![0.0, 1.0, -1.0, 0.0]).unwrap();
        assert!((odd.asymmetry(&execution).unwrap().ratio - 2.0).abs() < 1e-12);
    }
}
