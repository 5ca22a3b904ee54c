//! The pseudo-inverse rule: the projector on the span of the patterns.
//!
//! ```text
//! J = X^T K^-1 X,   K = X X^T,   or with a ridge r:   J = X^T (K + r N I)^-1 X
//! ```
//!
//! X holds the P patterns as rows. With J_ii kept, every pattern has J xi = xi (Personnaz, Guyon, Dreyfus, J. Physique
//! Lett. 46, L359 (1985); Phys. Rev. A 34, 4217 (1986)). Without the diagonal its fields are xi_i (1 - J_ii), and basins are
//! larger (Kanter, Sompolinsky, Phys. Rev. A 35, 380 (1987)). The ridge counts in units of the mean overlap of a pattern with
//! itself, N, so that it means the same at all sizes: J = (1/N) X^T (C + r I)^-1 X with C = K / N.

use super::overlap_factor::Mixture;
use super::patterns::check_patterns;
use super::span_inverse::{bytes, span_inverse};
use crate::couplings::Couplings;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::spins::SpinMatrix;

/// The pseudo-inverse rule and its options.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PseudoInverse {
    /// r, 0 or above. 0 wants linearly independent patterns: fewer than N of them, or N with self-coupling.
    pub ridge: f64,
    /// Whether the diagonal of the projector is kept.
    pub self_coupling: bool,
}

impl PseudoInverse {
    /// Refuses a ridge out of range and, without one, more patterns than spins, or as many where the diagonal, all that
    /// the projector then has, is not kept.
    ///
    /// # Errors
    /// Says which it is.
    pub fn check(&self, n_patterns: usize, n_spins: usize) -> Result<()> {
        if !(self.ridge >= 0.0 && self.ridge.is_finite()) {
            return Err(Error::parameter("ridge", "a finite number, 0 or above", self.ridge));
        }
        if self.ridge == 0.0 && n_patterns > n_spins {
            let expected = format!(
                "at most {n_spins}, since more patterns of {n_spins} spins cannot be linearly independent, or a ridge above 0"
            );
            return Err(Error::shape("number of training patterns", expected, n_patterns.to_string()));
        }
        // Off its diagonal the identity would leave rounding errors for couplings.
        if self.ridge == 0.0 && n_patterns == n_spins && !self.self_coupling {
            let expected = format!(
                "at most {}, since the projector on {n_spins} independent patterns is the identity, or self-coupling, or a ridge above 0",
                n_spins - 1
            );
            return Err(Error::shape("number of training patterns", expected, n_patterns.to_string()));
        }
        Ok(())
    }

    /// Couplings of the rows of `patterns`, symmetric to the bit, of scale 1. Solutions are in f64, entries of J are rounded
    /// once; the last bit may depend on the processor, not on the number of threads.
    ///
    /// # Errors
    /// As [`check`](Self::check); if there are no patterns, no spins, or, without a ridge, dependent patterns (to rounding:
    /// a pattern whose squared distance from the span of those before it is below about N P 2^-49); if memory is missing;
    /// if interrupted.
    pub fn couplings(&self, patterns: &SpinMatrix, execution: &Execution) -> Result<Couplings> {
        check_patterns(patterns)?;
        self.check(patterns.n_rows(), patterns.n_spins())?;
        let mixture = Mixture { overlaps: 1.0, shift: self.ridge };
        let larger = if self.ridge > 0.0 { "larger ridge" } else { "ridge above 0" };
        span_inverse(patterns, mixture, self.self_coupling, execution, |found| {
            let expected = format!("linearly independent patterns, or a {larger}");
            Error::shape("training patterns", expected, found)
        })
    }

    /// Bytes that [`couplings`](Self::couplings) takes: 4 N^2 + 4 P^2 and what goes with them.
    pub fn memory_bytes(n_patterns: usize, n_spins: usize, n_threads: usize) -> u64 {
        bytes(n_patterns, n_spins, n_threads)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::analysis::stabilities;
    use crate::dynamics::random_states;
    use crate::random::stream;
    use rand_core::Rng;

    /// x of A x = b for symmetric positive A by Gauss's elimination, all in f64.
    pub(in crate::learning) fn solved(mut a: Vec<Vec<f64>>, mut b: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
        let n = a.len();
        for k in 0..n {
            let (pivot, source) = (a[k].clone(), b[k].clone());
            for i in (0..n).filter(|&i| i != k) {
                let factor = a[i][k] / pivot[k];
                a[i].iter_mut().zip(&pivot).for_each(|(x, y)| *x -= factor * y);
                b[i].iter_mut().zip(&source).for_each(|(x, y)| *x -= factor * y);
            }
        }
        for (row, a) in b.iter_mut().enumerate().map(|(k, row)| (row, a[k][k])) {
            row.iter_mut().for_each(|x| *x /= a);
        }
        b
    }

    /// X^T (w K + s N I)^-1 X by plain loops, with its diagonal.
    pub(in crate::learning) fn plain(patterns: &SpinMatrix, w: f64, s: f64) -> Vec<Vec<f64>> {
        let (p, n) = (patterns.n_rows(), patterns.n_spins());
        let x = |mu: usize, i: usize| f64::from(patterns.spin(mu, i));
        let entry = |mu: usize, nu: usize| {
            let overlap: f64 = (0..n).map(|i| x(mu, i) * x(nu, i)).sum();
            w * overlap + if mu == nu { s * n as f64 } else { 0.0 }
        };
        let matrix = (0..p).map(|mu| (0..p).map(|nu| entry(mu, nu)).collect()).collect();
        let sides = (0..p).map(|mu| (0..n).map(|i| x(mu, i)).collect()).collect();
        let z = solved(matrix, sides);
        let coupling = |i: usize, j: usize| (0..p).map(|mu| x(mu, i) * z[mu][j]).sum();
        (0..n).map(|i| (0..n).map(|j| coupling(i, j)).collect()).collect()
    }

    /// Half a unit in the last place of f32, and what 1e4 (condition number times a few) rounding errors of f64 come to
    /// for couplings of at most `scale`.
    pub(in crate::learning) fn assert_rounded_once(found: f32, exact: f64, scale: f64) {
        let bound = 0.5 * f64::from(f32::EPSILON) * exact.abs() + 1e4 * f64::EPSILON * scale;
        assert!((f64::from(found) - exact).abs() <= bound, "{found} {exact}");
    }

    /// Sizes around panels, tiles, tasks and words; loads up to 1/2, where overlaps are well conditioned, or a ridge.
    #[test]
    fn couplings_are_those_of_plain_loops() {
        let execution = Execution::with_threads(2).unwrap();
        for (p, n, ridge) in [
            (1, 1, 0.5),
            (1, 5, 0.0),
            (20, 50, 0.0),
            (65, 145, 0.0),
            (140, 300, 0.0),
            (40, 30, 0.2),
            (3, 20, 0.01),
        ] {
            let patterns = random_states(p, n, 4).unwrap();
            let expected = plain(&patterns, 1.0, ridge);
            for self_coupling in [false, true] {
                let couplings =
                    PseudoInverse { ridge, self_coupling }.couplings(&patterns, &execution).unwrap();
                assert_eq!((couplings.has_self_coupling(), couplings.scale()), (self_coupling, 1.0));
                for (x, &found) in couplings.values().iter().enumerate() {
                    let (i, j) = (x / n, x % n);
                    if i == j && !self_coupling {
                        assert_eq!(found, 0.0);
                    } else {
                        assert_rounded_once(found, expected[i][j], 1.0);
                    }
                    assert_eq!(found.to_bits(), couplings.values()[j * n + i].to_bits());
                }
            }
        }
    }

    #[test]
    fn bits_do_not_depend_on_threads() {
        let patterns = random_states(150, 333, 8).unwrap();
        let values = |n_threads| {
            let execution = Execution::with_threads(n_threads).unwrap();
            PseudoInverse::default().couplings(&patterns, &execution).unwrap().values().to_vec()
        };
        assert!(values(1).iter().zip(values(3)).all(|(a, b)| a.to_bits() == b.to_bits()));
    }

    /// J xi = xi with the diagonal: every stability is 1 / |J_i|, and |J_i|^2 = J_ii of a projector. Without it the field is
    /// xi_i (1 - J_ii) and |J_i|^2 = J_ii - J_ii^2. J is in f32, whose roundings add like sqrt(N) 2^-25 |J| / |J_i|.
    #[test]
    fn stabilities_follow_from_the_diagonal_of_the_projector() {
        let execution = Execution::with_threads(2).unwrap();
        let (p, n) = (90, 200);
        let patterns = random_states(p, n, 2).unwrap();
        let of = |self_coupling| {
            let couplings =
                PseudoInverse { ridge: 0.0, self_coupling }.couplings(&patterns, &execution).unwrap();
            let norms = couplings.row_norms(&execution).unwrap();
            let found = stabilities(&couplings, &patterns, &norms, &execution).unwrap();
            (couplings, found)
        };
        let (projector, with) = of(true);
        let (_, without) = of(false);
        let mut trace = 0.0;
        for i in 0..n {
            let own = f64::from(projector.values()[i * (n + 1)]);
            trace += own;
            for (&with, &without) in with.of_neuron(i).iter().zip(without.of_neuron(i)) {
                assert!((f64::from(with) - 1.0 / own.sqrt()).abs() < 1e-5, "{with} {own}");
                assert!((f64::from(without) - ((1.0 - own) / own).sqrt()).abs() < 1e-5, "{without} {own}");
            }
        }
        // The rank of the projector.
        assert!((trace - p as f64).abs() < 1e-4, "{trace}");
    }

    /// Pattern 40 equal to or opposite to pattern 7, or a + b - c of three others, which is a pattern where c = a wherever
    /// a = b.
    #[test]
    fn dependent_patterns_are_named_and_pass_with_a_ridge() {
        let execution = Execution::with_threads(2).unwrap();
        let (p, n) = (150, 200);
        let mut rng = stream(3, "dependence test", &[]);
        let rows: Vec<Vec<bool>> =
            (0..p).map(|_| (0..n).map(|_| rng.next_u64() >> 63 == 1).collect()).collect();
        let refusal = |rows: &[Vec<bool>], ridge| {
            let patterns = SpinMatrix::from_bools(rows.len(), n, &rows.concat()).unwrap();
            let rule = PseudoInverse { ridge, self_coupling: false };
            rule.couplings(&patterns, &execution).map(|_| ()).map_err(|error| error.to_string())
        };
        for (pattern, words) in [(40, "equal to pattern 7"), (140, "opposite to pattern 7")] {
            let mut rows = rows.clone();
            rows[pattern] = rows[7].iter().map(|&spin| spin ^ words.starts_with("opposite")).collect();
            let error = refusal(&rows, 0.0).unwrap_err();
            let named = format!("pattern {pattern}, counted from 0, {words}");
            assert!(error.contains(&named) && error.contains("ridge"), "{error}");
            assert_eq!(refusal(&rows, 1e-3), Ok(()));
        }
        for last in [10, 145] {
            let mut rows = rows.clone();
            let (a, b) = (rows[1].clone(), rows[2].clone());
            for i in (0..n).filter(|&i| a[i] == b[i]) {
                rows[4][i] = a[i];
            }
            rows[last] = (0..n).map(|i| if a[i] == b[i] { a[i] } else { !rows[4][i] }).collect();
            let error = refusal(&rows, 0.0).unwrap_err();
            assert!(
                error.contains(&format!("pattern {last}, counted from 0, to rounding a comb")),
                "{error}"
            );
        }
        assert_eq!(refusal(&rows, 0.0), Ok(()));
        let all: Vec<Vec<bool>> = rows.iter().chain(&rows[..60]).cloned().collect();
        let error = refusal(&all, 0.0).unwrap_err();
        assert!(error.contains("at most 200") && error.contains("found 210"), "{error}");
    }

    /// N independent patterns span everything.
    #[test]
    fn the_projector_on_as_many_patterns_as_spins_is_the_identity() {
        let execution = Execution::with_threads(1).unwrap();
        let patterns = random_states(40, 40, 1).unwrap();
        let couplings =
            PseudoInverse { ridge: 0.0, self_coupling: true }.couplings(&patterns, &execution).unwrap();
        for (x, &found) in couplings.values().iter().enumerate() {
            let expected = if x % 41 == 0 { 1.0 } else { 0.0 };
            // Square random matrices are ill-conditioned: about 1e5 roundings of f64.
            assert!((f64::from(found) - expected).abs() < 1e-9, "{found}");
        }
        let error = PseudoInverse::default().couplings(&patterns, &execution).unwrap_err().to_string();
        assert!(error.contains("at most 39") && error.contains("identity"), "{error}");
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        for ridge in [-1e-9, f64::NAN, f64::INFINITY] {
            assert!(PseudoInverse { ridge, self_coupling: false }.check(1, 1).is_err());
        }
        let execution = Execution::with_threads(1).unwrap();
        for (p, n) in [(0, 5), (5, 0)] {
            let none = SpinMatrix::all_down(p, n);
            assert!(PseudoInverse::default().couplings(&none, &execution).is_err());
        }
        execution.cancel().cancel();
        let patterns = random_states(3, 9, 1).unwrap();
        let stopped = PseudoInverse::default().couplings(&patterns, &execution);
        assert!(matches!(stopped, Err(Error::Interrupted)));
    }
}
