//! Roots of increasing functions by bisection, to the last bit.

/// The point of `[low, high]` where `increasing` crosses 0; an end where it does not.
///
/// Halves the interval until no number lies inside it: at most some 60 steps between numbers of like size, and nothing
/// to tune or to fail. NaN counts as not yet above 0.
pub(super) fn crossing(mut low: f64, mut high: f64, increasing: impl Fn(f64) -> f64) -> f64 {
    debug_assert!(low <= high && low.is_finite() && high.is_finite());
    if increasing(low) >= 0.0 {
        return low;
    }
    loop {
        let middle = low + 0.5 * (high - low);
        if middle <= low || middle >= high {
            return middle;
        }
        if increasing(middle) > 0.0 {
            high = middle;
        } else {
            low = middle;
        }
    }
}

/// The first of low + 1, low + 2, low + 4, ... where `increasing` is above 0, up to low + 2^60.
pub(super) fn upper_end(low: f64, increasing: impl Fn(f64) -> f64) -> f64 {
    let ends = (0..60).map(|power| low + f64::from(power).exp2());
    ends.into_iter().find(|&end| increasing(end) > 0.0).unwrap_or(low + 60f64.exp2())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found_to_the_last_bit() {
        // x^2 = 2 and x^3 = x + 1 (the plastic number) have known roots.
        assert!((crossing(0.0, 5.0, |x| x * x - 2.0) - 2f64.sqrt()).abs() <= f64::EPSILON);
        let plastic = 1.324_717_957_244_746;
        assert!((crossing(1.0, 2.0, |x| x * x * x - x - 1.0) - plastic).abs() <= 4.0 * f64::EPSILON);
        assert_eq!((crossing(3.0, 3.0, |x| x), crossing(0.0, 1.0, |x| x)), (3.0, 0.0));
        assert_eq!(upper_end(-1.0, |x| x - 10.0), 15.0);
    }
}
