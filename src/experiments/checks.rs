//! What experiments ask of their parameters, named as in their files.

use crate::error::{Error, Result};

// As learning takes lambda, lr and their like.
pub(super) use crate::learning::{not_negative, positive};

/// Samples of a point, at most: each is measured, and a file.
const MAX_SAMPLES: u64 = 10_000;

/// # Errors
/// If it is below `least`.
pub(super) fn at_least(name: &'static str, least: u64, value: impl TryInto<u64>) -> Result<()> {
    let value = value.try_into().unwrap_or(u64::MAX);
    if value >= least { Ok(()) } else { Err(Error::parameter(name, format!("at least {least}"), value)) }
}

/// # Errors
/// If there is none, or more than can be.
pub(super) fn samples(name: &'static str, n_samples: u64) -> Result<()> {
    match n_samples {
        1..=MAX_SAMPLES => Ok(()),
        _ => Err(Error::parameter(name, format!("from 1 to {MAX_SAMPLES}"), n_samples)),
    }
}

/// # Errors
/// If it is not above 0 and at most `most`.
pub(super) fn within(name: &'static str, value: f64, most: f64) -> Result<()> {
    let expected = || format!("a number above 0, at most {most}");
    if value > 0.0 && value <= most { Ok(()) } else { Err(Error::parameter(name, expected(), value)) }
}

/// The least number above 0.
pub(super) const ABOVE_0: f64 = f64::MIN_POSITIVE;

/// # Errors
/// If there are fewer than `fewest`, they do not rise, or the first is below `least`.
pub(super) fn rising(
    name: &'static str,
    values: impl IntoIterator<Item = f64>,
    fewest: usize,
    least: f64,
) -> Result<()> {
    let values: Vec<f64> = values.into_iter().collect();
    let are_numbers = values.iter().all(|&value| value.is_finite() && value >= least);
    if values.len() >= fewest && are_numbers && values.is_sorted_by(|a, b| a < b) {
        return Ok(());
    }
    let from = if least == ABOVE_0 { "above 0".to_owned() } else { format!("{least}") };
    let expected = format!("{fewest} or more numbers, ascending from {from}");
    Err(Error::parameter(name, expected, format!("{values:?}")))
}

/// # Errors
/// If epochs do not rise from 0, the couplings that training starts from.
pub(super) fn epochs_from_0(epochs: &[u64]) -> Result<()> {
    let is_there = epochs.first() == Some(&0) && epochs.is_sorted_by(|a, b| a < b);
    let wrong = || Error::parameter("epochs", "0 and others, ascending", format!("{epochs:?}"));
    if is_there { Ok(()) } else { Err(wrong()) }
}

/// Counts as [`rising`] takes them.
pub(super) fn counts<T: Copy + TryInto<u64>>(values: &[T]) -> impl Iterator<Item = f64> {
    values.iter().map(|&value| value.try_into().unwrap_or(u64::MAX) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_is_named() {
        let is_refused = |checked: Result<()>, words: &str| {
            assert!(checked.unwrap_err().to_string().contains(words), "{words}");
        };
        samples("n_samples", 10_000).unwrap();
        is_refused(samples("n_samples", 0), "n_samples");
        is_refused(samples("n_samples", 10_001), "from 1 to 10000");
        at_least("n_steps", 1, 1u64).unwrap();
        is_refused(at_least("n_steps", 1, 0usize), "n_steps");
        within("threshold", 1.0, 1.0).unwrap();
        for bad in [f64::NAN, 0.0, 1.5, -1.0, f64::INFINITY] {
            is_refused(within("threshold", bad, 1.0), "threshold");
        }
        rising("loads", [0.1, 0.2], 2, ABOVE_0).unwrap();
        rising("epochs", counts(&[0u64, 3]), 1, 0.0).unwrap();
        for bad in
            [&[0.1][..], &[0.0, 0.1], &[0.2, 0.1], &[0.1, 0.1], &[0.1, f64::NAN], &[0.1, f64::INFINITY]]
        {
            is_refused(rising("loads", bad.iter().copied(), 2, ABOVE_0), "loads");
        }
        is_refused(rising("patterns", counts(&[5usize, 1]), 1, 1.0), "ascending from 1");
    }
}
