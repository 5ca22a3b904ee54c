//! Published curves that come with the program: tables of curve, x and y; and how far a run is from them.

use std::path::Path;

use crate::error::{Error, Result};
use crate::storage::Table;

/// A published point: its curve, x and y.
pub(super) type PublishedPoint = (String, f64, f64);

/// What legends say of published points: where they are from.
pub(super) const SOURCE: &str = "arXiv:2507.05147";

/// How far the values of a run are from published ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Difference {
    /// Of absolute values.
    pub(super) largest: f64,
    /// Of absolute values.
    pub(super) mean: f64,
    /// Ours less the published ones, with its sign.
    pub(super) signed_mean: f64,
    /// Of squares, its root.
    pub(super) root_mean_square: f64,
    /// Points that are compared.
    pub(super) n_points: usize,
}

impl Difference {
    /// Of (ours, published); none of no pairs.
    pub(super) fn of(pairs: impl IntoIterator<Item = (f64, f64)>) -> Option<Self> {
        let differences: Vec<f64> = pairs.into_iter().map(|(ours, theirs)| ours - theirs).collect();
        let largest = differences.iter().map(|d| d.abs()).reduce(f64::max)?;
        let n = differences.len() as f64;
        Some(Self {
            largest,
            mean: differences.iter().map(|d| d.abs()).sum::<f64>() / n,
            signed_mean: differences.iter().sum::<f64>() / n,
            root_mean_square: (differences.iter().map(|d| d * d).sum::<f64>() / n).sqrt(),
            n_points: differences.len(),
        })
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { largest, mean, signed_mean, n_points, .. } = self;
        write!(
            f,
            "differs from {SOURCE} by at most {largest:.3}, {mean:.3} in the mean, {signed_mean:+.3} with its sign ({n_points} points)"
        )
    }
}

/// The points of a table that was compiled in from `path`.
pub(super) fn published(path: &str, content: &[u8]) -> Result<Vec<PublishedPoint>> {
    let bad = |found: &str| Error::format(Path::new(path), "curve, x and y", found);
    let table = Table::parse(content).map_err(|error| bad(&error.to_string()))?;
    let point = |row: &Vec<String>| match &row[..] {
        [curve, x, y] => {
            let number = |text: &str| text.parse::<f64>().map_err(|_| bad(text));
            Ok((curve.clone(), number(x)?, number(y)?))
        }
        _ => Err(bad(&row.join(","))),
    };
    table.rows().iter().map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Differences of 0.1, 0.2 and 0.4: mean 0.7 / 3, mean square 0.07.
    #[test]
    fn differences_are_those_of_absolute_values() {
        let found = Difference::of([(1.1, 1.0), (0.3, 0.5), (-0.4, 0.0)]).unwrap();
        assert!((found.largest - 0.4).abs() < 1e-12 && (found.mean - 0.7 / 3.0).abs() < 1e-12);
        assert!((found.root_mean_square - 0.07_f64.sqrt()).abs() < 1e-12 && found.n_points == 3);
        assert!(
            found
                .to_string()
                .ends_with("by at most 0.400, 0.233 in the mean, -0.167 with its sign (3 points)")
        );
        assert_eq!(Difference::of([]), None);
    }
}
