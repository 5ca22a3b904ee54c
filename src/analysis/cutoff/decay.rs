//! Where the signal-to-noise ratio falls to 1: fits of its decay with k.

/// The decay is fitted where the ratio is within this factor of 1.
const FIT_FACTOR: f64 = 3.0;
/// Features before this one do not follow the power law: draws are without replacement.
const FIRST_FITTED: usize = 3;
/// Points that a fit needs.
const MIN_FITTED: usize = 4;
/// Scoring gains a digit or more a step where the scatter about the line is small, less where it is large.
const MAX_STEPS: usize = 1000;
/// Of slope and level: far below any interval.
const TOLERANCE: f64 = 1e-10;

/// Signal and variance of a feature, means over draws.
#[derive(Clone, Copy)]
pub(super) struct Moments {
    pub(super) signal: f64,
    pub(super) variance: f64,
}

impl Moments {
    pub(super) fn ratio(&self) -> f64 {
        self.signal / self.variance.sqrt()
    }
}

/// Rank at which the ratio of the fitted signal to the root of the fitted variance is 1.
///
/// The ranks fitted are those where the last fit, at first the ratios themselves, says that the ratio is between 1/3 and 3:
/// a window in k, not in the scattered ratios. Variances scatter by their own size from feature to feature, most of all
/// with few draws, and signals by the counts of rare features; fits to their logarithms would come out low, so these are fits to
/// the values ([`power_of_mean`]).
pub(super) fn crossing(moments: &[Moments], exponent: f64) -> Option<f64> {
    let ratios: Vec<f64> = moments.iter().map(Moments::ratio).collect();
    let first_below = ratios.iter().position(|&ratio| ratio < 1.0)?;
    // How many features are above 1 anywhere sets the scale: a first one below it may be an unlucky draw.
    let stored = ratios.iter().filter(|&&ratio| ratio >= 1.0).count().max(first_below);
    let mut centre = (stored as f64).max(1.0);
    if exponent == 0.0 {
        return None;
    }
    for _ in 0..3 {
        let width = FIT_FACTOR.powf(1.0 / exponent);
        let fitted = |index: &usize| {
            let rank = (index + 1) as f64;
            *index + 1 >= FIRST_FITTED && rank >= centre / width && rank <= centre * width
        };
        let ranks: Vec<usize> = (0..ratios.len()).filter(fitted).collect();
        if ranks.len() < MIN_FITTED {
            return interpolated(&ratios, first_below);
        }
        let of = |value: &dyn Fn(&Moments) -> f64| -> Vec<(f64, f64)> {
            ranks.iter().map(|&index| (((index + 1) as f64).ln(), value(&moments[index]))).collect()
        };
        let (signal_slope, signal) = power_of_mean(&of(&|moments| moments.signal))?;
        let (variance_slope, variance) = power_of_mean(&of(&|moments| moments.variance))?;
        let (slope, intercept) = (signal_slope - variance_slope / 2.0, signal - variance / 2.0);
        let crossing = (-intercept / slope).exp();
        if slope >= 0.0 || !crossing.is_finite() || crossing > ratios.len() as f64 {
            return None;
        }
        centre = crossing;
    }
    Some(centre)
}

/// Slope b and intercept a of y ~ exp(a + b x) for y whose scatter is in proportion to its mean: sum (y / exp(a + b x) - 1) =
/// 0, alone and times x (the likelihood of a gamma distribution), by Fisher's scoring. None if there is no such line, or
/// no positive mean.
fn power_of_mean(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let n = points.len() as f64;
    let centre = points.iter().map(|point| point.0).sum::<f64>() / n;
    let spread: f64 = points.iter().map(|point| (point.0 - centre).powi(2)).sum();
    let (mut slope, mut level) = (0.0, (points.iter().map(|point| point.1).sum::<f64>() / n).ln());
    for _ in 0..MAX_STEPS {
        let (mut of_level, mut of_slope) = (0.0, 0.0);
        for &(x, y) in points {
            let x = x - centre;
            let deviation = y / (level + slope * x).exp() - 1.0;
            of_level += deviation / n;
            of_slope += deviation * x / spread;
        }
        (level, slope) = (level + of_level, slope + of_slope);
        if of_level.abs().max(of_slope.abs()) < TOLERANCE {
            return Some((slope, level - slope * centre));
        }
    }
    None
}

/// Where few features are stored: between the first that fails and the one before it.
fn interpolated(ratios: &[f64], first_below: usize) -> Option<f64> {
    let below = first_below;
    let above = below.checked_sub(1)?;
    let (high, low) = (ratios[above].ln(), ratios[below].max(f64::MIN_POSITIVE).ln());
    let (from, to) = (((above + 1) as f64).ln(), ((below + 1) as f64).ln());
    Some((from + (to - from) * high / (high - low)).exp())
}
