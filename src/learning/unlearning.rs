//! Hebbian unlearning: dreams weaken the spurious states of couplings that were learned.
//!
//! ```text
//! J_ij -= (epsilon / N) s_i s_j,   i != j
//! ```
//!
//! for one dream s after the other: a random state, relaxed at zero temperature by updates of one spin at a time to a fixed
//! point of J as it is (Hopfield, Feinstein, Palmer, Nature 304, 158 (1983); van Hemmen, Ioffe, Kuehn, Vaas, Physica A 163,
//! 386 (1990)). A sweep updates all spins in a random order; a spin without field is kept. J stays symmetric with zero
//! diagonal, so every flip lowers the energy and the relaxation ends.
//!
//! Fields are in f64. They are summed at the start of each dream, in the pass over J that unlearns the last one, and go on
//! by difference: the row of a flipped spin is also its column.

use rand_core::Rng;
use rand_pcg::Pcg64;

use crate::couplings::{Couplings, PANEL};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::random::{permutation, stream};

/// Sweeps of a dream after which something must be wrong: relaxations take tens.
const MAX_SWEEPS: usize = 10_000;

/// Hebbian unlearning and its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unlearning {
    /// D, the number of dreams.
    pub dreams: u64,
    /// epsilon, above 0: about 0.01 (Hopfield, Feinstein and Palmer).
    pub rate: f64,
    /// Seed of the dreams' initial states and of the orders of updates.
    pub seed: u64,
}

impl Unlearning {
    /// Refuses a rate out of range.
    ///
    /// # Errors
    /// Names it.
    pub fn check(&self) -> Result<()> {
        if self.rate as f32 > 0.0 && (self.rate as f32).is_finite() {
            Ok(())
        } else {
            Err(Error::parameter("unlearning-rate", "a finite positive number", self.rate))
        }
    }

    /// The couplings after all dreams, of scale 1 and symmetric to the bit; before them they are usually those of the Hebb
    /// rule. Progress advances by 1 a dream. Takes a copy of J.
    ///
    /// # Errors
    /// As [`check`](Self::check); if the couplings are not symmetric, have self-coupling or theta; if one is beyond f32; if a dream
    /// finds no fixed point in 10000 sweeps; if memory is missing; if interrupted.
    pub fn unlearned(&self, couplings: &Couplings, execution: &Execution) -> Result<Couplings> {
        self.check()?;
        if couplings.has_self_coupling() {
            return Err(Error::shape("couplings to unlearn", "a zero diagonal", "self-coupling"));
        }
        if couplings.theta().is_some() {
            let expected = "couplings alone, without fields of the neurons themselves";
            return Err(Error::shape("couplings to unlearn", expected, "theta"));
        }
        let asymmetry = couplings.asymmetry(execution)?;
        if asymmetry.mean_square > 0.0 {
            let found = format!("an asymmetry of {}", asymmetry.ratio);
            return Err(Error::shape("couplings to unlearn", "symmetric ones", found));
        }
        let mut couplings = couplings.normalised(execution)?;
        let n_spins = couplings.n_spins();
        let amount = (self.rate / n_spins as f64) as f32;
        execution.progress().begin("unlearning", self.dreams);
        let mut last: Option<Vec<f32>> = None;
        let mut fields = vec![0.0; n_spins];
        for dream in 1..=self.dreams {
            let mut rng = stream(self.seed, "dream", &[dream]);
            let mut spins = random_spins(&mut rng, n_spins);
            pass(
                &mut couplings,
                last.as_deref().map(|last| (amount, last)),
                Some((&spins, &mut fields)),
                execution,
            )?;
            relax(&couplings, &mut spins, &mut fields, &mut rng, dream, execution)?;
            last = Some(spins);
            execution.progress().advance(1);
        }
        pass(&mut couplings, last.as_deref().map(|last| (amount, last)), None, execution)?;
        execution.progress().end();
        Ok(couplings)
    }

    /// Bytes that [`unlearned`](Self::unlearned) takes: J before and after.
    pub fn memory_bytes(n_spins: usize) -> u64 {
        let n = n_spins as u64;
        8 * n * n + 32 * n
    }
}

fn random_spins(rng: &mut Pcg64, n_spins: usize) -> Vec<f32> {
    (0..n_spins).map(|_| if rng.next_u64() >> 63 == 1 { 1.0 } else { -1.0 }).collect()
}

/// One pass over J: `unlearn` takes that amount of a state out of it, then `start` has its fields summed.
fn pass(
    couplings: &mut Couplings,
    unlearn: Option<(f32, &[f32])>,
    start: Option<(&[f32], &mut [f64])>,
    execution: &Execution,
) -> Result<()> {
    let n_spins = couplings.n_spins();
    let (start, fields) = match start {
        Some((start, fields)) => (start, fields),
        None => (&[][..], &mut [][..]),
    };
    let mut fields = fields.chunks_mut(PANEL);
    let panels = couplings.values_mut().chunks_mut(PANEL * n_spins).enumerate();
    let tasks = panels.map(|panel| (panel, fields.next().unwrap_or_default()));
    execution.for_each(
        tasks,
        || (),
        |(), ((panel, rows), fields)| {
            let mut fields = fields.iter_mut();
            for (neuron, row) in (panel * PANEL..).zip(rows.chunks_exact_mut(n_spins)) {
                if let Some((amount, state)) = unlearn {
                    let factor = amount * state[neuron];
                    for (coupling, spin) in row.iter_mut().zip(state) {
                        *coupling -= factor * spin;
                    }
                    row[neuron] = 0.0;
                }
                if let Some(field) = fields.next() {
                    *field = dot(row, start);
                }
            }
            Ok(())
        },
    )
}

/// Eight sums side by side, so that they can share registers; every product is exact.
fn dot(row: &[f32], spins: &[f32]) -> f64 {
    let mut sums = [0.0f64; 8];
    let (rows, spins) = (row.chunks_exact(8), spins.chunks_exact(8));
    let rest: f64 =
        rows.remainder().iter().zip(spins.remainder()).map(|(x, s)| f64::from(*x) * f64::from(*s)).sum();
    for (row, spins) in rows.zip(spins) {
        for ((sum, x), s) in sums.iter_mut().zip(row).zip(spins) {
            *sum += f64::from(x * s);
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Updates one spin after the other until none flips; `fields` are those of `spins`, and go with them.
fn relax(
    couplings: &Couplings,
    spins: &mut [f32],
    fields: &mut [f64],
    rng: &mut Pcg64,
    dream: u64,
    execution: &Execution,
) -> Result<()> {
    for _ in 0..MAX_SWEEPS {
        execution.check_cancelled()?;
        let mut is_fixed = true;
        for neuron in permutation(rng, spins.len()) {
            let spin = -spins[neuron];
            if fields[neuron] * f64::from(spin) > 0.0 {
                spins[neuron] = spin;
                let change = 2.0 * f64::from(spin);
                for (field, &coupling) in fields.iter_mut().zip(couplings.rows(neuron..neuron + 1)) {
                    *field += change * f64::from(coupling);
                }
                is_fixed = false;
            }
        }
        if is_fixed {
            return Ok(());
        }
    }
    let expected = format!("a fixed point within {MAX_SWEEPS} sweeps, as symmetric couplings have");
    Err(Error::shape(format!("dream {dream}"), expected, "none"))
}

#[cfg(test)]
mod tests {
    use super::super::hebb;
    use super::*;
    use crate::analysis::margin_statistics;
    use crate::dynamics::random_states;

    /// Fields are summed anew at every spin. With an odd number of patterns and an even one of spins no Hebbian field is 0.
    #[test]
    fn couplings_are_those_of_plain_loops() {
        for (p, n, n_threads) in [(5, 24, 1), (11, 50, 2), (31, 98, 2)] {
            let execution = Execution::with_threads(n_threads).unwrap();
            let patterns = random_states(p, n, 3).unwrap();
            let hebb = hebb(&patterns, &execution).unwrap();
            let rule = Unlearning { dreams: 40, rate: 0.0137, seed: 5 };
            let mut j: Vec<Vec<f64>> = hebb
                .values()
                .chunks_exact(n)
                .map(|row| row.iter().map(|&x| f64::from(x) / n as f64).collect())
                .collect();
            for dream in 1..=40 {
                let mut rng = stream(5, "dream", &[dream]);
                let mut s: Vec<f64> = random_spins(&mut rng, n).into_iter().map(f64::from).collect();
                loop {
                    let before = s.clone();
                    for i in permutation(&mut rng, n) {
                        let field: f64 = (0..n).map(|k| j[i][k] * s[k]).sum();
                        if field != 0.0 {
                            s[i] = field.signum();
                        }
                    }
                    if s == before {
                        break;
                    }
                }
                for a in 0..n {
                    for b in (0..n).filter(|&b| b != a) {
                        j[a][b] -= 0.0137 / n as f64 * s[a] * s[b];
                    }
                }
            }
            let found = rule.unlearned(&hebb, &execution).unwrap();
            assert_eq!(found.scale(), 1.0);
            for (x, &value) in found.values().iter().enumerate() {
                // One rounding a dream, of couplings below 1.
                let error = (f64::from(value) - j[x / n][x % n]).abs();
                assert!(error <= 41.0 * f64::from(f32::EPSILON), "{p} x {n}: {value} {}", j[x / n][x % n]);
                assert_eq!(value.to_bits(), found.values()[x % n * n + x / n].to_bits());
            }
        }
    }

    /// Dream d is what J loses from d - 1 to d: a state all of whose spins agree with their fields.
    #[test]
    fn dreams_are_fixed_points_of_the_couplings_they_find() {
        let execution = Execution::with_threads(2).unwrap();
        let n = 90;
        let patterns = random_states(20, n, 9).unwrap();
        let hebb = hebb(&patterns, &execution).unwrap();
        let after = |dreams| Unlearning { dreams, rate: 0.02, seed: 2 }.unlearned(&hebb, &execution).unwrap();
        let mut before = after(0);
        assert_eq!(before.values(), hebb.normalised(&execution).unwrap().values());
        for dream in 1..=12 {
            let now = after(dream);
            // Up to a sign of the whole state, spin 0 is 1.
            let lost = |i: usize| f64::from(before.values()[i]) - f64::from(now.values()[i]);
            let spins: Vec<f64> = (0..n).map(|i| if i == 0 { 1.0 } else { lost(i).signum() }).collect();
            for i in 0..n {
                let row = &before.values()[i * n..][..n];
                let field: f64 = row.iter().zip(&spins).map(|(&x, s)| f64::from(x) * s).sum();
                assert!(field * spins[i] > -1e-12, "dream {dream}, spin {i}: {field}");
            }
            before = now;
        }
    }

    /// What unlearning is for: at load 0.3 hardly a Hebbian pattern is fixed; D epsilon of about 0.5 raises the smallest
    /// stabilities (van Hemmen et al.).
    #[test]
    fn unlearning_raises_the_smallest_stabilities() {
        let execution = Execution::with_threads(2).unwrap();
        let patterns = random_states(45, 150, 4).unwrap();
        let hebb = hebb(&patterns, &execution).unwrap();
        let negative = |couplings: &Couplings| {
            let norms = couplings.row_norms(&execution).unwrap();
            margin_statistics(couplings, &patterns, 1.0, &norms, &execution).unwrap().negative_fraction
        };
        let rule = Unlearning { dreams: 1000, rate: 0.01, seed: 1 };
        let after = rule.unlearned(&hebb, &execution).unwrap();
        let (before, after) = (negative(&hebb), negative(&after));
        assert!(before > 0.02 && after < before / 5.0, "{before} {after}");
    }

    #[test]
    fn what_cannot_be_unlearned_is_refused() {
        let execution = Execution::with_threads(1).unwrap();
        let rule = Unlearning { dreams: 1, rate: 0.1, seed: 1 };
        let zero = Couplings::zeros(4).unwrap();
        assert!(rule.unlearned(&zero, &execution).is_ok());
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert!(Unlearning { rate, ..rule }.unlearned(&zero, &execution).is_err());
        }
        let own = zero.with_self_coupling(&[0.0, 1.0, 0.0, 0.0]).unwrap();
        let error = rule.unlearned(&own, &execution).unwrap_err().to_string();
        assert!(error.contains("self-coupling"), "{error}");
        let with_theta = Couplings::zeros(2).unwrap().with_theta(vec![1.0, 0.0]).unwrap();
        let error = rule.unlearned(&with_theta, &execution).unwrap_err().to_string();
        assert!(error.contains("theta"), "{error}");
        let asymmetric = Couplings::from_rows(2, vec![0.0, 1.0, -1.0, 0.0]).unwrap();
        let error = rule.unlearned(&asymmetric, &execution).unwrap_err().to_string();
        assert!(error.contains("symmetric"), "{error}");
    }
}
