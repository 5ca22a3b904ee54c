//! [`Histogram`]: how many samples fall into each of equally wide bins.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// More are no picture of a distribution.
const MAX_BINS: usize = 1_000_000;

/// Counts of samples in equally wide bins from `low` to `high`, as a density or beside one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    low: f64,
    high: f64,
    counts: Vec<u64>,
}

impl Histogram {
    /// `n_bins` bins that just hold all `samples`; the largest is in the last bin. Samples that are all equal get bins
    /// around them of width 1 together.
    ///
    /// # Errors
    /// If there is no bin, more than a million, or no sample, or one is not finite.
    pub fn new(samples: impl IntoIterator<Item = f64> + Clone, n_bins: usize) -> Result<Self> {
        Self::check_n_bins(n_bins)?;
        let (mut low, mut high) = range(samples.clone())?;
        if low == high {
            (low, high) = (low - 0.5, high + 0.5);
        }
        let mut counts = vec![0; n_bins];
        for sample in samples {
            let bin = ((sample - low) / (high - low) * n_bins as f64) as usize;
            counts[bin.min(n_bins - 1)] += 1;
        }
        Ok(Self { low, high, counts })
    }

    /// For samples that differ by multiples of `spacing`, as overlaps of N spins do by 2/N: at most `max_bins` bins, each of
    /// which holds the same number of possible values, so that none is fuller for having more of them. Bins end halfway
    /// between possible values.
    ///
    /// # Errors
    /// As [`new`](Self::new), or if the spacing is not a positive number.
    pub fn of_multiples(
        samples: impl IntoIterator<Item = f64> + Clone,
        spacing: f64,
        max_bins: usize,
    ) -> Result<Self> {
        Self::check_n_bins(max_bins)?;
        if !(spacing > 0.0 && spacing.is_finite()) {
            return Err(Error::parameter("spacing", "a positive number", spacing));
        }
        let (least, most) = range(samples.clone())?;
        let place = |sample: f64| ((sample - least) / spacing).round() as usize;
        let n_values = place(most).saturating_add(1);
        let per_bin = n_values.div_ceil(max_bins);
        let n_bins = n_values.div_ceil(per_bin);
        let mut counts = vec![0; n_bins];
        for sample in samples {
            counts[(place(sample) / per_bin).min(n_bins - 1)] += 1;
        }
        let low = least - spacing / 2.0;
        let high = low + n_bins as f64 * per_bin as f64 * spacing;
        Ok(Self { low, high, counts })
    }

    /// Refuses numbers of bins that [`new`](Self::new) refuses, before there are samples.
    ///
    /// # Errors
    /// If the number is 0 or above a million.
    pub fn check_n_bins(n_bins: usize) -> Result<()> {
        if (1..=MAX_BINS).contains(&n_bins) {
            return Ok(());
        }
        Err(Error::parameter("bins", format!("a number from 1 to {MAX_BINS}"), n_bins))
    }

    /// The bins: low end, high end, number of samples.
    pub fn bins(&self) -> impl ExactSizeIterator<Item = (f64, f64, u64)> + '_ {
        let share = |index: usize| index as f64 / self.counts.len() as f64;
        let end = move |index| self.low * (1.0 - share(index)) + self.high * share(index);
        self.counts.iter().enumerate().map(move |(index, &count)| (end(index), end(index + 1), count))
    }

    /// Number of samples.
    pub fn n_samples(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The density as a line of steps: both upper corners of each bin, and 0 at the ends.
    pub fn density_steps(&self) -> Vec<(f64, f64)> {
        let n_samples = self.n_samples() as f64;
        let corners = self.bins().flat_map(|(low, high, count)| {
            let density = count as f64 / n_samples / (high - low);
            [(low, density), (high, density)]
        });
        std::iter::once((self.low, 0.0)).chain(corners).chain([(self.high, 0.0)]).collect()
    }
}

/// The smallest and the largest sample.
fn range(samples: impl IntoIterator<Item = f64>) -> Result<(f64, f64)> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for sample in samples {
        if !sample.is_finite() {
            return Err(Error::shape("samples", "finite numbers", sample.to_string()));
        }
        (low, high) = (low.min(sample), high.max(sample));
    }
    if low > high {
        return Err(Error::shape("samples", "at least 1", "none"));
    }
    Ok((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_counted_once_each() {
        let histogram = Histogram::new([0.0, 0.1, 1.0, 2.5, 3.0, 4.0], 4).unwrap();
        let bins: Vec<_> = histogram.bins().collect();
        assert_eq!(bins, [(0.0, 1.0, 2), (1.0, 2.0, 1), (2.0, 3.0, 1), (3.0, 4.0, 2)]);
        let steps = histogram.density_steps();
        let area: f64 = steps.windows(2).map(|pair| (pair[1].0 - pair[0].0) * pair[1].1).sum();
        assert!((area - 1.0).abs() < 1e-15);
        assert_eq!((steps[0], steps[9]), ((0.0, 0.0), (4.0, 0.0)));
    }

    /// Overlaps of 97 spins, each of the 98 possible ones once: the same number in every bin, 50 bins asked for or 49, and
    /// a value each where there are bins enough.
    #[test]
    fn possible_values_are_shared_evenly() {
        let overlaps = (0..98).map(|up| f64::from(2 * up - 97) / 97.0);
        for (max_bins, n_bins, in_each) in [(50, 49, 2), (49, 49, 2), (200, 98, 1), (1, 1, 98)] {
            let histogram = Histogram::of_multiples(overlaps.clone(), 2.0 / 97.0, max_bins).unwrap();
            let bins: Vec<_> = histogram.bins().collect();
            assert_eq!(bins.iter().map(|bin| bin.2).collect::<Vec<_>>(), vec![in_each; n_bins]);
            // Halfway to the values that are not possible: 1 + 1/N, to rounding.
            assert!((bins[0].0 + 98.0 / 97.0).abs() < 1e-12);
            assert!((bins[n_bins - 1].1 - 98.0 / 97.0).abs() < 1e-12);
        }
        let one = Histogram::of_multiples([1.0; 5], 0.5, 10).unwrap();
        assert_eq!(one.bins().collect::<Vec<_>>(), [(0.75, 1.25, 5)]);
        assert!(Histogram::of_multiples([1.0], 0.0, 10).is_err());
        assert!(Histogram::of_multiples([f64::NAN], 0.5, 10).is_err());
    }

    #[test]
    fn equal_samples_are_in_one_bin_and_bad_ones_refused() {
        let histogram = Histogram::new([2.0; 7], 3).unwrap();
        assert_eq!(histogram.bins().map(|bin| bin.2).collect::<Vec<_>>(), [0, 7, 0]);
        for (samples, n_bins) in [(vec![], 3), (vec![1.0], 0), (vec![1.0, f64::NAN], 3)] {
            assert!(Histogram::new(samples, n_bins).is_err());
        }
    }
}
