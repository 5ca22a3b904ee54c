//! The Hebb rule, J_ij = (1/N) sum_mu xi_i xi_j with zero diagonal (Hopfield 1982), in exact integers.

use super::patterns::{PatternBits, check_patterns};
use crate::couplings::{Couplings, PANEL, n_panels, panel_rows, store_panel};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::{Isa, LANES, Lanes, Tables, signed_product};
use crate::spins::SpinMatrix;

/// Up to this number of patterns every count is an integer that f32 holds exactly.
pub const MAX_PATTERNS: usize = 1 << 24;

/// Scratch of one thread.
struct Scratch {
    signs: Vec<Lanes<i32>>,  // [P][16]
    counts: Vec<Lanes<i32>>, // [N][16]
    tables: Tables<i32>,
}

impl Scratch {
    fn new(bits: &PatternBits) -> Self {
        Self {
            signs: vec![Lanes::ZERO; bits.n_patterns()],
            counts: vec![Lanes::ZERO; bits.n_spins()],
            tables: Tables::new(),
        }
    }

    /// sum_mu xi_i xi_j for the panel's 16 neurons i and all j, zero diagonal; lanes past the last neuron are zero.
    fn count(&mut self, isa: Isa, bits: &PatternBits, panel: usize) -> &[Lanes<i32>] {
        let (words, shift) = bits.panel_signs(panel);
        let rows = panel_rows(panel, bits.n_spins());
        for (lanes, &word) in self.signs.iter_mut().zip(words) {
            *lanes = Lanes(std::array::from_fn(|lane| ((word >> shift >> lane & 1) as i32) * 2 - 1));
            lanes.0[rows.len()..].fill(0);
        }
        self.counts.fill(Lanes::ZERO);
        let by_spin = bits.by_spin();
        signed_product(
            isa,
            by_spin.words(),
            by_spin.n_rows(),
            &self.signs,
            &mut self.counts,
            &mut self.tables,
        );
        for (lane, neuron) in rows.enumerate() {
            self.counts[neuron].0[lane] = 0;
        }
        &self.counts
    }
}

fn check(patterns: &SpinMatrix) -> Result<()> {
    check_patterns(patterns)?;
    if patterns.n_rows() > MAX_PATTERNS {
        let expected = format!("at most {MAX_PATTERNS} patterns, whose counts f32 holds exactly");
        return Err(Error::parameter("patterns", expected, patterns.n_rows()));
    }
    Ok(())
}

/// Hebb couplings of the rows of `patterns`: stored values are the integer counts sum_mu xi_i xi_j, the scale is 1/N.
///
/// # Errors
/// If there are no patterns, no spins, or more than [`MAX_PATTERNS`] patterns; if memory for J is missing; if
/// interrupted.
pub fn hebb(patterns: &SpinMatrix, execution: &Execution) -> Result<Couplings> {
    check(patterns)?;
    let n_spins = patterns.n_spins();
    let mut couplings = Couplings::zeros(n_spins)?.with_scale(1.0 / n_spins as f64)?;
    let bits = PatternBits::new(patterns);
    execution.progress().begin("counting (hebb)", n_panels(n_spins) as u64);
    let panels = couplings.values_mut().chunks_mut(PANEL * n_spins).enumerate();
    let scratch = || (Scratch::new(&bits), vec![Lanes::<f32>::ZERO; n_spins]);
    execution.for_each(panels, scratch, |(scratch, panel), (index, rows)| {
        for (lanes, counts) in panel.iter_mut().zip(scratch.count(execution.isa(), &bits, index)) {
            *lanes = Lanes(counts.0.map(|count| count as f32));
        }
        store_panel(panel, rows);
        execution.progress().advance(1);
        Ok(())
    })?;
    execution.progress().end();
    Ok(couplings)
}

/// |J_H|_F^2 of the Hebb couplings of `patterns`, without storing them.
///
/// # Errors
/// As [`hebb`].
pub fn squared_hebb_norm(patterns: &SpinMatrix, execution: &Execution) -> Result<f64> {
    check(patterns)?;
    let n_spins = patterns.n_spins();
    let bits = PatternBits::new(patterns);
    let mut sums = vec![0u128; n_panels(n_spins)];
    execution.for_each(
        sums.iter_mut().enumerate(),
        || Scratch::new(&bits),
        |scratch, (panel, sum)| {
            let counts = scratch.count(execution.isa(), &bits, panel);
            let squares = |lanes: &Lanes<i32>| -> u64 {
                // 16 squares of counts up to 2^24 stay below 2^52.
                (0..LANES).map(|lane| u64::from(lanes.0[lane].unsigned_abs()).pow(2)).sum()
            };
            *sum = counts.iter().map(|lanes| u128::from(squares(lanes))).sum();
            Ok(())
        },
    )?;
    Ok(sums.iter().sum::<u128>() as f64 / (n_spins as f64 * n_spins as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::Rng;

    #[test]
    fn counts_equal_the_integer_sums() {
        for (n_patterns, n_spins, n_threads) in [(1, 1, 1), (3, 17, 2), (130, 65, 1), (64, 200, 2)] {
            let execution = Execution::with_threads(n_threads).unwrap();
            let mut rng = crate::random::stream(n_spins as u64, "hebb test", &[]);
            let bools: Vec<bool> = (0..n_patterns * n_spins).map(|_| rng.next_u64() >> 63 == 1).collect();
            let patterns = SpinMatrix::from_bools(n_patterns, n_spins, &bools).unwrap();
            let couplings = hebb(&patterns, &execution).unwrap();
            let count = |i: usize, j: usize| -> i32 {
                let product = |mu| i32::from(patterns.spin(mu, i) * patterns.spin(mu, j));
                if i == j { 0 } else { (0..n_patterns).map(product).sum() }
            };
            let mut squares = 0.0;
            for i in 0..n_spins {
                for j in 0..n_spins {
                    assert_eq!(couplings.values()[i * n_spins + j], count(i, j) as f32);
                    squares += f64::from(count(i, j)).powi(2);
                }
            }
            assert_eq!(couplings.scale(), 1.0 / n_spins as f64);
            let norm = squared_hebb_norm(&patterns, &execution).unwrap();
            assert_eq!(norm, squares / (n_spins * n_spins) as f64);
        }
    }

    #[test]
    fn no_patterns_and_no_spins_are_refused() {
        let execution = Execution::with_threads(1).unwrap();
        for (n_patterns, n_spins) in [(0, 5), (5, 0), (0, 0)] {
            assert!(hebb(&SpinMatrix::all_down(n_patterns, n_spins), &execution).is_err());
        }
    }
}
