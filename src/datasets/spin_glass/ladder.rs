//! The temperatures of tempering, spaced for equal exchange rates.
//!
//! Energies at beta and beta + d beta are nearly Gaussian of deviation sigma, and then a fraction erfc(d beta sigma / 2) of the
//! exchanges between them is accepted. So the length of the ladder is the integral of sigma / 2 over beta; its temperatures cut
//! that into equal parts.

use super::bonds::Bonds;
use super::replicas::Model;
use super::tempering::Run;
use crate::error::{Error, Result};
use crate::execution::Execution;

/// The temperatures at which replicas are simulated.
#[derive(Clone, Debug, PartialEq)]
pub enum Ladder {
    /// From the temperature of the samples up to `hottest`, as many as keep some 30 % of the exchanges accepted. Without one
    /// the hottest is 1.25 times the root mean square field sqrt(sum_j J_ij^2), where spins move freely.
    Adapted { hottest: Option<f64> },
    /// These, ascending, the first the temperature of the samples.
    Given(Vec<f64>),
}

/// d beta sigma / 2 between neighbours: erfc of it is 0.30.
const SPACING: f64 = 0.733;
/// The default hottest temperature, in units of the root mean square field.
const HOTTEST: f64 = 1.25;
/// Rounds of measuring sigma.
const ROUNDS: u64 = 3;
/// Steps of the first round; each later one has twice as many.
const STEPS: u64 = 64;
/// More temperatures than that are asked for by name only.
const MAX_TEMPERATURES: usize = 200;

impl Ladder {
    /// Checks its temperatures against that of the samples.
    ///
    /// # Errors
    /// If one is not finite or not positive, or the order is wrong.
    pub fn check(&self, temperature: f64) -> Result<()> {
        let positive = |t: f64| t.is_finite() && t > 0.0;
        if !positive(temperature) {
            return Err(Error::parameter("temperature", "a finite positive number", temperature));
        }
        match self {
            Self::Adapted { hottest: None } => Ok(()),
            Self::Adapted { hottest: Some(hottest) } if positive(*hottest) && *hottest >= temperature => {
                Ok(())
            }
            Self::Adapted { hottest: Some(hottest) } => {
                let expected = format!("a finite number from the temperature {temperature} on");
                Err(Error::parameter("hottest", expected, hottest))
            }
            Self::Given(all) => {
                let ascends =
                    all.windows(2).all(|pair| pair[0] < pair[1]) && all.iter().all(|&t| positive(t));
                if ascends && all.first() == Some(&temperature) {
                    return Ok(());
                }
                let expected = format!("finite numbers that ascend from the temperature {temperature}");
                let found: Vec<String> = all.iter().map(f64::to_string).collect();
                Err(Error::parameter("temperatures", expected, found.join(",")))
            }
        }
    }

    /// The temperatures, adapted to these bonds in runs of their own.
    ///
    /// # Errors
    /// As [`check`](Self::check), if exchanges would need more than 200 temperatures, or interrupted.
    pub fn temperatures(
        &self,
        bonds: &Bonds,
        temperature: f64,
        seed: u64,
        execution: &Execution,
    ) -> Result<Vec<f64>> {
        self.check(temperature)?;
        let hottest = match self {
            Self::Given(all) => return Ok(all.clone()),
            Self::Adapted { hottest } => hottest.unwrap_or(HOTTEST * bonds.field_scale()),
        };
        if hottest <= temperature {
            return Ok(vec![temperature]);
        }
        let mut temperatures: Vec<f64> = {
            let n = 12;
            (0..=n).map(|k| temperature * (hottest / temperature).powf(f64::from(k) / f64::from(n))).collect()
        };
        for round in 0..ROUNDS {
            let betas: Vec<f64> = temperatures.iter().map(|t| 1.0 / t).collect();
            let deviations = energy_deviations(bonds, &betas, STEPS << round, (seed, round), execution)?;
            let betas = equal_parts(&betas, &deviations)?;
            temperatures = betas.iter().map(|beta| 1.0 / beta).collect();
            // The ends are what was asked for, not that through a reciprocal.
            temperatures[0] = temperature;
            if let Some(last) = temperatures.last_mut() {
                *last = hottest;
            }
        }
        Ok(temperatures)
    }
}

/// Standard deviation of the energy at each temperature, from the second half of a short run.
fn energy_deviations(
    bonds: &Bonds,
    betas: &[f64],
    n_steps: u64,
    (seed, round): (u64, u64),
    execution: &Execution,
) -> Result<Vec<f64>> {
    let model = Model::new(bonds, betas)?;
    let n_blocks = 2;
    let mut run = Run::new(bonds, &model, betas, n_blocks, &format!("ladder, round {round}"), seed)?;
    let mut sums = vec![vec![[0.0f64; 3]; betas.len()]; n_blocks]; // [block][temperature] of 1, E, E^2
    execution.progress().begin("choosing temperatures", n_steps * n_blocks as u64);
    let done = run.advance(
        n_steps,
        &mut sums,
        |step, walkers, sums| {
            for (temperature, sums) in sums.iter_mut().enumerate().filter(|_| 2 * step >= n_steps) {
                for energy in walkers.energies(temperature) {
                    *sums = [sums[0] + 1.0, sums[1] + energy, sums[2] + energy * energy];
                }
            }
        },
        execution,
    );
    execution.progress().end();
    done?;
    let deviation = |temperature: usize| {
        let [n, sum, squares] =
            [0, 1, 2].map(|k| sums.iter().map(|block| block[temperature][k]).sum::<f64>());
        (squares / n - (sum / n).powi(2)).max(0.0).sqrt()
    };
    Ok((0..betas.len()).map(deviation).collect())
}

/// Cuts the ladder of `betas`, descending, with these deviations of the energy, into equal parts of at most [`SPACING`].
fn equal_parts(betas: &[f64], deviations: &[f64]) -> Result<Vec<f64>> {
    let mut lengths = vec![0.0];
    for k in 1..betas.len() {
        let part = (betas[k - 1] - betas[k]) * (deviations[k - 1] + deviations[k]) / 4.0;
        // Neighbours whose energies never vary still are apart.
        lengths.push(lengths[k - 1] + part.max(1e-9));
    }
    let total = lengths[betas.len() - 1];
    let n_parts = ((total / SPACING).ceil() as usize).max(1);
    if n_parts >= MAX_TEMPERATURES {
        let expected = format!(
            "one from which {MAX_TEMPERATURES} temperatures reach the hottest, {}, at 30 % of exchanges accepted",
            1.0 / betas[betas.len() - 1]
        );
        return Err(Error::parameter("temperature", expected, 1.0 / betas[0]));
    }
    let at = |length: f64| {
        let after = lengths.partition_point(|&other| other < length).clamp(1, betas.len() - 1);
        let share = (length - lengths[after - 1]) / (lengths[after] - lengths[after - 1]);
        betas[after - 1] + (betas[after] - betas[after - 1]) * share.clamp(0.0, 1.0)
    };
    Ok((0..=n_parts).map(|part| at(total * part as f64 / n_parts as f64)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::lattice::{BondLaw, Boundary, Lattice};
    use super::*;

    /// Constant deviation: equal steps in beta.
    #[test]
    fn ladders_are_cut_into_equal_parts() {
        let betas = equal_parts(&[1.0, 0.8, 0.1], &[10.0; 3]).unwrap();
        // 0.9 * 10 / 2 = 4.5 in parts of at most 0.733: seven of them.
        assert_eq!(betas.len(), 8);
        for (k, beta) in betas.iter().enumerate() {
            assert!((beta - (1.0 - 0.9 * k as f64 / 7.0)).abs() < 1e-12);
        }
        assert_eq!(equal_parts(&[1.0, 0.5], &[0.0; 2]).unwrap(), [1.0, 0.5]);
        assert!(equal_parts(&[1.0, 0.5], &[1e4; 2]).is_err());
    }

    /// Rates within 30 % of 0.3 and of one another: energies are not quite Gaussian, and sigma is a table's.
    #[test]
    fn adapted_ladders_exchange_evenly() {
        let execution = Execution::with_threads(2).unwrap();
        let lattice = Lattice::Square { side: 12, boundary: Boundary::Periodic };
        let bonds = lattice.bonds(BondLaw::Gaussian, 5).unwrap();
        let ladder = Ladder::Adapted { hottest: Some(2.5) };
        let temperatures = ladder.temperatures(&bonds, 0.8, 1, &execution).unwrap();
        assert_eq!((temperatures[0], temperatures.last().copied()), (0.8, Some(2.5)));
        let betas: Vec<f64> = temperatures.iter().map(|t| 1.0 / t).collect();
        let model = Model::new(&bonds, &betas).unwrap();
        let mut run = Run::new(&bonds, &model, &betas, 1, "test", 2).unwrap();
        run.advance(100, &mut [()], |_, _, ()| (), &execution).unwrap();
        run.forget_rates();
        run.advance(400, &mut [()], |_, _, ()| (), &execution).unwrap();
        let rates = run.exchange_rates();
        assert!(rates.iter().all(|rate| (0.28..0.45).contains(rate)), "{temperatures:?}: {rates:?}");
    }

    #[test]
    fn temperatures_out_of_order_are_refused() {
        for temperature in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Ladder::Adapted { hottest: None }.check(temperature).is_err());
        }
        let hottest = |hottest| Ladder::Adapted { hottest: Some(hottest) }.check(1.0);
        assert!(hottest(0.9).is_err() && hottest(f64::NAN).is_err() && hottest(1.0).is_ok());
        for given in [vec![], vec![2.0], vec![1.0, 1.0], vec![1.0, 3.0, 2.0], vec![1.0, f64::INFINITY]] {
            assert!(Ladder::Given(given).check(1.0).is_err());
        }
        assert!(Ladder::Given(vec![1.0]).check(1.0).is_ok());
    }
}
