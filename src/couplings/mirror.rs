//! Making a matrix symmetric where it lies: from one triangle, or from the mean of both.

use super::matrix::Couplings;
use super::panel::PANEL;
use crate::error::Result;
use crate::execution::Execution;

/// Squares on the diagonal up to this side are mirrored by one thread.
const SERIAL_SIDE: usize = 256;

/// Rows that meet all columns before the next ones do: where J is in a file, its pages are touched once while they are in
/// memory.
pub(super) const STRIP: usize = 2048;

impl Couplings {
    /// Copies the triangle above the diagonal to the one below.
    pub(crate) fn mirror_upper(&mut self, execution: &Execution) -> Result<()> {
        let n_spins = self.n_spins();
        mirror(self.values_mut(), n_spins, 0, execution)
    }

    /// (J + J^T) / 2 in place of J, each coupling then put through `then`, which keeps 0.
    pub(crate) fn symmetrize(
        &mut self,
        then: impl Fn(f32) -> f32 + Sync,
        execution: &Execution,
    ) -> Result<()> {
        let n_spins = self.n_spins();
        average_upper(self.values_mut(), n_spins, 0, &then, execution)?;
        self.mirror_upper(execution)
    }
}

/// The transpose of the 16 columns from `first` on of up to 16 whole rows. Squares go through L1: rows of a power of two would
/// push each other out of it.
fn turned(rows: &[f32], n_spins: usize, first: usize) -> [[f32; PANEL]; PANEL] {
    let mut turned = [[0.0; PANEL]; PANEL];
    for (j, row) in rows.chunks_exact(n_spins).enumerate() {
        for (turned, &value) in turned.iter_mut().zip(&row[first..]) {
            turned[j] = value;
        }
    }
    turned
}

/// The mean of two couplings. Halved before the sum, which can then not overflow.
fn mean(upper: f32, lower: f32) -> f32 {
    0.5 * upper + 0.5 * lower
}

/// The triangle above the diagonal of the square that begins at (`first`, `first`) and whose whole rows are `rows` becomes the
/// mean of both triangles: the upper right quarter, then the two quarters on the diagonal.
fn average_upper(
    rows: &mut [f32],
    n_spins: usize,
    first: usize,
    then: &(impl Fn(f32) -> f32 + Sync),
    execution: &Execution,
) -> Result<()> {
    let side = rows.len() / n_spins;
    if side <= SERIAL_SIDE {
        for i in 0..side {
            for j in 0..i {
                let (upper, lower) = (j * n_spins + first + i, i * n_spins + first + j);
                rows[upper] = then(mean(rows[upper], rows[lower]));
            }
        }
        return Ok(());
    }
    let half = (side / 2).next_multiple_of(PANEL);
    let (upper, lower) = rows.split_at_mut(half * n_spins);
    for (strip, lower) in lower.chunks(STRIP * n_spins).enumerate() {
        let first_column = first + half + strip * STRIP;
        execution.for_each(
            upper.chunks_mut(PANEL * n_spins).enumerate(),
            || (),
            |(), (panel, rows)| {
                let own = first + panel * PANEL;
                for (square, sources) in lower.chunks(PANEL * n_spins).enumerate() {
                    let turned = turned(sources, n_spins, own);
                    for (row, turned) in rows.chunks_exact_mut(n_spins).zip(&turned) {
                        let width = sources.len() / n_spins;
                        let row = &mut row[first_column + square * PANEL..][..width];
                        for (upper, &lower) in row.iter_mut().zip(turned) {
                            *upper = then(mean(*upper, lower));
                        }
                    }
                }
                Ok(())
            },
        )?;
    }
    average_upper(upper, n_spins, first, then, execution)?;
    average_upper(lower, n_spins, first + half, then, execution)
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
    for (strip, upper) in upper.chunks(STRIP * n_spins).enumerate() {
        let own = first + strip * STRIP;
        execution.for_each(
            lower.chunks_mut(PANEL * n_spins).enumerate(),
            || (),
            |(), (panel, rows)| {
                let first_column = first + half + panel * PANEL;
                for (square, sources) in upper.chunks(PANEL * n_spins).enumerate() {
                    let turned = turned(sources, n_spins, first_column);
                    for (row, turned) in rows.chunks_exact_mut(n_spins).zip(&turned) {
                        let width = sources.len() / n_spins;
                        row[own + square * PANEL..][..width].copy_from_slice(&turned[..width]);
                    }
                }
                Ok(())
            },
        )?;
    }
    mirror(upper, n_spins, first, execution)?;
    mirror(lower, n_spins, first + half, execution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_triangles_become_their_mean() {
        let execution = Execution::with_threads(2).unwrap();
        for n in [1, 5, 256, 257, 700, 4500] {
            let entry = |i: usize, j: usize| if i == j { 0.0 } else { (i * 1001 % 97) as f32 + j as f32 };
            let mut couplings =
                Couplings::from_rows(n, (0..n * n).map(|x| entry(x / n, x % n)).collect()).unwrap();
            couplings.symmetrize(|x| 2.0 * x, &execution).unwrap();
            for (x, &value) in couplings.values().iter().enumerate() {
                assert_eq!(value, entry(x / n, x % n) + entry(x % n, x / n));
            }
        }
    }

    #[test]
    fn the_lower_triangle_becomes_the_upper_one() {
        let execution = Execution::with_threads(2).unwrap();
        for n in [1, 5, 256, 257, 700, 4500] {
            let upper = |i: usize, j: usize| if j > i { (i * 3000 + j) as f32 } else { 0.0 };
            let rows = (0..n * n).map(|x| upper(x / n, x % n)).collect();
            let mut couplings = Couplings::from_rows(n, rows).unwrap();
            couplings.mirror_upper(&execution).unwrap();
            for (x, &value) in couplings.values().iter().enumerate() {
                assert_eq!(value, upper((x / n).min(x % n), (x / n).max(x % n)));
            }
        }
    }
}
