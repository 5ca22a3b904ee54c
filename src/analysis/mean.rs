//! A mean over independent samples, with its standard error.

/// A mean over samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mean {
    pub(crate) value: f64,
    /// Standard error; 0 for a single sample.
    pub(crate) error: f64,
}

impl Mean {
    pub(crate) fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let value = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - value).powi(2)).sum();
        let error = if n > 1.0 { (squares / (n - 1.0) / n).sqrt() } else { 0.0 };
        Self { value, error }
    }

    /// (x, low, high), one standard error to either side.
    pub(crate) fn bar(self, x: f64) -> (f64, f64, f64) {
        (x, self.value - self.error, self.value + self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1, 2, 6: mean 3, variance 7, standard error sqrt(7 / 3).
    #[test]
    fn means_have_their_standard_error() {
        let mean = Mean::of(&[1.0, 2.0, 6.0]);
        assert!((mean.value - 3.0).abs() < 1e-12 && (mean.error - (7.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(Mean::of(&[4.0]), Mean { value: 4.0, error: 0.0 });
    }
}
