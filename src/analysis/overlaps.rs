//! Overlaps m(x, y) = x.y / N.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::kernels::{Isa, hamming_distance};
use crate::spins::SpinMatrix;

/// The overlap of two packed rows of `n_spins` spins.
pub fn overlap(isa: Isa, n_spins: usize, a: &[u64], b: &[u64]) -> f64 {
    1.0 - 2.0 * hamming_distance(isa, a, b) as f64 / n_spins as f64
}

/// The overlap of each row of `a` with the same row of `b`.
///
/// # Errors
/// If the shapes differ.
pub fn overlaps(isa: Isa, a: &SpinMatrix, b: &SpinMatrix) -> Result<Vec<f64>> {
    if (a.n_rows(), a.n_spins()) != (b.n_rows(), b.n_spins()) {
        let shape = |x: &SpinMatrix| format!("{} rows of {} spins", x.n_rows(), x.n_spins());
        return Err(Error::shape("states to compare", shape(a), shape(b)));
    }
    Ok((0..a.n_rows()).map(|row| overlap(isa, a.n_spins(), a.row(row), b.row(row))).collect())
}

/// How many overlaps reach `threshold`.
pub fn learned_features(overlaps: &[f64], threshold: f64) -> usize {
    // Overlaps are multiples of 2/N; the slack is far below that and above the rounding of the threshold.
    overlaps.iter().filter(|&&m| m >= threshold - 1e-12).count()
}

/// Mean overlap of distinct rows, over all pairs: (sum_i M_i^2 - N R) / (N R (R - 1)) with M_i the column sums.
///
/// None for fewer than two rows.
pub fn mean_overlap_of_pairs(states: &SpinMatrix) -> Option<f64> {
    mean_overlap_of_counts(&up_counts(states), states.n_rows())
}

/// Rows in which each spin is +1.
pub(super) fn up_counts(states: &SpinMatrix) -> Vec<u64> {
    let columns = states.transposed();
    let up = |site| columns.row(site).iter().map(|word| u64::from(word.count_ones())).sum();
    (0..states.n_spins()).map(up).collect()
}

/// The mean overlap of pairs of `n_rows` rows, from the rows in which each spin is +1.
pub(super) fn mean_overlap_of_counts(up: &[u64], n_rows: usize) -> Option<f64> {
    if n_rows < 2 || up.is_empty() {
        return None;
    }
    let squares: i128 = up.iter().map(|&up| (2 * i128::from(up) - n_rows as i128).pow(2)).sum();
    let (rows, spins) = (n_rows as f64, up.len() as f64);
    Some((squares - (n_rows * up.len()) as i128) as f64 / (spins * rows * (rows - 1.0)))
}

/// Mean over the classes of the mean overlap of distinct rows of a class; classes of one row do not count.
///
/// # Errors
/// If there is not one label a row.
pub fn mean_overlap_within_classes(states: &SpinMatrix, labels: &[u8]) -> Result<Option<f64>> {
    if labels.len() != states.n_rows() {
        return Err(Error::shape(
            "labels",
            format!("{}, one a row", states.n_rows()),
            labels.len().to_string(),
        ));
    }
    let of_class = |class: u8| {
        let rows: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] == class).collect();
        mean_overlap_of_pairs(&states.select(&rows))
    };
    let means: Vec<f64> = (0..=u8::MAX).filter_map(of_class).collect();
    Ok((!means.is_empty()).then(|| means.iter().sum::<f64>() / means.len() as f64))
}

/// Number of rows of each class.
pub fn class_counts(labels: &[u8]) -> BTreeMap<u8, usize> {
    let mut counts = BTreeMap::new();
    labels.iter().for_each(|&class| *counts.entry(class).or_default() += 1);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::random_states;

    #[test]
    fn mean_over_pairs_equals_the_plain_double_sum() {
        let states = random_states(30, 77, 1).unwrap();
        let isa = Isa::detect();
        let mut sum = 0.0;
        for a in 0..30 {
            for b in 0..30 {
                if a != b {
                    let products = (0..77).map(|i| f64::from(states.spin(a, i) * states.spin(b, i)));
                    let expected = products.sum::<f64>() / 77.0;
                    assert!((overlap(isa, 77, states.row(a), states.row(b)) - expected).abs() < 1e-12);
                    sum += expected;
                }
            }
        }
        let mean = mean_overlap_of_pairs(&states).unwrap();
        assert!((mean - sum / (30.0 * 29.0)).abs() < 1e-12);
        assert_eq!(mean_overlap_of_pairs(&states.head(1)), None);
        // Two classes: the mean of the two means.
        let labels: Vec<u8> = (0..30).map(|row| u8::from(row < 10)).collect();
        let of =
            |rows: std::ops::Range<usize>| mean_overlap_of_pairs(&states.select(&rows.collect::<Vec<_>>()));
        let expected = (of(0..10).unwrap() + of(10..30).unwrap()) / 2.0;
        let within = mean_overlap_within_classes(&states, &labels).unwrap().unwrap();
        assert!((within - expected).abs() < 1e-12);
    }

    #[test]
    fn a_threshold_is_reached_by_its_own_value() {
        let exactly = 1.0 - 2.0 * 5.0 / 100.0;
        assert_eq!(learned_features(&[exactly, exactly - 0.02, 1.0], 0.9), 2);
    }
}
