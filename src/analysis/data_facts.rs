//! What a data set is like, before anything is learned from it. All counts and sums are exact integers.

use serde::Serialize;

use super::distinct_rows::{SortedRows, UpToSign};
use super::overlaps::{mean_overlap_of_counts, up_counts};
use crate::error::{Error, Result};
use crate::spins::SpinMatrix;

/// Facts of a set of states.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SpinFacts {
    /// Mean overlap of distinct rows, over all pairs; none for a single row.
    pub mean_overlap: Option<f64>,
    /// Mean of all spins.
    pub magnetisation: f64,
    /// Mean over the spins of -p log2 p - (1 - p) log2(1 - p), p the fraction of rows in which the spin is +1; in bits.
    pub entropy_per_spin: f64,
    /// Spins that are the same in all rows.
    pub constant_spins: usize,
    /// Rows that are equal to an earlier one.
    pub duplicates: usize,
    /// Rows that are equal or opposite to an earlier one.
    pub duplicates_up_to_sign: usize,
}

/// Facts of a set of states beside those that are learned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct UnseenSpinFacts {
    /// Mean overlap of a row of one and a row of the other, over all pairs.
    pub mean_overlap_with_train: f64,
    /// Rows that are among those that are learned.
    pub in_train: usize,
    /// Rows that are, or whose opposites are.
    pub in_train_up_to_sign: usize,
}

/// How much weight there is, and how unequal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WeightFacts {
    /// Sum of the weights: the effective number M_eff where a weight is 1 / number of similar sequences.
    pub sum: f64,
    /// Kish's effective number (sum w)^2 / sum w^2: P for equal weights, whatever their size.
    pub effective_number: f64,
}

/// Measures states, [P, N].
///
/// # Errors
/// If there is no row or no spin.
pub fn spin_facts(states: &SpinMatrix) -> Result<SpinFacts> {
    check(states)?;
    let (n_rows, n_spins) = (states.n_rows(), states.n_spins());
    let up = up_counts(states);
    let entropy = |&up: &u64| entropy_bits([up, n_rows as u64 - up].into_iter());
    let opposites = UpToSign(states);
    Ok(SpinFacts {
        mean_overlap: mean_overlap_of_counts(&up, n_rows),
        magnetisation: 2.0 * up.iter().sum::<u64>() as f64 / (n_rows as f64 * n_spins as f64) - 1.0,
        entropy_per_spin: up.iter().map(entropy).sum::<f64>() / n_spins as f64,
        constant_spins: up.iter().filter(|&&up| up == 0 || up == n_rows as u64).count(),
        duplicates: SortedRows::new(states).n_repeated(),
        duplicates_up_to_sign: SortedRows::new(&opposites).n_repeated(),
    })
}

/// Measures unseen states, [any, N], beside those that are learned, [P, N].
///
/// # Errors
/// If there is no row or no spin, or N differs.
pub fn unseen_spin_facts(train: &SpinMatrix, unseen: &SpinMatrix) -> Result<UnseenSpinFacts> {
    check(train)?;
    check(unseen)?;
    if train.n_spins() != unseen.n_spins() {
        let expected = format!("N = {} as in train", train.n_spins());
        return Err(Error::shape("unseen states", expected, format!("N = {}", unseen.n_spins())));
    }
    let sums = |states: &SpinMatrix| -> Vec<i128> {
        up_counts(states).iter().map(|&up| 2 * i128::from(up) - states.n_rows() as i128).collect()
    };
    let products: i128 = sums(train).iter().zip(sums(unseen)).map(|(a, b)| a * b).sum();
    let pairs = train.n_rows() as f64 * unseen.n_rows() as f64;
    Ok(UnseenSpinFacts {
        mean_overlap_with_train: products as f64 / (pairs * train.n_spins() as f64),
        in_train: SortedRows::new(train).n_found(unseen),
        in_train_up_to_sign: SortedRows::new(&UpToSign(train)).n_found(&UpToSign(unseen)),
    })
}

/// Measures weights.
pub fn weight_facts(weights: &[f32]) -> WeightFacts {
    let sum: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
    let squares: f64 = weights.iter().map(|&weight| f64::from(weight).powi(2)).sum();
    WeightFacts { sum, effective_number: sum * sum / squares }
}

/// Entropy of a distribution given by counts, in bits.
pub(super) fn entropy_bits(counts: impl Iterator<Item = u64> + Clone) -> f64 {
    let total = counts.clone().sum::<u64>() as f64;
    let terms = counts.filter(|&count| count > 0).map(|count| {
        let p = count as f64 / total;
        -p * libm::log2(p)
    });
    // From +0, which a certain outcome leaves: its term is -0.
    terms.fold(0.0, |sum, term| sum + term)
}

fn check(states: &SpinMatrix) -> Result<()> {
    if states.n_rows() > 0 && states.n_spins() > 0 {
        return Ok(());
    }
    let found = format!("{} rows of {} spins", states.n_rows(), states.n_spins());
    Err(Error::shape("states", "at least 1 row and 1 spin", found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::random_states;

    /// Four rows of four spins, worked out by hand.
    #[test]
    fn facts_of_a_small_set() {
        let signs = [
            [1, 1, 1, 1], //
            [1, 1, -1, -1],
            [1, 1, 1, 1],
            [1, -1, -1, -1],
        ];
        let facts = spin_facts(&SpinMatrix::from_signs(4, 4, signs.as_flattened()).unwrap()).unwrap();
        // Column sums 4, 2, 0, 0: (16 + 4 - 16) / (4 * 4 * 3) and 6 / 16.
        assert_eq!((facts.mean_overlap, facts.magnetisation), (Some(4.0 / 48.0), 6.0 / 16.0));
        let quarter = 0.25 * 2.0 + 0.75 * (4.0f64 / 3.0).log2();
        assert!((facts.entropy_per_spin - (0.0 + quarter + 2.0) / 4.0).abs() < 1e-15);
        assert_eq!((facts.constant_spins, facts.duplicates, facts.duplicates_up_to_sign), (1, 1, 1));
        let opposite = SpinMatrix::from_signs(2, 2, &[1, -1, -1, 1]).unwrap();
        let facts = spin_facts(&opposite).unwrap();
        assert_eq!((facts.duplicates, facts.duplicates_up_to_sign, facts.mean_overlap), (0, 1, Some(-1.0)));
        let facts = spin_facts(&opposite.head(1)).unwrap();
        assert_eq!((facts.mean_overlap, facts.entropy_per_spin, facts.constant_spins), (None, 0.0, 2));
        assert!(facts.entropy_per_spin.is_sign_positive());
    }

    #[test]
    fn unseen_rows_are_compared_with_all_that_are_learned() {
        let train = random_states(21, 77, 1).unwrap();
        let mut unseen = random_states(13, 77, 2).unwrap();
        unseen.row_mut(4).copy_from_slice(train.row(20));
        unseen.row_mut(5).copy_from_slice(train.row(2));
        (0..77).for_each(|site| unseen.flip(5, site));
        let facts = unseen_spin_facts(&train, &unseen).unwrap();
        let mut sum = 0;
        for a in 0..21 {
            for b in 0..13 {
                sum += (0..77).map(|i| i32::from(train.spin(a, i) * unseen.spin(b, i))).sum::<i32>();
            }
        }
        assert!((facts.mean_overlap_with_train - f64::from(sum) / (21.0 * 13.0 * 77.0)).abs() < 1e-15);
        assert_eq!((facts.in_train, facts.in_train_up_to_sign), (1, 2));
        assert!(unseen_spin_facts(&train, &random_states(3, 76, 1).unwrap()).is_err());
        assert!(spin_facts(&SpinMatrix::all_down(0, 3)).is_err());
        assert!(spin_facts(&SpinMatrix::all_down(3, 0)).is_err());
    }

    #[test]
    fn effective_numbers() {
        let equal = weight_facts(&[0.5; 8]);
        assert_eq!((equal.sum, equal.effective_number), (4.0, 8.0));
        let unequal = weight_facts(&[3.0, 1.0, 0.0]);
        assert_eq!((unequal.sum, unequal.effective_number), (4.0, 1.6));
    }
}
