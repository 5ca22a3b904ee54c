//! Spearman's rank correlation, with average ranks for ties.

/// Pearson's correlation of the ranks of `pairs`: 1 for a rising, -1 for a falling order. Equal values share the average of
/// their ranks; infinite values are equal to each other.
///
/// None for fewer than two pairs, where all values of one kind are equal, or where one is not a number.
pub fn rank_correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    if x.iter().chain(&y).any(|value| value.is_nan()) {
        return None;
    }
    let (x, y) = (average_ranks(&x), average_ranks(&y));
    // Ranks 1..=n with ties averaged have the mean (n + 1) / 2.
    let mean = (pairs.len() as f64 + 1.0) / 2.0;
    let product =
        |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum() };
    let norm = (product(&x, &x) * product(&y, &y)).sqrt();
    (norm > 0.0).then(|| product(&x, &y) / norm)
}

/// Ranks from 1, ascending.
fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut n_before = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = n_before as f64 + (equal.len() as f64 + 1.0) / 2.0;
        equal.iter().for_each(|&index| ranks[index] = rank);
        n_before += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_the_average_of_their_ranks() {
        let values = [3.0, 1.0, f64::INFINITY, 3.0, f64::INFINITY, 3.0];
        assert_eq!(average_ranks(&values), [3.0, 1.0, 5.5, 3.0, 5.5, 3.0]);
    }

    /// Without ties 1 - 6 sum d^2 / (n (n^2 - 1)): here d = 0, 1, -1, 0, 0.
    #[test]
    fn without_ties_it_is_the_formula_of_squared_differences() {
        let pairs = [(1.0, -5.0), (2.0, 7.0), (3.0, 4.0), (4.0, 80.0), (5.0, 1e9)];
        let expected = 1.0 - 6.0 * 2.0 / (5.0 * 24.0);
        assert!((rank_correlation(&pairs).unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn only_the_order_counts() {
        let cubes = |x: i32| (f64::from(x), -f64::from(x).powi(3));
        assert_eq!(rank_correlation(&[cubes(4), cubes(-2), cubes(1), cubes(0)]), Some(-1.0));
        for none in [&[][..], &[(1.0, 2.0)], &[(1.0, 2.0), (1.0, 3.0)], &[(1.0, f64::NAN), (2.0, 3.0)]] {
            assert_eq!(rank_correlation(none), None);
        }
    }
}
