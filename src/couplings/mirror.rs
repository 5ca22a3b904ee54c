//! Completing a symmetric matrix of which one triangle was computed.

use super::matrix::Couplings;
use super::panel::PANEL;
use crate::error::Result;
use crate::execution::Execution;

/// Squares on the diagonal up to this side are mirrored by one thread.
const SERIAL_SIDE: usize = 256;

impl Couplings {
    /// Copies the triangle above the diagonal to the one below.
    pub(crate) fn mirror_upper(&mut self, execution: &Execution) -> Result<()> {
        let n_spins = self.n_spins();
        mirror(self.values_mut(), n_spins, 0, execution)
    }
}

/// Mirrors the square on the diagonal that begins at (`first`, `first`) and whose whole rows are `rows`: the upper right
/// quarter into the lower left one, whose rows are others, then the two quarters on the diagonal.
fn mirror(rows: &mut [f32], n_spins: usize, first: usize, execution: &Execution) -> Result<()> {
    let side = rows.len() / n_spins;
    if side <= SERIAL_SIDE {
        for i in 0..side {
            for j in 0..i {
                rows[i * n_spins + first + j] = rows[j * n_spins + first + i];
            }
        }
        return Ok(());
    }
    let half = (side / 2).next_multiple_of(PANEL);
    let (upper, lower) = rows.split_at_mut(half * n_spins);
    let panels = lower.chunks_mut(PANEL * n_spins).enumerate();
    execution.for_each(
        panels,
        || (),
        |(), (panel, rows)| {
            let first_column = first + half + panel * PANEL;
            // Squares that go through L1: rows of a power of two would push each other out of it.
            for (square, sources) in upper.chunks(PANEL * n_spins).enumerate() {
                let mut turned = [[0.0; PANEL]; PANEL];
                for (j, source) in sources.chunks_exact(n_spins).enumerate() {
                    for (turned, &value) in turned.iter_mut().zip(&source[first_column..]) {
                        turned[j] = value;
                    }
                }
                for (row, turned) in rows.chunks_exact_mut(n_spins).zip(&turned) {
                    let width = sources.len() / n_spins;
                    row[first + square * PANEL..][..width].copy_from_slice(&turned[..width]);
                }
            }
            Ok(())
        },
    )?;
    mirror(upper, n_spins, first, execution)?;
    mirror(lower, n_spins, first + half, execution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_triangle_becomes_the_upper_one() {
        let execution = Execution::with_threads(2).unwrap();
        for n in [1, 5, 256, 257, 700] {
            let upper = |i: usize, j: usize| if j > i { (i * 1000 + j) as f32 } else { 0.0 };
            let rows = (0..n * n).map(|x| upper(x / n, x % n)).collect();
            let mut couplings = Couplings::from_rows(n, rows).unwrap();
            couplings.mirror_upper(&execution).unwrap();
            for (x, &value) in couplings.values().iter().enumerate() {
                assert_eq!(value, upper((x / n).min(x % n), (x / n).max(x % n)));
            }
        }
    }
}
