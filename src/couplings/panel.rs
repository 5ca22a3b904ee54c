//! The neuron panel: 16 rows of J, interleaved so that column k is one cache line, `[k][16]`.

use std::ops::Range;

use crate::kernels::{LANES, Lanes};

/// Neurons in a panel.
pub const PANEL: usize = LANES;

/// Panels that cover `n_spins` neurons.
pub fn n_panels(n_spins: usize) -> usize {
    n_spins.div_ceil(PANEL)
}

/// The neurons of a panel: 16, or fewer in the last.
pub fn panel_rows(panel: usize, n_spins: usize) -> Range<usize> {
    panel * PANEL..n_spins.min((panel + 1) * PANEL)
}

/// Interleaves up to 16 rows `[rows][n]` into `[n][16]`; missing rows become zeros.
///
/// # Panics
/// If `rows` is not a whole number of rows of `panel.len()`, or more than 16.
pub fn load_panel(rows: &[f32], panel: &mut [Lanes<f32>]) {
    let n_columns = panel.len();
    assert!(rows.len() <= PANEL * n_columns && rows.len().is_multiple_of(n_columns.max(1)));
    if rows.len() < PANEL * n_columns {
        panel.fill(Lanes::ZERO);
    }
    // Square tiles, so that each cache line of the panel is written while it is at hand.
    for (tile, columns) in panel.chunks_mut(LANES).enumerate() {
        for (lane, row) in rows.chunks_exact(n_columns).enumerate() {
            for (column, &value) in columns.iter_mut().zip(&row[tile * LANES..]) {
                column.0[lane] = value;
            }
        }
    }
}

/// The inverse of [`load_panel`]: writes `rows.len() / panel.len()` rows, the remaining lanes are dropped.
///
/// # Panics
/// As [`load_panel`].
pub fn store_panel(panel: &[Lanes<f32>], rows: &mut [f32]) {
    let n_columns = panel.len();
    assert!(rows.len() <= PANEL * n_columns && rows.len().is_multiple_of(n_columns.max(1)));
    for (tile, columns) in panel.chunks(LANES).enumerate() {
        for (lane, row) in rows.chunks_exact_mut(n_columns).enumerate() {
            for (column, value) in columns.iter().zip(&mut row[tile * LANES..]) {
                *value = column.0[lane];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_hold_the_columns_of_their_rows() {
        for (n_rows, n_columns) in [(16, 40), (16, 16), (5, 33), (1, 1), (16, 7)] {
            let rows: Vec<f32> = (0..n_rows * n_columns).map(|x| x as f32 + 1.0).collect();
            let mut panel = vec![Lanes([-1.0; LANES]); n_columns];
            load_panel(&rows, &mut panel);
            for (k, column) in panel.iter().enumerate() {
                for (lane, &value) in column.0.iter().enumerate() {
                    let expected = if lane < n_rows { rows[lane * n_columns + k] } else { 0.0 };
                    assert_eq!(value, expected);
                }
            }
            let mut stored = vec![0.0; rows.len()];
            store_panel(&panel, &mut stored);
            assert_eq!(stored, rows);
        }
    }
}
