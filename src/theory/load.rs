//! The load alpha = P / N and the ranges in which the theories hold.

use crate::error::{Error, Result};

/// Refuses a load that is not a number above 0 and at most `largest`, which is `what`; infinite: any finite load.
///
/// Loads below 2.2e-308, whose inverse is infinite, count as 0.
pub(super) fn check_load(load: f64, largest: f64, what: &str) -> Result<()> {
    let is_within = load >= f64::MIN_POSITIVE && load <= largest && load.is_finite();
    if is_within { Ok(()) } else { Err(out_of_range(load, "above", largest, what)) }
}

/// The same with 0 allowed.
pub(super) fn check_load_or_zero(load: f64, largest: f64, what: &str) -> Result<()> {
    let is_within = load >= 0.0 && load <= largest && load.is_finite();
    if is_within { Ok(()) } else { Err(out_of_range(load, "of at least", largest, what)) }
}

fn out_of_range(load: f64, from: &str, largest: f64, what: &str) -> Error {
    let expected = match largest.is_finite() {
        true => format!("a number {from} 0 and at most {largest}, {what}"),
        false => format!("a finite number {from} 0"),
    };
    Error::parameter("load", expected, load)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_outside_their_range_are_refused() {
        for load in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.1, 0.0, 1e-310, 2.1] {
            let error = check_load(load, 2.0, "the capacity").unwrap_err();
            assert!(matches!(error, Error::Parameter { name: "load", .. }), "{error}");
        }
        assert!(check_load(2.0, 2.0, "").is_ok() && check_load(1e300, f64::INFINITY, "").is_ok());
        assert!(check_load(f64::INFINITY, f64::INFINITY, "").is_err());
        assert!(check_load_or_zero(0.0, 2.0, "").is_ok() && check_load_or_zero(-1.0, 2.0, "").is_err());
    }
}
