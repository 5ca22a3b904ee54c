//! When a feature counts as stored, feature by feature.

use super::point::FeatureRow;

/// Overlaps are multiples of 2/N: far below that, above the rounding of a threshold.
pub(super) const SLACK: f64 = 1e-12;

/// What a stored feature has to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Criterion {
    /// A signal-to-noise ratio of 1.
    Ratio,
    /// This one-step overlap.
    OneStep(f64),
    /// This overlap after iterating; not reached where there was no iterating.
    Last(f64),
}

impl Criterion {
    /// All, in the order of tables.
    pub const ALL: [Self; 5] =
        [Self::Ratio, Self::OneStep(0.9), Self::OneStep(0.99), Self::Last(0.9), Self::Last(0.99)];

    /// Its name in tables.
    pub fn name(self) -> String {
        match self {
            Self::Ratio => "snr_1".into(),
            Self::OneStep(threshold) => format!("one_step_{threshold}"),
            Self::Last(threshold) => format!("final_{threshold}"),
        }
    }

    /// Whether the feature reaches it.
    pub fn is_reached(self, feature: &FeatureRow) -> bool {
        match self {
            Self::Ratio => feature.ratio() >= 1.0,
            Self::OneStep(threshold) => feature.one_step >= threshold - SLACK,
            Self::Last(threshold) => feature.last.is_some_and(|last| last >= threshold - SLACK),
        }
    }

    /// How many features reach it.
    pub fn count(self, features: &[FeatureRow]) -> usize {
        features.iter().filter(|feature| self.is_reached(feature)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_are_reached_by_their_own_value() {
        let feature = FeatureRow { count: 1, signal: 2.0, variance: 4.0, one_step: 0.9, last: Some(0.98) };
        let reached = Criterion::ALL.map(|criterion| criterion.is_reached(&feature));
        assert_eq!(reached, [true, true, false, true, false]);
        let not_iterated = FeatureRow { last: None, ..feature };
        assert!(!Criterion::Last(0.9).is_reached(&not_iterated));
        assert_eq!(Criterion::Last(0.9).count(&[feature, not_iterated]), 1);
    }

    /// All fields zero: no signal, whatever the noise.
    #[test]
    fn nothing_is_no_signal() {
        let feature = FeatureRow { count: 0, signal: 0.0, variance: 0.0, one_step: 1.0, last: None };
        assert_eq!(feature.ratio(), 0.0);
        assert!(!Criterion::Ratio.is_reached(&feature));
    }
}
