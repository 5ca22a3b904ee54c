//! How much of the variance of y a curve of x explains: 1 - sum (y - c(x))^2 / sum (y - mean y)^2.
//!
//! Two kinds of curves: the best monotone one, and the best of all, which takes the mean of y at each x. The second never
//! explains less, and means something only where x has few values. n points without any relation are explained to about
//! (ln n) / n by a monotone curve, to (n_levels - 1) / (n - 1) by the means at each x.

/// The points (x, c) of the best monotone curve in the sense of least squares, rising or falling, whichever is nearer to
/// the points (x, y); x ascending, each once, c equal over stretches. By the algorithm of pooled adjacent violators.
///
/// Values are finite; no points make an empty curve.
pub fn monotone_curve(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let levels = levels(points);
    let [rising, falling] = [1.0, -1.0].map(|sign| pooled(&levels, sign));
    if residual(points, &falling) < residual(points, &rising) { falling } else { rising }
}

/// The fraction of the variance of y that the best monotone curve of x explains, 0 to 1.
///
/// None if y does not vary or a value is not finite.
pub fn explained_by_monotone_curve(points: &[(f64, f64)]) -> Option<f64> {
    explained(points, &monotone_curve(finite(points)?))
}

/// The fraction of the variance of y that any function of x can explain, 0 to 1.
///
/// None if y does not vary or a value is not finite.
pub fn explained_by_any_curve(points: &[(f64, f64)]) -> Option<f64> {
    let means: Vec<_> = levels(finite(points)?).iter().map(|level| (level.x, level.mean)).collect();
    explained(points, &means)
}

fn finite(points: &[(f64, f64)]) -> Option<&[(f64, f64)]> {
    points.iter().all(|&(x, y)| x.is_finite() && y.is_finite()).then_some(points)
}

fn explained(points: &[(f64, f64)], curve: &[(f64, f64)]) -> Option<f64> {
    let mean = points.iter().map(|point| point.1).sum::<f64>() / points.len() as f64;
    let total: f64 = points.iter().map(|point| (point.1 - mean).powi(2)).sum();
    (total > 0.0).then(|| (1.0 - residual(points, curve) / total).max(0.0))
}

/// sum (y - c(x))^2; the curve has every x of the points.
fn residual(points: &[(f64, f64)], curve: &[(f64, f64)]) -> f64 {
    let at = |x: f64| curve.binary_search_by(|point| point.0.total_cmp(&x)).map(|index| curve[index].1);
    points.iter().map(|&(x, y)| (y - at(x + 0.0).unwrap_or(0.0)).powi(2)).sum()
}

/// Points of one x, or of a stretch of x with one value of the curve.
#[derive(Clone, Copy)]
struct Level {
    /// The smallest of the stretch.
    x: f64,
    mean: f64,
    n_points: usize,
    /// Different x of the stretch.
    n_levels: usize,
}

impl Level {
    fn with(self, next: Self) -> Self {
        let n_points = self.n_points + next.n_points;
        let sum = self.mean * self.n_points as f64 + next.mean * next.n_points as f64;
        Self { mean: sum / n_points as f64, n_points, n_levels: self.n_levels + next.n_levels, ..self }
    }
}

/// Mean of y at each x, x ascending.
fn levels(points: &[(f64, f64)]) -> Vec<Level> {
    // -0 + 0 is 0: one zero for the order.
    let mut sorted: Vec<(f64, f64)> = points.iter().map(|&(x, y)| (x + 0.0, y)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let level = |same: &[(f64, f64)]| Level {
        x: same[0].0,
        mean: same.iter().map(|point| point.1).sum::<f64>() / same.len() as f64,
        n_points: same.len(),
        n_levels: 1,
    };
    sorted.chunk_by(|a, b| a.0 == b.0).map(level).collect()
}

/// The best curve that rises (`sign` 1) or falls (-1): stretches that go the other way take their mean.
fn pooled(levels: &[Level], sign: f64) -> Vec<(f64, f64)> {
    let mut stretches: Vec<Level> = Vec::new();
    for &level in levels {
        let mut last = level;
        while let Some(before) = stretches.pop_if(|before| sign * before.mean >= sign * last.mean) {
            last = before.with(last);
        }
        stretches.push(last);
    }
    let values = stretches.iter().flat_map(|stretch| std::iter::repeat_n(stretch.mean, stretch.n_levels));
    levels.iter().map(|level| level.x).zip(values).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1, 3, 2, 4: the middle two are pooled to 2.5, which leaves 2 * 0.25 of a variance of 5.
    #[test]
    fn neighbours_in_the_wrong_order_are_pooled() {
        let points = [(4.0, 4.0), (1.0, 1.0), (3.0, 2.0), (2.0, 3.0)];
        assert_eq!(monotone_curve(&points), [(1.0, 1.0), (2.0, 2.5), (3.0, 2.5), (4.0, 4.0)]);
        assert!((explained_by_monotone_curve(&points).unwrap() - 0.9).abs() < 1e-12);
        let falling: Vec<_> = points.iter().map(|&(x, y)| (x, -y)).collect();
        assert!((explained_by_monotone_curve(&falling).unwrap() - 0.9).abs() < 1e-12);
        assert_eq!(explained_by_any_curve(&points), Some(1.0));
    }

    /// Two points at the same x share a value: means 1 and 3 of (0, 2) and (2, 4) leave 4 of 8.
    #[test]
    fn a_curve_has_one_value_at_each_x() {
        let points = [(-0.0, 0.0), (0.0, 2.0), (5.0, 2.0), (5.0, 4.0)];
        for explained in [explained_by_monotone_curve, explained_by_any_curve] {
            assert!((explained(&points).unwrap() - 0.5).abs() < 1e-12);
        }
        assert_eq!(monotone_curve(&points), [(0.0, 1.0), (5.0, 3.0)]);
    }

    /// y = |x| over a symmetric range: no monotone curve of x explains more than half of it (its falling half, and the mean
    /// of the rest), any curve explains all.
    #[test]
    fn a_valley_is_not_monotone() {
        let points: Vec<_> = (-10..=10).map(|x| (f64::from(x), f64::from(x).abs())).collect();
        assert!(explained_by_monotone_curve(&points).unwrap() < 0.5);
        assert_eq!(explained_by_any_curve(&points), Some(1.0));
    }

    #[test]
    fn what_does_not_vary_is_not_explained() {
        for points in [&[][..], &[(1.0, 2.0), (2.0, 2.0)], &[(1.0, f64::NAN), (2.0, 1.0)]] {
            assert_eq!((explained_by_monotone_curve(points), explained_by_any_curve(points)), (None, None));
        }
    }

    /// Against all ways to cut six points into stretches: the best rising one of their means is the pooled one.
    #[test]
    fn no_rising_curve_is_nearer() {
        let y = [0.3, -1.0, 2.0, 1.5, 1.6, 0.9];
        let points: Vec<_> = y.iter().enumerate().map(|(x, &y)| (x as f64, y)).collect();
        let best = (0..1u32 << 5).filter_map(|cuts| {
            let mut curve: Vec<f64> = Vec::new();
            let mut first = 0;
            for end in 1..=6 {
                if end == 6 || cuts >> (end - 1) & 1 == 1 {
                    let mean = y[first..end].iter().sum::<f64>() / (end - first) as f64;
                    curve.extend(std::iter::repeat_n(mean, end - first));
                    first = end;
                }
            }
            let squares = curve.iter().zip(&y).map(|(c, y)| (y - c).powi(2)).sum::<f64>();
            curve.is_sorted().then_some(squares)
        });
        let best = best.fold(f64::INFINITY, f64::min);
        assert!((residual(&points, &monotone_curve(&points)) - best).abs() < 1e-12);
    }
}
