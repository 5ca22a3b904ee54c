//! How many features are worth measuring: some times the cutoff that the full law predicts.

use super::counts::FeatureCounts;
use super::measure::Kept;
use crate::analysis::matrix_free::MatrixFreeHebb;
use crate::datasets::{Manifold, ManifoldParameters, PatternStream};
use crate::error::Result;
use crate::execution::Execution;
use crate::theory::{Counted, power_sum, signal_and_noise};

/// Features are measured in multiples of this many, up to which they are counted together.
const STEP: usize = 32;
/// Predicted features are at most this many: beyond, a user is to ask for them.
pub(super) const MAX_PREDICTED: usize = 4096;
/// Measured for each that is predicted to be stored.
const MARGIN: usize = 3;
/// Frequencies of the first ranks are counted; those past them follow the power law.
const COUNTED_RANKS: usize = 16;
/// Patterns that an estimate draws.
const SAMPLE: usize = 20_000;

/// Frequencies of all features: the first ones counted, the rest a power law.
struct Frequencies {
    counted: Counted,
    first: Vec<f64>, // [rank - 1]
    uses_of_the_rest: f64,
}

impl Frequencies {
    fn of(parameters: &ManifoldParameters, counts: &FeatureCounts) -> Self {
        let n_first = (COUNTED_RANKS as u64).min(parameters.n_features) as usize;
        Self {
            counted: counts.counted().clone(),
            first: (1..=n_first as u64).map(|rank| counts.count(rank) as f64).collect(),
            uses_of_the_rest: counts.uses_past(n_first) as f64,
        }
    }

    /// As they are expected with `factor` times the patterns.
    fn scaled(self, factor: f64, n_active: usize) -> Self {
        // A count is of Poisson's kind: the sum of squares has the counts themselves beside what grows with the square.
        let squares = |squares: f64, uses: f64| factor * factor * (squares - uses) + factor * uses;
        let Counted { n_patterns, squares: of_singles, subset_squares } = self.counted;
        let uses = |degree| Counted::distinct_sets(n_patterns, n_active, degree);
        let counted = Counted {
            n_patterns: factor * n_patterns,
            squares: squares(of_singles, uses(1)),
            subset_squares: subset_squares
                .into_iter()
                .map(|(degree, of_sets)| (degree, squares(of_sets, uses(degree))))
                .collect(),
        };
        Self {
            counted,
            first: self.first.into_iter().map(|count| factor * count).collect(),
            uses_of_the_rest: factor * self.uses_of_the_rest,
        }
    }

    /// Three times the rank at which the full law reaches a ratio of 1.
    fn predicted_features(&self, parameters: &ManifoldParameters) -> usize {
        let (eta, n_features) = (parameters.exponent, parameters.n_features);
        let rest = power_sum(eta, n_features) - power_sum(eta, self.first.len() as u64);
        let scale = if rest > 0.0 { self.uses_of_the_rest / rest } else { 0.0 };
        let ratio = |rank: u64| {
            let count = match self.first.get(rank as usize - 1) {
                Some(&count) => count,
                None => scale * (rank as f64).powf(-eta),
            };
            signal_and_noise(parameters.n_spins, parameters.n_active, &self.counted, count).ratio()
        };
        // Past the counted ranks the ratio falls with the rank.
        let (mut stored, mut lost) = (0, n_features + 1);
        while lost - stored > 1 {
            let middle = (stored + lost) / 2;
            if ratio(middle) >= 1.0 { stored = middle } else { lost = middle }
        }
        let wanted = usize::try_from(stored).unwrap_or(usize::MAX).saturating_mul(MARGIN);
        let rounded = wanted.clamp(STEP, MAX_PREDICTED).next_multiple_of(STEP);
        usize::try_from(n_features).unwrap_or(usize::MAX).min(rounded)
    }
}

/// Features to measure, from the counts of all patterns.
pub(super) fn predicted_features(parameters: &ManifoldParameters, counts: &FeatureCounts) -> usize {
    Frequencies::of(parameters, counts).predicted_features(parameters)
}

/// Features whose counts [`predicted_features`] and the measurement of the predicted ones need.
pub(super) fn counted_ranks(parameters: &ManifoldParameters, kept: Kept) -> usize {
    let measured = match kept {
        Kept::First(count) => count,
        Kept::Predicted => MAX_PREDICTED,
    };
    usize::try_from(parameters.n_features).unwrap_or(usize::MAX).min(measured.max(COUNTED_RANKS))
}

/// What a measurement is expected to come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// K.
    pub features: usize,
    /// Patterns that differ, up to sign.
    pub columns: usize,
}

/// What the patterns of a manifold are expected to come to, from a sample of them. How many differ grows like a power of their
/// number, ever more slowly: the power of the sample's second half is rather too large.
///
/// # Errors
/// If parameters are out of range, or interrupted.
pub fn expected(parameters: &ManifoldParameters, kept: Kept, execution: &Execution) -> Result<Expected> {
    let n_patterns = parameters.n_patterns;
    let sample = n_patterns.min(SAMPLE);
    let of_sample =
        |n_patterns: usize| Manifold::new(ManifoldParameters { n_patterns, ..parameters.clone() });
    let n_columns = |n_patterns: usize| -> Result<f64> {
        let manifold = of_sample(n_patterns)?;
        let stream = PatternStream::new(&manifold, execution)?;
        Ok(MatrixFreeHebb::new(&stream, None, execution)?.n_columns() as f64)
    };
    let manifold = of_sample(sample)?;
    let stream = PatternStream::new(&manifold, execution)?;
    let of_all = n_columns(sample)?;
    let factor = n_patterns as f64 / sample as f64;
    let columns = if factor > 1.0 {
        let power = (of_all / n_columns(sample / 2)?).log2().clamp(0.0, 1.0);
        of_all * factor.powf(power)
    } else {
        of_all
    };
    let features = match kept {
        Kept::First(count) => count,
        Kept::Predicted => {
            let counts = FeatureCounts::new(&stream, counted_ranks(parameters, kept), execution)?;
            let frequencies = Frequencies::of(parameters, &counts).scaled(factor, parameters.n_active);
            frequencies.predicted_features(parameters)
        }
    };
    Ok(Expected { features, columns: columns.ceil() as usize })
}
